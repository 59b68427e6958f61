// SPDX-License-Identifier: Apache-2.0
package dev.weft.cli;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import dev.weft.support.Emulator;
import dev.weft.support.PagePrograms;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.ToDoubleFunction;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@ExtendWith(Emulator.class)
class CompareCommandTest {
  @TempDir private Path folder;

  private static Weft.Run compare(Object... more) {
    Stream<Object> hidden = Stream.of("--hidden", 16);
    return on("cpu", Screen.Kind.PLAIN, Stream.concat(hidden, Stream.of(more)).toArray());
  }

  private static Weft.Run on(String device, Screen.Kind kind, Object... more) {
    Stream<Object> first = Stream.of("compare", "--device", device, "--digits", 600, "--epochs", 2);
    return Weft.run(kind, Stream.concat(first, Stream.of(more)).toArray());
  }

  /** The lines between two that begin so, both left out. */
  private static List<String> between(String out, String first, String last) {
    return out.lines()
        .dropWhile(line -> !line.startsWith(first))
        .skip(1)
        .takeWhile(line -> !line.startsWith(last))
        .toList();
  }

  private static final Pattern ROW =
      Pattern.compile(
          "(.+?)  +(\\d+\\.\\d{4})  +(\\S+) %  +(\\d+\\.\\d{4})  +(\\S+) %  +(\\d+)  +([\\d,]+)( "
              + " .*)?");

  private static MatchResult row(String line) {
    var row = ROW.matcher(line);
    assertTrue(row.matches(), line);
    return row.toMatchResult();
  }

  @Test
  void eachCombinationIsARowWithItsBestEpoch() throws IOException {
    Path log = folder.resolve("runs.jsonl");
    String out =
        compare("--vary", "optimizer=sgd,adam", "--vary", "rate=0.05,0.001", "--log", log)
            .succeeded()
            .out();
    assertTrue(
        out.contains(
            "\ncompare  4 runs: optimizer=sgd,adam rate=0.05,0.001; evaluated on the test"),
        out);
    List<String> rows = between(out, "optimizer  rate", "best ");
    assertEquals(
        List.of("sgd        0.05", "sgd        0.001", "adam       0.05", "adam       0.001"),
        rows.stream().map(line -> row(line).group(1)).toList());
    List<JsonObject> lines =
        Files.readAllLines(log).stream()
            .map(line -> JsonParser.parseString(line).getAsJsonObject())
            .toList();
    assertEquals(8, lines.size());
    for (int i = 0; i < rows.size(); i++) {
      JsonObject one = lines.get(2 * i);
      JsonObject two = lines.get(2 * i + 1);
      assertEquals(i + 1, one.get("run").getAsInt());
      assertEquals(i < 2 ? "sgd" : "adam", two.get("optimizer").getAsString());
      MatchResult row = row(rows.get(i));
      assertEquals(two.get("test_loss").getAsDouble(), Double.parseDouble(row.group(2)), 6e-5);
      boolean first = one.get("test_loss").getAsDouble() <= two.get("test_loss").getAsDouble();
      JsonObject best = first ? one : two;
      assertEquals(best.get("test_loss").getAsDouble(), Double.parseDouble(row.group(4)), 6e-5);
      double accuracy = 100 * best.get("test_accuracy").getAsDouble();
      assertEquals(accuracy, Double.parseDouble(row.group(5)), 6e-3);
      assertEquals(first ? 1 : 2, Integer.parseInt(row.group(6)));
    }
    MatchResult best = least(rows, row -> Double.parseDouble(row.group(4)));
    String[] values = best.group(1).split(" +");
    assertTrue(
        out.contains(
            "\nbest     optimizer=%s rate=%s: test loss %s, accuracy %s %% at epoch %s\n"
                .formatted(values[0], values[1], best.group(4), best.group(5), best.group(6))),
        out);
    assertTrue(best.group(8).strip().equals("best so far"), best::group);
  }

  private static MatchResult least(List<String> rows, ToDoubleFunction<MatchResult> value) {
    return rows.stream()
        .map(CompareCommandTest::row)
        .min((a, b) -> Double.compare(value.applyAsDouble(a), value.applyAsDouble(b)))
        .orElseThrow();
  }

  /** A run here is the one that the same options of weft train are. */
  @Test
  void aRunIsThatOfWeftTrain() {
    String out = compare("--vary", "rate=0.05,0.01", "--optimizer", "momentum").succeeded().out();
    String[] same = "train --device cpu --digits 600 --epochs 2 --hidden 16 --rate".split(" ");
    Stream<Object> more =
        Stream.of("0.01", "--optimizer", "momentum", "--out", folder.resolve("m.safetensors"));
    String alone = Weft.run(Stream.concat(Stream.of(same), more).toArray()).succeeded().out();
    MatchResult row = row(between(out, "rate", "best ").getLast());
    String said = "test accuracy %s %%, loss %s;".formatted(row.group(3), row.group(2));
    assertTrue(alone.contains(said), alone + said);
  }

  @Test
  void theSameOverTheEmulatedGpu() {
    String options = "--vary hidden=4,8 --fusion never --digits 300 --epochs 1 --batch 100";
    String gpu = on("cuda", Screen.Kind.PLAIN, (Object[]) options.split(" ")).succeeded().out();
    List<String> rows = between(gpu, "hidden", "best ");
    assertEquals(List.of("4", "8"), rows.stream().map(line -> row(line).group(1)).toList());
    String cpu = on("cpu", Screen.Kind.PLAIN, (Object[]) options.split(" ")).succeeded().out();
    List<String> same = between(cpu, "hidden", "best ");
    for (int i = 0; i < 2; i++) {
      double expected = Double.parseDouble(row(same.get(i)).group(2));
      assertEquals(expected, Double.parseDouble(row(rows.get(i)).group(2)), 2e-4);
    }
  }

  @Test
  void seedsHaveMeansAndDeviations() {
    String out = compare("--vary", "rate=0.01,0.001", "--seeds", 3).succeeded().out();
    List<String> rows = between(out, "rate ", "means and");
    assertEquals(
        List.of("0.01      1", "0.01      2", "0.01      3", "0.001     1"),
        rows.stream().limit(4).map(line -> row(line).group(1).stripTrailing()).toList());
    List<double[]> losses =
        List.of(0, 3).stream()
            .map(
                from ->
                    rows.subList(from, from + 3).stream()
                        .mapToDouble(line -> Double.parseDouble(row(line).group(2)))
                        .toArray())
            .toList();
    List<String> means = between(out, "means and", "best ");
    for (int i = 0; i < 2; i++) {
      double[] all = losses.get(i);
      double mean = (all[0] + all[1] + all[2]) / 3;
      double squares = 0;
      for (double each : all) {
        squares += (each - mean) * (each - mean);
      }
      String[] cells = means.get(i + 1).split(" +");
      assertEquals("3", cells[1]);
      assertEquals(mean, Double.parseDouble(cells[2]), 1e-4);
      assertEquals(Math.sqrt(squares / 2), Double.parseDouble(cells[3]), 1.5e-4);
    }
    assertEquals(1, means.stream().filter(line -> line.endsWith("  best")).count(), out);
    assertTrue(out.contains(" in the mean over 3 seeds\n"), out);
  }

  @Test
  void aRunThatDivergesIsARowAndEndsNoOther() {
    String out =
        compare("--vary", "rate=1e30,0.05", "--optimizer", "sgd", "--plain").succeeded().out();
    List<String> rows = between(out, "rate", "best ");
    assertTrue(rows.getFirst().matches("1e30( +-){6}  diverged (at|in) step.*"), out);
    assertEquals("0.05", row(rows.get(1)).group(1));
    assertTrue(out.contains("\nbest     rate=0.05: test loss "), out);
    out = compare("--vary", "rate=1e30,1e31", "--optimizer", "sgd").succeeded().out();
    assertTrue(out.contains("\nbest     none: "), out);
  }

  @Test
  void patienceEndsEachRunByItself() {
    String out =
        compare("--vary", "rate=3,0.01", "--epochs", 9, "--patience", 1, "--optimizer", "sgd")
            .succeeded()
            .out();
    MatchResult last = row(between(out, "rate", "best ").getLast());
    assertEquals("9", last.group(6), "it became better to the end, and the first did not");
  }

  @Test
  void thePlotHasALineForEachRunInBothPictures() throws IOException {
    Path plot = folder.resolve("runs.svg");
    String out = compare("--vary", "activation=tanh,relu", "--plot", plot).succeeded().out();
    assertTrue(out.endsWith("wrote    " + plot + "\n"), out);
    String svg = Files.readString(plot);
    for (String text :
        List.of("test loss by activation", "test accuracy", "epoch", "tanh", "relu")) {
      assertTrue(svg.contains(">" + text + "<"), () -> text + " in " + svg);
    }
    assertFalse(svg.contains("NaN"), svg);
  }

  @Test
  void aTerminalSeesHowFarItIs() {
    String out = on("cpu", Screen.Kind.TERMINAL, "--vary", "hidden=4;8,8").succeeded().out();
    assertTrue(out.contains("\rrun 2/2  hidden=8,8  epoch 1/2: loss "), out);
  }

  /** What weft train would refuse, in its words, and where. */
  @ParameterizedTest(name = "{0}")
  @CsvSource(
      delimiter = '|',
      value = {
        "--vary optimiser=sgd|--vary optimiser: a training run has no such option; did you mean",
        "--vary rate|--vary rate: write NAME=VALUE,VALUE, such as rate=0.1,0.01",
        "--vary rate=|--vary rate=: write NAME=VALUE",
        "--vary rate=0.1,,1|--vary rate=0.1,,1: a value is empty",
        "--vary rate=0.1,0.1|--vary rate=0.1,0.1: a value is there twice",
        "--vary rate=1 --vary rate=2|--vary rate is there twice",
        "--vary rate=1 --rate 1|--rate is what --vary varies",
        "--vary device=cpu|--vary device: all runs are over the same data, on one device",
        "--vary validation=0.1|--vary validation: all runs are over the same data",
        "--vary rate=0.1,x|rate=x: Invalid value for option '--rate': 'x' is not a number",
        "--vary rate=0.1,0|rate=0: --rate 0 would change nothing",
        "--vary batch=0|batch=0: a batch needs at least 1 row, not 0",
        "--vary optimizer=sgd,adam --momentum 0.5|optimizer=adam: --momentum is for sgd, momentum",
        "--vary optimizer=sgd,bfgs|optimizer=bfgs: unknown optimizer 'bfgs': use sgd,",
        "--optimizer momentum --vary momentum=0.5,0.9 --epochs 10 --momentum-schedule"
            + " exponential:1.02|momentum=0.9: --momentum-schedule exponential:1.02 brings the"
            + " momentum 0.9 to 1.014",
        "--vary init=ones,nobody(0.1)|init=nobody(0.1): ",
        "--vary fusion=never,always --clip 1|fusion=always: the step cannot be fused:",
        "--vary class-weights=balanced;1,2|class-weights=1,2: ",
        "--vary seed=1,2 --seeds 2|--seeds varies the seed",
        "--vary rate=1 --seeds 0|--seeds must be at least 1 run, not 0",
        "--vary smoothing=0,0.1 --by loss|--by loss: the losses are different ones",
        "--vary rate=1 --plot a.pdf|a.pdf ends in neither .svg nor .png",
        "--vary rate=1 --plot a.svg --log ./a.svg|--log ./a.svg is the picture of --plot, a.svg",
        "--epochs 3|Missing required option: '--vary=NAME=VALUES'"
      })
  void whatCannotBeIsRefusedBeforeAnyRun(String options, String words) {
    Weft.Run run = compare((Object[]) options.split(" "));
    assertEquals("", run.failed(Main.WRONG_USE, words).out(), "nothing was begun");
  }

  /** As a bundle's Java is. */
  @Test
  void aPictureThatThisJavaCannotDrawIsRefusedBeforeAnyRun() throws Exception {
    String options = "compare --device cpu --digits 300 --epochs 1 --vary rate=0.1 --plot";
    Path plot = folder.resolve("a.png");
    ProcessBuilder process = Weft.process(Main.class.getName(), (options + " " + plot).split(" "));
    process
        .command()
        .addAll(1, List.of("--limit-modules", "java.base,java.logging,jdk.unsupported"));
    Process run = process.start();
    String said = new String(run.getInputStream().readAllBytes(), UTF_8);
    String errors = new String(run.getErrorStream().readAllBytes(), UTF_8);
    assertEquals(Main.FAILURE, run.waitFor(), errors);
    assertEquals("", said, "nothing was begun");
    assertTrue(errors.contains(plot + ": ") && errors.contains("java.desktop"), errors);
  }

  @Test
  void commasBetweenParenthesesBelongToAValue() {
    String out =
        compare("--vary", "init=uniform(-0.1,0.1),xavier_uniform", "--epochs", 1).succeeded().out();
    assertEquals(
        List.of("uniform(-0.1,0.1)", "xavier_uniform"),
        between(out, "init", "best ").stream().map(line -> row(line).group(1)).toList());
  }

  @Test
  void aLossThatVariesIsJudgedByAccuracy() {
    String out =
        compare("--vary", "loss=softmax_cross_entropy,multi_class_hinge").succeeded().out();
    List<String> rows = between(out, "loss", "best ");
    MatchResult best = least(rows, row -> -Double.parseDouble(row.group(5)));
    assertTrue(out.contains("\nbest     loss=" + best.group(1) + ": test loss "), out);
  }

  /** Where adam is chaotic, its numbers are those of a processor. */
  @Test
  void thePageShowsWhatTheCommandPrintsAndDraws() throws IOException {
    String page = PagePrograms.text("watching-training.md");
    String command =
        page.lines().filter(line -> line.startsWith("weft compare ")).findFirst().orElseThrow();
    String name = command.substring(command.lastIndexOf(' ') + 1);
    Path plot = folder.resolve(name);
    String there = command.replace("weft ", "").replace(name, plot + " --device cpu");
    Object[] words = there.split(" ");
    String out = Weft.run(words).succeeded().out();
    List<String> shown = between(page, "optimizer  rate", "best ");
    List<String> printed = between(out, "optimizer  rate", "best ");
    assertEquals(9, shown.size());
    for (int i = 0; i < 9; i++) {
      MatchResult expected = row(shown.get(i));
      assertEquals(expected.group(1), row(printed.get(i)).group(1));
      double loss = Double.parseDouble(expected.group(2));
      double tolerance = expected.group(1).startsWith("adam") ? loss / 2 : 0.01;
      assertEquals(loss, Double.parseDouble(row(printed.get(i)).group(2)), tolerance);
    }
    String picture =
        Files.readString(Path.of(System.getProperty("weft.root"), "docs/pictures", name));
    assertEquals(texts(picture), texts(Files.readString(plot)));
  }

  /** The names of its lines, its titles and the numbers on its axes. */
  private static List<String> texts(String svg) {
    return Pattern.compile(">([^<>\n]+)<").matcher(svg).results().map(MatchResult::group).toList();
  }
}
