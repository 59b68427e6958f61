// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench;

import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.Gson;
import dev.weft.bench.harness.CaseFile;
import dev.weft.device.Kernel;
import dev.weft.support.Emulator;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** A call of bench/gpu.sh in a folder of its own: its bundle, its programs, what it left. */
final class Script {
  /** A fact of summary.json. */
  record Row(String name, String verdict, Double seconds, String says) {}

  /** What a call left. */
  record Left(
      int code, double seconds, List<String> said, Map<String, Row> rows, List<String> text) {
    /** How its row of this name ended. */
    String verdict(String row) {
      return rows.get(row).verdict();
    }
  }

  private record Summary(String call, List<Row> facts, List<String> figures) {}

  private static final Path ROOT = Path.of(System.getProperty("weft.root"));
  private static final Path STANDIN =
      ROOT.resolve("tests").resolve("src").resolve("test").resolve("resources/gpu/standin");

  private final Path folder;
  private final Path bin;
  private Path bundle;
  private Path script = ROOT.resolve("bench/gpu.sh");
  private final Map<String, String> variables = new LinkedHashMap<>();

  Script(Path folder) throws IOException {
    this.folder = Files.createDirectories(folder);
    bin = Files.createDirectories(folder.resolve("bin"));
    bundle = folder.resolve("bundle");
    Files.createDirectories(bundle.resolve("bin"));
    for (String program : List.of("nvidia-smi", "python3", "compute-sanitizer", "ncu")) {
      Files.createSymbolicLink(bin.resolve(program), STANDIN);
    }
    variable("PATH", bin + ":" + System.getenv("PATH"));
    variable("TMPDIR", Files.createDirectories(folder.resolve("tmp")).toString());
  }

  /** With a bundle that only seems to be one. */
  Script standIns() throws IOException {
    Files.createSymbolicLink(bundle.resolve("bin/weft"), STANDIN);
    Files.createDirectories(bundle.resolve("harness"));
    Files.createSymbolicLink(bundle.resolve("harness/weft-harness"), STANDIN);
    return this;
  }

  /** With the Weft of this build, over the emulated driver, at small sizes. */
  Script emulated() throws IOException {
    Path java = Path.of(System.getProperty("java.home"), "bin", "java");
    Path launcher = bundle.resolve("bin/weft");
    Files.writeString(
        launcher,
        """
        #!/bin/sh
        main=dev.weft.cli.Main
        if [ "$1" = bench ]; then main=dev.weft.bench.Main && shift; fi
        exec '%s' --enable-native-access=ALL-UNNAMED --sun-misc-unsafe-memory-access=allow \\
          -cp '%s' $main "$@"
        """
            .formatted(java, System.getProperty("java.class.path")));
    assertTrue(launcher.toFile().setExecutable(true));
    Files.createDirectories(bundle.resolve("java/bin"));
    Files.createSymbolicLink(bundle.resolve("java/bin/java"), java);
    Path harness = Files.createDirectories(bundle.resolve("harness"));
    Path built = Emulator.folder().resolveSibling("harness").resolve("weft-harness");
    // a copy: it looks beside itself for the others
    Files.copy(built, harness.resolve("weft-harness"), StandardCopyOption.COPY_ATTRIBUTES);
    Emulator.kernels(harness.resolve("kernels"));
    CaseFile.write(harness.resolve("cases.bin"), 1, List.of(Kernel.values()));
    Path emulator = Emulator.folder();
    variable("LD_LIBRARY_PATH", emulator.toString());
    variable("STANDIN_CUBLAS", emulator.resolve("cuda13").resolve("libcublas.so.13").toString());
    return variable("WEFT_GPU_SMALL", "1");
  }

  /** With an archive of a bundle in place of its own, and the script that travelled with it. */
  Script of(Path archive, Path travelled) {
    bundle = archive;
    script = travelled;
    return this;
  }

  Script variable(String name, String value) {
    variables.put(name, value);
    return this;
  }

  /** Runs it to its end: what stand-ins do, the time for all of it, what follows BUNDLE and OUT. */
  Left run(String programs, int seconds, String... words) throws Exception {
    variable("STANDIN", programs).variable("WEFT_GPU_SECONDS", Integer.toString(seconds));
    double start = System.nanoTime();
    int code = start(words).waitFor();
    double took = (System.nanoTime() - start) / 1e9;
    return new Left(code, took, said(), rows(), summary());
  }

  /** Starts it with the words that follow BUNDLE and OUT. */
  Process start(String... words) throws IOException {
    List<String> command = new ArrayList<>();
    command.add("bash");
    command.add(script.toString());
    command.addAll(List.of(bundle.toString(), out().toString()));
    command.addAll(Arrays.asList(words));
    ProcessBuilder builder = new ProcessBuilder(command);
    builder.environment().putAll(variables);
    return builder
        .redirectErrorStream(true)
        .redirectOutput(folder.resolve("said").toFile())
        .start();
  }

  /** The processes of it that run, whoever started them: whose files go to its folder. */
  List<String> running() throws IOException {
    String mark = "TMPDIR=" + folder.resolve("tmp");
    List<String> running = new ArrayList<>();
    for (ProcessHandle process : ProcessHandle.allProcesses().toList()) {
      String pid = Long.toString(process.pid());
      try {
        Path variables = Path.of("/proc", pid, "environ"); // empty where it has ended
        String all = Files.readString(variables, StandardCharsets.ISO_8859_1);
        if (Stream.of(all.split("\0")).anyMatch(variable -> variable.startsWith(mark))) {
          running.add(pid);
        }
      } catch (IOException e) {
        // it has just ended, or is another user's
      }
    }
    return running;
  }

  Path out() {
    return folder.resolve("out");
  }

  /** What it printed. */
  List<String> said() throws IOException {
    return Files.readAllLines(folder.resolve("said"));
  }

  /** The lines of summary.txt. */
  List<String> summary() throws IOException {
    return Files.readAllLines(out().resolve("summary.txt"));
  }

  /** The rows of summary.json, which is not half written, beside at most seven other files. */
  Map<String, Row> rows() throws IOException {
    try (Stream<Path> files = Files.list(out())) {
      List<Path> all = files.toList();
      assertTrue(all.size() <= 8, all::toString);
    }
    Summary summary =
        new Gson().fromJson(Files.readString(out().resolve("summary.json")), Summary.class);
    assertNotNull(summary.figures());
    Map<String, Row> rows = new LinkedHashMap<>();
    summary.facts().forEach(row -> rows.put(row.name(), row));
    return rows;
  }
}
