// SPDX-License-Identifier: Apache-2.0
package dev.weft.cli;

import static dev.weft.format.Format.format;
import static java.util.Locale.ROOT;

import dev.weft.check.CheckResult;
import dev.weft.check.OperationCase;
import dev.weft.check.Verdict;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Checks of operations as a table that grows, with what failed below it. A row is an operation in
 * one type over all its shapes, with the error that is nearest to its tolerance, or one shape.
 */
final class CheckTable {
  private static final int SHAPES = 24;
  private static final Comparator<CheckResult> BY_ERROR =
      Comparator.comparing(CheckResult::verdict).thenComparingDouble(CheckTable::ofTolerance);

  /** What a row is. */
  enum Row {
    OPERATION,
    SHAPE
  }

  /** Shape by shape for those who ask. */
  static Row rows(boolean verbose) {
    return verbose ? Row.SHAPE : Row.OPERATION;
  }

  private final PrintWriter out;
  private final Row row;
  private final Table table;
  private final List<CheckResult> results = new ArrayList<>();
  private final Map<String, List<CheckResult>> waiting = new LinkedHashMap<>();

  /** Prints the titles. */
  CheckTable(PrintWriter out, List<OperationCase> cases, Row row) {
    this.out = out;
    this.row = row;
    int names = cases.stream().mapToInt(each -> each.name().length()).max().orElse(9);
    this.table =
        new Table(
            out,
            Table.left("operation", Math.max(9, names)),
            Table.left("check", 8),
            Table.left("device", 6),
            Table.left("type", 4),
            row == Row.SHAPE ? Table.left("shapes", SHAPES) : Table.right("shapes", 6),
            Table.right("largest error", 13),
            Table.right("tolerance", 9),
            Table.left("verdict", 7));
  }

  /** Prints a row, or keeps it until its operation is through. */
  void add(CheckResult result) {
    results.add(result);
    if (row == Row.SHAPE) {
      print(result, result.shapes());
      return;
    }
    boolean another =
        waiting.values().stream()
            .map(List::getFirst)
            .anyMatch(
                first ->
                    !first.operation().equals(result.operation())
                        || first.check() != result.check());
    if (another) {
      printWaiting();
    }
    waiting.computeIfAbsent(Choice.word(result.dtype()), type -> new ArrayList<>()).add(result);
  }

  /** A row for each type, then one for each shape that failed or may be at a kink. */
  private void printWaiting() {
    for (List<CheckResult> shapes : waiting.values()) {
      print(Collections.max(shapes, BY_ERROR), shapes.size());
      shapes.stream()
          .filter(each -> each.verdict() != Verdict.OK)
          .forEach(each -> print(each, each.shapes()));
    }
    waiting.clear();
  }

  private static double ofTolerance(CheckResult result) {
    return result.error() == 0 ? 0 : result.error() / result.tolerance();
  }

  private void print(CheckResult result, Object shapes) {
    table.row(
        result.operation(),
        Choice.word(result.check()),
        result.device(),
        Choice.word(result.dtype()),
        shapes,
        format("%.2e", result.error()),
        format("%.1e", result.tolerance()),
        result.verdict().words());
  }

  /** Prints what failed, where kinks may be and how many passed; the exit code. */
  int finish() {
    printWaiting();
    List<CheckResult> failed = results.stream().filter(result -> !result.passed()).toList();
    for (CheckResult result : results) {
      if (result.verdict() != Verdict.OK) {
        out.printf(ROOT, "%n%s %s: %s%n", result.operation(), result.shapes(), result.detail());
      }
    }
    out.printf(ROOT, "%d of %d checks passed%n", results.size() - failed.size(), results.size());
    return failed.isEmpty() ? Main.SUCCESS : Main.FAILURE;
  }
}
