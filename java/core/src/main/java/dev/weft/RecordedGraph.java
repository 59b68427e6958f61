// SPDX-License-Identifier: Apache-2.0
package dev.weft;

import static dev.weft.format.Format.count;
import static dev.weft.format.Format.format;
import static dev.weft.format.Format.significant;

import dev.weft.graph.Graph;
import dev.weft.graph.Graph.Edge;
import dev.weft.graph.Graph.Kind;
import dev.weft.graph.Graph.Vertex;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.DoubleSummaryStatistics;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** The graph of recorded operations, an input before its first use. */
final class RecordedGraph {
  private static final int DIGITS = 4;

  /** Elements that are shown one by one, at most. */
  private static final int FEW = 4;

  /** Elements that are read to be summed up, at most: 8 MiB of doubles. */
  private static final int READ = 1 << 20;

  private final boolean retained;
  private final List<Vertex> vertices = new ArrayList<>();
  private final Map<Tensor, Integer> places = new IdentityHashMap<>();
  private final Map<Tensor, Node> overwritten = new IdentityHashMap<>();

  RecordedGraph(List<Node> nodes, boolean retained) {
    this.retained = retained;
    for (Node node : nodes) {
      if (node.operation().overwritesInput()) {
        overwritten.put(node.input(0), node);
      }
    }
    nodes.forEach(this::add);
  }

  Graph graph() {
    List<String> notes = new ArrayList<>();
    boolean backward =
        vertices.stream().anyMatch(v -> v.kind() == Kind.VARIABLE && !v.gradient().isEmpty());
    boolean missing =
        vertices.stream().anyMatch(v -> v.kind() == Kind.OPERATION && v.gradient().isEmpty());
    if (backward && missing && !retained) {
      notes.add("Gradients of results are kept where retainGradients is called before backward.");
    }
    if (vertices.stream().anyMatch(vertex -> vertex.value().contains("changed since"))) {
      notes.add("What was changed since it was used is shown as it is, not as it was.");
    }
    return new Graph(vertices, notes);
  }

  private void add(Node node) {
    List<Edge> edges = new ArrayList<>();
    for (int i = 0; i < node.inputs().size(); i++) {
      Tensor input = node.input(i);
      if (!places.containsKey(input)) {
        Kind kind = input.hasGradient() ? Kind.VARIABLE : Kind.CONSTANT;
        vertices.add(vertex(kind, "", input, "", node, List.of()));
        places.put(input, vertices.size() - 1);
      }
      edges.add(new Edge(places.get(input), node.operation().operands().operand(i).name()));
    }
    String sign = node.operation().sign(edges.size());
    vertices.add(vertex(Kind.OPERATION, sign, node.output(), node.layer(), node, edges));
    places.put(node.output(), vertices.size() - 1);
  }

  private Vertex vertex(
      Kind kind, String sign, Tensor tensor, String layer, Node node, List<Edge> edges) {
    boolean named =
        !tensor.name().equals(Tensor.UNNAMED)
            && !(kind == Kind.OPERATION && tensor.name().equals(node.operation().name()));
    Tensor gradient = tensor.grad();
    RowGradient rows = tensor.rowGradient();
    return new Vertex(
        kind,
        sign,
        named ? tensor.name() : "",
        tensor.shape().rank() == 0
            ? tensor.dtype().toString()
            : format("%s %s", tensor.dtype(), tensor.shape()),
        value(tensor, node),
        rows != null ? "of " + count(rows.rows(), "row") : gradient == null ? "" : text(gradient),
        layer,
        edges);
  }

  private String value(Tensor tensor, Node node) {
    if (overwritten.containsKey(tensor)) {
      return "";
    }
    String text = text(tensor);
    return node.isChanged(tensor) && !text.isEmpty() ? text + " changed since" : text;
  }

  /** Such as {@code 0.5}, {@code [1, 2]} or {@code mean 0.1, -1 to 3}; empty where it is gone. */
  private static String text(Tensor tensor) {
    if (!tensor.isReadable() || tensor.elements() > READ || tensor.elements() == 0) {
      return "";
    }
    double[] values = tensor.toDoubles();
    if (values.length == 1) {
      return significant(values[0], DIGITS);
    }
    if (values.length <= FEW) {
      return Arrays.stream(values)
          .mapToObj(value -> significant(value, DIGITS - 1))
          .collect(Collectors.joining(", ", "[", "]"));
    }
    DoubleSummaryStatistics all = Arrays.stream(values).summaryStatistics();
    return format(
        "mean %s, %s to %s",
        significant(all.getAverage(), 2),
        significant(all.getMin(), 2),
        significant(all.getMax(), 2));
  }
}
