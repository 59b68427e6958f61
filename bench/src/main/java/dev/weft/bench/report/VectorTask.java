// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench.report;

import static dev.weft.format.Format.format;

import java.util.Arrays;
import java.util.List;

/**
 * What is done with texts and word vectors beside training: reading, asking.
 *
 * @param name what, with its sizes
 * @param seconds turn by turn
 * @param beside seconds of what it is divided by, turn by turn; empty for nothing
 * @param most that the median of the ratios, or of the seconds, may be; 0 for no target
 */
public record VectorTask(String name, List<Double> seconds, List<Double> beside, double most) {

  /** Its figure: seconds / those beside; where nothing is beside it, the seconds. */
  public Ratio figure() {
    double[] ratios = new double[seconds.size()];
    for (int i = 0; i < ratios.length; i++) {
      ratios[i] = seconds.get(i) / (beside.isEmpty() ? 1 : beside.get(i));
    }
    Arrays.sort(ratios);
    return new Ratio(Measurement.median(ratios), ratios[0], ratios[ratios.length - 1]);
  }

  /** Whether the target is reached; empty where there is none. */
  public String verdict() {
    return most == 0 ? "" : figure().median() <= most ? "holds" : "MISSED";
  }

  private static String median(List<Double> values) {
    double[] all = values.stream().mapToDouble(Double::doubleValue).toArray();
    return all.length == 0 ? "-" : format("%.2f", Measurement.median(all));
  }

  /** A table of rows. */
  public static Table table(List<VectorTask> rows) {
    Table table =
        new Table(
            "Beside training: seconds, medians of the turns",
            1,
            "row",
            "seconds",
            "beside",
            "figure",
            "target",
            "result");
    for (VectorTask row : rows) {
      table.add(
          row.name,
          median(row.seconds),
          median(row.beside),
          row.figure().text(),
          row.most == 0 ? "" : format("<= %.2f", row.most),
          row.verdict());
    }
    return table;
  }
}
