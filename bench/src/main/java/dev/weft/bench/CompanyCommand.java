// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench;

import static dev.weft.format.Format.count;
import static dev.weft.format.Format.format;
import static java.util.Locale.ROOT;

import dev.weft.bench.company.Plan;
import dev.weft.bench.company.Row;
import dev.weft.bench.company.Turns;
import dev.weft.bench.measure.ChildFailedException;
import dev.weft.bench.peer.Side;
import dev.weft.bench.peer.Target;
import dev.weft.bench.report.Company;
import dev.weft.bench.report.Machine;
import dev.weft.bench.report.Missing;
import dev.weft.bench.report.Part;
import dev.weft.bench.report.Results;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Measures training on the CPU alone and beside other work, which it makes itself. */
@Command(
    name = "weft bench company",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = {
      "Measures how training on the CPU fares alone and in company: beside busy processes, within a"
          + " quota of the processors' time, beside a second training. It makes the company itself,"
          + " and ends it.",
      "Each figure is a ratio of two Java machines that are asked in turn: the median of the turns,"
          + " with the lowest and the highest. A target that is missed is said; the exit code is 1"
          + " only where a side fails."
    })
final class CompanyCommand implements Callable<Integer> {
  private static final Turns.Length FULL = new Turns.Length(7, 1000, 100, 400);
  private static final Turns.Length QUICK = new Turns.Length(3, 300, 50, 150);

  @Spec private CommandSpec spec;

  @Option(
      names = "--peer",
      split = ",",
      paramLabel = "djl|tensorflow|none",
      description =
          "who trains in company, too, each with its own number of threads; default: none")
  private Set<Main.Peer> peers = EnumSet.of(Main.Peer.NONE);

  @Option(names = "--quick", description = "shorter and fewer turns, for a first impression")
  private boolean quick;

  @Option(
      names = "--only",
      paramLabel = "REGEX",
      defaultValue = "",
      description = "only rows whose name contains a match")
  private Pattern only;

  @Option(names = "--turns", paramLabel = "N", description = "how often each side is asked")
  private int turns;

  @Option(names = "--json", paramLabel = "FILE", description = "also write all figures as JSON")
  private Path json;

  private final String command;

  CompanyCommand(String arguments) {
    command = "weft bench " + arguments;
  }

  @Override
  public Integer call() throws IOException {
    if (turns < 0) {
      throw new ParameterException(spec.commandLine(), "--turns must not be negative");
    }
    Set<Side> sides = Main.sides(spec.commandLine(), peers);
    OutputFile.check(spec.commandLine(), "--json", json);
    int processors = Runtime.getRuntime().availableProcessors();
    Results results = new Results(Machine.here(processors), command);
    List<Row> rows = rows(processors, sides, results);
    if (json != null) {
      results.keepIn(json);
    }
    Turns.Length length = length();
    System.out.printf(
        ROOT,
        "%s%n%s%n%n%s, about %.0f s%n",
        results.machine().text(),
        Results.versions(),
        count(rows.size(), "row"),
        rows.size() * length.seconds());
    for (Row row : rows) {
      measure(row, length, processors, results);
    }
    results.finish(Machine.here(processors).load());
    System.out.printf(ROOT, "%n%s", Company.table(results.company()).text());
    results.missing().forEach(one -> System.out.printf(ROOT, "%n%s: %s%n", one.what(), one.why()));
    if (json != null) {
      results.write(json);
      System.out.printf(ROOT, "%nwritten: %s%n", json);
    }
    return results.failed() ? CommandLine.ExitCode.SOFTWARE : CommandLine.ExitCode.OK;
  }

  private Turns.Length length() {
    Turns.Length usual = quick ? QUICK : FULL;
    return turns == 0
        ? usual
        : new Turns.Length(turns, usual.warm(), usual.lead(), usual.measured());
  }

  /** Those that were asked for, of the sides that are here. */
  private List<Row> rows(int processors, Set<Side> sides, Results results) {
    List<Side> here = new ArrayList<>();
    for (Side side : sides) {
      String missing = side.missing(Target.CPU);
      if (missing == null) {
        here.add(side);
      } else {
        results.add(new Missing(side.label() + " on cpu", missing));
      }
    }
    List<Row> all = Plan.rows(processors, here);
    List<Row> wanted = all.stream().filter(row -> only.matcher(row.name()).find()).toList();
    if (wanted.isEmpty()) {
      throw new ParameterException(
          spec.commandLine(),
          format(
              "no row's name contains a match of --only '%s': there are %s",
              only, all.stream().map(Row::name).collect(Collectors.joining("; "))));
    }
    return wanted;
  }

  private static void measure(Row row, Turns.Length length, int processors, Results results) {
    try {
      Company measured = Turns.of(row, length, processors);
      results.add(measured);
      System.out.printf(ROOT, "%s: %s%n", measured.name(), measured.text());
    } catch (ChildFailedException e) {
      Progress.fail(results, Part.STEPS, row.name(), e.getMessage());
    }
  }
}
