// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench;

import static dev.weft.format.Format.format;

import dev.weft.bench.report.Results;
import dev.weft.bench.report.Targets;
import dev.weft.io.AtomicFile;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Puts what was measured on a GPU beside the targets. */
@Command(
    name = "weft bench targets",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = {
      "Prints Markdown tables of what was measured on a GPU beside the targets, from files that"
          + " weft bench --json and peers/torch_steps.py --json wrote.",
      "Files of the same thing are its turns: the n-th of Weft and the n-th of PyTorch are"
          + " neighbours in time, and a ratio is theirs."
    })
final class TargetsCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;

  @Parameters(paramLabel = "FILE", arity = "1..*", description = "figures as JSON, by turn")
  private List<Path> files;

  @Option(
      names = "--peer-json",
      paramLabel = "FILE",
      description = "what bench/peers/torch_steps.py timed, by turn")
  private List<Path> peerFiles = List.of();

  @Option(
      names = "--verdicts",
      paramLabel = "FILE",
      description = "also a line for each target: met, missed or not measured; target; number")
  private Path verdicts;

  @Override
  public Integer call() throws IOException {
    OutputFile.check(spec.commandLine(), "--verdicts", verdicts);
    Results results = Results.read(files.getFirst());
    for (Path file : files.subList(1, files.size())) {
      results.join(Results.read(file));
    }
    for (Path peer : peerFiles) {
      TorchFile.read(peer).forEach(results::join);
    }
    Targets targets = new Targets(results);
    System.out.print(targets.markdown());
    if (verdicts != null) {
      AtomicFile.write(
          verdicts,
          targets.verdicts().stream()
              .map(one -> format("%s\t%s\t%s%n", one.outcome().word(), one.what(), one.found()))
              .collect(Collectors.joining()));
    }
    return CommandLine.ExitCode.OK;
  }
}
