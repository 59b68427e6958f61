// SPDX-License-Identifier: Apache-2.0
package dev.weft.graph;

import static dev.weft.format.Format.format;
import static java.util.Locale.ROOT;

import dev.weft.format.Format;
import dev.weft.format.Markup;
import dev.weft.graph.Graph.Edge;
import dev.weft.graph.Graph.Vertex;
import dev.weft.graph.Layout.Cell;
import dev.weft.graph.Layout.Room;
import dev.weft.graph.Layout.Route;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;

/** A graph as SVG, readable on a light and on a dark page. */
final class Picture {
  private static final double COLUMN = 7.3; // of a letter of 12 pixels
  private static final double LINE = 15;
  private static final double PADDING = 8;
  private static final double MARGIN = 14;
  private static final double LEAST_WIDTH = 30;
  private static final int NOTE_COLUMNS = 72;

  /** The look of all pictures: colours by the page's, and where a viewer knows none, light. */
  static final String STYLE =
      """
      <style>
      text{font:12px ui-monospace,SFMono-Regular,Menlo,Consolas,DejaVu Sans Mono,monospace;\
      text-anchor:middle;fill:#1f2328}
      .paper{fill:#ffffff}.box{fill:#f6f8fa;stroke:#57606a}
      .constant .box{stroke-dasharray:4 3}.variable .box{fill:#ddf4ff;stroke:#0969da}
      .sign{font-weight:bold}.more,.note{font-size:10px;fill:#656d76}.note{text-anchor:start}.tick{text-anchor:end}
      .value{fill:#1a7f37}.gradient{fill:#cf222e}
      .edge{fill:none;stroke:#57606a}.tip{fill:#57606a}.curve{fill:none;stroke-width:1.6}
      .of-value{stroke:#1a7f37}.of-gradient{stroke:#cf222e;stroke-dasharray:5 3}
      @media(prefers-color-scheme:dark){text{fill:#e6edf3}.paper{fill:#0d1117}
      .box{fill:#161b22;stroke:#8b949e}.variable .box{fill:#0c2d6b;stroke:#58a6ff}
      .more,.note{fill:#8b949e}.value{fill:#3fb950}.gradient{fill:#ff7b72}
      .edge{stroke:#8b949e}.tip{fill:#8b949e}.of-value{stroke:#3fb950}.of-gradient{stroke:#ff7b72}}
      </style>
      """;

  private final Graph graph;
  private final double[] box; // heights
  private final double[] boxWidth;
  private final Layout layout;
  private final StringBuilder out = new StringBuilder();

  Picture(Graph graph) {
    this.graph = graph;
    int count = graph.vertices().size();
    this.box = new double[count];
    this.boxWidth = new double[count];
    List<Room> rooms = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      Vertex vertex = graph.vertices().get(i);
      box[i] = LINE + PADDING + LINE * below(vertex).size();
      boxWidth[i] =
          Math.max(
              LEAST_WIDTH,
              2 * PADDING + Math.max(width(List.of(vertex.label())), width(below(vertex))));
      rooms.add(
          new Room(
              Math.max(boxWidth[i], width(List.of(vertex.value(), vertex.gradient()))),
              box[i] / 2 + (vertex.value().isEmpty() ? 0 : LINE),
              box[i] / 2 + (vertex.gradient().isEmpty() ? 0 : LINE)));
    }
    this.layout = new Layout(graph, rooms, box);
  }

  /** The lines of a box under its label: what an operation's result was named, shape, layer. */
  static List<String> below(Vertex vertex) {
    List<String> lines = new ArrayList<>();
    boolean named = !vertex.name().isEmpty() && !vertex.label().equals(vertex.name());
    lines.add(named ? vertex.name() : "");
    lines.add(vertex.type().contains("[") ? vertex.type() : "");
    lines.add(vertex.layer());
    lines.removeIf(String::isEmpty);
    return lines;
  }

  private static String cut(String text) {
    return Format.shown(text, Graph.LONGEST);
  }

  private static double width(List<String> lines) {
    return COLUMN * lines.stream().mapToInt(line -> Markup.columns(cut(line))).max().orElse(0);
  }

  String svg() {
    List<String> notes = notes();
    double width = graph.vertices().isEmpty() ? 0 : layout.width();
    double height = graph.vertices().isEmpty() ? 0 : layout.height();
    width = Math.max(width, notes.stream().mapToInt(Markup::columns).max().orElse(0) * 6.2);
    double bottom = height + LINE * (notes.size() + 1);
    out.append(
        format(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %1$.0f %2$.0f\""
                + " width=\"%1$.0f\" height=\"%2$.0f\">\n"
                + "<title>computation graph</title>\n"
                + "%3$s<rect class=\"paper\" width=\"100%%\" height=\"100%%\" rx=\"6\"/>\n"
                + "<defs><marker id=\"tip\" markerWidth=\"8\" markerHeight=\"8\" refX=\"7\""
                + " refY=\"4\" orient=\"auto\"><path class=\"tip\" d=\"M0,1 L8,4 L0,7"
                + " z\"/></marker></defs>\n"
                + "<g transform=\"translate(%4$.0f,%4$.0f)\">\n",
            width + 2 * MARGIN, bottom + 2 * MARGIN, STYLE, MARGIN));
    edges();
    for (int i = 0; i < graph.vertices().size(); i++) {
      vertex(i);
    }
    double y = height + 1.5 * LINE;
    out.append(
        format(
            "<text class=\"note\" y=\"%.1f\"><tspan class=\"value\">value</tspan> above, <tspan"
                + " class=\"gradient\">gradient</tspan> below</text>\n",
            y));
    for (String note : notes) {
      y += LINE;
      out.append(format("<text class=\"note\" y=\"%.1f\">%s</text>\n", y, Markup.escape(note)));
    }
    return out.append("</g></svg>\n").toString();
  }

  /** The notes in lines that are not long. */
  private List<String> notes() {
    return graph.notes().stream()
        .flatMap(note -> Arrays.stream(note.split("(?<=\\G.{1," + NOTE_COLUMNS + "}) ")))
        .toList();
  }

  private void edges() {
    int number = 0;
    for (int i = 0; i < graph.vertices().size(); i++) {
      for (Edge edge : graph.vertices().get(i).inputs()) {
        Route route = layout.routes().get(number++);
        out.append(
            format(
                "<path class=\"edge\" marker-end=\"url(#tip)\" d=\"%s\"><title>%s</title></path>\n",
                path(route, edge.from(), i), Markup.escape(edge.as())));
      }
    }
  }

  /** Level within columns, bent between them. */
  private String path(Route route, int from, int to) {
    Cell start = route.cells().getFirst();
    StringBuilder path = new StringBuilder();
    double y = start.y;
    path.append(format("M%.1f,%.1f ", middle(start) + boxWidth[from] / 2, y));
    for (Cell next : route.cells().subList(1, route.cells().size())) {
      double left = next.x - Layout.GAP;
      double arrival = next.lane ? next.y : next.y + route.port();
      double bend = next.x - Layout.GAP / 2;
      path.append(format("L%.1f,%.1f ", left, y));
      path.append(format("C%1$.1f,%2$.1f %1$.1f,%3$.1f %4$.1f,%3$.1f ", bend, y, arrival, next.x));
      y = arrival;
    }
    Cell end = route.cells().getLast();
    return path.append(format("L%.1f,%.1f", middle(end) - boxWidth[to] / 2, y)).toString();
  }

  private static double middle(Cell cell) {
    return cell.x + cell.columnWidth / 2;
  }

  private void vertex(int i) {
    Vertex vertex = graph.vertices().get(i);
    Cell cell = layout.cells().get(i);
    double top = cell.y - box[i] / 2;
    out.append(
        format(
            "<g class=\"vertex %s\"><title>%s</title>\n",
            vertex.kind().name().toLowerCase(ROOT), Markup.escape(whole(vertex))));
    text("value", middle(cell), top - 4, vertex.value());
    out.append(
        format(
            "<rect class=\"box\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\""
                + " rx=\"%d\"/>\n",
            middle(cell) - boxWidth[i] / 2,
            top,
            boxWidth[i],
            box[i],
            vertex.kind() == Graph.Kind.OPERATION ? 11 : 2));
    double y = top + LINE;
    text("sign", middle(cell), y, vertex.label());
    for (String line : below(vertex)) {
      y += LINE;
      text("more", middle(cell), y, line);
    }
    text("gradient", middle(cell), top + box[i] + LINE - 3, vertex.gradient());
    out.append("</g>\n");
  }

  private static String whole(Vertex vertex) {
    return List.of(
            vertex.label(),
            vertex.name(),
            vertex.type(),
            vertex.layer(),
            vertex.value(),
            vertex.gradient())
        .stream()
        .filter(text -> !text.isEmpty())
        .distinct()
        .collect(Collectors.joining(", "));
  }

  private void text(String kind, double x, double y, String text) {
    if (!text.isEmpty()) {
      out.append(
          format(
              "<text class=\"%s\" x=\"%.1f\" y=\"%.1f\">%s</text>\n",
              kind, x, y, Markup.escape(cut(text))));
    }
  }
}
