// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench.company;

import static dev.weft.format.Format.format;

import dev.weft.MathMode;
import dev.weft.bench.company.Row.Beside;
import dev.weft.bench.company.Row.Entrant;
import dev.weft.bench.company.Work.Task;
import dev.weft.bench.peer.Mlp;
import dev.weft.bench.peer.Side;
import dev.weft.bench.report.Company;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;

/** The rows for a machine, with their targets. */
public final class Plan {
  private static final String ONE = "one busy core";

  // more threads must not cost anything, nor much where others compute
  private static final double IDLE = 0.97;
  private static final double SHARED = 0.95;
  private static final double BUSY = 0.4;
  private static final double TWIN = 0.45;

  private static final Mlp NARROW = Mlp.of(64, 784, 100, 100, 10);
  private static final Mlp SHALLOW = Mlp.of(128, 784, 512, 10);
  private static final Mlp MIDDLE = Mlp.of(128, 784, 512, 512, 10);
  private static final Mlp WIDE = Mlp.of(1024, 784, 2048, 2048, 10);

  private final List<Row> rows = new ArrayList<>();
  private final int processors;

  private Plan(int processors) {
    this.processors = processors;
  }

  /** All rows for a machine of so many processors, and those of peers with Weft's beside them. */
  public static List<Row> rows(int processors, Collection<Side> peers) {
    Plan plan = new Plan(processors);
    plan.idle();
    plan.inCompany();
    plan.prediction();
    if (!peers.isEmpty()) {
      List.of(NARROW, MIDDLE).forEach(mlp -> plan.there(weft(mlp), Beside.ONE_BUSY, 0));
    }
    for (Side peer : peers) {
      for (Mlp mlp : List.of(NARROW, MIDDLE)) {
        plan.there(new Work(peer, Task.TRAIN, mlp, MathMode.STRICT, 0), Beside.ONE_BUSY, 0);
      }
      for (Mlp mlp : List.of(MIDDLE, WIDE)) {
        plan.there(new Work(peer, Task.TRAIN, mlp, MathMode.STRICT, 0), Beside.ALL_BUSY, 0);
      }
    }
    return plan.rows;
  }

  private void idle() {
    for (MathMode mode : List.of(MathMode.STRICT, MathMode.FAST)) {
      idle(Task.TRAIN, NARROW, mode, 1.3, IDLE);
      if (mode == MathMode.STRICT) {
        idle(Task.TRAIN_UNFUSED, NARROW, mode, 1.3, IDLE);
      }
      idle(Task.TRAIN, SHALLOW, mode, IDLE, IDLE);
      idle(Task.TRAIN, MIDDLE, mode, 1.7, 1.7);
      idle(Task.TRAIN, WIDE, mode, 1.9, 1.9);
    }
  }

  private void idle(Task task, Mlp mlp, MathMode mode, double target, double least) {
    Work work = new Work(Side.WEFT, task, mlp, mode, 0);
    // two threads on one processor can gain nothing
    double most = processors == 1 ? IDLE : target;
    threads("idle", work, Beside.NOBODY, 0, most, Math.min(most, least));
  }

  private void inCompany() {
    for (Mlp mlp : List.of(NARROW, MIDDLE)) {
      threads(ONE, weft(mlp), Beside.ONE_BUSY, 0, SHARED, SHARED);
    }
    for (Mlp mlp : List.of(MIDDLE, WIDE)) {
      there(weft(mlp), Beside.ALL_BUSY, BUSY);
    }
    for (double share : new double[] {0.25, 0.75}) {
      double quota = share * processors;
      for (Mlp mlp : List.of(NARROW, MIDDLE)) {
        String where = format("quota of %s processors", quota);
        threads(where, weft(mlp), Beside.NOBODY, quota, SHARED, SHARED);
      }
    }
    beside("two trainings", "slower / alone", weft(MIDDLE), Beside.ITS_TWIN, TWIN);
  }

  private void prediction() {
    Work work = new Work(Side.WEFT, Task.PREDICT, MIDDLE, MathMode.STRICT, 0);
    threads("idle", work, Beside.NOBODY, 0, 0, 0);
    there(work, Beside.ONE_BUSY, 0);
  }

  private static Work weft(Mlp mlp) {
    return new Work(Side.WEFT, Task.TRAIN, mlp, MathMode.STRICT, 0);
  }

  /** The default number of threads / one. */
  private void threads(
      String where, Work work, Beside beside, double quota, double target, double least) {
    Entrant first = new Entrant(work, beside);
    Entrant second = new Entrant(work.on(1), beside);
    add(where, "default / one thread", first, second, quota, target, least);
  }

  /** In company / idle. */
  private void there(Work work, Beside beside, double target) {
    String where = beside == Beside.ONE_BUSY ? ONE : "all cores busy";
    beside(where + " beside idle", "there / idle", work, beside, target);
  }

  private void beside(String where, String ratio, Work work, Beside beside, double target) {
    add(
        where,
        ratio,
        new Entrant(work, beside),
        new Entrant(work, Beside.NOBODY),
        0,
        target,
        target);
  }

  private void add(
      String where,
      String ratio,
      Entrant first,
      Entrant second,
      double quota,
      double target,
      double least) {
    Work work = first.work();
    boolean predicts = work.task() == Task.PREDICT;
    String name =
        format(
            "%s, %s %s, %s%s",
            where,
            work.mlp().network(),
            predicts ? "prediction of one row" : work.mlp().size(),
            work.side() == Side.WEFT ? "Weft " + work.mode() : work.side().label(),
            work.task() == Task.TRAIN_UNFUSED ? " unfused" : "");
    String unit = predicts ? Company.PREDICTIONS : Company.SAMPLES;
    rows.add(new Row(name, ratio, unit, first, second, quota, target, least));
  }
}
