// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.regex.Pattern;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Runs benchmarks, prints their tables and writes JSON. */
@Command(
    name = "weft bench",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = {
      "Measures Weft and prints tables. Each figure comes from Java machines of its own.",
      "",
      "Examples:",
      "  weft bench                              all tables; leave the machine alone meanwhile",
      "  weft bench steps --quick                a first impression of Weft beside DJL",
      "  weft bench kernels --only relu --quick  one kernel, in seconds",
      "  weft bench --json results/mine.json     all, and a file of it",
      "  weft bench jmh -h                       the options of JMH itself",
      ""
    })
public final class Main implements Callable<Integer> {
  /** The tables. */
  enum Part {
    STEPS,
    GEMM,
    KERNELS,
    HOST,
    MEMORY,
    ALL
  }

  @Spec private CommandSpec spec;

  @Parameters(
      paramLabel = "TABLE",
      arity = "0..*",
      description = {
        "steps    training steps of Weft and DJL on the CPU, and their ratio",
        "gemm     float32 products on the CPU, GFLOP/s",
        "kernels  single kernels on the CPU, GB/s",
        "host     what the CUDA path costs on the host; not a GPU figure",
        "memory   device memory of a training run beside the formula",
        "all      every one of them (default)"
      })
  private Set<Part> parts = EnumSet.of(Part.ALL);

  @Option(names = "--quick", description = "shorter and fewer measurements, for a first impression")
  private boolean quick;

  @Option(
      names = "--only",
      paramLabel = "REGEX",
      description = "only rows whose name contains a match")
  private Pattern only = Pattern.compile("");

  @Option(names = "--threads", paramLabel = "N", description = "of both sides; default: all cores")
  private int threads = Runtime.getRuntime().availableProcessors();

  @Option(
      names = "--wait",
      paramLabel = "MINUTES",
      description = "before each measurement, wait at most so long for an idle machine; default: 0")
  private int patience;

  @Option(names = "--json", paramLabel = "FILE", description = "also write all figures as JSON")
  private Path json;

  private String command;

  private Main() {}

  /** Runs the command line; {@code jmh} as its first word hands the rest to JMH. */
  public static void main(String[] arguments) throws IOException {
    // a lock file of JMH in a shared folder would refuse a second run by another user
    System.setProperty("jmh.ignoreLock", "true");
    if (arguments.length > 0 && arguments[0].equals("jmh")) {
      org.openjdk.jmh.Main.main(Arrays.copyOfRange(arguments, 1, arguments.length));
      return;
    }
    Main main = new Main();
    main.command = "weft bench " + String.join(" ", arguments);
    System.exit(new CommandLine(main).setCaseInsensitiveEnumValuesAllowed(true).execute(arguments));
  }

  @Override
  public Integer call() throws IOException {
    if (threads < 1) {
      throw new ParameterException(spec.commandLine(), "--threads must be at least 1");
    }
    if (json != null) {
      checkWritable(json.toAbsolutePath());
    }
    Settings settings =
        new Settings(
            quick ? Settings.Effort.QUICK : Settings.Effort.FULL,
            threads,
            Pattern.compile(only.pattern(), Pattern.CASE_INSENSITIVE),
            Duration.ofMinutes(patience));
    Threads.options(threads).forEach(Main::set);
    Machine machine = Machine.here(threads);
    System.out.printf(
        "%s, %d cores, %d threads, %s, load %.2f; %s%n",
        machine.cpu(), machine.cores(), threads, machine.isa(), machine.load(), Results.versions());
    Results results = new Results(machine, command.strip());
    for (Part part : parts.contains(Part.ALL) ? EnumSet.allOf(Part.class) : parts) {
      switch (part) {
        case STEPS -> results.add("steps", StepTable.run(settings));
        case GEMM -> results.add("gemm", GemmTable.run(settings));
        case KERNELS -> results.add("kernels", KernelTable.run(settings));
        case HOST -> results.add("host", HostCostTable.run(settings));
        case MEMORY -> results.add("memory", MemoryTable.run(settings));
        case ALL -> {}
      }
    }
    results.add("loadAtTheEnd", Machine.here(threads).load());
    if (json != null) {
      results.write(json);
      System.out.printf("%nwritten: %s%n", json);
    }
    return 0;
  }

  /** Found out before anything is measured. */
  private void checkWritable(Path file) {
    try {
      Files.createDirectories(file.getParent());
    } catch (IOException e) {
      throw new ParameterException(spec.commandLine(), "--json: no folder for " + file, e);
    }
    Path probe = Files.exists(file) ? file : file.getParent();
    if (Files.isDirectory(file) || !Files.isWritable(probe)) {
      throw new ParameterException(
          spec.commandLine(), "--json: " + file + " is a folder or cannot be written");
    }
  }

  /** Sets "-Dname=value" in this machine too, for the comparison of losses. */
  private static void set(String option) {
    int equals = option.indexOf('=');
    System.setProperty(option.substring(2, equals), option.substring(equals + 1));
  }
}
