// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench.report;

import static dev.weft.format.Format.format;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.ToDoubleFunction;
import java.util.stream.Collectors;

/**
 * A side that trains word vectors in a form, as whole commands of two numbers of epochs. The n-th
 * turns of a form's sides are neighbours in time.
 *
 * @param form such as {@code skip-gram-hs}
 * @param settings of all sides, in a line
 * @param command as it was run; file names are shortened
 * @param reference whether others are divided by it
 * @param words of the text that are trained on, in one epoch
 * @param epochs of the whole command
 * @param otherEpochs of the command that was run beside it, so that loading can be subtracted
 * @param target that training's ratio to each reference is to reach; 0 for none
 * @param wholeTarget the same of whole commands
 */
public record VectorTraining(
    String form,
    String settings,
    String side,
    String command,
    boolean reference,
    long words,
    int epochs,
    int otherEpochs,
    List<Turn> turns,
    double target,
    double wholeTarget) {
  private static final String NONE = "-";

  /** Commands that differ by less of the longer one's time differ by chance. */
  private static final double CHANCE = 0.1;

  /** Qualities of this name and below are shares, others are correlations. */
  public static final String ANALOGIES = "analogies";

  /**
   * One turn.
   *
   * @param seconds of the whole command
   * @param otherSeconds of that of {@code otherEpochs}
   * @param ownRate words/s of training as the side itself says; 0 where it does not
   * @param peakMib the most resident memory of the whole command
   * @param disturbance processors that processes other than the side's took meanwhile
   * @param quality of the vectors of the whole command, by name
   */
  public record Turn(
      double seconds,
      double otherSeconds,
      double ownRate,
      double peakMib,
      double disturbance,
      Map<String, Double> quality) {}

  /** Seconds of training for an epoch, loading left out; NaN where chance may be all of it. */
  double training(Turn turn) {
    double difference = (turn.seconds - turn.otherSeconds) * (epochs > otherEpochs ? 1 : -1);
    boolean chance = difference < CHANCE * Math.max(turn.seconds, turn.otherSeconds);
    return chance ? Double.NaN : difference / Math.abs(epochs - otherEpochs);
  }

  /** Words/s of training, by the median of the turns; NaN where they tell nothing. */
  public double rate() {
    double seconds = median(this::training);
    return seconds > 0 ? words / seconds : Double.NaN;
  }

  private double median(ToDoubleFunction<Turn> value) {
    return Measurement.median(turns.stream().mapToDouble(value).toArray());
  }

  /** How many times as long the other trains as this. */
  public Ratio trainingRatio(VectorTraining other) {
    return ratio(turns, this::training, other.turns, other::training);
  }

  /** How many times as long the other's whole command takes as this. */
  public Ratio wholeRatio(VectorTraining other) {
    return ratio(turns, Turn::seconds, other.turns, Turn::seconds);
  }

  private static Ratio ratio(
      List<Turn> below,
      ToDoubleFunction<Turn> ofBelow,
      List<Turn> above,
      ToDoubleFunction<Turn> ofAbove) {
    double[] ratios = new double[Math.min(below.size(), above.size())];
    for (int i = 0; i < ratios.length; i++) {
      double slow = ofAbove.applyAsDouble(above.get(i));
      double fast = ofBelow.applyAsDouble(below.get(i));
      ratios[i] = slow > 0 && fast > 0 ? slow / fast : Double.NaN;
    }
    Arrays.sort(ratios);
    return new Ratio(Measurement.median(ratios), ratios[0], ratios[ratios.length - 1]);
  }

  /** Whether the targets are reached beside each reference, the fastest one included. */
  public String verdict(List<VectorTraining> references) {
    List<String> verdicts = new ArrayList<>();
    if (target > 0) {
      verdicts.add(verdict(target, references.stream().map(this::trainingRatio).toList()));
    }
    if (wholeTarget > 0) {
      verdicts.add(verdict(wholeTarget, references.stream().map(this::wholeRatio).toList()));
    }
    return String.join(", ", verdicts);
  }

  private static String verdict(double target, List<Ratio> ratios) {
    if (ratios.isEmpty() || ratios.stream().anyMatch(ratio -> Double.isNaN(ratio.median()))) {
      return "not measured";
    }
    boolean holds = ratios.stream().allMatch(ratio -> ratio.median() >= target);
    return holds ? "holds" : "MISSED";
  }

  private String wanted() {
    String training = target > 0 ? format(">= %s", number(target)) : "";
    String whole = wholeTarget > 0 ? format("whole >= %s", number(wholeTarget)) : "";
    return training.isEmpty() || whole.isEmpty() ? training + whole : training + ", " + whole;
  }

  private static String number(double value) {
    return format(value == Math.rint(value) ? "%.0f" : "%.1f", value);
  }

  /** A quality over the turns: its range, since threads race. */
  private String quality(String name) {
    double[] values =
        turns.stream()
            .mapToDouble(turn -> turn.quality.getOrDefault(name, Double.NaN))
            .filter(Double::isFinite)
            .sorted()
            .toArray();
    if (values.length == 0) {
      return NONE;
    }
    double low = values[0];
    double high = values[values.length - 1];
    return name.startsWith(ANALOGIES)
        ? range(format("%.1f", 100 * low), format("%.1f", 100 * high)) + " %"
        : range(format("%.3f", low), format("%.3f", high));
  }

  private static String range(String low, String high) {
    return low.equals(high) ? low : low + " - " + high;
  }

  private String note() {
    double most = turns.stream().mapToDouble(Turn::disturbance).max().orElse(0);
    return most > 0 ? format("others took up to %.1f processors", most) : "";
  }

  private static String text(Ratio ratio) {
    return Double.isNaN(ratio.highest()) ? NONE : ratio.text();
  }

  private static String rate(double rate) {
    return rate > 0 ? format("%,.0f", rate) : NONE;
  }

  /** A table for each form, in the order of measuring. */
  public static List<Table> tables(List<VectorTraining> rows) {
    Map<String, List<VectorTraining>> forms =
        rows.stream()
            .collect(
                Collectors.groupingBy(
                    VectorTraining::form, LinkedHashMap::new, Collectors.toList()));
    return forms.values().stream().map(VectorTraining::table).toList();
  }

  private static Table table(List<VectorTraining> rows) {
    List<VectorTraining> references = rows.stream().filter(VectorTraining::reference).toList();
    Set<String> qualities = new LinkedHashSet<>();
    rows.forEach(row -> row.turns.forEach(turn -> qualities.addAll(turn.quality.keySet())));
    List<String> heads =
        new ArrayList<>(
            List.of("side", "seconds", "lowest - highest", "words/s trained", "by its own word"));
    for (VectorTraining reference : references) {
      heads.add(reference.side + " / side, training");
      heads.add("whole");
    }
    heads.add("peak MiB");
    heads.addAll(qualities);
    heads.addAll(List.of("target", "result", "note"));
    VectorTraining any = rows.getFirst();
    String title =
        format(
            "%s: %s; %,d words, epochs of the whole command: %d",
            any.form, any.settings, any.words, any.epochs);
    Table table = new Table(title, 1, heads.toArray(String[]::new));
    for (VectorTraining row : rows) {
      List<String> cells = new ArrayList<>();
      double[] seconds = row.turns.stream().mapToDouble(Turn::seconds).sorted().toArray();
      cells.add(row.side);
      cells.add(format("%.2f", Measurement.median(seconds)));
      cells.add(format("%.2f - %.2f", seconds[0], seconds[seconds.length - 1]));
      cells.add(rate(row.rate()));
      cells.add(rate(row.median(Turn::ownRate)));
      for (VectorTraining reference : references) {
        cells.add(row == reference ? NONE : text(row.trainingRatio(reference)));
        cells.add(row == reference ? NONE : text(row.wholeRatio(reference)));
      }
      cells.add(format("%.0f", row.median(Turn::peakMib)));
      qualities.forEach(name -> cells.add(row.quality(name)));
      cells.addAll(List.of(row.wanted(), row.verdict(references), row.note()));
      table.add(cells.toArray(String[]::new));
    }
    return table;
  }
}
