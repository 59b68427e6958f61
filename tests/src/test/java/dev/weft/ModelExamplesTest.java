// SPDX-License-Identifier: Apache-2.0
package dev.weft;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weft.data.Dataset;
import dev.weft.data.ToySets;
import dev.weft.support.Beside;
import dev.weft.support.ExampleProgram;
import dev.weft.support.PagePrograms;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.w3c.dom.Document;

/** The classical models of docs/examples. */
@Beside
class ModelExamplesTest {
  private static final Pattern NUMBER = Pattern.compile("-?\\d+(\\.\\d+)?([eE][+-]?\\d+)?");

  @TempDir Path folder;

  private static double[] numbers(String line) {
    return NUMBER
        .matcher(line)
        .results()
        .map(MatchResult::group)
        .mapToDouble(Double::parseDouble)
        .toArray();
  }

  /** The lines that the page has under a command, as its first ones: words, and numbers to 5 %. */
  private static void assertOnPage(String command, List<String> printed) throws Exception {
    String fence = "```\nweft examples run " + command + "\n";
    String page = PagePrograms.text("classical-models.md");
    assertTrue(page.contains(fence), fence);
    List<String> said =
        page.split(Pattern.quote(fence), 2)[1].split("\n```", 2)[0].lines().toList();
    assertTrue(said.size() <= printed.size(), printed::toString);
    for (int i = 0; i < said.size(); i++) {
      String line = printed.get(i);
      assertEquals(
          NUMBER.matcher(line).replaceAll("#"), NUMBER.matcher(said.get(i)).replaceAll("#"));
      double[] expected = numbers(said.get(i));
      double[] found = numbers(line);
      for (int j = 0; j < expected.length; j++) {
        assertEquals(expected[j], found[j], 0.05 * Math.abs(expected[j]), line);
      }
    }
  }

  /** What stands behind a name in the lines of a program. */
  private static String after(String name, List<String> lines) {
    return lines.stream()
        .filter(line -> line.startsWith(name))
        .findFirst()
        .orElseThrow(() -> new AssertionError(name + " is not in " + lines))
        .substring(name.length());
  }

  /** Rosenblatt's rule by hand, a line of weights for each step that changes them. */
  private static String byHand(int[][] x, int... t) {
    int[] w = new int[x[0].length];
    List<String> path = new ArrayList<>(List.of(Arrays.toString(w)));
    Set<String> ends = new HashSet<>();
    while (ends.add(Arrays.toString(w))) {
      for (int i = 0; i < x.length; i++) {
        int change = t[i] - fires(w, x[i]);
        for (int j = 0; j < w.length; j++) {
          w[j] += change * x[i][j];
        }
        if (change != 0) {
          path.add(Arrays.toString(w));
        }
      }
    }
    long right = IntStream.range(0, x.length).filter(i -> fires(w, x[i]) == t[i]).count();
    return String.join(" ", path) + "; " + right + " of " + x.length + " right";
  }

  private static int fires(int[] w, int[] x) {
    return IntStream.range(0, w.length).map(j -> w[j] * x[j]).sum() > 0 ? 1 : 0;
  }

  /** By the tape, descent on relu(s) - t s takes the steps of the rule. */
  @Test
  @ExampleProgram.Of("Perceptron")
  void thePerceptronFollowsRosenblattsRule() throws Exception {
    int[][] pairs = {{1, 0, 0}, {1, 0, 1}, {1, 1, 0}, {1, 1, 1}};
    List<String> lines = ExampleProgram.run("Perceptron");
    assertOnPage("perceptron", lines);
    assertEquals(byHand(pairs, 0, 0, 0, 1), after("AND: ", lines));
    assertEquals(byHand(pairs, 0, 1, 1, 1), after("OR: ", lines));
    assertEquals(byHand(new int[][] {{1, 0}, {1, 1}}, 1, 0), after("NOT: ", lines));
    assertEquals(byHand(pairs, 0, 1, 1, 0), after("XOR: ", lines));
    for (String learned : List.of("AND", "OR")) {
      assertTrue(after(learned + ": ", lines).endsWith("4 of 4 right"), lines::toString);
    }
    assertTrue(after("NOT: ", lines).endsWith("2 of 2 right"), lines::toString);
    assertTrue(after("XOR: ", lines).matches(".*; [0-3] of 4 right"), lines::toString);
  }

  @Test
  @ExampleProgram.Of("McCullochPitts")
  void thresholdUnitsComputeLogic() throws Exception {
    List<String> lines = ExampleProgram.run("McCullochPitts");
    assertOnPage("mcculloch-pitts", lines);
    assertEquals("[0.0, 0.0, 0.0, 1.0]", after("a AND b ", lines));
    assertEquals("[0.0, 1.0, 1.0, 1.0]", after("a OR b  ", lines));
    assertEquals("[1.0, 1.0, 0.0, 0.0]", after("NOT a   ", lines));
    assertEquals("[0.0, 1.0, 1.0, 0.0]", after("a XOR b ", lines));
  }

  /**
   * The most of XOR's points that a line can have on their sides: it turns by degrees, and moves.
   */
  private static int mostByLines() {
    int most = 0;
    for (int degrees = 0; degrees < 360; degrees++) {
      double v = Math.cos(Math.toRadians(degrees));
      double w = Math.sin(Math.toRadians(degrees));
      for (int step = -200; step <= 200; step++) {
        double b = step / 100.0;
        int right = 0;
        for (int point = 0; point < 4; point++) {
          int x = point & 1;
          int y = point >> 1;
          right += (b + v * x + w * y > 0 ? 1 : 0) == (x ^ y) ? 1 : 0;
        }
        most = Math.max(most, right);
      }
    }
    return most;
  }

  @Test
  @ExampleProgram.Of("Xor")
  void xorNeedsAHiddenLayer() throws Exception {
    List<String> lines = ExampleProgram.run("Xor", folder);
    assertOnPage("xor", lines);
    assertEquals(List.of("a line: 3 of 4", "a hidden layer of 8: 4 of 4"), lines);
    assertEquals(3, mostByLines());
    Document picture =
        ExampleProgram.picture(
            folder.resolve("xor.svg"),
            "a line: 3 of 4",
            "a hidden layer of 8: 4 of 4",
            "a XOR b",
            "not",
            "boundary");
    assertMarks(picture, Map.of("a XOR b", 2, "not", 2, "boundary", 2));
  }

  /** How many elements carry a title: of plots side by side, one each. */
  private static void assertMarks(Document picture, Map<String, Integer> named) {
    Map<String, Long> titles =
        ExampleProgram.titles(picture).stream()
            .collect(Collectors.groupingBy(title -> title, Collectors.counting()));
    named.forEach((name, count) -> assertEquals((long) count, titles.get(name), titles::toString));
  }

  @Test
  @ExampleProgram.Of("DecisionBoundaries")
  void hiddenLayersPartWhatALineDoesNot() throws Exception {
    List<String> lines = ExampleProgram.run("DecisionBoundaries", folder);
    assertOnPage("decision-boundaries", lines);
    for (String set : List.of("blobs", "circles", "moons", "spirals")) {
      double line = numbers(after(set + ", a line: ", lines))[0];
      double hidden = numbers(after(set + ", hidden layers: ", lines))[0];
      assertTrue(hidden > 99, lines::toString);
      assertTrue(set.equals("blobs") ? line > 99 : line < (set.equals("moons") ? 95 : 70), set);
    }
    Document picture =
        ExampleProgram.picture(
            folder.resolve("decision-boundaries.svg"), "blobs, a line: 100.0 %", "class 1");
    assertMarks(picture, Map.of("class 1", 8, "class 2", 8, "boundary", 8));
  }

  /** λ/2 |w|² + the mean of the hinge. */
  private static double objective(Dataset data, double v, double w, double b) {
    double hinge =
        IntStream.range(0, data.rows())
            .mapToDouble(
                i -> {
                  double s = v * data.features().get(i, 0) + w * data.features().get(i, 1) + b;
                  return Math.max(0, 1 - (i % 2 == 0 ? s : -s));
                })
            .average()
            .orElseThrow();
    return 0.005 * (v * v + w * w) + hinge;
  }

  /** The objective is convex: where no step to any side lowers it, it is least. */
  @Test
  @ExampleProgram.Of("LinearSvm")
  void theSvmFindsTheWidestMargin() throws Exception {
    List<String> lines = ExampleProgram.run("LinearSvm", folder);
    assertOnPage("linear-svm", lines);
    double[] found = numbers(lines.getFirst());
    Dataset data = ToySets.blobs(100, 2, 1.3, 3);
    double least = objective(data, found[0], found[1], found[2]);
    for (double step : new double[] {0.1, 0.02}) {
      for (int i = 0; i < 27; i++) {
        double there =
            objective(
                data,
                found[0] + step * (i % 3 - 1),
                found[1] + step * (i / 3 % 3 - 1),
                found[2] + step * (i / 9 - 1));
        assertTrue(there > least - 2e-4, there + " is less than " + least);
      }
    }
    assertTrue(objective(data, found[0] / 2, found[1], found[2]) > least + 1e-3);
    assertEquals(1 / Math.hypot(found[0], found[1]), found[3], 1e-3);
    int support = (int) numbers(after("support vectors: ", lines))[0];
    assertTrue(support >= 2 && support < 15, lines::toString);
    Document picture =
        ExampleProgram.picture(folder.resolve("linear-svm.svg"), "support vectors", "margin");
    assertMarks(picture, Map.of("margin", 2, "boundary", 1, "support vectors", 1));
  }

  @Test
  @ExampleProgram.Of("RandomSearch")
  void descentIsBetterThanRandomSearch() throws Exception {
    List<String> lines = ExampleProgram.run("RandomSearch");
    if (System.getenv("WEFT_DATA") != null) { // the page's numbers are of MNIST
      assertOnPage("random-search", lines);
    }
    double[] searched = numbers(after("random search: loss ", lines));
    double[] descended = numbers(after("100 steps of descent: loss ", lines));
    double[] attempts =
        lines.stream()
            .filter(line -> line.startsWith("attempt "))
            .mapToDouble(line -> numbers(line)[1])
            .toArray();
    assertTrue(attempts.length > 2, lines::toString);
    for (int i = 1; i < attempts.length; i++) {
      assertTrue(attempts[i] < attempts[i - 1], lines::toString);
    }
    assertEquals(attempts[attempts.length - 1], searched[0], 1e-3);
    assertTrue(searched[1] > 0.1 && searched[1] < 0.35, lines::toString); // chance is 0.1
    assertTrue(descended[0] < searched[0] / 4 && descended[1] > 0.75, lines::toString);
  }

  /** What numpy has in float64: {@code python3 tests/src/test/resources/twenty_lines.py}. */
  @Test
  @ExampleProgram.Of("TwentyLines")
  void theTwentyLinesTrainAsInNumpy() throws Exception {
    Map<Integer, Double> numpy =
        Map.of(
            0, 28527.81755112688,
            10, 9076.2382937322,
            100, 2554.6092031213634,
            1000, 39.248942903713754,
            1999, 3.6364129913060244);
    List<String> lines = ExampleProgram.run("TwentyLines");
    assertOnPage("twenty-lines", lines);
    assertFalse(lines.isEmpty());
    for (String line : lines) {
      String[] said = line.split(", step |: loss ");
      double expected = numpy.get(Integer.valueOf(said[1]));
      assertEquals(expected, Double.parseDouble(said[2]), 1e-3 * expected, line);
    }
    assertEquals(0, lines.size() % numpy.size());
  }

  @Test
  @ExampleProgram.Of("Batches")
  void anEpochTakesEachSampleAtMostOnceInAnOrderOfItsOwn() throws Exception {
    List<String> lines = ExampleProgram.run("Batches");
    assertOnPage("batches", lines);
    assertEquals(4 * 4, lines.size());
    Set<String> orders = new HashSet<>();
    for (int epoch = 0; epoch < 4; epoch++) {
      Set<Integer> samples = new HashSet<>();
      for (String line : lines.subList(4 * epoch + 1, 4 * epoch + 4)) {
        assertEquals(3, numbers(line).length, line);
        Arrays.stream(numbers(line)).forEach(sample -> assertTrue(samples.add((int) sample), line));
      }
      assertEquals(9, samples.size());
      assertTrue(samples.stream().allMatch(sample -> sample >= 0 && sample < 10));
      assertTrue(orders.add(lines.get(4 * epoch).replaceAll(".*order ", "")));
    }
  }
}
