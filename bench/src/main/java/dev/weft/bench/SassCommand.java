// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench;

import static dev.weft.format.Format.format;

import dev.weft.bench.report.Table;
import dev.weft.bench.sass.ChipCode;
import dev.weft.bench.sass.Cubin;
import dev.weft.bench.sass.Disassembler;
import dev.weft.bench.sass.KernelCode;
import dev.weft.device.cuda.CudaLibraries;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Shows the machine code of the CUDA kernels; fails where one keeps anything in local memory. */
@Command(
    name = "weft bench sass",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = {
      "Prints a Markdown table of the machine code of each CUDA kernel, by NVIDIA's nvdisasm: what"
          + " it reads and writes, how many loads are under way at once, and what it computes for"
          + " each 16 bytes.",
      "Exit code 1 where a kernel has loads or stores of local memory."
    })
final class SassCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;

  @Option(
      names = "--chip",
      paramLabel = "N",
      defaultValue = "90",
      description = "90 for sm_90, which is an H100 or H200 (default)")
  private int chip;

  @Option(
      names = "--only",
      paramLabel = "REGEX",
      defaultValue = "",
      description = "only kernels whose name contains a match")
  private Pattern only;

  @Option(
      names = "--nvdisasm",
      paramLabel = "FILE",
      description = "the disassembler; default: on the path, else in /usr/local/cuda/bin")
  private Path program;

  @Override
  public Integer call() throws IOException {
    List<Cubin> modules = ChipCode.of(chip);
    if (modules.isEmpty()) {
      throw new ParameterException(
          spec.commandLine(),
          format("--chip %d: this build has kernels for: %s", chip, CudaLibraries.kernels()));
    }
    Disassembler disassembler = new Disassembler(program != null ? program : find(), chip);
    Map<String, Integer> registers = new TreeMap<>(); // of kernels alone
    Map<String, KernelCode> all = new TreeMap<>();
    for (Cubin module : modules) {
      registers.putAll(module.registers());
      for (Map.Entry<String, byte[]> one : module.code().entrySet()) {
        if (registers.containsKey(one.getKey()) && only.matcher(one.getKey()).find()) {
          all.put(one.getKey(), disassembler.read(one.getValue()));
        }
      }
    }
    if (all.isEmpty()) {
      throw new ParameterException(
          spec.commandLine(), format("no kernel's name contains a match of --only '%s'", only));
    }
    System.out.print(table(all, registers, modules.getFirst().assembler()).markdown());
    List<String> local = new ArrayList<>();
    all.forEach(
        (name, code) -> {
          if (code.local() > 0) {
            local.add(name);
          }
        });
    if (local.isEmpty()) {
      return CommandLine.ExitCode.OK;
    }
    System.err.println("weft bench: local memory in " + String.join(", ", local));
    return CommandLine.ExitCode.SOFTWARE;
  }

  private static Path find() throws IOException {
    Stream<String> path =
        Stream.of(System.getenv().getOrDefault("PATH", "").split(File.pathSeparator));
    return Stream.concat(path, Stream.of("/usr/local/cuda/bin"))
        .map(folder -> Path.of(folder, "nvdisasm"))
        .filter(Files::isExecutable)
        .findFirst()
        .orElseThrow(
            () ->
                new IOException(
                    "there is no nvdisasm on the path: it is part of CUDA's toolkit, and of"
                        + " Debian 13's package nvidia-cuda-toolkit; --nvdisasm names it"));
  }

  private Table table(
      Map<String, KernelCode> all, Map<String, Integer> registers, String assembler) {
    String commit = System.getProperty("weft.commit", "");
    Table table =
        new Table(
            format(
                "sm_%d, ptxas %s%s", chip, assembler, commit.isEmpty() ? "" : ", commit " + commit),
            1,
            "kernel",
            "registers",
            "instructions",
            "local",
            "loads of 16 bytes",
            "stores of 16 bytes",
            "main part",
            "its bytes",
            "its loads in flight",
            "its instructions",
            "for 16 bytes");
    all.forEach(
        (name, code) ->
            table.add(
                name,
                Integer.toString(registers.get(name)),
                Integer.toString(code.instructions()),
                Long.toString(code.local()),
                Long.toString(code.wideLoads()),
                Long.toString(code.wideStores()),
                code.inLoop() ? "loop" : "all",
                Integer.toString(code.mainBytes()),
                Integer.toString(code.loadsInFlight()),
                Integer.toString(code.mainInstructions()),
                code.mainBytes() == 0 ? "-" : format("%.0f", code.per16Bytes())));
    return table;
  }
}
