// SPDX-License-Identifier: Apache-2.0
package dev.weft.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.weft.Device;
import dev.weft.data.Dataset;
import dev.weft.data.ToySets;
import dev.weft.io.StandardOutput;
import dev.weft.nn.MeanSquaredError;
import dev.weft.nn.Sequential;
import dev.weft.optim.Schedule;
import dev.weft.support.Product;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.lang.reflect.InvocationTargetException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import java.util.function.UnaryOperator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ConsoleListenerTest {
  private static final Dataset MOONS = ToySets.moons(50, 0.1, 1);

  private final StringWriter text = new StringWriter();
  private final PrintWriter out = new PrintWriter(text);

  /** Trains for three epochs of seven steps; the lines, without times and speeds. */
  private List<String> train(ConsoleListener console, UnaryOperator<Trainer> tell) {
    try (Device device = Device.cpu();
        Sequential network = Sequential.parse("linear(2,2)")) {
      Trainer trainer = Trainer.of(network).on(device).batch(8).listener(console);
      tell.apply(trainer).fit(MOONS, MOONS, 3);
    }
    return text.toString()
        .lines()
        .map(line -> line.replaceAll("; \\S+ s, \\S+ samples/s", ""))
        .toList();
  }

  private static String shape(String line) {
    return line.replaceAll("\\d+\\.\\d+", "N");
  }

  @Test
  void lossAndAccuracyAreALineAnEpoch() {
    List<String> lines = train(ConsoleListener.lines(out).unseen("held-out"), t -> t);
    assertEquals(
        List.of(
            "epoch 1/3: training loss N, accuracy N %; held-out loss N, accuracy N %",
            "epoch 2/3: training loss N, accuracy N %; held-out loss N, accuracy N %",
            "epoch 3/3: training loss N, accuracy N %; held-out loss N, accuracy N %"),
        lines.stream().map(ConsoleListenerTest::shape).toList());
  }

  @Test
  void theNumbersAreThoseOfTheHistory() {
    StringBuilder wanted = new StringBuilder();
    List<String> lines =
        train(
            ConsoleListener.lines(out),
            t ->
                t.onEpoch(
                    (run, epoch) ->
                        wanted.append(
                            "epoch %d/3: training loss %.4f, accuracy %.2f %%; test loss %.4f,"
                                    .formatted(
                                        epoch.number(),
                                        epoch.train().loss(),
                                        100 * epoch.train().accuracy(),
                                        epoch.test().loss())
                                + " accuracy %.2f %%\n".formatted(100 * epoch.test().accuracy()))));
    assertEquals(wanted.toString().lines().toList(), lines);
  }

  @Test
  void allMetricsAreShown() {
    List<String> lines =
        train(ConsoleListener.lines(out), t -> t.metrics(new Accuracy(), Accuracy.top(2)));
    assertTrue(lines.getFirst().endsWith(" %, top_2_accuracy 100.00 %"), lines.getFirst());
  }

  @Test
  void aMetricThatIsNoShareHasFourDigits() {
    Dataset line = Dataset.of(new float[][] {{0}, {1}, {2}}, new float[][] {{0}, {2}, {4}});
    try (Device device = Device.cpu();
        Sequential network = Sequential.parse("linear(1,1)")) {
      Trainer.of(network)
          .on(device)
          .loss(new MeanSquaredError())
          .metrics(new MeanAbsoluteError())
          .listener(ConsoleListener.lines(out))
          .fit(line, 1);
    }
    assertTrue(
        text.toString()
            .matches("epoch 1/1: training loss \\S+, mean_absolute_error \\d\\.\\d+; .*\\n"),
        text::toString);
  }

  @Test
  void theLearningRateIsShownWhereItChanges() {
    List<String> lines = train(ConsoleListener.lines(out), t -> t.schedule(Schedule.steps(2, 0.5)));
    assertEquals(
        List.of(false, false, true),
        lines.stream().map(line -> line.endsWith("; learning rate 0.000500")).toList());
    assertFalse(lines.getFirst().contains("learning rate"), lines.getFirst());
  }

  @Test
  void anEpochThatWasCutSaysAtWhichStep() {
    List<String> lines =
        train(ConsoleListener.lines(out), t -> t.onStep(10, run -> run.stop("enough")));
    assertEquals(2, lines.size());
    assertTrue(lines.getLast().startsWith("epoch 2/3, step 3/7: training loss "), lines.getLast());
  }

  @Test
  void aBarIsTakenAwayBeforeTheLine() {
    ConsoleListener console = ConsoleListener.bar(out, 100, StandardCharsets.UTF_8);
    train(console, t -> t.batch(1));
    String all = text.toString();
    assertTrue(all.contains("\repoch 1/3 "), all);
    String wiped = "\r" + " ".repeat(99) + "\r";
    assertEquals(4, all.split(wiped, -1).length, all);
    for (int epoch = 1; epoch <= 3; epoch++) {
      assertTrue(all.contains(wiped + "epoch " + epoch + "/3: "), all);
    }
  }

  @Test
  void aBarIsTakenAwayWhereTrainingFails() {
    ConsoleListener console = ConsoleListener.bar(out, 100, StandardCharsets.UTF_8);
    assertThrows(
        IllegalStateException.class,
        () ->
            train(
                console,
                t ->
                    t.batch(1)
                        .onStep(
                            50 + 10,
                            run -> {
                              throw new IllegalStateException("of a listener");
                            })));
    assertTrue(text.toString().endsWith("\r" + " ".repeat(99) + "\r"), text::toString);
  }

  /** What was measured is left out from its end on before the bar becomes short. */
  @ParameterizedTest
  @CsvSource({"60,''", "80,'loss N, N %'", "104,'loss N, N %, top_2_accuracy N %'"})
  void aBarHasTenCharactersWhateverIsMeasured(int columns, String shown) {
    train(
        ConsoleListener.bar(out, columns, StandardCharsets.US_ASCII),
        t ->
            t.batch(1)
                .metrics(new Accuracy(), Accuracy.top(2), Accuracy.top(3))
                .onStep(40, run -> LockSupport.parkNanos(300_000_000))); // the bar is drawn
    List<String> drawn =
        Stream.of(text.toString().split("\r")).filter(line -> line.contains("/50 (")).toList();
    assertFalse(drawn.isEmpty(), text::toString);
    Matcher bar = Pattern.compile("\\[(.*)] *\\d+/50 \\(.*?\\)(.*)").matcher(drawn.getLast());
    assertTrue(bar.find(), drawn::toString);
    assertTrue(bar.group(1).length() >= 10, drawn::toString);
    assertEquals(shown, shape(bar.group(2)).strip(), drawn::toString);
  }

  @Test
  void theStandardOutputIsTheUsualPlace() {
    PrintStream before = System.out;
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    System.setOut(new PrintStream(bytes, true, StandardCharsets.UTF_8));
    try {
      train(ConsoleListener.lines(), t -> t);
    } finally {
      System.setOut(before);
    }
    assertEquals(3, bytes.toString(StandardCharsets.UTF_8).lines().count());
  }

  @Test
  void whereTheStandardOutputIsNoTerminalThereIsNoBar() {
    assumeTrue(StandardOutput.terminalColumns() == 0, "the tests run in a terminal");
    assertEquals(Integer.MAX_VALUE, ConsoleListener.bar().every());
    assertEquals(1, ConsoleListener.bar(out, 80, StandardCharsets.US_ASCII).every());
  }

  /** A class loader that has Weft's classes and none of the libraries. */
  @Test
  void whereTheLibraryIsMissingItSaysWhatToAddAndLinesWork() throws Exception {
    URL weft = ConsoleListener.class.getProtectionDomain().getCodeSource().getLocation();
    try (URLClassLoader alone =
        new URLClassLoader(new URL[] {weft}, ClassLoader.getPlatformClassLoader())) {
      Class<?> console = alone.loadClass(ConsoleListener.class.getName());
      assertEquals(console, console.getMethod("lines").invoke(null).getClass());
      InvocationTargetException failed =
          assertThrows(
              InvocationTargetException.class, () -> console.getMethod("bar").invoke(null));
      assertEquals(IllegalStateException.class, failed.getCause().getClass());
      String words = failed.getCause().getMessage();
      assertTrue(words.contains("me.tongfei:progressbar, which is not on the class path"), words);
      assertTrue(words.contains("use ConsoleListener.lines()"), words);
    }
  }

  @Test
  void theLibraryIsKnownToTheBarAlone() {
    assertEquals(
        List.of("EpochBar", "OverwrittenLine"),
        Product.classes("dev.weft").stream()
            .filter(type -> !type.getPackageName().equals("dev.weft.cli"))
            .filter(
                type ->
                    type.getDirectDependenciesFromSelf().stream()
                        .anyMatch(
                            use ->
                                use.getTargetClass()
                                    .getPackageName()
                                    .startsWith("me.tongfei.progressbar")))
            .map(type -> type.getSimpleName())
            .sorted()
            .toList());
  }
}
