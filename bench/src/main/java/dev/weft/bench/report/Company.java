// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench.report;

import static dev.weft.format.Format.format;

import java.util.Arrays;
import java.util.List;

/**
 * How fast two sides on the CPU are, of which one may be in company. Their n-th turns are
 * neighbours in time.
 *
 * @param name where and what: {@code one busy core, 784-512-512-10 batch 128}
 * @param ratio what is divided: {@code default / one thread}
 * @param unit of the rates, in words: {@link #SAMPLES} or {@link #PREDICTIONS}
 * @param first samples/s of the side above the line, turn by turn; none where it was not measured
 * @param second samples/s of the side below it
 * @param target that the median of the ratios is to reach; 0 for none
 * @param least that it is to reach where the processor's cores are far apart; else the target
 * @param note what the reader must know, or why it was not measured; may be empty
 */
public record Company(
    String name,
    String ratio,
    String unit,
    List<Double> first,
    List<Double> second,
    double target,
    double least,
    String note) {
  /** Rates are shown as they are. */
  public static final String SAMPLES = "samples/s";

  /** Rates are shown as the time of a sample. */
  public static final String PREDICTIONS = "predictions/s";

  private static final String NONE = "";

  /** Whether it was measured at all. */
  public boolean isMeasured() {
    return !first.isEmpty();
  }

  /** First / second: median of the turns, lowest and highest. */
  public Ratio figure() {
    double[] ratios = new double[first.size()];
    for (int i = 0; i < ratios.length; i++) {
      ratios[i] = first.get(i) / second.get(i);
    }
    Arrays.sort(ratios);
    return new Ratio(Measurement.median(ratios), ratios[0], ratios[ratios.length - 1]);
  }

  /** Whether the target is reached, in a word or some. */
  public String verdict() {
    if (!isMeasured()) {
      return "not measured";
    }
    if (target == 0) {
      return NONE;
    }
    double median = figure().median();
    return median >= target ? "holds" : median >= least ? format("%.2f holds", least) : "MISSED";
  }

  /** The target with what is said of it. */
  private String wanted() {
    if (target == 0) {
      return NONE;
    }
    return least == target ? format(">= %.2f", target) : format(">= %.2f, %.2f", target, least);
  }

  private String rate(List<Double> turns) {
    if (turns.isEmpty()) {
      return NONE;
    }
    double median = Measurement.median(turns.stream().mapToDouble(Double::doubleValue).toArray());
    return unit.equals(SAMPLES) ? format("%,.0f/s", median) : format("%.1f us", 1e6 / median);
  }

  /** In a line. */
  public String text() {
    return isMeasured()
        ? format("%s %s, %s", ratio, figure().text(), rate(first) + " / " + rate(second))
        : note;
  }

  /** A table of rows. */
  public static Table table(List<Company> rows) {
    Table table =
        new Table(
            "Training on the CPU in company: samples/s of the first / of the second, medians of"
                + " neighbours in time",
            2,
            "row",
            "first / second",
            "ratio",
            "lowest - highest",
            "target",
            "result",
            "first",
            "second",
            "note");
    for (Company row : rows) {
      boolean measured = row.isMeasured();
      table.add(
          row.name,
          row.ratio,
          measured ? format("%.2f", row.figure().median()) : NONE,
          measured ? format("%.2f - %.2f", row.figure().lowest(), row.figure().highest()) : NONE,
          row.wanted(),
          row.verdict(),
          row.rate(row.first),
          row.rate(row.second),
          row.note);
    }
    return table;
  }
}
