// SPDX-License-Identifier: Apache-2.0
package dev.weft.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weft.Device;
import dev.weft.device.Nonlinearity;
import dev.weft.format.Format;
import dev.weft.graph.Chart;
import dev.weft.graph.Drawn;
import dev.weft.nn.Embedding;
import dev.weft.nn.Flatten;
import dev.weft.nn.Linear;
import dev.weft.nn.Sequential;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Expressions and networks become graphs whose numbers are those of the lectures. */
class GraphCommandTest {
  @TempDir private Path folder;

  /** The lines of the table behind its titles, a blank between columns. */
  private static List<String> table(String expression, String... values) {
    Object[] words =
        Stream.concat(Stream.of("graph", expression), Stream.of(values)).toArray(Object[]::new);
    return rows(Weft.run(words).succeeded().out());
  }

  private static List<String> rows(String out) {
    return out.lines().skip(1).map(line -> line.strip().replaceAll(" +", " ")).toList();
  }

  private static String last(String expression, String... values) {
    return table(expression, values).getLast();
  }

  @Test
  void theGradientOfARepeatedFactorIsASum() {
    assertEquals(
        List.of(
            "x variable F64 1 16",
            "y variable F64 2 16",
            "#3 + x, y F64 3 4",
            "#4 × #3, x F64 3 4",
            "#5 ^ 2 y F64 4 3",
            "#6 × #4, #5 F64 12 1"),
        table("(x + y)*x*y^2", "x=1", "y=2"));
  }

  @Test
  void aSumPassesOneGradientToBothSummands() {
    List<String> rows = table("(x + y) * z", "x=-2", "y=5", "z=-4");
    assertEquals("x variable F64 -2 -4", rows.get(0));
    assertEquals("y variable F64 5 -4", rows.get(1));
    assertEquals("z variable F64 -4 3", rows.get(3));
    assertEquals("#5 × #3, z F64 -12 1", rows.get(4));
  }

  @Test
  void aFactorIsMultipliedIntoEachGradientBehindIt() {
    List<String> rows = table("c(a + 2b)".replace("c(", "c*("), "a=3", "b=1", "c=-2");
    assertTrue(rows.contains("a variable F64 3 -2"), rows::toString);
    assertTrue(rows.contains("b variable F64 1 -4"), rows::toString);
    assertTrue(rows.contains("c variable F64 -2 5"), rows::toString);
    assertTrue(rows.contains("2 constant F64 2"), rows::toString);
    assertTrue(rows.getLast().endsWith(" -10 1"), rows::toString);
  }

  @Test
  void powersHaveTheGradientsOfTheLecture() {
    List<String> rows = table("y^4*x^5", "x=1.5", "y=-0.5");
    assertEquals("y variable F64 -0.5 -3.797", rows.getFirst());
    assertEquals("x variable F64 1.5 1.582", rows.get(2));
  }

  @Test
  void oneFunctionHasTwoGraphsOfDifferentSize() {
    List<String> one = table("(x + 3)^2 + 4x^2", "x=0.7");
    List<String> two = table("5x^2 + 6x + 9 + 0*x", "x=0.7");
    assertTrue(one.size() < two.size());
    assertEquals("x variable F64 0.7 13", one.getFirst());
    assertTrue(two.contains("x variable F64 0.7 13"), two::toString);
    assertTrue(one.getLast().endsWith(" 15.65 1") && two.getLast().endsWith(" 15.65 1"));
  }

  @Test
  void aSigmoidOfItsPartsHasTheGradientsOfTheOne() {
    String[] at = {"w0=2", "x0=-1", "w1=-3", "x1=-2", "b=-3"};
    List<String> parts = table("1/(1 + exp(-(w0*x0 + w1*x1 + b)))", at);
    List<String> one = table("sigmoid(w0*x0 + w1*x1 + b)", at);
    assertEquals(15, parts.size());
    assertEquals(10, one.size());
    for (String row :
        List.of(
            "w0 variable F64 2 -0.1966", "x0 variable F64 -1 0.3932", "b variable F64 -3 0.1966")) {
      assertTrue(parts.contains(row) && one.contains(row), row);
    }
    assertTrue(one.getLast().startsWith("#10 σ ") && one.getLast().endsWith(" 0.7311 1"));
    assertTrue(parts.getLast().endsWith(" 0.7311 1"));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        "-x^2; -9 1",
        "(-x)^2; 9 1",
        "x^-1; 0.3333 1",
        "2^x; 8 1",
        "x^x; 27 1",
        "2x*(x + 1); 24 1",
        "2(x + 1); 8 1",
        "x - 1 - 1; 1 1",
        "x/3/2; 0.5 1",
        "x^2^3; 6561 1",
        "exp(log(x)); 3 1",
        "sqrt(x + 1); 2 1",
        "square(x); 9 1",
        "abs(-x); 3 1",
        "relu(-x); 0 1",
        "tanh(0x); 0 1",
        "max(x, 4); 4 1",
        "min(x, 2*2); 3 1",
        "1.5e1x; 45 1",
        ".5x; 1.5 1"
      })
  void expressionsAreReadAsTheyAreWritten(String expression, String ending) {
    String row = last(expression.startsWith("-") ? "0" + expression : expression, "x=3");
    assertTrue(row.endsWith(" " + ending), row);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        "(x + * y; column 6: there is '*' where a number, a variable, a function or '(' should be",
        "x + y); column 6: there is ')' where an operator or the end should be",
        "x y; column 3: there is 'y' where an operator or the end should be",
        "(x + y; column 7: the expression ends where an operator or ')' should be",
        "x^; column 3: the expression ends where a number, a variable, a function or '(' should",
        "foo(x); column 1: foo is no function: there are abs, exp, log, max, min, relu, sigmoid",
        "x(y); column 1: x is a variable: write x*(...)",
        "y + exp; column 5: exp is a function: write exp(...)",
        "x + z; column 5: z has no value: add z=1, or another number",
        "max(x); column 6: there is ')' where ',' and another argument of max should be",
        "exp(x, y); column 6: there is ',' where ')' after the last argument of exp should be",
        "1e999x; column 1: 1e999 is too large for float64",
        "x; x has no y: leave its value out",
        "x + 😀; column 5: there is '😀' where a number"
      })
  void errorsPointAtTheColumn(String expression, String words) {
    Weft.Run run = Weft.run("graph", expression, "x=1", "y=2").failed(Main.WRONG_USE, words);
    if (words.startsWith("column ")) {
      int column = Integer.parseInt(words.split("[ :]")[1]);
      assertTrue(
          run.err().contains("\n  " + expression + "\n  " + " ".repeat(column - 1) + "^"),
          run.err());
    }
  }

  @Test
  void whatIsNoExpressionIsSaid() {
    Weft.run("graph").failed(Main.WRONG_USE, "give one of an expression, --layers, --model and");
    Weft.run("graph", "x", "x=1").failed(Main.WRONG_USE, "x applies no operation to a variable");
    Weft.run("graph", "1 + 2").failed(Main.WRONG_USE, "1 + 2 applies no operation to a variable");
    Weft.run("graph", "x", "+", "1").failed(Main.WRONG_USE, "'+' is no value of a variable");
    Weft.run("graph", "2x", "x=a").failed(Main.WRONG_USE, "'a' in 'x=a' is not a finite number");
    Weft.run("graph", "2x", "x=1", "x=2").failed(Main.WRONG_USE, "x has two values: give one");
    Weft.run("graph", "(".repeat(999), "x=1").failed(Main.WRONG_USE, "more than 200 deep");
    Weft.run("graph", "0" + "-".repeat(999) + "x", "x=1").failed(Main.WRONG_USE, "200 deep");
    Weft.run("graph", "2x", "x=1", "--seed", 1).failed(Main.WRONG_USE, "--seed draws a network's");
    Weft.run("graph", "2x", "x=1", "--input", 1).failed(Main.WRONG_USE, "--input is for a network");
    Weft.run("graph", "2x", "x=1", "--layers", "relu").failed(Main.WRONG_USE, "give one of");
  }

  @Test
  void picturesAreWrittenAndNothingElseIsLost() throws Exception {
    Path svg = folder.resolve("g.svg");
    Weft.Run run = Weft.run("graph", "(x + y)*x", "x=1", "y=2", "--out", svg).succeeded();
    assertEquals("wrote " + svg + ": 4 nodes\n", run.out());
    assertEquals(List.of("x", "y", "+", "×"), Drawn.of(Files.readString(svg)).texts("sign"));
    Path dot = folder.resolve("g.dot");
    Weft.run("graph", "(x + y)*x", "x=1", "y=2", "--out", dot).succeeded();
    assertTrue(Files.readString(dot).startsWith("digraph"));
    Path png = folder.resolve("g.png");
    Weft.run("graph", "2x", "x=1", "--out", png).failed(Main.WRONG_USE, "ends in neither");
    Weft.run("graph", "2y", "x=1", "--out", svg).failed(Main.WRONG_USE, "y has no value");
    assertEquals(4, Drawn.of(Files.readString(svg)).all("vertex").size(), "the old file stays");
    assertFalse(Files.exists(png));
  }

  @Test
  void networksAreDrawnWithARowAndTheirParametersByName() {
    List<String> rows =
        rows(
            Weft.run("graph", "--layers", "linear(2,3),tanh,linear(3,1)", "--input", "0.5,-1")
                .succeeded()
                .out());
    assertEquals(9, rows.size());
    assertEquals("x constant F64 [1, 2] [0.5, -1]", rows.getFirst());
    assertTrue(rows.get(1).startsWith("0.weight variable F64 [2, 3] mean "), rows::toString);
    assertTrue(rows.get(4).startsWith("#5 tanh(x + b) #3, 0.bias F64 [1, 3] "), rows::toString);
    assertTrue(rows.getLast().endsWith(" 1"), rows::toString);
    List<String> labelled =
        rows(
            Weft.run("graph", "--layers", "linear(2,3)", "--label", 2, "--seed", 5)
                .succeeded()
                .out());
    assertTrue(labelled.getLast().contains("softmax_cross_entropy"), labelled::toString);
    assertTrue(labelled.contains("label constant I32 [1] 2"), labelled::toString);
  }

  @Test
  void savedNetworksAreDrawn() throws IOException {
    Path file = folder.resolve("m.safetensors");
    try (Device device = Device.cpu();
        Sequential network =
            Sequential.of(new Embedding(9, 2), new Flatten(), new Linear(6, 2)).on(device)) {
      network.save(file);
    }
    List<String> rows = rows(Weft.run("graph", "--model", file, "--input", "1,0,8").out());
    assertEquals("x constant I32 [1, 3] [1, 0, 8]", rows.get(1));
    assertTrue(rows.getFirst().endsWith(" of 3 rows"), rows::toString);
    Weft.run("graph", "--model", file).failed(Main.WRONG_USE, "is not known: give --input");
    Weft.run("graph", "--model", file, "--input", "1,0.5,8").failed(Main.WRONG_USE, "Embedding(");
    Weft.run("graph", "--model", file, "--input", "1,0,8", "--label", 2)
        .failed(Main.WRONG_USE, "--label 2 is none of the network's 2 classes");
    Weft.run("graph", "2x", "x=1", "--out", folder.resolve("absent.svg/g.svg"))
        .failed(Main.FAILURE, "does not exist");
  }

  private List<String> network(String layers, Object... more) {
    Object[] words =
        Stream.concat(Stream.of("graph", "--layers", layers, "--input", "0.5,-1"), Stream.of(more))
            .toArray(Object[]::new);
    return rows(Weft.run(words).succeeded().out());
  }

  /** Of one row: by running values 0 and 1, which leave x / √(1 + ε). */
  @Test
  void aNetworkWithBatchNormIsDrawnByItsRunningValues() throws IOException {
    List<String> rows = network("batch_norm(2,3)");
    assertTrue(rows.contains("0.scale variable F64 [2] [1, 1] [0.25, -0.5]"), rows::toString);
    assertTrue(rows.contains("0.running_mean constant F64 [2] [0, 0]"), rows::toString);
    assertTrue(
        rows.stream().anyMatch(row -> row.endsWith(" [1, 2] [0.25, -0.5] [1, 1]")), rows::toString);
    Path file = folder.resolve("norm.safetensors");
    try (Device device = Device.cpu();
        Sequential saved = Sequential.parse("linear(2,3) batch_norm(3) relu").on(device)) {
      saved.named().get("1.running_mean").tensor().fill(0.125);
      saved.save(file);
    }
    List<String> of = rows(Weft.run("graph", "--model", file).succeeded().out());
    assertTrue(of.contains("1.running_mean constant F64 [3] [0.125, 0.125, 0.125]"), of::toString);
  }

  /** At such rates a draw would drop both. */
  @Test
  void dropoutDropsNothingOfAPicture() {
    List<String> without = network("linear(2,3) tanh linear(3,1)");
    assertEquals(
        without,
        network("dropout(0.99) linear(2,3) tanh row_dropout(0.99) linear(3,1)").stream()
            .map(row -> row.replace("1.", "0.").replace("4.", "2."))
            .toList());
  }

  @Test
  void whatDoesNotFitANetworkIsSaid() {
    Weft.run("graph", "--layers", "linear(2,3)", "--input", "1,2,3")
        .failed(Main.WRONG_USE, "Linear(2, 3) ");
    Weft.run("graph", "--layers", "linear(2,x)").failed(Main.WRONG_USE, "'x' in 'linear(2,x)'");
    Weft.run("graph", "--layers", "relu", "--input", 1).failed(Main.WRONG_USE, "no parameters");
  }

  @Test
  void everyActivationIsDrawnWithItsDerivative() throws Exception {
    Path file = folder.resolve("a.svg");
    Weft.run("graph", "--activations", file).succeeded();
    Drawn drawn = Drawn.of(Files.readString(file));
    int count = Nonlinearity.values().length;
    assertEquals(count, drawn.all("chart").size());
    assertEquals(count, drawn.all("of-value").size());
    assertEquals(count, drawn.all("of-gradient").size());
    assertTrue(drawn.texts("sign").contains("leaky_relu(0.1)"), drawn.texts("sign")::toString);
    Weft.run("graph", "--activations", folder.resolve("a.dot")).failed(Main.WRONG_USE, ".svg");
    Weft.run("graph", "--activations", file, "--out", file).failed(Main.WRONG_USE, "--out out");
  }

  /** The curves are the functions: the slope between two points is the derivative's mean there. */
  @Test
  void derivativesAreThoseOfTheCurves() {
    List<String> kinks = new ArrayList<>();
    try (Device device = Device.cpu()) {
      for (Chart chart : ActivationCurves.charts(device)) {
        for (int i = 1; i < chart.x().length; i++) {
          double slope = (chart.y()[i] - chart.y()[i - 1]) / (chart.x()[i] - chart.x()[i - 1]);
          double between = (chart.dy()[i] + chart.dy()[i - 1]) / 2;
          if (Math.abs(slope - between) > 1e-3) {
            kinks.add(Format.format("%s before %.3f", chart.title(), chart.x()[i]));
          }
        }
        if (chart.title().equals("relu")) {
          assertEquals(0, chart.dy()[chart.x().length / 2]);
        }
      }
    }
    assertTrue(kinks.contains("relu before 0.025"), kinks::toString);
    assertTrue(
        kinks.stream()
            .allMatch(
                kink ->
                    kink.matches(
                        "(leaky_)?relu.* before 0\\.0(00|25)"
                            + "|hard_(sigmoid|swish) before (-2\\.975|3\\.000)"
                            + "|hard_tanh before (-0\\.975|1\\.000)")),
        kinks::toString);
  }
}
