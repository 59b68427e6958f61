// SPDX-License-Identifier: Apache-2.0
package dev.weft.cli;

import static dev.weft.format.Format.format;

import dev.weft.Device;
import dev.weft.check.OperationCase;
import dev.weft.check.OperationCases;
import dev.weft.check.SelfTest;
import dev.weft.check.ThreeWaysCases;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;

/** {@code weft gradcheck}. */
@Command(
    name = "gradcheck",
    mixinStandardHelpOptions = true,
    description = {
      "Compares every gradient with finite differences, in float64.",
      "Verdicts: ok; kink, where some elements may lie at one and have a slope between those of its"
          + " two sides; ONLY KINKS, UNDEFINED and WRONG fail."
    },
    footer = {
      "",
      "Examples:",
      "  weft gradcheck",
      "  weft gradcheck --only relu --verbose",
      "  weft gradcheck --only matmul --device cuda",
      "  weft gradcheck --list",
      "  weft gradcheck --three-ways",
      "  weft gradcheck --class my.Layer -cp target/classes --input 4,3"
    })
final class GradcheckCommand implements Callable<Integer> {
  @ParentCommand private Main main;

  @Option(
      names = "--only",
      paramLabel = "REGEX",
      description = "Only operations whose name contains a match.")
  private @Nullable String only;

  @Option(
      names = "--device",
      paramLabel = "NAME",
      defaultValue = "cpu",
      description = "best, cpu, cuda or cuda:N. Default: ${DEFAULT-VALUE}.")
  private String device;

  @Option(
      names = "--verbose",
      description = "A line for every shape, not for every operation; what fails has its own.")
  private boolean verbose;

  @Option(names = "--list", description = "Print the names of the operations.")
  private boolean list;

  @Option(
      names = "--three-ways",
      description =
          "Instead, gradients of losses, networks and other functions by hand, by differences and"
              + " by backpropagation: how far each two are apart.")
  private boolean threeWays;

  @Option(
      names = "--class",
      paramLabel = "NAME",
      description =
          "Instead, a class of yours with a public constructor without arguments: a Model or Layer,"
              + " or a TensorFunction or its method.")
  private @Nullable String type;

  @Option(
      names = {"-cp", "--class-path"},
      paramLabel = "PATH",
      description = "With --class: the jars and folders that hold it, as java takes them.")
  private @Nullable String classPath;

  @Option(
      names = "--input",
      paramLabel = "SIZES",
      description =
          "With --class: the shape of what it is given, such as 4,3 for 4 rows of 3; again for each"
              + " input of a function.")
  private @Nullable List<String> input;

  @Option(
      names = "--ids",
      paramLabel = "N",
      description = "With --class: the input is ids below N, which have no gradient.")
  private @Nullable Integer ids;

  @Option(
      names = "--seed",
      paramLabel = "N",
      description = "With --class: what values are drawn from. Default: 1.")
  private @Nullable Long seed;

  @Override
  public Integer call() throws IOException {
    PrintWriter out = main.screen().out();
    check();
    if (type != null && classPath != null && input != null) {
      return checkClass(type, classPath, input, out);
    }
    if (threeWays) {
      try (Device opened = Device.named(device)) {
        return ThreeWaysTable.print(ThreeWaysCases.all(), opened, out);
      }
    }
    List<OperationCase> cases = OperationCases.matching(only == null ? "" : only);
    if (list) {
      cases.forEach(each -> out.println(each.name()));
      return Main.SUCCESS;
    }
    try (Device opened = Device.named(device)) {
      return check(cases, opened, out, CheckTable.rows(verbose));
    }
  }

  private int checkClass(String name, String path, List<String> sizes, PrintWriter out)
      throws IOException {
    try (Device opened = Device.named(device)) {
      return new ClassCheck(sizes, ids == null ? 0 : ids, opened, seed == null ? 1 : seed)
          .print(name, path, out);
    }
  }

  /** Options that would have no effect, or lack another one. */
  private void check() {
    Map<String, Boolean> ofOperations = new LinkedHashMap<>();
    ofOperations.put("--only", only != null);
    ofOperations.put("--verbose", verbose);
    ofOperations.put("--list", list);
    Map<String, Boolean> ofClass = new LinkedHashMap<>();
    ofClass.put("-cp", classPath != null);
    ofClass.put("--input", input != null);
    ofClass.put("--ids", ids != null);
    ofClass.put("--seed", seed != null);
    if (type != null && threeWays) {
      throw new IllegalArgumentException("--class checks one class: leave --three-ways out");
    }
    if (type != null || threeWays) {
      refuse(ofOperations, "is about operations");
    }
    if (type == null) {
      refuse(ofClass, "is for --class NAME");
    } else if (classPath == null || input == null) {
      throw new IllegalArgumentException(
          format(
              "--class %s needs %s",
              type,
              classPath == null
                  ? "-cp PATH, the jar or folder that holds it"
                  : "--input SIZES, such as 4,3 for 4 rows of 3"));
    } else if (ids != null && ids < 1) {
      throw new IllegalArgumentException(format("--ids must be at least 1, not %d", ids));
    }
  }

  private static void refuse(Map<String, Boolean> given, String why) {
    given.forEach(
        (option, there) -> {
          if (there) {
            throw new IllegalArgumentException(format("%s %s: leave it out", option, why));
          }
        });
  }

  /** Checks the given operations and prints the table; the exit code. */
  static int check(List<OperationCase> cases, Device device, PrintWriter out, CheckTable.Row row) {
    CheckTable table = new CheckTable(out, cases, row);
    new SelfTest(device, table::add).gradients(cases);
    return table.finish();
  }
}
