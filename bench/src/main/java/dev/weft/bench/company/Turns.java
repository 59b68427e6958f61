// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench.company;

import static dev.weft.format.Format.format;

import dev.weft.bench.company.Row.Beside;
import dev.weft.bench.company.Row.Entrant;
import dev.weft.bench.report.Company;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Measures a row: a Java machine for each side, asked in turn, in an order that turns around each
 * time, so that a machine that becomes slower favours neither.
 */
public final class Turns {
  /**
   * How long to measure.
   *
   * @param turns of each side
   * @param warm milliseconds that each works before the first turn, in its company
   * @param lead milliseconds that it works before each turn, unmeasured
   * @param measured milliseconds of a turn: some periods of a scheduler
   */
  public record Length(int turns, int warm, int lead, int measured) {
    private static final double STARTS = 2.5; // seconds, of both sides of a row
    private static final int SIDES = 2;

    /** Seconds that a row takes, about. */
    public double seconds() {
      return STARTS + SIDES * (warm + turns * (lead + measured)) / 1e3;
    }
  }

  private final Row row;
  private final Length length;
  private final int processors;
  private final Scope scope;
  private final Path cgroups;
  private final List<String> notes = new ArrayList<>();
  private Quota quota;
  private String noQuota;
  private Child busy;

  private Turns(Row row, Length length, int processors, Path cgroups, Scope scope) {
    this.row = row;
    this.length = length;
    this.processors = processors;
    this.cgroups = cgroups;
    this.scope = scope;
  }

  /**
   * Measures, on as many processors as Java sees.
   *
   * @throws dev.weft.bench.measure.ChildFailedException where a side fails
   */
  public static Company of(Row row, Length length, int processors) {
    return of(row, length, processors, Quota.ROOT);
  }

  static Company of(Row row, Length length, int processors, Path cgroups) {
    try (Scope scope = new Scope()) {
      return new Turns(row, length, processors, cgroups, scope).measure();
    }
  }

  private Company measure() {
    List<Double> above = new ArrayList<>();
    List<Double> below = new ArrayList<>();
    if (row.quota() > 0 && !limit()) {
      return result(above, below);
    }
    int most =
        Math.max(row.first().beside().busy(processors), row.second().beside().busy(processors));
    if (most > 0) {
      busy = scope.add(new Child("Busy", Busy.command(most)));
    }
    List<Child> first = start(row.first());
    List<Child> second = start(row.second());
    List<Child> all = new ArrayList<>(first);
    all.addAll(second);
    ready(all);
    run(row.first(), first, length.warm(), 1);
    run(row.second(), second, length.warm(), 1);
    if (busy != null) {
      all.add(busy);
    }
    Others others = new Others(() -> all.stream().mapToLong(Child::processorTime).sum());
    List<String> distances = new ArrayList<>();
    for (int turn = 0; turn < length.turns(); turn++) {
      if (quota == null && busy == null && noQuota == null && processors > 1) {
        distances.add(format("%.0f", Distance.nanoseconds()));
      }
      for (int i = 0; i < 2; i++) {
        if (turn % 2 == i) {
          above.add(run(row.first(), first, length.lead(), length.measured()));
        } else {
          below.add(run(row.second(), second, length.lead(), length.measured()));
        }
      }
    }
    double taken = others.processors();
    if (taken > Others.DISTURBED) {
      notes.add(format("others took %.1f processors meanwhile", taken));
    }
    if (!distances.isEmpty()) {
      notes.add("ns to the other processor and back: " + String.join(", ", distances));
    }
    return result(above, below);
  }

  /** Makes the cgroup, or finds out whether a throttle can stand in for it. */
  private boolean limit() {
    try {
      String name = format("weft-bench-%d", ProcessHandle.current().pid());
      quota = scope.add(Quota.of(cgroups, name, row.quota()));
    } catch (IOException e) {
      noQuota = format("no cgroup can be made (%s)", e);
      if (row.quota() >= 1) {
        notes.add(noQuota + ", and a process that is stopped in turns uses less than a processor");
        return false;
      }
      notes.add(noQuota + ": each side is stopped in turns, and Java sees all processors");
    }
    return true;
  }

  private List<Child> start(Entrant side) {
    List<Child> children = new ArrayList<>();
    for (int i = 0; i < (side.beside() == Beside.ITS_TWIN ? 2 : 1); i++) {
      List<String> command = Trainee.command(side.work());
      String name = "Trainee " + side.work().words();
      Child child = scope.add(new Child(name, quota == null ? command : quota.within(command)));
      if (noQuota != null) {
        scope.add(new Throttle(child.pid(), row.quota()));
      }
      children.add(child);
    }
    return children;
  }

  private void ready(List<Child> children) {
    String seen = "";
    for (Child child : children) {
      seen = child.answer(Trainee.READY).substring(Trainee.READY.length());
    }
    if (quota != null) {
      notes.add(format("Java sees %s of %d processors", seen, processors));
    }
    if (busy != null) {
      busy.answer(Busy.SPINNING);
    }
  }

  /** Samples a second of one turn; of twins, of the slower one. */
  private double run(Entrant side, List<Child> children, long lead, long measured) {
    if (busy != null) {
      busy.ask(Integer.toString(side.beside().busy(processors)));
      busy.answer(Busy.SPINNING);
    }
    for (Child child : children) {
      child.ask(Trainee.request(lead, measured));
    }
    double slowest = Double.MAX_VALUE;
    for (Child child : children) {
      slowest = Math.min(slowest, Trainee.rate(child.answer(Trainee.RAN)));
    }
    return slowest;
  }

  private Company result(List<Double> above, List<Double> below) {
    return new Company(
        row.name(),
        row.ratio(),
        row.unit(),
        above,
        below,
        row.target(),
        row.least(),
        String.join("; ", notes));
  }
}
