// SPDX-License-Identifier: Apache-2.0
package dev.weft;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weft.support.Beside;
import dev.weft.support.ExampleProgram;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.w3c.dom.Document;

/**
 * The programs of docs/examples about training show what they say: their numbers, with room for
 * sums in another order.
 */
@Beside
class TrainingExamplesTest {
  private static final Pattern NUMBER = Pattern.compile("[0-9.]+(e[+-]?[0-9]+)?");

  @TempDir Path folder;
  private List<String> printed;

  private void run(String name, Object... more) throws Exception {
    Object[] arguments = new Object[1 + more.length];
    arguments[0] = folder;
    System.arraycopy(more, 0, arguments, 1, more.length);
    printed = ExampleProgram.run(name, arguments);
  }

  private Document picture(String name, String... words) throws Exception {
    return ExampleProgram.picture(folder.resolve(name + ".svg"), words);
  }

  private String line(String beginning) {
    return printed.stream()
        .filter(line -> line.startsWith(beginning))
        .findFirst()
        .orElseThrow(() -> new AssertionError("no line begins with " + beginning + ": " + printed));
  }

  /** The first number behind a word in the line that begins so. */
  private double number(String beginning, String word) {
    String line = line(beginning);
    int at = line.indexOf(word, beginning.length());
    assertTrue(at >= 0, () -> word + " is not in: " + line);
    Matcher number = NUMBER.matcher(line.substring(at + word.length()));
    assertTrue(number.find(), line);
    return Double.parseDouble(number.group());
  }

  private void assertBetween(double low, double high, String beginning, String word) {
    double number = number(beginning, word);
    assertTrue(
        low <= number && number <= high,
        () -> word + " " + number + " is not from " + low + " to " + high + ": " + printed);
  }

  /** Of 1/n and 2/(n + m) over layers of 512 and 256 in turn, times 1/2 by ReLU. */
  @Test
  @ExampleProgram.Of("ActivationVariance")
  void heKeepsTheVarianceWithReluAndXavierHalvesIt() throws Exception {
    run("ActivationVariance");
    assertBetween(0.9, 1.1, "relu kaiming_normal:", "times");
    assertBetween(0.45, 0.55, "relu lecun_normal:", "times");
    assertBetween(0.42, 0.52, "relu xavier_normal:", "times"); // √(2/9) in theory
    assertBetween(150, 220, "relu normal(0,1):", "times"); // √(512 · 256) / 2 in theory
    assertBetween(0.015, 0.022, "relu normal(0,0.01):", "times");
    assertBetween(0.8, 0.95, "tanh lecun_normal:", "times");
    assertBetween(0.03, 0.04, "tanh normal(0,0.01):", "times");
    assertBetween(0.99, 1.01, "tanh normal(0,1):", "times"); // all at -1 or 1
    picture("activation-variance", "tanh", "relu", "layer", "kaiming_normal");
  }

  @Test
  @ExampleProgram.Of("VanishingGradients")
  void gradientsVanishBySigmoidAndExplodeByLargeWeights() throws Exception {
    run("VanishingGradients");
    assertBetween(1e-14, 1e-10, "sigmoid", "from");
    assertBetween(0.5, 3, "sigmoid", "to");
    assertBetween(0, 0.2, "sigmoid", "accuracy");
    assertBetween(0.5, 10, "relu", "from");
    assertBetween(0.5, 5, "relu", "to");
    assertBetween(0.75, 1, "relu", "accuracy");
    assertBetween(1e4, 1e8, "tanh", "from");
    assertBetween(0.1, 10, "tanh", "to");
    assertBetween(0, 0.3, "tanh", "accuracy");
    picture("vanishing-gradients", "norm of the gradient", "relu kaiming_normal");
  }

  @Test
  @ExampleProgram.Of("ZeroInitialisation")
  void unitsThatBeginEqualLearnNoMoreThanOne() throws Exception {
    run("ZeroInitialisation");
    assertEquals(0, number("16 units, zeros", "up to"));
    double one = number("1 units, xavier", "accuracy");
    assertBetween(one - 0.1, one + 0.1, "16 units, zeros", "accuracy");
    assertBetween(one + 0.4, 1, "16 units, xavier", "accuracy");
    assertBetween(0.1, 10, "16 units, xavier", "up to");
    Document picture = picture("zero-initialisation", "zeros 1", "xavier 5");
    assertEquals(10, picture.getElementsByTagName("image").getLength());
  }

  @Test
  @ExampleProgram.Of("RandomLabels")
  void randomLabelsAreMemorised() throws Exception {
    run("RandomLabels");
    assertEquals(1, number("random labels", "training accuracy"));
    assertBetween(0.03, 0.2, "random labels", "test accuracy");
    assertBetween(0.8, 1, "true labels", "test accuracy");
    picture("random-labels", "random labels, train", "true labels, test", "epoch");
  }

  @Test
  @ExampleProgram.Of("UniversalApproximation")
  void aWideLayerFitsAFunction() throws Exception {
    run("UniversalApproximation");
    assertBetween(0.1, 1, "2 units", "error");
    assertBetween(0.0, 0.03, "8 units", "error");
    assertBetween(0.0, 0.003, "64 units", "error");
    picture("universal-approximation", "function", "2 units", "8 units", "64 units");
  }

  @Test
  @ExampleProgram.Of("HiddenSizes")
  void moreUnitsDrawSpirals() throws Exception {
    run("HiddenSizes");
    assertBetween(0.5, 0.8, "3 units", "test");
    assertBetween(0.9, 1, "20 units", "training");
    assertBetween(0.9, 1, "20 units", "test");
    picture("hidden-sizes", "3 hidden units", "20 hidden units", "class 0", "boundary");
    String drawn = Files.readString(folder.resolve("hidden-sizes.svg"));
    Pattern line = Pattern.compile("<path class=\"h p2\"[^>]*><title>boundary<");
    assertEquals(3, line.matcher(drawn).results().count()); // a line, not a level's thin grey
  }

  @Test
  @ExampleProgram.Of("Templates")
  void aLinearClassifierHasATemplateForEachClass() throws Exception {
    run("Templates");
    assertBetween(0.75, 0.9, "test", "accuracy");
    assertEquals(10, picture("templates", "0", "9").getElementsByTagName("image").getLength());
  }

  @Test
  @ExampleProgram.Of("LearningCurves")
  void dataAndWidthHelp() throws Exception {
    run("LearningCurves");
    String hidden = "linear(784,128) relu linear(128,10), ";
    assertBetween(0.45, 0.65, "linear(784,10), 100 examples", ":");
    assertBetween(0.8, 0.9, "linear(784,10), 10000 examples", ":");
    assertBetween(0.45, 0.65, hidden + "100 examples", ":");
    assertBetween(0.93, 1, hidden + "10000 examples", ":");
    assertBetween(0.1, 0.35, "linear(784,1) relu", "10000 examples:");
    picture("learning-curves", "Accuracy by data", "Accuracy by width", "128 hidden units");
  }

  @Test
  @ExampleProgram.Of("Overfitting")
  void earlyStoppingTakesTheBestEpoch() throws Exception {
    run("Overfitting");
    assertBetween(0, 0.1, "all epochs", "training loss");
    assertBetween(0.6, 3, "all epochs", "test loss");
    assertBetween(0.15, 0.35, "best", "test loss");
    assertTrue(line("loss").matches("loss did not become better than .* for 30 epochs"));
    picture("overfitting", "training", "validation", "early stopping");
  }

  @Test
  @ExampleProgram.Of("Regularisation")
  void penaltiesDropoutAndSmoothingHelp() throws Exception {
    run("Regularisation");
    double none = number("none", "test loss");
    assertTrue(none > 1.5, printed::toString);
    assertBetween(0, none / 4, "L2:", "test loss");
    assertBetween(0, none / 4, "weight decay:", "test loss");
    assertBetween(0, none / 1.1, "L1:", "test loss");
    assertBetween(0, none / 1.3, "dropout:", "test loss");
    assertBetween(0, none / 3, "label smoothing:", "test loss");
    assertBetween(number("none", ", test"), 1, "L2:", ", test");
    assertBetween(0.9, 1, "L2 1.0E-5", "training");
    assertBetween(0.4, 0.87, "L2 0.1", "training"); // too strong to fit
    picture("regularisation", "factor of L2", "training", "test");
  }

  @Test
  @ExampleProgram.Of("GradientClipping")
  void clippedGradientsTrainWhereOthersEndInNaN() throws Exception {
    run("GradientClipping");
    String diverged = line("not clipped: ");
    assertTrue(diverged.contains("NaN in one of the steps 1 to"), diverged);
    assertTrue(diverged.contains("parameter 0.weight"), diverged);
    assertBetween(0.8, 1, "clipped to norm 1", "accuracy");
    picture("gradient-clipping", "not clipped", "clipped to norm 1", "step");
  }
}
