// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench;

import static java.util.Locale.ROOT;

import dev.weft.bench.report.Page;
import dev.weft.bench.report.Results;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Makes a page of figures that were measured before. */
@Command(
    name = "weft bench page",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = "Makes a page with plots of a file that weft bench --json wrote.")
final class PageCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;

  @Parameters(paramLabel = "FILE", description = "figures as JSON")
  private Path file;

  @Option(
      names = "--html",
      paramLabel = "FILE",
      description = "the page; default: ${DEFAULT-VALUE}")
  private Path html = Path.of("weft-bench.html");

  @Option(
      names = "--peer-json",
      paramLabel = "FILE",
      description = "steps timed by bench/peers/torch_steps.py, to be put beside Weft's")
  private List<Path> peerFiles = List.of();

  @Override
  public Integer call() throws IOException {
    OutputFile.check(spec.commandLine(), "--html", html);
    Results results = Results.read(file);
    for (Path peer : peerFiles) {
      TorchFile.read(peer).forEach(results::add);
    }
    new Page(results).write(html);
    System.out.printf(ROOT, "written: %s%n", html);
    return CommandLine.ExitCode.OK;
  }
}
