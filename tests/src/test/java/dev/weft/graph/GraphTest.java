// SPDX-License-Identifier: Apache-2.0
package dev.weft.graph;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.weft.DType;
import dev.weft.Device;
import dev.weft.MathMode;
import dev.weft.Shape;
import dev.weft.Tape;
import dev.weft.Tensor;
import dev.weft.graph.Graph.Edge;
import dev.weft.graph.Graph.Kind;
import dev.weft.graph.Graph.Vertex;
import dev.weft.nn.Sequential;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a tape has recorded is drawn with its values and gradients, and nothing is on another. */
class GraphTest {
  @TempDir private Path folder;
  private Device device;
  private Tape tape;

  @BeforeEach
  void open() {
    device = Device.cpu();
    tape = new Tape(device, 0).retainGradients();
  }

  @AfterEach
  void close() {
    tape.close();
    device.close();
  }

  private Tensor leaf(String name, double value) {
    return device.tensor(DType.F64, Shape.of(), value).named(name).requiresGrad();
  }

  private Graph factor() {
    Tensor x = leaf("x", 1);
    Tensor y = leaf("y", 2);
    Tensor f = tape.multiply(tape.multiply(tape.add(x, y), x), tape.square(y)).named("f");
    tape.backward(f);
    return tape.draw(f);
  }

  @Test
  void everyNodeHasItsSignItsValueAndItsGradient() throws Exception {
    Drawn drawn = Drawn.of(factor().svg());
    drawn.hasNodes("1 x 16", "2 y 16", "3 + 4", "3 × 4", "4 ^ 2 3", "12 × f 1");
    assertEquals(2, drawn.all("variable").size());
    assertEquals(7, drawn.all("edge").size());
    assertEquals(List.of("value above, gradient below"), drawn.texts("note"));
  }

  @Test
  void theTableIsInTopologicalOrder() {
    assertEquals(
        """
        node  is        of      type  value  gradient
        x     variable          F64   1      16
        y     variable          F64   2      16
        #3    +         x, y    F64   3      4
        #4    ×         #3, x   F64   3      4
        #5    ^ 2       y       F64   4      3
        f     ×         #4, #5  F64   12     1\
        """
            .replace("\n", System.lineSeparator()),
        factor().toString());
  }

  @Test
  void aTensorThatIsUsedTwiceHasTwoArrows() throws Exception {
    Tensor x = leaf("x", 3);
    Tensor y = tape.multiply(x, x);
    tape.backward(y);
    Graph graph = tape.draw(y);
    assertEquals(List.of(new Edge(0, "a"), new Edge(0, "b")), graph.vertices().get(1).inputs());
    Drawn drawn = Drawn.of(graph.svg());
    drawn.hasNodes("3 x 6", "9 × 1");
    assertEquals(2, drawn.arrows().size());
    assertEquals(List.of(), drawn.collisions());
  }

  @Test
  void onlyWhatAResultWasComputedFromIsDrawnWithIt() {
    Tensor x = leaf("x", 3);
    Tensor y = tape.square(x);
    tape.exp(y);
    Tensor z = tape.scale(y, 0.25);
    assertEquals(3, tape.draw(z).vertices().size());
    assertEquals(4, tape.draw().vertices().size());
    assertEquals("× 0.25", tape.draw(z).vertices().getLast().label());
  }

  @Test
  void signsAreThoseOfTheFormulas() {
    Tensor x = device.tensor(DType.F64, Shape.of(1, 1), 0.5).requiresGrad();
    Tensor b = device.tensor(DType.F64, Shape.of(1), 0.5);
    for (Tensor y :
        List.of(
            tape.subtract(x, b),
            tape.divide(x, b),
            tape.maximum(x, b),
            tape.minimum(x, b),
            tape.shift(x, -3),
            tape.pow(x, 5),
            tape.sqrt(x),
            tape.reciprocal(x),
            tape.abs(x),
            tape.log(x),
            tape.sigmoid(x),
            tape.tanh(x),
            tape.sum(x),
            tape.mean(x),
            tape.squaredNorm(x),
            tape.matmul(x, x),
            tape.transpose(x))) {
      assertTrue(y.hasGradient());
    }
    assertEquals(
        List.of(
            "−",
            "÷",
            "max",
            "min",
            "+ -3",
            "^ 5",
            "√",
            "1/x",
            "|x|",
            "log",
            "σ",
            "tanh",
            "Σ",
            "mean",
            "Σ x²",
            "matmul",
            "transpose"),
        tape.draw().vertices().stream()
            .filter(vertex -> vertex.kind() == Kind.OPERATION)
            .map(Vertex::sign)
            .toList());
  }

  @Test
  void gradientsThatWereNotKeptAreMissed() {
    try (Tape plain = new Tape(device)) {
      Tensor x = leaf("x", 3);
      Tensor y = plain.square(plain.square(x));
      assertEquals(List.of(), plain.draw(y).notes(), "nobody asked for gradients");
      plain.backward(y);
      Graph graph = plain.draw(y);
      assertEquals("108", graph.vertices().getFirst().gradient());
      assertEquals("", graph.vertices().get(1).gradient());
      assertEquals(1, graph.notes().size());
      assertTrue(graph.notes().getFirst().contains("retainGradients"));
      assertTrue(graph.svg().contains("retainGradients"));
      assertTrue(graph.dot().contains("retainGradients"));
      assertTrue(graph.toString().endsWith(graph.notes().getFirst()));
    }
  }

  @Test
  void aNetworkShowsShapesLayersAndNoValueThatIsOverwritten() throws Exception {
    try (Sequential network = Sequential.parse("linear(9,7) relu linear(7,1)").seed(1);
        Tensor x = device.tensor(DType.F64, Shape.of(2, 9), new double[18]).named("x")) {
      Tensor y = network.on(device, MathMode.DOUBLE).forward(tape, x);
      tape.backward(tape.sum(y));
      Graph graph = tape.draw();
      Vertex product = graph.vertices().get(2);
      assertEquals("matmul", product.sign());
      assertEquals("", product.value(), "ReLU took its memory");
      assertEquals("0 linear(9,7) relu", product.layer());
      assertEquals("F64 [2, 7]", product.type());
      assertEquals(Kind.CONSTANT, graph.vertices().getFirst().kind());
      assertEquals("", graph.vertices().getFirst().gradient());
      assertEquals("mean 0, 0 to 0", graph.vertices().getFirst().value());
      assertEquals("relu(x + b)", graph.vertices().get(4).sign());
      Drawn drawn = Drawn.of(graph.svg());
      assertTrue(drawn.texts("more").contains("2 linear(7,1)"), drawn.texts("more")::toString);
      assertTrue(graph.dot().contains("label=\"2 linear(7,1)\""), graph::dot);
      assertEquals(List.of(), drawn.collisions());
    }
  }

  @Test
  void valuesThatAreGoneOrChangedAreNotShownAsIfTheyWere() {
    Tensor x = leaf("x", 3);
    Tensor y = tape.square(x);
    x.fill(4);
    Graph graph = tape.draw(y);
    assertEquals("4 changed since", graph.vertices().getFirst().value());
    assertEquals("9", graph.vertices().get(1).value());
    assertEquals(1, graph.notes().size());
    x.close();
    assertEquals("", tape.draw(y).vertices().getFirst().value());
    assertEquals("4 changed since", graph.vertices().getFirst().value(), "a graph is a copy");
  }

  @Test
  void whatCannotBeDrawnIsSaid() {
    Tensor x = leaf("x", 3);
    assertTrue(
        assertThrows(IllegalArgumentException.class, () -> tape.draw(x))
            .getMessage()
            .startsWith("x F64 [] on cpu was not computed on this tape"));
    assertTrue(
        assertThrows(IllegalStateException.class, tape::draw)
            .getMessage()
            .endsWith("no input of an operation requires a gradient"));
    try (Tape inference = Tape.inference(device)) {
      inference.square(x);
      assertTrue(
          assertThrows(IllegalStateException.class, inference::draw)
              .getMessage()
              .endsWith("a tape for inference records nothing"));
    }
    Tensor y = x;
    for (int i = 0; i < Graph.MOST; i++) {
      y = tape.scale(y, 0.5);
    }
    Graph large = tape.draw(y);
    String said = assertThrows(IllegalStateException.class, large::svg).getMessage();
    assertTrue(said.startsWith("a picture of 301 nodes would not be readable, 300 are"), said);
    assertTrue(large.dot().contains("n299 -> n300"));
    assertThrows(IllegalArgumentException.class, () -> new Graph(List.of(vertex(0)), List.of()));
  }

  @Test
  void filesAreOfTheFormThatTheirNamesEndIn() throws IOException {
    Graph graph = factor();
    graph.write(folder.resolve("g.svg"));
    graph.write(folder.resolve("g.DOT"));
    assertEquals(graph.svg(), Files.readString(folder.resolve("g.svg")));
    assertEquals(graph.dot(), Files.readString(folder.resolve("g.DOT")));
    Path png = folder.resolve("g.png");
    assertTrue(
        assertThrows(IllegalArgumentException.class, () -> graph.write(png))
            .getMessage()
            .endsWith("g.png ends in neither"));
    assertFalse(Files.exists(png));
  }

  private static Vertex vertex(int... inputs) {
    List<Edge> edges = new ArrayList<>();
    for (int input : inputs) {
      edges.add(new Edge(input, "x"));
    }
    Kind kind = inputs.length == 0 ? Kind.VARIABLE : Kind.OPERATION;
    return new Vertex(kind, "", "", "F64", "-0.001234", "12.5", "", edges);
  }

  private static Graph random(int nodes, long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    List<Vertex> vertices = new ArrayList<>();
    for (int i = 0; i < nodes; i++) {
      int inputs = i < 2 ? 0 : random.nextInt(4);
      vertices.add(vertex(random.ints(inputs, Math.max(0, i - 12), Math.max(1, i)).toArray()));
    }
    return new Graph(vertices, List.of());
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 3, 10, 30, 60})
  void nothingStandsOnAnotherAndNoArrowRunsThroughABox(int nodes) throws Exception {
    for (long seed = 0; seed < 8; seed++) {
      Graph graph = random(nodes, seed);
      Drawn drawn = Drawn.of(graph.svg());
      assertEquals(nodes, drawn.boxes().size());
      assertEquals(List.of(), drawn.collisions(), "seed " + seed);
    }
  }

  /** The check above sees a box that another one stands on, and one that an arrow runs through. */
  @Test
  void collisionsAreNoticed() throws Exception {
    String box = "<rect class=\"box\" x=\"%d\" y=\"0\" width=\"10\" height=\"10\"/>";
    String arrow = "<path class=\"edge\" d=\"M-9,5 L-5,5 C20,5 20,5 40,5 L45,5\"/>";
    assertEquals(
        1, Drawn.of("<svg>" + box.formatted(0) + box.formatted(9) + "</svg>").collisions().size());
    assertEquals(
        List.of(),
        Drawn.of("<svg>" + box.formatted(0) + box.formatted(10) + "</svg>").collisions());
    assertEquals(1, Drawn.of("<svg>" + arrow + box.formatted(0) + "</svg>").collisions().size());
  }

  @Test
  void anArrowDoesNotCrossAnotherWhereItNeedNot() {
    // two chains whose inputs come in the order that would cross
    List<Vertex> vertices =
        List.of(vertex(), vertex(), vertex(1), vertex(0), vertex(2), vertex(3), vertex(4, 5));
    Graph graph = new Graph(vertices, List.of());
    double[] heights = new double[7];
    java.util.Arrays.fill(heights, 20);
    Layout layout =
        new Layout(graph, java.util.Collections.nCopies(7, new Layout.Room(30, 20, 20)), heights);
    assertTrue(layout.cells().get(1).y < layout.cells().get(0).y);
    assertTrue(layout.cells().get(4).y < layout.cells().get(5).y);
  }

  @Test
  void anInputStandsBeforeItsFirstUse() {
    Graph graph =
        new Graph(List.of(vertex(), vertex(0), vertex(1), vertex(), vertex(2, 3)), List.of());
    double[] heights = {20, 20, 20, 20, 20};
    Layout layout =
        new Layout(graph, java.util.Collections.nCopies(5, new Layout.Room(30, 20, 20)), heights);
    assertEquals(2, layout.cells().get(3).column);
    assertEquals(3, layout.cells().get(4).column);
  }

  @Test
  void markupInNamesIsText() throws Exception {
    String name = "<a & \"b\">\u0007\ud800";
    Tensor y = tape.square(leaf(name, 3)).named("x".repeat(99));
    Graph graph = tape.draw(y);
    Drawn drawn = Drawn.of(graph.svg());
    assertEquals("<a & \"b\">\\u0007\ufffd", drawn.texts("sign").getFirst());
    assertTrue(
        drawn.texts("more").contains("x".repeat(Graph.LONGEST) + "..."),
        drawn.texts("more")::toString);
    assertTrue(graph.svg().contains("x".repeat(99)), "all of it under the pointer");
    assertTrue(graph.dot().contains("&lt;a &amp; &quot;b&quot;&gt;"), graph::dot);
    graphviz(graph);
  }

  @Test
  void graphvizReadsTheDot() throws Exception {
    graphviz(factor());
    graphviz(random(40, 1));
  }

  /** Each line of DOT has a form; where Graphviz is installed it draws all nodes and arrows. */
  private void graphviz(Graph graph) throws Exception {
    List<String> lines = graph.dot().lines().toList();
    assertEquals("digraph computation {", lines.getFirst());
    assertEquals("}", lines.getLast());
    for (String line : lines.subList(1, lines.size() - 1)) {
      assertTrue(
          line.matches("  (n\\d+ -> n\\d+ \\[tooltip=\".*\"\\];|n\\d+ \\[label=<.*>.*\\];|.*=.*;)"),
          line);
    }
    long edges = graph.vertices().stream().mapToLong(vertex -> vertex.inputs().size()).sum();
    assertEquals(edges, lines.stream().filter(line -> line.contains(" -> ")).count());
    Path dot = folder.resolve("g.dot");
    graph.write(dot);
    Process process;
    try {
      process =
          new ProcessBuilder("dot", "-Tsvg", dot.toString()).redirectErrorStream(true).start();
    } catch (IOException e) {
      assumeTrue(false, "Graphviz is not installed");
      return;
    }
    String drawn = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertTrue(process.waitFor(60, TimeUnit.SECONDS));
    assertEquals(0, process.exitValue(), drawn);
    assertEquals(graph.vertices().size(), drawn.split("class=\"node\"", -1).length - 1, drawn);
    assertEquals(edges, drawn.split("class=\"edge\"", -1).length - 1);
  }
}
