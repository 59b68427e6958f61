// SPDX-License-Identifier: Apache-2.0
package dev.weft.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import dev.weft.Device;
import dev.weft.MathMode;
import dev.weft.check.Input;
import dev.weft.check.OperationCase;
import dev.weft.io.StandardOutput;
import dev.weft.op.Operation;
import dev.weft.profile.Ceilings;
import dev.weft.support.Broken;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class CommandTest {

  @TempDir private Path folder;

  @ParameterizedTest
  @ValueSource(
      strings = {
        "train",
        "evaluate",
        "embed",
        "gradcheck",
        "graph",
        "selftest",
        "devices",
        "doctor",
        "bundle"
      })
  void helpHasAnExample(String command) {
    String help = Weft.run(command, "--help").succeeded().out();
    assertTrue(help.contains("Example"), help);
    assertTrue(help.contains("  weft " + command), help);
    assertTrue(help.lines().allMatch(line -> line.length() <= 80), help);
  }

  @Test
  void helpListsTheCommands() {
    String help = Weft.run("--help").succeeded().out();
    for (String command : List.of("train", "gradcheck", "selftest", "devices", "doctor")) {
      assertTrue(help.contains(command), help);
    }
    List<String> rows =
        help.lines().dropWhile(line -> !line.startsWith("Commands")).skip(1).toList();
    assertTrue(rows.subList(0, 9).stream().allMatch(row -> row.endsWith(".")), help);
    assertTrue(Weft.run("--version").succeeded().out().startsWith("weft "));
  }

  @Test
  void theChangelogNamesEachCommand() throws IOException {
    String changes = Files.readString(Path.of(System.getProperty("weft.root"), "CHANGELOG.md"));
    String commands = changes.replaceAll("(?s).*(?=\\*\\*The command)|\\n- .*", "");
    List<String> names =
        Weft.run("--help")
            .succeeded()
            .out()
            .lines()
            .dropWhile(line -> !line.startsWith("Commands"))
            .skip(1)
            .takeWhile(line -> !line.isEmpty())
            .filter(line -> line.matches("  \\S.*"))
            .map(line -> line.strip().replaceAll(" .*", ""))
            .toList();
    assertTrue(names.contains("compare"), names::toString);
    for (String name : names) {
      assertTrue(commands.matches("(?s).*`(weft )?" + name + "`.*"), name + " in " + commands);
    }
  }

  @Test
  void noCommandAndUnknownOnesAreWrongUse() {
    Weft.run().failed(Main.WRONG_USE, "say what to do: train");
    Weft.run("trian")
        .failed(Main.WRONG_USE, "unknown command 'trian'; did you mean train?", "'weft --help'");
    Weft.run("devices", "all").failed(Main.WRONG_USE, "unexpected argument 'all'");
  }

  /** Room for so many bytes, then none: what a full disk does. */
  private static OutputStream full(int room, String words) {
    return new OutputStream() {
      private int left = room;

      @Override
      public void write(int b) throws IOException {
        if (left-- <= 0) {
          throw new IOException(words);
        }
      }
    };
  }

  private static Weft.Run runFull(int room, String words, String command) {
    return Weft.run(
        Screen.Kind.PLAIN,
        full(room, words),
        StandardOutput.Reader.NONE,
        (Object[]) command.split(" "));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "--help",
        "--version",
        "train --help",
        "devices",
        "doctor",
        "gradcheck --list",
        "gradcheck --only bias_activation_relu"
      })
  void outputThatCannotBeWrittenIsAFailure(String command) {
    for (int room : new int[] {0, 20}) {
      Weft.Run run = runFull(room, "No space left on device", command);
      if (room == 0 || !command.equals("--version")) {
        run.failed(Main.FAILURE);
        assertEquals("weft: standard output: No space left on device\n", run.err());
      }
    }
    assertEquals("", runFull(1 << 20, "none", command).succeeded().err());
  }

  @Test
  void aReaderThatLeavesIsNoFailure() {
    assertEquals("", runFull(10, "Broken pipe", "gradcheck --list").succeeded().err());
    Weft.run(
            Screen.Kind.PLAIN,
            full(10, "in the words of another language"),
            StandardOutput.Reader.PROGRAM,
            "gradcheck",
            "--list")
        .succeeded();
  }

  @Test
  void otherFailuresKeepTheirExitCode() {
    Weft.Run run = runFull(0, "No space left on device", "gradcheck --only [");
    run.failed(Main.WRONG_USE, "'[' is no regular expression");
  }

  /** What the streams of a process are is known in a process only. */
  @ParameterizedTest
  @ValueSource(strings = {"dev.weft.cli.Main", "dev.weft.bench.Main"})
  void theDeviceThatIsAlwaysFull(String main) throws Exception {
    Path device = Path.of("/dev/full");
    assumeTrue(Files.exists(device), "this system has no /dev/full");
    Process process = Weft.process(main, "--help").redirectOutput(device.toFile()).start();
    String err = new String(process.getErrorStream().readAllBytes(), StandardCharsets.UTF_8);
    assertEquals(1, process.waitFor(), err);
    assertTrue(err.matches("weft( bench)?: standard output: [^:]+\n"), err);
    Process read = Weft.process(main, "--help").start();
    read.getInputStream().close();
    err = new String(read.getErrorStream().readAllBytes(), StandardCharsets.UTF_8);
    assertEquals(0, read.waitFor(), err);
    assertEquals("", err);
  }

  @Test
  void theStackTraceIsThereForThoseWhoAsk() {
    Weft.Run run = Weft.run("evaluate", folder.resolve("absent"), "--stacktrace");
    assertEquals(Main.FAILURE, run.code());
    assertTrue(run.err().contains("\tat dev.weft."), run.err());
  }

  @Test
  void gradcheckPrintsATable() {
    String out = Weft.run("gradcheck", "--only", "bias_activation_relu").succeeded().out();
    String titles = out.lines().findFirst().orElseThrow();
    for (String title : List.of("operation", "device", "shapes", "largest error", "verdict")) {
      assertTrue(titles.contains(title), titles);
    }
    assertFalse(out.contains("[13, 5]"), out);
    assertTrue(out.contains(" ok\n"), out);
    String all =
        Weft.run("gradcheck", "--only", "bias_activation_RELU$", "--verbose").succeeded().out();
    long shapes = all.lines().filter(line -> line.endsWith(" ok")).count();
    assertTrue(shapes > 1 && all.contains("[13, 5]"), all);
    // one line for all of them, with the largest error among them
    List<String> row = out.lines().skip(1).limit(1).map(String::strip).toList();
    assertTrue(
        row.getFirst().matches("bias_activation_relu +gradient +cpu +f64 +" + shapes + " .* ok"),
        out);
    String largest =
        all.lines()
            .filter(line -> line.endsWith(" ok"))
            .map(line -> line.replaceAll(".* (\\S+e\\S+) +\\S+e\\S+ +ok", "$1"))
            .max(Comparator.comparingDouble(Double::parseDouble))
            .orElseThrow();
    assertTrue(row.getFirst().contains(" " + largest + " "), () -> largest + " in " + out);
    assertTrue(Weft.run("gradcheck", "--list").succeeded().out().contains("matmul\n"));
    Weft.run("gradcheck", "--only", "relo").failed(Main.WRONG_USE, "'relo'", "matmul");
    Weft.run("gradcheck", "--only", "[").failed(Main.WRONG_USE, "'[' is no regular expression");
  }

  @ParameterizedTest
  @EnumSource(names = {"SIGN", "DROPPED_TERM", "LAST_ELEMENT"})
  void aWrongGradientIsSeenInTableAndExitCode(Broken.Fault fault) {
    StringWriter text = new StringWriter();
    int code;
    try (Device cpu = Device.cpu()) {
      PrintWriter out = new PrintWriter(text, true);
      code = GradcheckCommand.check(List.of(broken(fault)), cpu, out, CheckTable.Row.OPERATION);
    }
    assertEquals(Main.FAILURE, code, text::toString);
    assertTrue(text.toString().contains("WRONG"), text::toString);
    assertTrue(text.toString().contains("0 of 2 checks passed"), text::toString);
    List<String> rows = text.toString().lines().filter(line -> line.endsWith("WRONG")).toList();
    assertTrue(rows.get(0).contains("f64        2  "), "both shapes: " + rows);
    assertTrue(rows.get(1).contains(" [5]  "), "the shape that failed: " + rows);
    assertTrue(rows.get(2).contains(" [3]  "), "the shape that failed: " + rows);
  }

  @Test
  void itsTwinThatIsRightPasses() {
    StringWriter text = new StringWriter();
    try (Device cpu = Device.cpu()) {
      int code =
          GradcheckCommand.check(
              List.of(broken(Broken.Fault.NONE)),
              cpu,
              new PrintWriter(text, true),
              CheckTable.Row.OPERATION);
      assertEquals(Main.SUCCESS, code, text::toString);
    }
  }

  /** A kink passes with a word in table and detail, and what is not defined has its own. */
  @Test
  void kinksAndUndefinedPlacesAreSaidInTheTable() {
    OperationCase relu =
        new OperationCase(
            "relu",
            Broken.class,
            (tape, in) -> tape.relu(in[0]),
            List.of(List.of(Input.of(0, 1)), List.of(Input.of(2))),
            shapes -> 1,
            1e-6);
    OperationCase log =
        new OperationCase(
            "log",
            Broken.class,
            (tape, in) -> tape.log(in[0]),
            List.of(List.of(Input.of(-1))),
            shapes -> 1,
            1e-6);
    StringWriter text = new StringWriter();
    try (Device cpu = Device.cpu()) {
      PrintWriter out = new PrintWriter(text, true);
      assertEquals(
          Main.SUCCESS, GradcheckCommand.check(List.of(relu), cpu, out, CheckTable.Row.OPERATION));
      assertTrue(text.toString().lines().anyMatch(line -> line.endsWith(" kink")), text::toString);
      assertTrue(text.toString().contains("relu [2]: input 0 [2]: kink"), text::toString);
      assertTrue(text.toString().contains("element 0 may be a kink: analytic"), text::toString);
      assertTrue(text.toString().contains("2 of 2 checks passed"), text::toString);
      assertEquals(
          Main.FAILURE, GradcheckCommand.check(List.of(log), cpu, out, CheckTable.Row.OPERATION));
      assertTrue(
          text.toString().lines().anyMatch(line -> line.endsWith(" UNDEFINED")), text::toString);
    }
  }

  private static OperationCase broken(Broken.Fault fault) {
    Class<? extends Operation> type = Broken.class;
    return new OperationCase(
        "broken",
        type,
        (tape, in) -> tape.apply(new Broken(fault), in[0]),
        List.of(List.of(Input.randomNormal(5)), List.of(Input.randomNormal(3))),
        shapes -> 1,
        1e-6);
  }

  @Test
  void selftestWritesWhatItFound() throws IOException {
    Path json = folder.resolve("selftest.json");
    String out =
        Weft.run("selftest", "--device", "cpu", "--quick", "--json", json).succeeded().out();
    assertTrue(out.contains("self-test passed"), out);
    assertTrue(out.contains("not compared: this is the CPU"), out);
    assertFalse(out.lines().anyMatch(line -> line.matches(".* parity .* f64 .*")), out);
    assertTrue(out.lines().anyMatch(line -> line.matches(".* parity .* f32 .*")), out);
    JsonObject report = JsonParser.parseString(Files.readString(json)).getAsJsonObject();
    assertTrue(report.get("passed").getAsBoolean());
    assertEquals("cpu", report.get("device").getAsString());
    assertTrue(report.getAsJsonArray("checks").size() > 50);
    // four math modes, three of which can be fused
    assertEquals(7, report.getAsJsonArray("training").size());
    Weft.run("selftest", "--json", folder.resolve("absent/x.json"))
        .failed(Main.FAILURE, "does not exist");
  }

  @Test
  void aBriefSelftestHasNoFiniteDifferences() throws IOException {
    Path json = folder.resolve("brief.json");
    String out =
        Weft.run("selftest", "--device", "cpu", "--brief", "--json", json).succeeded().out();
    assertFalse(out.contains(" gradient "), out);
    JsonObject report = JsonParser.parseString(Files.readString(json)).getAsJsonObject();
    assertTrue(report.getAsJsonArray("checks").size() > 50);
    for (JsonElement run : report.getAsJsonArray("training")) {
      assertEquals(3, run.getAsJsonObject().get("steps").getAsInt());
    }
    assertEquals(0, report.getAsJsonArray("ceilings").size());
  }

  @ParameterizedTest
  @EnumSource(MathMode.class)
  void ceilingsAreMeasured(MathMode math) {
    try (Device cpu = Device.cpu()) {
      Ceilings.Ceiling gemm = new Ceilings(cpu, 0.01).gemm(math, 128);
      assertTrue(gemm.value() > 0);
      assertEquals("gemm " + math.name().toLowerCase(Locale.ROOT) + " 128", gemm.name());
      Ceilings.Ceiling copy = new Ceilings(cpu, 0.001).copy(256 << 10);
      assertTrue(copy.value() > 0);
      assertEquals("copy 256 KiB", copy.name());
      assertEquals(0, cpu.memory().live());
    }
  }

  @Test
  void devicesAndDoctorSayWhatThereIs() {
    assertTrue(Weft.run("devices").succeeded().out().contains("cpu      yes"));
    String out = Weft.run("doctor").succeeded().out();
    assertTrue(out.contains("ok       cpu: "), out);
    assertTrue(out.contains("libdnnl.so.3"), out);
    assertTrue(out.contains("libcuda.so.1"), out);
  }

  /** In a process of its own: this one may have the emulator for a driver. */
  @Test
  void cudaWhereThereIsNoneNamesTheLibraryAndThePlaces() throws Exception {
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                System.getProperty("java.class.path"),
                Main.class.getName(),
                "train",
                "--device",
                "cuda",
                "--out",
                folder.resolve("m.safetensors").toString())
            .redirectErrorStream(true)
            .start();
    String text = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assumeTrue(process.waitFor() != 0, "this machine has a GPU");
    assertEquals(Main.FAILURE, process.exitValue(), text);
    assertTrue(text.startsWith("weft: CUDA was asked for"), text);
    assertTrue(text.contains("libcuda.so.1") || text.contains("libcublas"), text);
    assertTrue(text.contains("looked in the loader's path, /usr/lib"), text);
    assertFalse(text.contains("\tat "), text);
  }
}
