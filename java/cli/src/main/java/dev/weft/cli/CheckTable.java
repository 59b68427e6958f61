// SPDX-License-Identifier: Apache-2.0
package dev.weft.cli;

import dev.weft.check.CheckResult;
import dev.weft.check.OperationCase;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** Checks of operations as a table that grows, with what failed below it. */
final class CheckTable {
  private static final int SHAPES = 24;

  private final PrintWriter out;
  private final Table table;
  private final List<CheckResult> results = new ArrayList<>();

  /** Prints the titles. */
  CheckTable(PrintWriter out, List<OperationCase> cases) {
    this.out = out;
    int names = cases.stream().mapToInt(each -> each.name().length()).max().orElse(9);
    this.table =
        new Table(
            out,
            Table.left("operation", Math.max(9, names)),
            Table.left("check", 8),
            Table.left("device", 6),
            Table.left("type", 4),
            Table.left("shapes", SHAPES),
            Table.right("largest error", 13),
            Table.right("tolerance", 9),
            Table.left("verdict", 7));
  }

  /** Prints a row. */
  void add(CheckResult result) {
    results.add(result);
    table.row(
        result.operation(),
        Choice.word(result.check()),
        result.device(),
        Choice.word(result.dtype()),
        result.shapes(),
        String.format(Locale.ROOT, "%.2e", result.error()),
        String.format(Locale.ROOT, "%.1e", result.tolerance()),
        result.passed() ? "ok" : "WRONG");
  }

  /** Prints what failed and how many passed; the exit code. */
  int finish() {
    List<CheckResult> failed = results.stream().filter(result -> !result.passed()).toList();
    for (CheckResult result : failed) {
      out.printf("%n%s %s: %s%n", result.operation(), result.shapes(), result.detail());
    }
    out.printf("%d of %d checks passed%n", results.size() - failed.size(), results.size());
    return failed.isEmpty() ? Main.SUCCESS : Main.FAILURE;
  }
}
