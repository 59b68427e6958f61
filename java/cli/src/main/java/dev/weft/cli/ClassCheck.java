// SPDX-License-Identifier: Apache-2.0
package dev.weft.cli;

import static dev.weft.format.Format.format;

import dev.weft.Device;
import dev.weft.TensorFunction;
import dev.weft.check.GradCheck;
import dev.weft.check.GradientReport;
import dev.weft.check.GradientReport.InputVerdict;
import dev.weft.check.Input;
import dev.weft.check.OperationCase;
import dev.weft.nn.Model;
import dev.weft.nn.Network;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The gradient check of a user's class: a row for each parameter and each input. */
final class ClassCheck {
  private static final Pattern NUMBERED = Pattern.compile("(?m)^input (\\d+) ");

  private final List<Input> inputs;
  private final Device device;
  private final long seed;

  /**
   * A check.
   *
   * @param sizes of the inputs, such as {@code 4,3}
   * @param ids ids below this, in place of numbers, where it is above 0
   */
  ClassCheck(List<String> sizes, int ids, Device device, long seed) {
    List<long[]> shapes = sizes.stream().map(ClassCheck::sizes).toList();
    this.inputs =
        shapes.stream()
            .map(shape -> ids > 0 ? Input.integers(ids, shape) : Input.randomNormal(shape))
            .toList();
    this.device = device;
    this.seed = seed;
  }

  private static long[] sizes(String text) {
    try {
      long[] sizes =
          Arrays.stream(text.split(",")).mapToLong(s -> Long.parseLong(s.strip())).toArray();
      if (Arrays.stream(sizes).allMatch(size -> size > 0)) {
        return sizes;
      }
    } catch (NumberFormatException e) {
      // the same words
    }
    throw new IllegalArgumentException(
        format("--input %s: sizes are whole numbers above 0, such as 4,3 for 4 rows of 3", text));
  }

  /**
   * Checks and prints; the exit code.
   *
   * @throws IllegalArgumentException where the class cannot be checked, or does not take the input
   */
  int print(String name, String classPath, PrintWriter out) throws IOException {
    try (UserClass user = new UserClass(name, classPath)) {
      Object made = user.make();
      List<String> names = new ArrayList<>();
      GradientReport report;
      try {
        report = check(name, made, names);
      } catch (IllegalArgumentException e) {
        throw new IllegalArgumentException(
            format("%s, given %s: %s", name, OperationCase.shapes(inputs), e.getMessage()), e);
      } catch (RuntimeException | Error e) {
        throw user.thrown(e);
      }
      return print(report, names, out);
    }
  }

  private GradientReport check(String name, Object made, List<String> names) {
    GradCheck check;
    if (made instanceof Model model) {
      if (inputs.size() != 1) {
        throw new IllegalArgumentException(
            format("a model takes one --input, its features; there are %d", inputs.size()));
      }
      names.addAll(Network.over(model).named().keySet());
      check = GradCheck.of(model, inputs.getFirst());
    } else {
      check = GradCheck.of((TensorFunction) made).at(inputs.toArray(Input[]::new));
    }
    for (int i = 0; i < inputs.size(); i++) {
      names.add(inputs.size() == 1 ? "input" : "input " + i);
    }
    return check.on(device).seed(seed).check();
  }

  private static int print(GradientReport report, List<String> names, PrintWriter out) {
    int width = names.stream().mapToInt(String::length).max().orElse(9);
    Table table =
        new Table(
            out,
            Table.left("parameter", Math.max(9, width)),
            Table.left("shape", 12),
            Table.right("largest error", 13),
            Table.right("tolerance", 9),
            Table.left("verdict", 0));
    for (InputVerdict each : report.inputs()) {
      table.row(
          names.get(each.input()),
          each.shape(),
          each.worst() == null ? "" : format("%.2e", each.worst().error()),
          format("%.1e", report.tolerance()),
          each.verdict().words());
    }
    if (!report.passed() || report.kinks() > 0) {
      out.println();
      out.println(
          NUMBERED
              .matcher(report.toString())
              .replaceAll(
                  line ->
                      Matcher.quoteReplacement(names.get(Integer.parseInt(line.group(1)))) + " "));
    }
    out.println(report.passed() ? "the gradient is right" : "the gradient could not be confirmed");
    return report.passed() ? Main.SUCCESS : Main.FAILURE;
  }
}
