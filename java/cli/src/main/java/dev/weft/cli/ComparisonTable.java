// SPDX-License-Identifier: Apache-2.0
package dev.weft.cli;

import static dev.weft.format.Format.count;
import static dev.weft.format.Format.format;
import static java.util.Locale.ROOT;

import dev.weft.cli.ComparedRun.By;
import dev.weft.train.Evaluation;
import dev.weft.train.History;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.DoubleFunction;
import java.util.function.Function;
import java.util.function.ToDoubleFunction;
import java.util.stream.Stream;

/**
 * What runs side by side came to: a row for each as it ends, then one for each setting where a
 * setting has several seeds, and the best.
 */
final class ComparisonTable {
  private static final String NOTHING = "-";

  private final PrintWriter out;
  private final List<Setting> settings;
  private final int seeds;
  private final By by;
  private final String unseen;
  private final Table rows;
  private final List<ComparedRun> runs = new ArrayList<>();

  /**
   * Prints the titles.
   *
   * @param unseen what the evaluations are over, in a word
   */
  ComparisonTable(PrintWriter out, List<Setting> settings, int seeds, By by, String unseen) {
    this.out = out;
    this.settings = settings;
    this.seeds = seeds;
    this.by = by;
    this.unseen = unseen;
    List<Table.Column> columns = new ArrayList<>(names());
    if (seeds > 1) {
      columns.add(Table.right("seed", 4));
    }
    columns.addAll(
        List.of(
            Table.right("loss", 7),
            Table.right("accuracy", 8),
            Table.right("best loss", 9),
            Table.right("accuracy", 8),
            Table.right("epoch", 5),
            Table.right("samples/s", 11),
            Table.left("", 0)));
    rows = new Table(out, columns.toArray(Table.Column[]::new));
  }

  private List<Table.Column> names() {
    return settings.getFirst().values().keySet().stream()
        .map(
            name ->
                Table.left(
                    name,
                    Stream.concat(Stream.of(name), settings.stream().map(s -> s.values().get(name)))
                        .mapToInt(String::length)
                        .max()
                        .orElseThrow()))
        .toList();
  }

  /** Prints the row of a run that has ended. */
  void add(ComparedRun run) {
    runs.add(run);
    boolean isBest = bestRun().filter(best -> best == run).isPresent();
    List<Object> cells = new ArrayList<>(run.setting().values().values());
    if (seeds > 1) {
      cells.add(run.seed());
    }
    boolean hasLast = !run.epochs().isEmpty() && !run.hasDiverged();
    addTo(
        cells, hasLast ? Optional.of(ComparedRun.test(run.epochs().getLast())) : Optional.empty());
    Optional<History.Epoch> best = run.best(by);
    addTo(cells, best.map(ComparedRun::test));
    cells.add(best.map(epoch -> (Object) epoch.number()).orElse(NOTHING));
    cells.add(run.epochs().isEmpty() ? NOTHING : Amount.count(run.samplesPerSecond()));
    cells.add(!run.fault().isEmpty() ? run.fault() : isBest ? "best so far" : "");
    rows.row(cells.toArray());
  }

  private static void addTo(List<Object> cells, Optional<Evaluation> evaluation) {
    cells.add(evaluation.map(e -> format("%.4f", e.loss())).orElse(NOTHING));
    cells.add(evaluation.map(e -> Amount.percent(e.accuracy())).orElse(NOTHING));
  }

  private double value(ComparedRun run) {
    return run.hasDiverged()
        ? Double.POSITIVE_INFINITY
        : run.best(by)
            .map(epoch -> by.of(ComparedRun.test(epoch)))
            .orElse(Double.POSITIVE_INFINITY);
  }

  private Optional<ComparedRun> bestRun() {
    return runs.stream().filter(this::hasEnded).min(Comparator.comparingDouble(this::value));
  }

  /** Prints what stands below the rows: a table of settings where there are several seeds. */
  void end() {
    Map<Setting, List<ComparedRun>> bySetting = new LinkedHashMap<>();
    runs.forEach(run -> bySetting.computeIfAbsent(run.setting(), s -> new ArrayList<>()).add(run));
    Optional<Map.Entry<Setting, List<ComparedRun>>> best =
        bySetting.entrySet().stream()
            .filter(each -> each.getValue().size() == seeds) // else the end came between them
            .filter(each -> mean(each.getValue(), this::value) < Double.POSITIVE_INFINITY)
            .min(Comparator.comparingDouble(each -> mean(each.getValue(), this::value)));
    if (seeds > 1) {
      out.printf(ROOT, "%nmeans and standard deviations over the seeds that did not diverge%n");
      bySetting(bySetting, best.map(Map.Entry::getKey));
    }
    out.println(
        best.map(each -> "best     " + said(each.getKey(), each.getValue()))
            .orElse("best     none: every setting has a run that diverged, or ended no epoch"));
    out.flush();
  }

  private void bySetting(Map<Setting, List<ComparedRun>> bySetting, Optional<Setting> best) {
    List<Table.Column> columns = new ArrayList<>(names());
    columns.add(Table.right("runs", 6));
    for (String title : List.of("loss", "accuracy", "best loss", "accuracy")) {
      columns.add(Table.right(title, Math.max(8, title.length())));
      columns.add(Table.right("sd", title.contains("loss") ? 6 : 7));
    }
    columns.add(Table.left("", 0));
    Table table = new Table(out, columns.toArray(Table.Column[]::new));
    bySetting.forEach(
        (setting, all) -> {
          List<ComparedRun> ended = all.stream().filter(this::hasEnded).toList();
          List<Object> cells = new ArrayList<>(setting.values().values());
          cells.add(ended.size() == all.size() ? all.size() : ended.size() + " of " + all.size());
          for (Function<ComparedRun, Evaluation> of : evaluations()) {
            addTo(cells, ended, run -> of.apply(run).loss(), value -> format("%.4f", value));
            addTo(cells, ended, run -> of.apply(run).accuracy(), Amount::percent);
          }
          cells.add(best.filter(setting::equals).isPresent() ? "best" : "");
          table.row(cells.toArray());
        });
  }

  private static void addTo(
      List<Object> cells,
      List<ComparedRun> runs,
      ToDoubleFunction<ComparedRun> value,
      DoubleFunction<String> text) {
    double mean = mean(runs, value);
    double squares = mean(runs, run -> Math.pow(value.applyAsDouble(run) - mean, 2));
    int n = runs.size();
    cells.add(n > 0 ? text.apply(mean) : NOTHING);
    cells.add(n > 1 ? text.apply(Math.sqrt(squares * n / (n - 1))) : NOTHING);
  }

  private static double mean(List<ComparedRun> runs, ToDoubleFunction<ComparedRun> value) {
    return runs.stream().mapToDouble(value).average().orElse(Double.POSITIVE_INFINITY);
  }

  /** What a row of a setting has the numbers of, in order. */
  private List<Function<ComparedRun, Evaluation>> evaluations() {
    return List.of(
        run -> ComparedRun.test(run.epochs().getLast()),
        run -> ComparedRun.test(run.best(by).orElseThrow()));
  }

  private boolean hasEnded(ComparedRun run) {
    return value(run) < Double.POSITIVE_INFINITY;
  }

  private String said(Setting setting, List<ComparedRun> of) {
    Function<ComparedRun, Evaluation> best = evaluations().getLast();
    String over =
        seeds == 1
            ? "at epoch " + of.getFirst().best(by).orElseThrow().number()
            : "in the mean over " + count(of.size(), "seed");
    return format(
        "%s: %s loss %.4f, accuracy %s %s",
        setting,
        unseen,
        mean(of, run -> best.apply(run).loss()),
        Amount.percent(mean(of, run -> best.apply(run).accuracy())),
        over);
  }
}
