// SPDX-License-Identifier: Apache-2.0
package dev.weft.graph;

import static dev.weft.format.Format.format;

import dev.weft.format.Format;
import dev.weft.format.Markup;
import dev.weft.graph.Graph.Edge;
import dev.weft.graph.Graph.Kind;
import dev.weft.graph.Graph.Vertex;
import java.util.LinkedHashMap;
import java.util.Map;

/** A graph in the language of Graphviz. */
final class Dot {
  private Dot() {}

  static String of(Graph graph) {
    StringBuilder text = new StringBuilder("digraph computation {\n  rankdir=LR;\n");
    text.append("  node [shape=box, style=rounded, fontname=\"monospace\"];\n");
    if (!graph.notes().isEmpty()) {
      text.append(format("  label=%s;\n", quoted(String.join("\n", graph.notes()))));
    }
    Map<String, StringBuilder> layers = new LinkedHashMap<>();
    for (int i = 0; i < graph.vertices().size(); i++) {
      Vertex vertex = graph.vertices().get(i);
      layers
          .computeIfAbsent(vertex.layer(), layer -> new StringBuilder())
          .append(format("n%d [label=<%s>%s];\n", i, label(vertex), shape(vertex.kind())));
    }
    int cluster = 0;
    for (Map.Entry<String, StringBuilder> layer : layers.entrySet()) {
      boolean none = layer.getKey().isEmpty();
      String head = format("subgraph cluster_%d {\nlabel=%s;\n", cluster++, quoted(layer.getKey()));
      String lines = none ? layer.getValue().toString() : head + layer.getValue() + "}\n";
      text.append(lines.indent(2));
    }
    for (int i = 0; i < graph.vertices().size(); i++) {
      for (Edge edge : graph.vertices().get(i).inputs()) {
        text.append(format("  n%d -> n%d [tooltip=%s];\n", edge.from(), i, quoted(edge.as())));
      }
    }
    return text.append("}\n").toString();
  }

  private static String shape(Kind kind) {
    return switch (kind) {
      case CONSTANT -> ", style=dashed";
      case VARIABLE -> ", style=solid";
      case OPERATION -> "";
    };
  }

  private static String label(Vertex vertex) {
    StringBuilder label = new StringBuilder();
    colored(label, "#1a7f37", vertex.value());
    label.append("<B>").append(shown(vertex.label())).append("</B>");
    for (String line : Picture.below(vertex)) {
      label.append("<BR/>").append(shown(line));
    }
    if (!vertex.gradient().isEmpty()) {
      label.append("<BR/>");
      colored(label, "#cf222e", vertex.gradient());
      label.setLength(label.length() - "<BR/>".length());
    }
    return label.toString();
  }

  private static void colored(StringBuilder label, String color, String text) {
    if (!text.isEmpty()) {
      label.append(format("<FONT COLOR=\"%s\">%s</FONT><BR/>", color, shown(text)));
    }
  }

  private static String shown(String text) {
    return Markup.escape(Format.shown(text, Graph.LONGEST));
  }

  private static String quoted(String text) {
    return '"' + text.replace("\\", "\\\\").replace("\"", "\\\"").replace("\n", "\\l") + '"';
  }
}
