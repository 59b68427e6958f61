// SPDX-License-Identifier: Apache-2.0
package dev.weft.cli;

import dev.weft.Device;
import dev.weft.check.OperationCase;
import dev.weft.check.OperationCases;
import dev.weft.check.SelfTest;
import java.io.PrintWriter;
import java.util.List;
import java.util.concurrent.Callable;
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
      "  weft gradcheck --list"
    })
final class GradcheckCommand implements Callable<Integer> {
  @ParentCommand private Main main;

  @Option(
      names = "--only",
      paramLabel = "REGEX",
      defaultValue = "",
      description = "Only operations whose name contains a match.")
  private String only;

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

  @Override
  public Integer call() {
    PrintWriter out = main.screen().out();
    List<OperationCase> cases = OperationCases.matching(only);
    if (list) {
      cases.forEach(each -> out.println(each.name()));
      return Main.SUCCESS;
    }
    try (Device opened = Device.named(device)) {
      return check(cases, opened, out, CheckTable.rows(verbose));
    }
  }

  /** Checks the given operations and prints the table; the exit code. */
  static int check(List<OperationCase> cases, Device device, PrintWriter out, CheckTable.Row row) {
    CheckTable table = new CheckTable(out, cases, row);
    new SelfTest(device, table::add).gradients(cases);
    return table.finish();
  }
}
