// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.weft.MathMode;
import dev.weft.bench.peer.Mlp;
import dev.weft.bench.peer.Side;
import dev.weft.bench.peer.Target;
import dev.weft.bench.report.Agreement;
import dev.weft.bench.report.Machine;
import dev.weft.bench.report.Measurement;
import dev.weft.bench.report.Part;
import dev.weft.bench.report.Results;
import dev.weft.optim.Sgd;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.AbstractList;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BenchTest {
  private static final String TORCH =
      """
      {"steps": [
        {"device": "cuda", "mode": "graph", "dtype": "tf32", "batch": 128,
         "widths": [784, 512, 512, 10], "medianMicros": 40.5, "lowMicros": 40, "highMicros": 44,
         "samples": 90}
      ]}
      """;

  private static final String PRODUCT =
      """
      {"steps": [], "products": [
        {"device": "cuda", "dtype": "bf16", "m": 4096, "k": 4096, "n": 4096,
         "medianMicros": 200, "lowMicros": 198, "highMicros": 220, "samples": 50}
      ]}
      """;

  @Test
  void stepsOfPyTorchComeIn(@TempDir Path folder) throws IOException {
    Path file = Files.writeString(folder.resolve("torch.json"), TORCH);
    Measurement step = TorchFile.read(file).getFirst();
    assertEquals("PyTorch graph FAST", step.who());
    assertEquals("784-512-512-10", step.group());
    assertEquals("batch 128", step.name());
    assertEquals("cuda:0", step.device());
    assertEquals(40.5, step.times().median());
    assertEquals(Mlp.of(128, 784, 512, 512, 10).flops(), step.flops());
  }

  @Test
  void productsOfPyTorchHaveTheNamesOfWefts(@TempDir Path folder) throws IOException {
    Path file = Files.writeString(folder.resolve("torch.json"), PRODUCT);
    Measurement product = TorchFile.read(file).getFirst();
    assertEquals("PyTorch BF16", product.who());
    assertEquals("4096 x 4096 x 4096, forward", product.name());
    assertEquals(2.0 * 4096 * 4096 * 4096, product.flops());
    assertEquals(2.0 * 3 * 4096 * 4096, product.bytes());
    Files.writeString(file, PRODUCT.replace("\"cuda\"", "null"));
    assertThrows(IOException.class, () -> TorchFile.read(file));
  }

  @Test
  void anotherFileIsNotTakenForStepsOfPyTorch(@TempDir Path folder) throws IOException {
    for (String text :
        List.of(
            "{}",
            "[",
            "{\"steps\": [{}]}",
            TORCH.replace("tf32", "fp8"),
            TORCH.replace("\"mode\": \"graph\",", ""))) {
      Path file = Files.writeString(folder.resolve("torch.json"), text);
      IOException e = assertThrows(IOException.class, () -> TorchFile.read(file));
      assertTrue(e.getMessage().contains("torch.json"), e.getMessage());
    }
  }

  @Test
  void sidesThatTrainAlikePassAndOthersDoNot() {
    double[] reference = {2.3, 1.9, 1.5};
    assertTrue(agreement(new double[] {2.3, 1.9, 1.50001}, reference).holds());
    for (double[] wrong :
        List.of(
            new double[] {2.3, 1.9, 1.51},
            new double[] {2.3, Double.NaN, 1.5},
            new double[] {2.3, 1.8, 1.5})) {
      assertFalse(agreement(wrong, reference).holds());
    }
    double[] flat = {2.3, 2.3, 2.3};
    Agreement nothing = agreement(flat, flat);
    assertFalse(nothing.holds(), "they agree, but nothing is learned");
    assertTrue(nothing.complaint().contains("loss 2.3000 at first, 2.3000 after 3"));
  }

  private static Settings settings(List<Target> targets, String only) {
    return new Settings(
        Settings.Effort.FULL,
        1,
        Choice.pattern(only),
        Duration.ZERO,
        targets,
        Set.of(),
        Set.of(MathMode.STRICT),
        0,
        0);
  }

  private static List<String> kernels(String only) {
    return KernelsPart.rows(settings(List.of(Target.CPU), only)).stream()
        .map(KernelsPart.Row::name)
        .toList();
  }

  @Test
  void headlinesComeFirstOnEveryDevice() {
    Settings settings = settings(List.of(Target.CPU, Target.CUDA), "");
    List<StepsPart.Row> rows = StepsPart.rows(settings);
    assertEquals(
        List.of(Target.CPU, Target.CUDA, Target.CPU, Target.CUDA),
        rows.stream().limit(4).map(StepsPart.Row::target).toList());
    int most = rows.getFirst().turns();
    assertTrue(rows.stream().limit(8).allMatch(row -> row.turns() == most));
    assertTrue(rows.stream().skip(8).allMatch(row -> row.turns() < most));
  }

  @Test
  void theSizeOfAKernelIsPartOfItsName() {
    assertEquals(
        List.of("relu_forward, memory", "relu_backward, memory", "relu_gradients, memory"),
        kernels("^relu.*, memory$"));
    assertEquals(6, kernels("^relu").size(), "both sizes");
    assertEquals(12, kernels("relu").size(), "and leaky_relu");
    List<String> usual = kernels(", memory$");
    assertEquals(kernels("").size(), 2 * usual.size() + 3);
    assertTrue(usual.containsAll(List.of("adam, memory", "max_backward, memory")), usual::toString);
    assertFalse(usual.contains("leaky_relu_forward, memory"), "a size asks for the usual ones");
    assertEquals(kernels(""), kernels(", (cache|memory|embedding)$"));
    assertTrue(kernels("^copy").isEmpty(), "it is a ceiling");
  }

  @Test
  void aGpuWaitsOnceForManyFastProducts() {
    double flops = 2.0 * 4096 * 4096 * 4096;
    assertEquals(1, Settings.repeats(Target.CPU, 0, flops, MathMode.BF16));
    assertTrue(Settings.repeats(0, flops, MathMode.BF16) > 10);
    assertEquals(1, Settings.repeats(0, flops, MathMode.STRICT));
  }

  @Test
  void onlyWeftGoneWrongIsAFailure() {
    Results results = new Results(Machine.here(1), "");
    StepsPart.fail(Side.DJL, "DJL STRICT, a step", "its losses differ", results);
    assertFalse(results.failed());
    StepsPart.fail(Side.WEFT, "Weft FAST, a step", "its losses differ", results);
    assertTrue(results.failed());
    assertEquals(1, results.missing().size());
    assertEquals(1, results.failures().size());
  }

  @Test
  void aFileThatCannotBeWrittenStaysAsItWas(@TempDir Path folder) throws IOException {
    Path file = folder.resolve("run.json");
    Results good = new Results(Machine.here(1), "good");
    good.write(file);
    Results broken = new Results(Machine.here(1), "bad");
    List<Double> turns =
        new AbstractList<>() {
          @Override
          public Double get(int index) {
            throw new UnsupportedOperationException("ends in the middle of the file");
          }

          @Override
          public int size() {
            return 1;
          }
        };
    var times = new Measurement.Times(1, 1, 1, turns, 1, null);
    broken.add(new Measurement(Part.STEPS, "net", "1", 1, "Weft", "STRICT", "cpu", times, 0, 1));
    assertThrows(UnsupportedOperationException.class, () -> broken.write(file));
    assertEquals("good", Results.read(file).command());
  }

  private static Agreement agreement(double[] losses, double[] reference) {
    double difference = StepsPart.difference(losses, reference);
    return new Agreement("net", 1, "DJL", "cpu", 3, losses[0], losses[2], difference, 1e-4);
  }

  @Test
  void whatANetworkNeedsIsCounted() {
    Mlp mlp = Mlp.of(64, 784, 100, 100, 10);
    assertEquals(784 * 100 + 100 + 100 * 100 + 100 + 100 * 10 + 10, mlp.parameters());
    assertEquals(2.0 * 64 * (2 * 784 * 100 + 3 * 100 * 100 + 3 * 100 * 10), mlp.flops());
    assertEquals(mlp, Mlp.parse(mlp.toString()));
    long parameters = 4 * mlp.parameters() * 3;
    long data = 8192L * (784 + 8);
    long activations = 4L * 64 * (784 + 100 + 100 + 10) + 4L * 64 * 100;
    assertEquals(
        parameters + data + activations, ScalingPart.formula(mlp, Sgd.rate(0.1).momentum(0.9)));
  }

  @Test
  void memoryDoesNotGrowWithEpochs() {
    var run = EnduranceRun.run(Target.CPU, 100, 1);
    assertTrue(run.holds(), run.toString());
    assertEquals(run.deviceBytes(), run.deviceBytesTwice());
  }

  @Test
  void aSideThatIsNotHereSaysHowToGetIt() {
    // its 160 MB of native code are on no class path of a test
    assertTrue(Side.TENSORFLOW.missing(Target.CPU).contains("--peer tensorflow"));
  }

  /** {@code ./weft bench --help} prints it where nothing is built. */
  @Test
  void theLaunchersHelpIsThatOfTheOptions() throws IOException {
    Path help = Path.of(System.getProperty("weft.root"), "bench", "help.txt");
    PrintStream before = System.out;
    ByteArrayOutputStream printed = new ByteArrayOutputStream();
    try {
      System.setOut(new PrintStream(printed, true, StandardCharsets.UTF_8));
      assertEquals(0, Main.run("--help"));
    } finally {
      System.setOut(before);
    }
    assertEquals(printed.toString(StandardCharsets.UTF_8), Files.readString(help));
  }

  @Test
  void wrongUseIsSaid(@TempDir Path folder) {
    assertEquals(2, Main.run("stepz"));
    assertEquals(2, Main.run("steps", "--device", "tpu"));
    assertEquals(2, Main.run("steps", "--threads", "0"));
    assertEquals(2, Main.run("steps", "--turns", "-1"));
    assertEquals(2, Main.run("steps", "--minutes", "-1"));
    assertEquals(2, Main.run("steps", "--minutes", "NaN"));
    assertEquals(2, Main.run("steps", "--wait", "-1"));
    assertEquals(2, Main.run("steps", "--peer", "none,djl"));
    assertEquals(2, Main.run("targets"));
    assertEquals(1, Main.run("targets", folder.resolve("nothing").toString()));
    assertEquals(2, Main.run("steps", "--json", folder.toString()), "a folder is no file");
    assertEquals(1, Main.run("steps", "--peer-json", folder.resolve("nothing").toString()));
  }

  /** What a command printed to the error stream, and its exit code before it. */
  private static String said(String... arguments) {
    PrintStream before = System.err;
    ByteArrayOutputStream printed = new ByteArrayOutputStream();
    int code;
    try {
      System.setErr(new PrintStream(printed, true, StandardCharsets.UTF_8));
      code = Main.run(arguments);
    } finally {
      System.setErr(before);
    }
    return code + " " + printed.toString(StandardCharsets.UTF_8);
  }

  @Test
  void errorsAreASentenceEach() {
    String help = "Try 'weft bench --help'.%n".formatted();
    assertEquals(
        ("2 weft bench: unknown part 'stepz': use ceilings, kernels, steps, scaling, host,"
                    + " compare%n")
                .formatted()
            + help,
        said("stepz"));
    assertEquals(
        "2 weft bench: unknown device 'tpu': use cpu, cuda, all%n".formatted() + help,
        said("steps", "--device", "tpu"));
    assertEquals(
        "2 weft bench: unknown option '--devise'; did you mean --device?%n".formatted() + help,
        said("steps", "--devise", "cpu"));
    assertEquals(
        "2 weft bench: --only: '[' is no regular expression: Unclosed character class%n".formatted()
            + help,
        said("steps", "--only", "["));
    assertEquals(
        "1 weft bench: nothing.json: there is no such file%n".formatted(),
        said("page", "nothing.json", "--html", "target/page.html"));
    assertTrue(said("page").startsWith("2 weft bench: Missing required parameter: 'FILE'"));
    assertTrue(said("page").endsWith("Try 'weft bench page --help'.%n".formatted()));
  }

  @Test
  void onlyWithoutAMatchIsRefusedAndSaysWhatThereIs(@TempDir Path folder) {
    Path json = folder.resolve("run.json");
    String[] wrong = {"--only", "nothing", "--device", "cpu", "--json", json.toString()};
    String kernels = said(concat("kernels", wrong));
    assertTrue(
        kernels.startsWith(
            "2 weft bench: no row's name contains a match of --only 'nothing': kernels has"
                + " tanh_forward, cache; relu_forward, cache; "),
        kernels);
    assertTrue(kernels.contains("; embedding_update, embedding" + System.lineSeparator()), kernels);
    String all = said(concat("compare", wrong));
    for (String words :
        List.of("ceilings has copy, cache;", "; and \\d+ more. steps has step", "host has host")) {
      assertTrue(Pattern.compile(words).matcher(all).find(), all);
    }
    assertTrue(all.length() < 1000, all);
    assertFalse(Files.exists(json), "nothing was measured");
  }

  /** A run that is cut off has Weft beside its peer; what shares are taken of comes last. */
  @Test
  void stepsAreMeasuredFirstAndCeilingsLast() {
    List<Part> all = Main.parts(Set.of(Main.Word.COMPARE));
    assertEquals(Part.STEPS, all.getFirst());
    assertEquals(Part.CEILINGS, all.getLast());
    assertEquals(Set.of(Part.values()), Set.copyOf(all));
    assertEquals(
        List.of(Part.KERNELS, Part.CEILINGS),
        Main.parts(Set.of(Main.Word.CEILINGS, Main.Word.KERNELS)));
  }

  @Test
  void mathIsSomeOfThreeModes() {
    String[] rest = {"--only", "nothing", "--device", "cpu"};
    String taken = said(concat("ceilings", concat("--math", concat("fast,BF16", rest))));
    assertTrue(taken.contains("no row's name contains a match"), taken);
    assertTrue(taken.contains("gemm FAST"), taken);
    assertFalse(taken.contains("gemm STRICT"), taken);
    for (String wrong : List.of("fp8", "double")) {
      assertTrue(
          said("steps", "--math", wrong)
              .startsWith("2 weft bench: unknown math mode '%s': use strict".formatted(wrong)));
    }
  }

  private static String[] concat(String first, String... more) {
    return Stream.concat(Stream.of(first), Stream.of(more)).toArray(String[]::new);
  }

  @Test
  void everyPartHasRowsThatOnlyFinds() {
    Settings settings = settings(List.of(Target.CPU), "STEP 784-100");
    assertTrue(StepsPart.rows(settings).size() > 1, "in letters of either case");
    for (Part part : Part.values()) {
      assertFalse(Main.rows(part, settings).isEmpty(), part::toString);
      assertEquals(
          part == Part.STEPS, Main.rows(part, settings).stream().anyMatch(settings::wants));
    }
  }

  /**
   * The cause is that of {@code weft train --device cuda}, and so is the exit code. In a process of
   * its own: this one may have the emulator for a driver.
   */
  @Test
  void aDeviceThatIsMissingIsAFailureAndNotWrongUse() throws Exception {
    List<String> command =
        List.of(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "--enable-native-access=ALL-UNNAMED",
            "-cp",
            System.getProperty("java.class.path"),
            Main.class.getName(),
            "kernels",
            "--device",
            "cuda",
            "--only",
            "no such row");
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String text = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    int code = process.waitFor();
    assumeTrue(!text.contains("--only"), "this machine has a GPU");
    assertTrue(text.startsWith("weft bench: CUDA was asked for"), text);
    assertEquals(1, code, text);
    assertEquals(1, text.lines().count(), text);
  }

  @Test
  void aPageIsMadeOfAnEarlierRun(@TempDir Path folder) throws IOException {
    Path json = folder.resolve("run.json");
    Path html = folder.resolve("run.html");
    Path torch = Files.writeString(folder.resolve("torch.json"), TORCH);
    new Results(Machine.here(1), "weft bench host").write(json);
    assertEquals(
        0,
        Main.run(
            "page", json.toString(), "--html", html.toString(), "--peer-json", torch.toString()));
    assertTrue(Files.readString(html).contains("PyTorch graph FAST, cuda:0"));
  }

  @Test
  void targetsAreReadFromFiles(@TempDir Path folder) throws IOException {
    Path json = folder.resolve("run.json");
    Path lines = folder.resolve("verdicts.tsv");
    Path torch = Files.writeString(folder.resolve("torch.json"), TORCH);
    new Results(Machine.here(1), "none").write(json);
    assertEquals(
        0,
        Main.run(
            "targets",
            json.toString(),
            "--peer-json",
            torch.toString(),
            "--verdicts",
            lines.toString()));
    List<String> verdicts = Files.readAllLines(lines);
    assertTrue(verdicts.size() > 20, verdicts::toString);
    for (String line : verdicts) {
      assertTrue(line.matches("not measured\t[^\t]+\tnot measured"), line);
    }
  }
}
