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
    description = "Compares every gradient with finite differences, in float64.",
    footer = {
      "",
      "Examples:",
      "  weft gradcheck",
      "  weft gradcheck --op relu",
      "  weft gradcheck --op matmul --device cuda",
      "  weft gradcheck --list"
    })
public final class GradcheckCommand implements Callable<Integer> {
  @ParentCommand private Main main;

  @Option(
      names = "--op",
      paramLabel = "NAME",
      defaultValue = "",
      description = "Only operations whose name contains this.")
  private String operation;

  @Option(
      names = "--device",
      paramLabel = "NAME",
      defaultValue = "cpu",
      description = "best, cpu, cuda or cuda:N. Default: ${DEFAULT-VALUE}.")
  private String device;

  @Option(names = "--list", description = "Print the names of the operations.")
  private boolean list;

  @Override
  public Integer call() {
    PrintWriter out = main.screen().out();
    List<OperationCase> cases = OperationCases.matching(operation);
    if (list) {
      cases.forEach(each -> out.println(each.name()));
      return Main.SUCCESS;
    }
    try (Device opened = Device.named(device)) {
      return check(cases, opened, out);
    }
  }

  /** Checks the given operations and prints the table; the exit code. */
  public static int check(List<OperationCase> cases, Device device, PrintWriter out) {
    CheckTable table = new CheckTable(out, cases);
    new SelfTest(device, table::add).gradients(cases);
    return table.finish();
  }
}
