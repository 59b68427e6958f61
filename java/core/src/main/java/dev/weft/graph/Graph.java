// SPDX-License-Identifier: Apache-2.0
package dev.weft.graph;

import static dev.weft.format.Format.format;
import static java.util.Locale.ROOT;

import dev.weft.format.Format;
import dev.weft.io.AtomicFile;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * A computation graph: the inputs and the operations of a result in topological order, with their
 * values and gradients as text. {@link dev.weft.Tape#draw()} makes one of what a tape has recorded.
 *
 * {@snippet file="Examples.java" region="graph"}
 *
 * <p>It is a copy, which stays readable when the tape is closed.
 *
 * @param vertices the nodes, each behind those that it was computed from
 * @param notes what a reader should know, such as why gradients are missing; a sentence each
 */
public record Graph(List<Vertex> vertices, List<String> notes) {
  /** The most nodes that {@link #svg} draws: more are a wall. */
  public static final int MOST = 300;

  /** Longer texts are cut; a picture shows all of them under the pointer. */
  static final int LONGEST = 40;

  /** What a node is. */
  public enum Kind {
    /** An input without a gradient. */
    CONSTANT,
    /** An input with a gradient: a variable, or a parameter of a network. */
    VARIABLE,
    /** The result of an operation. */
    OPERATION
  }

  /**
   * A node.
   *
   * @param kind what it is
   * @param sign what an operation does, as {@code +}, {@code σ} or {@code matmul}; empty for inputs
   * @param name what its tensor was named; empty where it was not
   * @param type its type and shape, as {@code F32 [2, 3]}; of a scalar the type alone
   * @param value its value, or of a large one the mean and the range; empty where it is gone
   * @param gradient likewise its gradient; empty where there is none
   * @param layer the layer of a network that applied the operation; empty where there was none
   * @param inputs what it was computed from
   */
  public record Vertex(
      Kind kind,
      String sign,
      String name,
      String type,
      String value,
      String gradient,
      String layer,
      List<Edge> inputs) {
    /** Copies the inputs. */
    public Vertex {
      inputs = List.copyOf(inputs);
    }

    /** What stands in its box: the sign of an operation, else the name. */
    public String label() {
      return !sign.isEmpty() ? sign : !name.isEmpty() ? name : "input";
    }
  }

  /**
   * A use of one node by another: one that is used twice has two.
   *
   * @param from the place of the used one among {@link #vertices}
   * @param as what the operation's formula calls it, as {@code x} or {@code labels}
   */
  public record Edge(int from, String as) {}

  /**
   * Copies the lists.
   *
   * @throws IllegalArgumentException where a node stands before one that it was computed from
   */
  public Graph {
    vertices = List.copyOf(vertices);
    notes = List.copyOf(notes);
    for (int i = 0; i < vertices.size(); i++) {
      for (Edge edge : vertices.get(i).inputs()) {
        if (edge.from() < 0 || edge.from() >= i) {
          throw new IllegalArgumentException(
              format("node %d is computed from node %d, which is not before it", i, edge.from()));
        }
      }
    }
  }

  /**
   * A picture from left to right: above each box the value, in green, below it the gradient, in
   * red. Arrows arrive in the order of the operation's arguments, the first one highest.
   *
   * @throws IllegalStateException where there are more than {@link #MOST} nodes
   */
  public String svg() {
    if (vertices.size() > MOST) {
      throw new IllegalStateException(
          format(
              "a picture of %,d nodes would not be readable, %d are the most: draw a result that is"
                  + " computed from less, or fewer layers or steps; as DOT it can be written",
              vertices.size(), MOST));
    }
    return new Picture(this).svg();
  }

  /** The graph in the language of Graphviz, layers as clusters. */
  public String dot() {
    return Dot.of(this);
  }

  /**
   * Writes the graph in the form that the file's name ends in, {@code .svg} or {@code .dot}.
   *
   * @throws IllegalArgumentException where it ends otherwise
   * @throws IllegalStateException where there are too many nodes for {@link #svg}
   * @throws IOException where the file cannot be written
   */
  public void write(Path path) throws IOException {
    AtomicFile.write(path, text(path));
  }

  private String text(Path path) {
    checkName(path);
    return path.toString().toLowerCase(ROOT).endsWith(".svg") ? svg() : dot();
  }

  /**
   * Returns if a graph can be written to a file of this name.
   *
   * @throws IllegalArgumentException where it ends neither in {@code .svg} nor in {@code .dot}
   */
  public static void checkName(Path path) {
    if (!path.toString().toLowerCase(ROOT).matches("(?s).*\\.(svg|dot)")) {
      throw new IllegalArgumentException(
          format("a graph is written as .svg or .dot, and %s ends in neither", path));
    }
  }

  /** A table: a line for each node with what it was computed from, its value and its gradient. */
  @Override
  public String toString() {
    List<List<String>> rows = new ArrayList<>();
    rows.add(List.of("node", "is", "of", "type", "value", "gradient"));
    for (int i = 0; i < vertices.size(); i++) {
      Vertex each = vertices.get(i);
      boolean operation = each.kind() == Kind.OPERATION;
      String is = operation ? each.sign() : each.kind().name().toLowerCase(ROOT);
      List<String> of = each.inputs().stream().map(edge -> reference(edge.from())).toList();
      rows.add(
          List.of(
              reference(i), is, String.join(", ", of), each.type(), each.value(), each.gradient()));
    }
    int[] widths = new int[6];
    rows.forEach(row -> widen(widths, row));
    StringBuilder text = new StringBuilder();
    for (List<String> row : rows) {
      StringBuilder line = new StringBuilder();
      for (int i = 0; i < widths.length; i++) {
        line.append(row.get(i)).append(" ".repeat(widths[i] - row.get(i).length() + 2));
      }
      text.append(line.toString().stripTrailing()).append(System.lineSeparator());
    }
    notes.forEach(note -> text.append(note).append(System.lineSeparator()));
    return text.toString().stripTrailing();
  }

  private static void widen(int[] widths, List<String> row) {
    for (int i = 0; i < widths.length; i++) {
      widths[i] = Math.max(widths[i], row.get(i).length());
    }
  }

  /** What a line of the table calls a node: the name, and its number unless no other has it. */
  private String reference(int vertex) {
    String name = vertices.get(vertex).name();
    boolean own = vertices.stream().filter(other -> other.name().equals(name)).count() == 1;
    return Format.shown(name, LONGEST) + (own && !name.isEmpty() ? "" : "#" + (vertex + 1));
  }
}
