// SPDX-License-Identifier: Apache-2.0
package dev.weft.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import dev.weft.Device;
import dev.weft.Shape;
import dev.weft.nn.Sequential;
import dev.weft.support.Emulator;
import dev.weft.support.Logged;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;

class TrainCommandTest {
  @TempDir private Path folder;

  private Weft.Run train(Object... more) {
    return train(Screen.Kind.PLAIN, more);
  }

  private Weft.Run train(Screen.Kind kind, Object... more) {
    Stream<Object> first =
        Stream.of("train", "--device", "cpu", "--digits", 1300, "--epochs", 2, "--hidden", "32");
    Stream<Object> out = Stream.of("--out", folder.resolve("m.safetensors"));
    return Weft.run(kind, Stream.of(first, out, Stream.of(more)).flatMap(s -> s).toArray());
  }

  @Test
  void theFilePredictsAsTheNetworkDid() throws IOException {
    String out = train().succeeded().out();
    assertTrue(out.contains("25,450 parameters"), out);
    assertTrue(out.contains("gives the same output for all 216 test examples"), out);
    Path file = folder.resolve("m.safetensors");
    assertEquals("linear(784,32) relu dropout(0.2) linear(32,10)", Sequential.load(file).spec());
    Path csv = folder.resolve("p.csv");
    Weft.Run evaluation =
        Weft.run("evaluate", file, "--digits", 1300, "--device", "cpu", "--predictions", csv)
            .succeeded();
    Matcher trained = Pattern.compile("\ntest accuracy (\\S+ %)").matcher(out);
    assertTrue(trained.find(), out);
    assertTrue(evaluation.out().contains("accuracy " + trained.group(1)), evaluation.out());
    assertTrue(evaluation.out().startsWith(file + " on cpu ("), evaluation.out());
    assertTrue(
        evaluation.out().contains("), strict: 216 test examples of generated digits"),
        evaluation.out());
    List<String> lines = Files.readAllLines(csv);
    assertEquals(217, lines.size());
    assertEquals("row,label,prediction", lines.getFirst());
    assertTrue(lines.get(1).matches("0,\\d,\\d"), lines.get(1));
  }

  private static String evaluated(Path file, Object... options) {
    Object[] command = {"evaluate", file, "--digits", 1300, "--device", "cpu"};
    return Weft.run(Stream.of(command, options).flatMap(Stream::of).toArray()).succeeded().out();
  }

  /** By the loss that it was trained with, which the file notes, until another is named. */
  @Test
  void anEvaluationTellsTheLossOfTheFileOrTheOneThatIsAskedFor() throws IOException {
    Path file = folder.resolve("m.safetensors");
    Object[] loss = {"--loss", "multi_class_hinge(0.5)", "--class-weights", "balanced"};
    String trained = train(loss).succeeded().out();
    Matcher end = Pattern.compile("test accuracy .*, loss ([0-9.]+);").matcher(trained);
    assertTrue(end.find(), trained);
    String said = "loss " + end.group(1) + " (multi_class_hinge(0.5), classes weighted), accuracy";
    assertTrue(evaluated(file).contains(said), () -> evaluated(file));
    assertTrue(evaluated(file, loss).contains(said));
    String alike = evaluated(file, "--loss", "multi_class_hinge(0.5)");
    assertFalse(alike.contains(said), "weights of classes are the file's with its loss alone");
    String usual = evaluated(file, "--loss", "softmax_cross_entropy");
    assertTrue(usual.contains(" (softmax_cross_entropy), accuracy"), usual);
    Weft.run("evaluate", file, "--digits", 1300, "--device", "cpu", "--smoothing", 0.1)
        .failed(Main.WRONG_USE, "--smoothing spreads probability");
  }

  @Test
  void smoothingIsNotedWithTheLoss() throws IOException {
    Path file = folder.resolve("m.safetensors");
    train("--smoothing", 0.2).succeeded();
    assertTrue(evaluated(file).contains(" (softmax_cross_entropy(0.2)), accuracy"));
    assertTrue(evaluated(file, "--smoothing", 0.1).contains(" (softmax_cross_entropy(0.1)), "));
    try (Sequential network = Sequential.load(file)) {
      network.save(file);
      assertTrue(evaluated(file).contains(" (softmax_cross_entropy), "), "no loss is noted");
      network.save(file, Map.of("loss", "0.31"));
      Weft.run("evaluate", file, "--digits", 1300, "--device", "cpu")
          .failed(
              Main.FAILURE,
              file + ", its loss: unknown loss '0.31': use softmax_cross_entropy,",
              "; --loss names another");
      assertEquals(
          "a note is called 'network', which says what the file is",
          assertThrows(
                  IllegalArgumentException.class, () -> network.save(file, Map.of("network", "")))
              .getMessage());
    }
  }

  @Test
  void aNetworkOfNaNHasNoResult() throws IOException {
    Path file = folder.resolve("m.safetensors");
    Path csv = folder.resolve("p.csv");
    try (Device device = Device.cpu();
        Sequential network = Sequential.parse("linear(784,32) relu linear(32,10)")) {
      network.on(device);
      network.arena().values(network.named().get("0.weight")).view(8, Shape.of(3)).fill(Double.NaN);
      network.save(file);
    }
    try (Logged logged = new Logged()) {
      Weft.Run run =
          Weft.run("evaluate", file, "--digits", 1300, "--device", "cpu", "--predictions", csv)
              .failed(
                  Main.FAILURE,
                  file + ": the loss is NaN, and no accuracy or prediction would mean anything",
                  "3 values of parameter 0.weight are not finite");
      assertEquals("", run.out());
      assertEquals(
          List.of("WARNING " + file + ": 3 values of parameter 0.weight are not finite"),
          logged.lines());
    }
    assertFalse(Files.exists(csv));
  }

  /** Whatever is written beside the work must not cost the work of before. */
  @Test
  void aSavedNetworkIsNotWrittenOver() throws IOException {
    train().succeeded();
    Path file = folder.resolve("m.safetensors");
    byte[] network = Files.readAllBytes(file);
    Weft.run("evaluate", file, "--digits", 1300, "--device", "cpu", "--predictions", file)
        .failed(Main.FAILURE, "is a saved network");
    Weft.run("train", "--digits", 1300, "--device", "cpu", "--profile=" + file)
        .failed(Main.FAILURE, "is a saved network");
    Weft.run("train", "--digits", 1300, "--out", folder.resolve("n.safetensors"), "--log", file)
        .failed(Main.FAILURE, "is a saved network");
    assertArrayEquals(network, Files.readAllBytes(file));
  }

  @Test
  void plainOutputIsOneLineAnEpochAndNoControlCharacters() {
    String out = train().succeeded().out();
    assertEquals(2, out.lines().filter(line -> line.startsWith("epoch ")).count(), out);
    assertTrue(out.chars().noneMatch(c -> c < ' ' && c != '\n'), out);
  }

  @Test
  void aTerminalGetsABar() {
    String out = train(Screen.Kind.TERMINAL, "--batch", "10").succeeded().out();
    assertTrue(out.contains("\repoch 1/2 "), out);
    assertTrue(out.contains("130/130 ("), out);
    assertTrue(out.contains("/s"), out);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "--hidden 256,256 --batch 500",
        "--hidden 32 --batch 1000",
        "--hidden 1024,1024 --batch 1000 --dropout 0",
        "--hidden 1024,1024 --batch 1000 --dropout 0 --patience 2",
        "--hidden 256 --batch 100 --data-memory 0.25"
      })
  void memoryIsWhatTheFormulaSays(String options) {
    String out = train((Object[]) options.split(" ")).succeeded().out();
    Matcher memory =
        Pattern.compile("memory +(\\S+) (.iB) on the device at most; by formula (\\S+) (.iB)")
            .matcher(out);
    assertTrue(memory.find(), out);
    assertEquals(memory.group(2), memory.group(4));
    double ratio = Double.parseDouble(memory.group(1)) / Double.parseDouble(memory.group(3));
    assertEquals(1, ratio, 0.1, out);
  }

  /** What an option changes is told by the file: the same but for it, and another network. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "--schedule linear",
        "--schedule steps:1:0.5",
        "--schedule polynomial:2",
        "--schedule multi-step:1,1.5:0.5",
        "--schedule exponential:0.5",
        "--schedule restarts:1:2",
        "--schedule one-cycle",
        "--schedule one_cycle:0.5",
        "--schedule inverse-square-root:4",
        "--momentum-schedule one-cycle",
        "--optimizer adamw --decay-schedule cosine",
        "--warm-up 10",
        "--clip 0.1",
        "--accumulate 2",
        "--l1 0.01",
        "--l2 0.01",
        "--max-norm 0.5",
        "--max-norm 0.weight=0.5",
        "--weight-decay 0.1"
      })
  void everyOptionOfUpdatesHasAnEffect(String option) throws IOException {
    Path other = folder.resolve("other.safetensors");
    train().succeeded();
    train((Object[]) ("--out " + other + " " + option).split(" ")).succeeded();
    assertNotEquals(-1, Files.mismatch(folder.resolve("m.safetensors"), other));
  }

  @ParameterizedTest
  @CsvSource({"sgd,sgd", "adam,adamw", "nesterov,nesterov"})
  void weightDecayIsDecoupledForEveryRule(String name, String rule) throws IOException {
    Path penalty = folder.resolve("penalty.safetensors");
    String out = train("--optimizer", name, "--weight-decay", "0.1").succeeded().out();
    assertTrue(out.contains("\ntraining " + rule + " at "), out);
    train("--optimizer", name, "--l2", "0.1", "--out", penalty).succeeded();
    boolean same = Files.mismatch(folder.resolve("m.safetensors"), penalty) == -1;
    assertFalse(same && !name.equals("sgd"), "plain descent alone makes no difference of them");
  }

  @Test
  void theLearningRateIsSaidWhereItChanges() {
    String out =
        train("--epochs", 4, "--schedule", "steps:2:0.5", "--rate", "0.002").succeeded().out();
    List<String> lines = out.lines().filter(line -> line.startsWith("epoch ")).toList();
    assertEquals(4, lines.size());
    for (String line : lines) {
      assertEquals(line.startsWith("epoch 3/"), line.endsWith("; learning rate 0.00100"), out);
    }
  }

  /** At such a rate the loss grows, and every epoch is another plateau. */
  @ParameterizedTest
  @ValueSource(strings = {"loss", "accuracy"})
  void theRateFallsOnAPlateau(String watched) {
    Weft.Run run =
        train("--epochs", 12, "--rate", "1", "--schedule", "plateau:1:0.1", "--watch", watched);
    String out = run.out();
    assertEquals(0, run.code(), run.err());
    List<String> rates =
        out.lines()
            .filter(line -> line.contains("; learning rate "))
            .map(line -> line.replaceAll("/12.*rate", ""))
            .toList();
    assertTrue(rates.getFirst().matches("epoch ([3-9]|1[0-2]) 0.100"), out);
  }

  @ParameterizedTest
  @ValueSource(strings = {"loss", "accuracy"})
  void aRunWithoutProgressEndsEarlyAndWritesItsBestEpoch(String watched) {
    Object[] patient = {
      "--epochs", 50, "--rate", "0.05", "--patience", 1, "--watch", watched, "--validation", "0.2"
    };
    String out = train(patient).succeeded().out();
    assertTrue(
        out.contains(
            "\nstopping after 1 epoch without a better " + watched + " over the validation"),
        out);
    Matcher ended =
        Pattern.compile(
                "\nended    "
                    + watched
                    + " did not become better than \\S+, that of epoch (\\d+), for 1 epoch; the"
                    + " parameters are those of epoch \\1\n")
            .matcher(out);
    assertTrue(ended.find(), out);
    long epochs = out.lines().filter(line -> line.startsWith("epoch ")).count();
    assertEquals(Integer.parseInt(ended.group(1)) + 1, epochs, out);
    assertTrue(epochs < 50, out);
  }

  @Test
  void withPatienceTheBestEpochIsWrittenAlsoAfterTheLast() {
    // a rate that grows a hundredfold undoes what was learned
    Object[] worse = {"--epochs", 6, "--rate", "0.005", "--schedule", "steps:3:100"};
    String out =
        train(Stream.concat(Stream.of(worse), Stream.of("--patience", 6)).toArray())
            .succeeded()
            .out();
    List<String> losses =
        Pattern.compile("; test loss (\\S+), accuracy (\\S+ %)")
            .matcher(out)
            .results()
            .map(result -> result.group(1) + " " + result.group(2))
            .toList();
    assertEquals(6, losses.size(), out);
    String best = Collections.min(losses);
    assertNotEquals(best, losses.getLast(), "the best epoch is not the last: " + out);
    assertTrue(
        out.contains(
            "\nended    all epochs up to 6 are done; the parameters are those of epoch "
                + (losses.indexOf(best) + 1)
                + "\n"),
        out);
    String[] words = best.split(" ", 2);
    assertTrue(out.contains("\ntest accuracy " + words[1] + ", loss " + words[0] + ";"), out);
  }

  @Test
  void aRunThatGoesToItsEndSaysNothingOfIt() {
    assertFalse(train().succeeded().out().contains("ended "));
  }

  @Test
  void whatChangesInTheRunIsSaidBeforeIt() {
    String out =
        train("--schedule", "one-cycle", "--warm-up", 4, "--momentum-schedule", "one-cycle")
            .succeeded()
            .out();
    assertTrue(
        out.contains("at 0.001, schedule one-cycle, warm-up of 4 updates, momentum by one-cycle,"),
        out);
    String ema = train("--ema", "0.99", "--overwrite").succeeded().out();
    assertTrue(ema.contains("of about the last 100 updates, and there are 22: a lower"), ema);
  }

  @Test
  void theLogHasALineOfJsonAnEpoch() throws IOException {
    Path log = folder.resolve("run.jsonl");
    train("--log", log, "--validation", "0.1").succeeded();
    List<String> lines = Files.readAllLines(log);
    assertEquals(2, lines.size());
    JsonObject second = JsonParser.parseString(lines.get(1)).getAsJsonObject();
    assertEquals(2, second.get("epoch").getAsInt());
    assertEquals("cpu", second.get("device").getAsString());
    for (String number :
        List.of(
            "train_loss", "train_accuracy", "test_loss", "rate", "seconds", "samples_per_second")) {
      assertTrue(second.get(number).getAsDouble() > 0, number);
    }
  }

  /** Files of this process may not grow beyond 1 KiB: the network is smaller, the log is not. */
  @Test
  void aLogThatCannotBeWrittenOnDoesNotCostTheNetwork() throws Exception {
    Path data = Files.createDirectory(folder.resolve("data"));
    DataFilesTest.writeGoodFiles(data);
    Path file = folder.resolve("m.safetensors");
    Path log = folder.resolve("run.jsonl");
    String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
    Process process =
        new ProcessBuilder(
                List.of(
                    "bash",
                    "-c",
                    "ulimit -f 1; exec \"$@\"",
                    "bash",
                    java,
                    "--enable-native-access=ALL-UNNAMED",
                    "-XX:-UsePerfData",
                    "-cp",
                    System.getProperty("java.class.path"),
                    Main.class.getName(),
                    "train",
                    "--device",
                    "cpu",
                    "--layers",
                    "linear(16,3)",
                    "--epochs",
                    "9",
                    "--data",
                    data.toString(),
                    "--out",
                    file.toString(),
                    "--log",
                    log.toString()))
            .redirectOutput(ProcessBuilder.Redirect.PIPE)
            .start();
    String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    String err = new String(process.getErrorStream().readAllBytes(), StandardCharsets.UTF_8);
    assertEquals(Main.FAILURE, process.waitFor(), out + err);
    assertTrue(err.startsWith("weft: " + log + ": "), err);
    assertTrue(err.contains("; the log ends before epoch "), err);
    assertEquals(1, err.lines().filter(line -> line.startsWith("weft: ")).count(), err);
    assertTrue(out.contains("epoch 9/9"), out);
    assertEquals("linear(16,3)", Sequential.load(file).spec());
  }

  @Test
  void aProfileSaysWhereTheTimeGoes() throws IOException {
    Path trace = folder.resolve("trace.json");
    Path file = folder.resolve("m.safetensors");
    Object[] command = {
      "train",
      "--device",
      "cpu",
      "--digits",
      1300,
      "--hidden",
      150,
      "--out",
      file,
      "--profile=" + trace
    };
    String out = Weft.run(command).succeeded().out();
    for (String words :
        List.of(
            "us replayed; ",
            "of the step inside matrix products (oneDNN)",
            "\nforward ",
            "\nhost ",
            "\n0 linear(784,150) relu, backward ",
            "\n2 dropout(0.2), forward ",
            "\ngemm_f32 ",
            "wrote    " + trace)) {
      assertTrue(out.contains(words), () -> "'" + words + "' is not in: " + out);
    }
    assertTrue(
        JsonParser.parseString(Files.readString(trace)).getAsJsonObject().has("traceEvents"));
    assertFalse(Files.exists(file), "nothing was trained");
    assertFalse(out.contains("fused"), out);
    String fused = train("--profile", "--fusion", "always").succeeded().out();
    assertFalse(fused.contains("wrote"), fused);
    assertTrue(fused.contains("\nfused    two kernels run all layers"), fused);
    assertTrue(fused.contains("--fusion never (Fusion.NEVER) shows layers"), fused);
    assertFalse(fused.contains("inside matrix products"), fused);
  }

  @Test
  void aProfileThatCannotBeWrittenIsFoundBefore() {
    Weft.Run run = train("--profile=" + folder.resolve("absent/trace.json"));
    run.failed(Main.FAILURE, "absent", "does not exist");
    assertEquals("", run.out());
    train("--profile", "--log", folder.resolve("log")).failed(Main.WRONG_USE, "--log");
  }

  @Test
  void streamedDataGiveTheSameFile() throws IOException {
    Path resident = folder.resolve("resident.safetensors");
    Path streamed = folder.resolve("streamed.safetensors");
    String[] first = {
      "train", "--device", "cpu", "--digits", "1300", "--epochs", "2", "--hidden", "32", "--out"
    };
    Weft.run(Stream.concat(Stream.of(first), Stream.of(resident)).toArray()).succeeded();
    Weft.run(
            Stream.concat(Stream.of(first), Stream.of(streamed, "--data-memory", "0.25")).toArray())
        .succeeded();
    assertEquals(-1, Files.mismatch(resident, streamed));
    train("--data-memory", "0").failed(2, "--data-memory must be above 0, not 0");
  }

  @Test
  void twoRunsOfOneSeedWriteTheSameFile() throws IOException {
    Path first = folder.resolve("first.safetensors");
    Path second = folder.resolve("second.safetensors");
    train("--seed", 3, "--out", first).succeeded();
    train("--seed", 3, "--out", second).succeeded();
    assertEquals(-1, Files.mismatch(first, second));
  }

  static List<Arguments> settings() {
    return List.of(
        Arguments.of((Object) new String[] {"--optimizer", "sgd"}),
        Arguments.of((Object) new String[] {"--optimizer", "momentum", "--momentum", "0.5"}),
        Arguments.of((Object) new String[] {"--optimizer", "nesterov", "--rate", "0.02"}),
        Arguments.of((Object) new String[] {"--optimizer", "adamw", "--weight-decay", "0.1"}),
        Arguments.of(
            (Object)
                new String[] {"--optimizer", "momentum", "--dampening", "0.9", "--rate", "0.1"}),
        Arguments.of((Object) new String[] {"--optimizer", "adagrad", "--l2", "1e-4"}),
        Arguments.of((Object) new String[] {"--optimizer", "rmsprop", "--momentum", "0.5"}),
        Arguments.of((Object) new String[] {"--optimizer", "adadelta", "--beta2", "0.95"}),
        Arguments.of((Object) new String[] {"--optimizer", "amsgrad", "--beta1", "0.8"}),
        Arguments.of((Object) new String[] {"--optimizer", "nadam"}),
        Arguments.of((Object) new String[] {"--optimizer", "lion", "--beta2", "0.98"}),
        Arguments.of((Object) new String[] {"--l2", "1e-4", "--weight-decay", "1e-3"}),
        Arguments.of((Object) new String[] {"--schedule", "cosine", "--warm-up", "5"}),
        Arguments.of((Object) new String[] {"--schedule", "linear", "--clip", "0.5"}),
        Arguments.of((Object) new String[] {"--schedule", "steps:0.5:0.7", "--accumulate", "3"}),
        Arguments.of((Object) new String[] {"--activation", "leaky_relu", "--dropout", "0"}),
        Arguments.of((Object) new String[] {"--init", "kaiming_normal(in,1.4)"}),
        Arguments.of((Object) new String[] {"--math", "double", "--smoothing", "0.1"}),
        Arguments.of((Object) new String[] {"--loss", "Multi_Class_Hinge(0.5)"}),
        Arguments.of((Object) new String[] {"--smoothing", "0.1", "--class-weights", "Balanced"}),
        Arguments.of((Object) new String[] {"--math", "fast"}),
        Arguments.of((Object) new String[] {"--last-batch", "drop", "--batch", "1000"}),
        Arguments.of((Object) new String[] {"--threads", "1", "--batch", "1300"}));
  }

  @ParameterizedTest
  @MethodSource("settings")
  void settingsTrain(String[] settings) {
    train((Object[]) settings).succeeded();
  }

  static List<Arguments> wrong() {
    return List.of(
        wrong("--device gpu", "unknown device 'gpu'", "best, cpu, cuda or cuda:N"),
        wrong("--init zavier", "unknown initial values 'zavier'", "xavier_uniform", "orthogonal"),
        wrong("--activation rilu", "unknown activation 'rilu'", "leaky_relu", "gelu"),
        wrong("--optimizer adamax", "unknown optimizer 'adamax'", "sgd", "lion"),
        wrong("--math f16", "unknown math mode 'f16'", "strict, fast"),
        wrong("--last-batch pad", "unknown last batch 'pad'", "keep, drop"),
        wrong("--hidden 12,x", "'x'"),
        wrong("--hidden -5", "'-5'"),
        wrong("--dropout 1.5", "1.5"),
        wrong("--rate -1", "-1"),
        wrong("--rate NaN", "NaN"),
        wrong("--momentum 0.9", "--momentum"),
        wrong("--epochs 0", "at least 1 epoch"),
        wrong("--batch 0", "at least 1"),
        wrong("--batch 1301 --last-batch drop", "1301", "1300", "no batch is left"),
        wrong("--smoothing 1", "1"),
        wrong("--loss l1", "unknown loss 'l1': use softmax_cross_entropy, multi_class_hinge"),
        wrong("--loss softmax_cross_entropy(0.1)", "takes no number; --smoothing smooths"),
        wrong("--class-weights even", "'even': use balanced, or a number for each class"),
        wrong(
            "--class-weights balanced --accumulate 2",
            "--class-weights divides",
            "--accumulate cannot add up batches: leave one out"),
        wrong("--loss multi_class_hinge(x)", "--loss: 'x' is no number"),
        wrong("--loss multi_class_hinge --smoothing 0.1", "--smoothing spreads probability"),
        wrong("--class-weights 1,b", "--class-weights: 'b' is no number"),
        wrong("--class-weights 1,-1", "the weight of class 1 is -1.0"),
        wrong("--class-weights 1,2", "weights of 2 classes, and the network gives 10"),
        wrong("--threads 0", "--threads"),
        wrong("--validation 1", "--validation"),
        wrong("--validation 0.0001", "--validation 1.0E-4 of 1300 examples sets none aside"),
        wrong("--classes 5", "train labels", "outside 0..4"),
        wrong("--threads 1000", "--threads 1000 is more than", "processor"),
        wrong("--rate 0", "--rate 0 would change nothing"),
        wrong("--l1 -1", "--l1 must be finite and at least 0, not -1"),
        wrong("--max-norm 0", "--max-norm must be positive and finite, not 0"),
        wrong(
            "--max-norm 0.weight", "--max-norm takes a number, or PATTERN=number, not '0.weight'"),
        wrong("--l2 -1", "--l2 must be finite and at least 0, not -1"),
        wrong("--weight-decay NaN", "--weight-decay must be finite and at least 0, not NaN"),
        wrong(
            "--schedule sine", "unknown schedule 'sine'", "cosine, linear", "steps:EPOCHS:FACTOR"),
        wrong("--schedule cosine:3", "--schedule cosine:3: write cosine"),
        wrong("--schedule steps:1", "--schedule steps:1: write steps:EPOCHS:FACTOR"),
        wrong("--schedule restarts", "--schedule restarts: write restarts:EPOCHS[:GROWTH]"),
        wrong("--schedule multi-step:2,1:0.5", "milestones must grow, and 1.0 stands behind 2.0"),
        wrong("--schedule one-cycle:2", "--schedule one-cycle:2: a rate rises over a share of"),
        wrong("--schedule plateau:1:2", "--schedule plateau:1:2: a factor that lowers the rate"),
        wrong("--schedule plateau:0:0.1", "PATIENCE must be at least 1 epoch, not 0"),
        wrong("--schedule plateau:1.5:0.1", "'1.5' is not a whole number"),
        wrong(
            "--epochs 9 --momentum-schedule plateau:1:0.1",
            "a plateau lowers the learning rate alone"),
        wrong("--decay-schedule steps:0:1", "--decay-schedule steps:0:1: a schedule's epochs"),
        wrong("--optimizer sgd --momentum-schedule linear", "momentum"),
        wrong(
            "--epochs 10 --optimizer momentum --momentum-schedule exponential:1.02",
            "--momentum-schedule exponential:1.02 brings the momentum 0.9 to 1.014 after 6 epochs"),
        wrong("--decay-schedule linear", "decay"),
        wrong("--schedule inverse-square-root:0", "a warm-up takes at least 1 update, not 0"),
        wrong("--schedule steps:x:0.5", "--schedule steps:x:0.5: 'x' is not a number"),
        wrong("--schedule steps:0:0.5", "--schedule steps:0:0.5: a schedule's epochs must be"),
        wrong("--schedule steps:1:-2", "--schedule steps:1:-2: a factor of the rate must be"),
        wrong("--warm-up 0", "--warm-up must be at least 1 update, not 0"),
        wrong("--warm-up 1", "--warm-up 1 would change nothing"),
        wrong("--warm-up 22", "--warm-up 22 does not end within the 22 updates of this run"),
        wrong("--optimizer momentum --dampening 1", "--dampening 1 keeps all gradients out"),
        wrong("--clip 0", "--clip must be positive and finite, not 0"),
        wrong("--clip -1", "--clip must be positive and finite, not -1"),
        wrong("--accumulate 0", "--accumulate must be at least 1 batch, not 0"),
        wrong("--patience 0", "--patience must be at least 1 epoch, not 0"),
        wrong("--patience 2 --watch f1", "unknown --watch 'f1': use loss, accuracy"),
        wrong("--data .", "--digits", "--data", "leave one out"),
        wrong("--epochs many", "--epochs", "'many' is not a whole number"),
        wrong("--rate fast", "--rate", "'fast' is not a number"),
        wrong("--surprise", "unknown option '--surprise'"));
  }

  private static Arguments wrong(String options, String... words) {
    return Arguments.of(options, words);
  }

  @ParameterizedTest
  @MethodSource("wrong")
  void wrongUseIsSaidInOneSentence(String options, String[] words) {
    Weft.Run run = train((Object[]) options.split(" "));
    run.failed(Main.WRONG_USE, words);
    assertTrue(run.err().contains("Try 'weft train --help'"), run.err());
    assertFalse(Files.exists(folder.resolve("m.safetensors")));
  }

  @ParameterizedTest
  @ValueSource(strings = {"cuda", "best"})
  void threadsAreRefusedWhereTheyWouldDoNothing(String device) {
    Emulator.require();
    Path file = folder.resolve("m.safetensors");
    Object[] command = {
      "train", "--device", device, "--threads", 1, "--digits", 600, "--epochs", 1, "--out", file
    };
    Weft.run(command)
        .failed(Main.WRONG_USE, "--threads is for the cpu", "--device " + device + " is cuda:0");
    assertFalse(Files.exists(file));
    assertEquals(0, Emulator.liveBytes());
  }

  static List<Arguments> layers() {
    return List.of(
        Arguments.of("linear(784,50) relu linear(40,10)", "Linear(40, 10) got 50 features"),
        Arguments.of("linear(100,10)", "784 features"),
        Arguments.of("linear(784,9)", "10 classes and the network 9 outputs"),
        Arguments.of("linear(784,10) swosh", "unknown layer 'swosh'"),
        Arguments.of("linear(784)", "linear(in,out)"),
        Arguments.of("linear(784,ten)", "ten"),
        Arguments.of("", "is not a layer"));
  }

  @ParameterizedTest
  @MethodSource("layers")
  void layersThatDoNotFitAreNamed(String spec, String words) {
    Path file = folder.resolve("m.safetensors");
    Weft.run("train", "--device", "cpu", "--digits", 600, "--layers", spec, "--out", file)
        .failed(Main.WRONG_USE, words);
  }

  @Test
  void layersAreTheWholeNetwork() {
    train("--layers", "linear(784,10)").failed(Main.WRONG_USE, "leave out --hidden");
  }

  @Test
  void aPathThatCannotBeWrittenIsFoundBeforeTraining() {
    Path absent = folder.resolve("absent/m.safetensors");
    Weft.Run run = train("--out", absent);
    run.failed(Main.FAILURE, "absent", "does not exist");
    assertEquals("", run.out());
    run = train("--out", folder);
    run.failed(Main.FAILURE, "is a folder");
    assertEquals("", run.out());
    run = train("--log", folder.resolve("absent/log"));
    run.failed(Main.FAILURE, "does not exist");
    assertEquals("", run.out());
    train("--log", folder.resolve("m.safetensors"))
        .failed(Main.WRONG_USE, "--log and --out name the same file");
  }

  @Test
  void aDiskWithoutRoomForTheNetworkIsFoundBeforeTraining() {
    assumeTrue(folder.toFile().getTotalSpace() > 0, "this file system has no size");
    Weft.Run run =
        Weft.run(
            "train",
            "--device",
            "cpu",
            "--digits",
            60,
            "--layers",
            "linear(784,999999999) linear(999999999,999999999) linear(999999999,10)",
            "--out",
            folder.resolve("m.safetensors"));
    run.failed(Main.FAILURE, "m.safetensors: takes 4,000,003,1", "has room for");
    assertEquals("", run.out());
  }

  @Test
  void aNetworkIsReplacedOnlyWhereThatWasAskedFor() throws IOException {
    Path file = folder.resolve("m.safetensors");
    train("--seed", 1).succeeded();
    byte[] first = Files.readAllBytes(file);
    Weft.Run run = train("--seed", 2);
    run.failed(
        Main.FAILURE, "m.safetensors: is there already", "another file by --out", "--overwrite");
    assertEquals("", run.out(), "nothing was trained");
    assertArrayEquals(first, Files.readAllBytes(file));
    train("--seed", 2, "--overwrite").succeeded();
    assertFalse(Arrays.equals(first, Files.readAllBytes(file)));
  }

  @Test
  void whatIsNoNetworkIsNeverReplaced() throws IOException {
    Path notes = folder.resolve("notes.txt");
    Files.writeString(notes, "what I must not forget");
    Weft.Run run = train("--out", notes, "--overwrite");
    run.failed(Main.FAILURE, "--overwrite replaces networks only", "notes.txt", "--out");
    assertEquals("", run.out());
    assertEquals("what I must not forget", Files.readString(notes));
  }

  @ParameterizedTest
  @CsvSource({
    "--digits=600, digits",
    "--data=data/mnist/, mnist",
    "--data=/a/fashion/../kmnist, kmnist",
    "--data=/, data"
  })
  void theFileIsNamedAfterTheData(String option, String name) {
    assertEquals(name, CommandLine.populateCommand(new DataOptions(), option).name());
  }

  @Test
  void noBetterThanGuessingIsSaid() {
    Weft.Run run = train("--optimizer", "sgd", "--rate", "30", "--seed", 2);
    assertEquals(Main.SUCCESS, run.code(), run.err());
    assertTrue(
        run.err().startsWith("warning: the network does no better than guessing"), run.err());
    assertTrue(run.err().contains("guessing gives 2.3026); lower the learning rate"), run.err());
  }

  @Test
  void lossThatGrowsBeyondAllBoundsIsAFailure() {
    Object[] wild = {"--optimizer", "sgd", "--rate", "1e30"};
    train(wild)
        .failed(
            Main.FAILURE,
            "in one of the steps 1 to 11, parameter 0.weight [784, 32] is NaN at [0, 0]",
            "lower the learning rate",
            "; --detect-anomaly names the step");
    Object[] exact = Stream.concat(Stream.of(wild), Stream.of("--detect-anomaly")).toArray();
    Weft.Run run = train(exact);
    run.failed(Main.FAILURE, "at step 2, parameter 0.");
    assertFalse(run.err().contains("--detect-anomaly"), run.err());
    assertFalse(Files.exists(folder.resolve("m.safetensors")));
  }
}
