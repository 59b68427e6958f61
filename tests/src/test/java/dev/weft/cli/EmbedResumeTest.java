// SPDX-License-Identifier: Apache-2.0
package dev.weft.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weft.Device;
import dev.weft.embed.Vectors;
import dev.weft.embed.Word2Vec;
import dev.weft.embed.Word2VecModel;
import dev.weft.embed.Word2VecTraining;
import dev.weft.io.StandardOutput;
import dev.weft.text.Corpus;
import dev.weft.text.TextReader;
import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class EmbedResumeTest {
  @TempDir Path folder;
  private Path text;
  private Path model;
  private Path output;

  @BeforeEach
  void write() throws IOException {
    text = Files.writeString(folder.resolve("text.txt"), text("red green blue one two three"));
    model = folder.resolve("model.safetensors");
    output = folder.resolve("v.bin");
  }

  private static String text(String words) {
    Random random = new Random(1);
    String[] all = words.split(" ");
    StringBuilder lines = new StringBuilder();
    for (int i = 0; i < 600; i++) {
      for (int w = 0; w < 6; w++) {
        lines.append(all[3 * (i % 2) + random.nextInt(3)]).append(' ');
      }
      lines.append('\n');
    }
    return lines.toString();
  }

  private Weft.Run train(Object... more) {
    List<Object> all =
        new ArrayList<>(List.of("embed", "train", "-train", text, "-output", output));
    all.addAll(List.of("-size", 12, "--in-order"));
    all.addAll(List.of(more));
    return Weft.run(all.toArray());
  }

  private Weft.Run resume(Object... more) {
    List<Object> all = new ArrayList<>(List.of("embed", "resume", model, "-output", output));
    all.addAll(List.of(more));
    return Weft.run(all.toArray());
  }

  private Weft.Run extend(Path by, Object... more) {
    List<Object> all =
        new ArrayList<>(List.of("embed", "extend", model, "-train", by, "-output", output));
    all.addAll(List.of(more));
    return Weft.run(all.toArray());
  }

  /** A checkpoint of a training that has more to do. */
  private void interrupted(int steps) throws IOException {
    interrupted(steps, TextReader.lines());
  }

  private void interrupted(int steps, TextReader reader) throws IOException {
    Word2Vec settings = Word2Vec.cbow().dimension(12).epochs(9).inOrder();
    try (Device device = Device.cpu();
        Corpus corpus = reader.minCount(5).read(text);
        Word2VecTraining training = settings.start(device, corpus)) {
      for (int i = 0; i < steps; i++) {
        assertTrue(training.step());
      }
      training.model().save(model);
    }
  }

  @Test
  void whatWasInterruptedEndsInTheSameFile() throws IOException {
    train("-iter", 9).succeeded();
    byte[] whole = Files.readAllBytes(output);
    interrupted(4);
    String out = resume("-train", text).succeeded().out();
    assertTrue(out.contains("epoch 5 of 9  loss "), out);
    assertTrue(out.contains("trained on 21,000 tokens in "), out);
    assertArrayEquals(whole, Files.readAllBytes(output));
    assertEquals(9, Word2VecModel.read(model).epoch());
    resume("-train", text)
        .failed(2, model + " is trained to the end, 9 of 9 readings", "weft embed extend");
  }

  @Test
  void checkpointsGoWhereTheyAreAskedFor() throws IOException {
    interrupted(1);
    byte[] before = Files.readAllBytes(model);
    Path other = folder.resolve("other.safetensors");
    resume("-train", text, "--checkpoint", other).succeeded();
    assertArrayEquals(before, Files.readAllBytes(model));
    assertEquals(9, Word2VecModel.read(other).epoch());
  }

  @Test
  void whatCannotBeResumedIsRefused() throws IOException {
    interrupted(1);
    Path more = Files.writeString(folder.resolve("more.txt"), "red blue one two\n".repeat(50));
    resume("-train", more).failed(2, "the text is another one than the training began with");
    resume("-train", text, "-iter", 3).failed(2, "-iter");
    resume("-train", text, "--checkpoint", output).failed(2, "--checkpoint", "name another one");
    Files.copy(text, folder.resolve("t"));
    model = folder.resolve("t");
    resume("-train", text).failed(1, model + ", byte 0: not a safetensors file");
    assertFalse(Files.exists(output));
  }

  @Test
  void theTextIsReadAsItWas() throws IOException {
    Path loud = folder.resolve("loud.txt");
    Files.writeString(loud, text("RED green Red one TWO two"));
    Files.writeString(text, Files.readString(loud));
    interrupted(4, TextReader.lines());
    resume("-train", text, "--lower-case")
        .failed(2, "read without --lower-case and with --normalization none;");
    TextReader reader =
        TextReader.lines()
            .letters(TextReader.Letters.LOWER_CASE)
            .normalization(TextReader.Normalization.NFC);
    interrupted(4, reader);
    resume("-train", text, "--normalization", "nfkc")
        .failed(2, "read with --lower-case and with --normalization nfc;");
    byte[] before = Files.readAllBytes(model);
    train("-iter", 9, "--lower-case", "--normalization", "nfc").succeeded();
    byte[] whole = Files.readAllBytes(output);
    resume("-train", text).succeeded();
    assertArrayEquals(whole, Files.readAllBytes(output));
    Files.write(model, before);
    resume("-train", text, "--lower-case", "--normalization", "nfc").succeeded();
    assertArrayEquals(whole, Files.readAllBytes(output));
    assertTrue(extend(loud).succeeded().out().contains("\n0 words added, 4 in all\n"));
  }

  @Test
  void whatIsReadIsNotOverwritten() throws IOException {
    interrupted(1);
    Path valid = Files.copy(text, folder.resolve("valid.txt"));
    Path words = Files.writeString(folder.resolve("words"), "red 9\none 9\n");
    Path link = Files.createSymbolicLink(folder.resolve("link.txt"), text);
    List<Path> read = List.of(model, text, valid, words);
    List<byte[]> before = new ArrayList<>();
    for (Path file : read) {
      before.add(Files.readAllBytes(file));
    }
    for (String option : List.of("-output", "--checkpoint", "-save-vocab")) {
      refused(train(option, text), option + " " + text + " is the text of -train, " + text);
      refused(train(option, link), option + " " + link + " is the text of -train, " + text);
      refused(train("--valid", valid, option, valid), valid + " is the text of --valid");
      refused(train("-read-vocab", words, option, words), "is the vocabulary of -read-vocab");
    }
    refused(resume("-train", text, "-output", model), "-output " + model + " is MODEL");
    refused(resume("-train", text, "--checkpoint", text), "is the text of -train");
    refused(extend(text, "-output", model), "-output " + model + " is MODEL");
    refused(extend(text, "--checkpoint", model), "--checkpoint " + model + " is MODEL");
    for (int i = 0; i < read.size(); i++) {
      assertArrayEquals(before.get(i), Files.readAllBytes(read.get(i)));
    }
    resume("-train", text, "--checkpoint", model).succeeded();
  }

  private static void refused(Weft.Run run, String words) {
    assertEquals("", run.failed(2, words, ": name another one").out(), "nothing was begun");
  }

  @Test
  void aTextOfWhichTypesWereForgottenIsWarnedOf() {
    assertEquals("", EmbedRun.lost(new Corpus.Report(9, 9, 9, 9, 1, 0, 0, 0, 0)));
    String lost = EmbedRun.lost(new Corpus.Report(9, 9, 9, 9, 1, 0, 0, 1234, 2));
    assertTrue(lost.startsWith("1,234 types were forgotten"), lost);
    assertTrue(lost.contains("weft embed vocab TEXT -save-vocab WORDS"), lost);
  }

  @Test
  void newWordsAreAddedByAnotherText() throws IOException {
    train("-iter", 3, "--checkpoint", model).succeeded();
    byte[] before = Files.readAllBytes(model);
    Path next = folder.resolve("next.safetensors");
    Path more = Files.writeString(folder.resolve("more"), text("red green blue four five six"));
    String out = extend(more, "-iter", 2, "-alpha", 0.01, "--checkpoint", next).succeeded().out();
    assertTrue(out.contains("\n3 words added, 9 in all\n"), out);
    extend(more, "-negative", 0).failed(2, "the number of negatives is 0, expected 1 to 1024");
    assertTrue(out.contains("epoch 2 of 2  loss "), out);
    assertTrue(out.contains("wrote 9 vectors of 12 to "), out);
    try (Vectors vectors = Vectors.open(output)) {
      assertEquals("five four six", String.join(" ", added(vectors)));
    }
    assertArrayEquals(before, Files.readAllBytes(model), "the old model stays");
    Word2VecModel extended = Word2VecModel.read(next);
    assertEquals(0.01, extended.settings().rate());
    assertEquals(7200, extended.vocabulary().total());
    assertTrue(extend(text).succeeded().out().contains("\n0 words added, 6 in all\n"));
    extend(more, "-min-count", 1, "-window", 70).failed(2, "the window is 70");
    model = next;
    extend(more, "-negative", 3, "-sample", 0, "--seed", 7).succeeded();
    train("-hs", 1, "--checkpoint", model).succeeded();
    extend(more, "-negative", 3).failed(2, "-negative 3: " + model + " was trained without noise");
    extend(more).succeeded();
  }

  private static List<String> added(Vectors vectors) {
    return List.of(vectors.word(6), vectors.word(7), vectors.word(8)).stream().sorted().toList();
  }

  @Test
  void aTextThatIsHeldOutIsMeasuredAfterEachReading() throws IOException {
    Path valid = Files.writeString(folder.resolve("valid"), "red green blue red\n".repeat(9));
    String out = train("-iter", 3, "-alpha", 0.2, "--valid", valid).succeeded().out();
    List<String> losses =
        out.lines()
            .filter(line -> line.contains(" held out "))
            .map(line -> line.replaceAll(".*epoch (\\d).*  held out (\\S+)$", "$1 $2"))
            .toList();
    assertEquals(3, losses.size(), out);
    for (int i = 0; i < 3; i++) {
      assertTrue(losses.get(i).matches((i + 1) + " [0-9.]+"), out);
    }
    byte[] measured = Files.readAllBytes(output);
    train("-iter", 3, "-alpha", 0.2).succeeded();
    assertArrayEquals(measured, Files.readAllBytes(output), "measuring changes nothing");
    Files.delete(output);
    Files.writeString(valid, "red\nblue\n");
    train("--valid", valid).failed(2, "a longer text is needed");
    assertFalse(Files.exists(output), "it is said before the work");
    Files.writeString(valid, "nothing known\n");
    train("--valid", valid).failed(1, valid + ": none of its 2 words is in the vocabulary");
  }

  /** How large a rate is too large after a reading or more, and not in the first, is tried. */
  @Test
  void aTrainingThatDivergesLeavesTheCheckpoint() throws IOException {
    Weft.Run run = train("-iter", 40, "-alpha", 1e30, "--checkpoint", model);
    run.failed(1, " is not finite after ", "a smaller rate than 1.0E30 may help\n");
    assertFalse(Files.exists(model));
    for (double rate = 1e4; !Files.exists(model); rate /= 2) {
      assertTrue(rate > 0.1, "no rate diverges after a reading");
      run = train("-iter", 40, "-alpha", rate, "--checkpoint", model);
    }
    run.failed(1, " is not finite after ", " may help; " + model + " has what was before");
    int epoch = Word2VecModel.read(model).epoch();
    assertTrue(epoch > 0 && epoch < 40, "epoch " + epoch);
    assertFalse(Files.exists(output));
  }

  /** Ctrl-C, to a process of its own; what it says is a command for a shell. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void theCheckpointOfCtrlCIsWhereItGoesOn(boolean standardInput) throws Exception {
    Path copy = Files.copy(text, folder.resolve("it's a text"));
    output = folder.resolve("v");
    String train = standardInput ? "-" : copy.toString();
    String options = "-binary 1 --export C --valid " + text + " -threads 1 --plain";
    List<String> command =
        new ArrayList<>(
            Weft.process(
                    Main.class.getName(),
                    "embed",
                    "train",
                    "-train",
                    train,
                    "-output",
                    output.toString(),
                    "-iter",
                    "1000000",
                    "--checkpoint",
                    model.toString())
                .command());
    command.addAll(List.of(options.split(" ")));
    // a shell's background job would hand on that SIGINT is ignored
    command.addAll(0, List.of("env", "--default-signal=INT"));
    Process process = new ProcessBuilder(command).redirectInput(copy.toFile()).start();
    try (BufferedReader out = process.inputReader(StandardCharsets.UTF_8)) {
      String line = out.readLine();
      while (!line.contains("epoch 20 of 1000000")) {
        line = out.readLine();
      }
      Process kill = new ProcessBuilder("kill", "-INT", Long.toString(process.pid())).start();
      assertEquals(0, kill.waitFor());
      while (!line.startsWith("stopped: trained on ")) {
        line = out.readLine();
      }
      String[] said = out.readLine().split(": weft | \\(", 3);
      assertEquals("to go on", said[0]);
      assertEquals(
          standardInput
              ? "standard input cannot be read again: give it the same text once more)"
              : "",
          said.length == 3 ? said[2] : "");
      List<String> expected = new ArrayList<>(List.of("embed", "resume", model.toString()));
      expected.addAll(List.of("-train", train, "-output", output.toString()));
      expected.addAll(List.of(options.split(" ")));
      assertEquals(expected, words(said[1]));
      assertTrue(process.waitFor(25, TimeUnit.SECONDS));
      assertEquals(130, process.exitValue());
      Word2VecModel read = Word2VecModel.read(model);
      assertTrue(read.epoch() >= 20 && read.epoch() < 1000000, read::toString);
      try (Vectors vectors = Vectors.open(output);
          Vectors kept = read.contextVectors()) {
        assertArrayEquals(kept.vector("red"), vectors.vector("red"));
      }
    } finally {
      process.destroyForcibly();
    }
  }

  /** The words that a shell makes of a line. */
  private static List<String> words(String line) throws IOException {
    Process shell = new ProcessBuilder("bash", "-c", "printf '%s\\n' " + line).start();
    try (BufferedReader out = shell.inputReader(StandardCharsets.UTF_8)) {
      return out.lines().toList();
    }
  }

  private static String shown(Screen.Kind kind) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    PrintWriter writer = new PrintWriter(out, false, StandardCharsets.UTF_8);
    Screen screen =
        new Screen(
            writer,
            writer,
            kind,
            10,
            StandardCharsets.UTF_8,
            new StandardOutput(out, StandardOutput.Reader.NONE)::failure);
    ProgressLine line = new ProgressLine(screen);
    line.show("longer than it");
    line.show("short");
    line.end("done");
    line.show("next");
    line.clear();
    return out.toString(StandardCharsets.UTF_8);
  }

  @Test
  void progressIsOneLineInATerminalAndLinesElsewhere() {
    assertEquals("longer than it\nshort\ndone\nnext\n", shown(Screen.Kind.PLAIN));
    assertEquals(
        "\rlonger th\rshort    \r     \rdone\n\rnext\r    \r", shown(Screen.Kind.TERMINAL));
  }

  @Test
  void aFileIsNotWrittenTwice() {
    for (String option : new String[] {"-save-vocab", "--checkpoint"}) {
      train(option, output).failed(2, option + " " + output + " is a file of -output");
    }
    Weft.run("embed", "train", "-train", "-", "-output", output, "--valid", "-")
        .failed(2, "standard input is one text");
    train("-save-vocab", model, "--checkpoint", model).failed(2, "is the file of --checkpoint");
    assertTrue(Arrays.stream(new Path[] {output, model}).noneMatch(Files::exists));
  }
}
