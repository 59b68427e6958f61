// SPDX-License-Identifier: Apache-2.0
package dev.weft.cli;

import static dev.weft.format.Format.format;

import dev.weft.Device;
import dev.weft.check.ThreeWays;
import dev.weft.check.Verdict;
import java.io.PrintWriter;
import java.util.List;

/** Gradients in three ways as a table, the formula by hand under each function. */
final class ThreeWaysTable {
  private ThreeWaysTable() {}

  /** Compares and prints; the exit code. */
  static int print(List<ThreeWays> cases, Device device, PrintWriter out) {
    Table table =
        new Table(
            out,
            Table.right("elements", 8),
            Table.right("hand, differences", 17),
            Table.right("hand, backward", 14),
            Table.right("differences, backward", 21),
            Table.left("verdict", 7),
            Table.left("function, and its gradient by hand", 0));
    int agreeing = 0;
    for (ThreeWays each : cases) {
      ThreeWays.Result result = each.compare(device);
      agreeing += result.verdict() == Verdict.OK ? 1 : 0;
      table.row(
          result.elements(),
          format("%.1e", result.handAndDifferences()),
          format("%.1e", result.handAndBackward()),
          format("%.1e", result.differencesAndBackward()),
          result.verdict().words(),
          each.name());
      table.row("", "", "", "", "", "  " + each.formula());
    }
    out.println(format("%d of %d gradients agree in three ways", agreeing, cases.size()));
    return agreeing == cases.size() ? Main.SUCCESS : Main.FAILURE;
  }
}
