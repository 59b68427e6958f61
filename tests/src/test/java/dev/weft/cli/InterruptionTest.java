// SPDX-License-Identifier: Apache-2.0
package dev.weft.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weft.nn.Sequential;
import dev.weft.support.Beside;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What Ctrl-C does, in a process of its own that is sent the signal. */
@Beside
class InterruptionTest {
  private static final int ENDED_BY_CTRL_C = 130;
  private static final String SAID = "weft: training ends after this step; Ctrl-C again ends it";

  @TempDir private Path folder;
  private Process process;

  @AfterEach
  void end() {
    process.destroyForcibly();
  }

  private Path file() {
    return folder.resolve("m.safetensors");
  }

  private void train(String... more) throws IOException {
    List<String> arguments =
        new ArrayList<>(List.of("train", "--device", "cpu", "--out", file().toString()));
    arguments.addAll(List.of(more));
    start(arguments);
  }

  private void start(List<String> arguments) throws IOException {
    ProcessBuilder java = Weft.process(Main.class.getName(), arguments.toArray(String[]::new));
    List<String> command = new ArrayList<>(java.command());
    // a shell's background job would hand on that SIGINT is ignored
    command.addAll(0, List.of("env", "--default-signal=INT"));
    process = java.command(command).start();
  }

  private void signal(String name) throws Exception {
    Process kill = new ProcessBuilder("kill", "-" + name, Long.toString(process.pid())).start();
    assertEquals(0, kill.waitFor());
  }

  private int code() throws InterruptedException {
    assertTrue(process.waitFor(25, TimeUnit.SECONDS), "the process has not ended");
    return process.exitValue();
  }

  /** Reads up to the line that begins with some words. */
  private static String readTo(BufferedReader out, String words) throws IOException {
    StringBuilder read = new StringBuilder();
    String line;
    do {
      line = out.readLine();
      assertNotNull(line, () -> "no '" + words + "' in: " + read);
      read.append(line).append('\n');
    } while (!line.startsWith(words));
    return read.toString();
  }

  @ParameterizedTest(name = "{0}")
  @CsvSource({"INT, 130", "TERM, 143"})
  void theBestEpochIsWritten(String signal, int code) throws Exception {
    String epochs = "100000";
    train(
        "--digits",
        "1300",
        "--hidden",
        "32",
        "--rate",
        "0.05",
        "--epochs",
        epochs,
        "--patience",
        epochs);
    try (BufferedReader out = process.inputReader(StandardCharsets.UTF_8)) {
      String text = readTo(out, "epoch 9/");
      signal(signal);
      text += readTo(out, "wrote ");
      assertEquals(code, code(), text);
      Matcher ended =
          Pattern.compile(
                  "\nended    Ctrl-C, or another signal to end; the parameters are those of epoch"
                      + " (\\d+)\ntest accuracy (.*?), loss (.*?);")
              .matcher(text);
      assertTrue(ended.find(), text);
      String best =
          ("(?s).*\nepoch %s/%s: [^\n]*; test loss %s, accuracy %s; .*")
              .formatted(ended.group(1), epochs, ended.group(3), ended.group(2));
      assertTrue(text.matches(best), text);
      assertEquals(
          "linear(784,32) relu dropout(0.2) linear(32,10)", Sequential.load(file()).spec());
      assertTrue(process.errorReader().readLine().startsWith(SAID));
    }
  }

  @Test
  void withoutPatienceTheLastStepIsWritten() throws Exception {
    // an epoch of 10,000 steps
    train("--digits", "11666", "--layers", "linear(784,10)", "--batch", "1", "--epochs", "1000");
    try (BufferedReader out = process.inputReader(StandardCharsets.UTF_8)) {
      readTo(out, "epoch 1/");
      signal("INT");
      String text = readTo(out, "wrote ");
      assertEquals(ENDED_BY_CTRL_C, code(), text);
      assertTrue(
          text.matches("(?s).*\nended .*; the parameters are those (after step \\d+ )?of epoch .*"),
          text);
      assertTrue(Files.exists(file()));
    }
  }

  @Test
  void ofRunsSideBySideThereIsTheTableSoFar() throws Exception {
    Path plot = folder.resolve("runs.svg");
    String options =
        "compare --device cpu --digits 600 --hidden 8 --vary epochs=2,1000000,3 --plot " + plot;
    start(List.of(options.split(" ")));
    try (BufferedReader out = process.inputReader(StandardCharsets.UTF_8)) {
      readTo(out, "2        ");
      Thread.sleep(300); // the second run has begun, or begins and ends at once
      signal("INT");
      String text = readTo(out, "wrote ");
      assertEquals(ENDED_BY_CTRL_C, code(), text);
      assertTrue(
          text.matches(
              "(?s)1000000  .*  ended early\nended    Ctrl-C, or another signal to end, in run 2"
                  + " of 3\nbest     .*\nwrote .*"),
          text);
      assertTrue(Files.exists(plot));
    }
  }

  /** What would follow waits for a reader, so that the process cannot end by itself. */
  @ParameterizedTest(name = "{0}")
  @CsvSource({"INT, 130", "TERM, 143"})
  void aSecondOneEndsTheProcessAtOnce(String signal, int code) throws Exception {
    train("--digits", "60", "--layers", "linear(784,10)", "--epochs", "1000000");
    InputStream out = process.getInputStream();
    int before = -1;
    while (out.available() == 0 || out.available() != before) {
      before = out.available();
      assertTrue(process.isAlive(), "it ended before its output was full");
      Thread.sleep(1000);
    }
    signal(signal);
    assertTrue(process.errorReader().readLine().startsWith(SAID));
    assertTrue(process.isAlive(), "the first one waits");
    signal(signal);
    assertEquals(code, code());
    assertFalse(Files.exists(file()));
  }

  @Test
  void beforeTrainingHasBegunItEndsTheProcess() throws Exception {
    train("--digits", "5000000"); // which takes minutes to make
    while (process.info().totalCpuDuration().orElseThrow().toMillis() < 1500) {
      Thread.sleep(50);
    }
    signal("INT");
    assertEquals(ENDED_BY_CTRL_C, code());
    assertEquals(null, process.errorReader().readLine());
    assertFalse(Files.exists(file()));
  }
}
