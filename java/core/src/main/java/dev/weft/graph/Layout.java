// SPDX-License-Identifier: Apache-2.0
package dev.weft.graph;

import dev.weft.graph.Graph.Edge;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * Where the boxes and arrows of a graph stand, in layers from left to right (Sugiyama, Tagawa and
 * Toda 1981): columns by the longest path, in which an input stands before its first use; in every
 * column that an arrow passes it has a place of its own, so that it runs through no box; the order
 * within columns is that of the neighbours' means, of which the sweep with the fewest crossings
 * counts; heights are the neighbours' means as far as the order and the space allow.
 */
final class Layout {
  /** Between columns: arrows bend there. */
  static final double GAP = 40;

  private static final double SPACE = 12;
  private static final double LANE = 5;
  private static final int ORDER_SWEEPS = 16;
  private static final int HEIGHT_SWEEPS = 24;

  /** A lane stays where it is rather than a box does, so that long arrows are straight. */
  private static final double LANE_WEIGHT = 4;

  /** The room of a node, around the middle of its box: how wide, and how far it reaches. */
  record Room(double width, double up, double down) {}

  /** A node, or the place in a column where an arrow passes. */
  static final class Cell {
    final int column;
    final Room room;
    final boolean lane;
    double x; // of the left edge of the column
    double y; // of the middle
    double columnWidth;
    private int place; // in the order of the column
    private double mean; // of the neighbours' places
    private final List<Link> before = new ArrayList<>();
    private final List<Link> after = new ArrayList<>();

    private Cell(int column, Room room, boolean lane) {
      this.column = column;
      this.room = room;
      this.lane = lane;
    }
  }

  /** A piece of an arrow from one column to the next, and how far below the middle it arrives. */
  private record Link(Cell from, Cell to, double port) {}

  /**
   * An arrow: the cells that it passes, those of its ends too.
   *
   * @param port how far below the middle of the last one it arrives
   */
  record Route(List<Cell> cells, double port) {}

  private final Graph graph;
  private final List<Cell> cells = new ArrayList<>();
  private final List<Route> routes = new ArrayList<>();
  private final List<List<Cell>> columns = new ArrayList<>();

  /**
   * Lays out a graph.
   *
   * @param rooms of its nodes
   * @param box the height of the boxes, over which arrows arrive
   */
  Layout(Graph graph, List<Room> rooms, double[] box) {
    this.graph = graph;
    int[] column = columnOf();
    for (int i = 0; i < rooms.size(); i++) {
      cells.add(new Cell(column[i], rooms.get(i), false));
    }
    for (int i = 0; i < rooms.size(); i++) {
      List<Edge> inputs = graph.vertices().get(i).inputs();
      for (int k = 0; k < inputs.size(); k++) {
        double port = box[i] * ((k + 1.0) / (inputs.size() + 1) - 0.5);
        routes.add(route(cells.get(inputs.get(k).from()), cells.get(i), port));
      }
    }
    firstOrder();
    reduceCrossings();
    place();
  }

  /** The cell of each node, in the order of nodes. */
  List<Cell> cells() {
    return cells;
  }

  /** The arrows, node by node in the order of their inputs. */
  List<Route> routes() {
    return routes;
  }

  double width() {
    Cell last = columns.getLast().getFirst();
    return last.x + last.columnWidth;
  }

  double height() {
    return columns.stream()
        .map(List::getLast)
        .mapToDouble(cell -> cell.y + cell.room.down())
        .max()
        .orElse(0);
  }

  private int[] columnOf() {
    int count = graph.vertices().size();
    int[] column = new int[count];
    int[] firstUse = new int[count];
    Arrays.fill(firstUse, Integer.MAX_VALUE);
    for (int i = 0; i < count; i++) {
      for (Edge edge : graph.vertices().get(i).inputs()) {
        column[i] = Math.max(column[i], column[edge.from()] + 1);
      }
      for (Edge edge : graph.vertices().get(i).inputs()) {
        firstUse[edge.from()] = Math.min(firstUse[edge.from()], column[i]);
      }
    }
    for (int i = 0; i < count; i++) {
      if (graph.vertices().get(i).inputs().isEmpty() && firstUse[i] < Integer.MAX_VALUE) {
        column[i] = firstUse[i] - 1;
      }
    }
    return column;
  }

  private Route route(Cell from, Cell to, double port) {
    List<Cell> passed = new ArrayList<>(List.of(from));
    for (int column = from.column + 1; column < to.column; column++) {
      passed.add(new Cell(column, new Room(0, LANE, LANE), true));
    }
    passed.add(to);
    for (int i = 1; i < passed.size(); i++) {
      Cell next = passed.get(i);
      Link link = new Link(passed.get(i - 1), next, next == to ? port : 0);
      link.from().after.add(link);
      next.before.add(link);
    }
    return new Route(passed, port);
  }

  /** From the results backwards, arguments in their order. */
  private void firstOrder() {
    Set<Cell> seen = new LinkedHashSet<>();
    for (int i = cells.size() - 1; i >= 0; i--) {
      visit(cells.get(i), seen);
    }
    int last = cells.stream().mapToInt(cell -> cell.column).max().orElse(-1);
    for (int column = 0; column <= last; column++) {
      int number = column;
      columns.add(new ArrayList<>(seen.stream().filter(c -> c.column == number).toList()));
    }
  }

  private static void visit(Cell cell, Set<Cell> seen) {
    if (!seen.contains(cell)) {
      cell.before.forEach(link -> visit(link.from(), seen));
      seen.add(cell);
    }
  }

  private void reduceCrossings() {
    List<List<Cell>> best = copy(columns);
    long fewest = crossings();
    for (int sweep = 0; sweep < ORDER_SWEEPS && fewest > 0; sweep++) {
      boolean forward = sweep % 2 == 0;
      for (int i = 1; i < columns.size(); i++) {
        int column = forward ? i : columns.size() - 1 - i;
        sort(columns.get(column), columns.get(forward ? column - 1 : column + 1), forward);
      }
      long found = crossings();
      if (found < fewest) {
        fewest = found;
        best = copy(columns);
      }
    }
    columns.clear();
    columns.addAll(best);
  }

  private static List<List<Cell>> copy(List<List<Cell>> columns) {
    return new ArrayList<>(
        columns.stream().map(each -> (List<Cell>) new ArrayList<>(each)).toList());
  }

  private static void number(List<Cell> column) {
    for (int i = 0; i < column.size(); i++) {
      column.get(i).place = i;
    }
  }

  private static void sort(List<Cell> column, List<Cell> neighbours, boolean forward) {
    number(neighbours);
    number(column);
    for (Cell cell : column) {
      cell.mean =
          (forward ? cell.before : cell.after)
              .stream()
                  .mapToDouble(link -> forward ? link.from().place : link.to().place + order(link))
                  .average()
                  .orElse(cell.place);
    }
    column.sort(Comparator.comparingDouble(cell -> cell.mean));
  }

  /** Where a piece arrives at its cell, as a part of a place in the column's order. */
  private static double order(Link link) {
    return link.port() / (2 * (link.to().room.up() + link.to().room.down()));
  }

  private long crossings() {
    long count = 0;
    for (int column = 1; column < columns.size(); column++) {
      number(columns.get(column - 1));
      number(columns.get(column));
      List<Link> links =
          columns.get(column).stream().flatMap(cell -> cell.before.stream()).toList();
      for (int i = 0; i < links.size(); i++) {
        for (int j = 0; j < i; j++) {
          Link a = links.get(i);
          Link b = links.get(j);
          double before = a.from().place - b.from().place;
          double after = a.to().place + order(a) - b.to().place - order(b);
          count += before * after < 0 ? 1 : 0;
        }
      }
    }
    return count;
  }

  private void place() {
    double x = 0;
    for (List<Cell> column : columns) {
      double width = column.stream().mapToDouble(cell -> cell.room.width()).max().orElse(0);
      double y = 0;
      for (Cell cell : column) {
        cell.x = x;
        cell.columnWidth = width;
        cell.y = y += cell.room.up();
        y += cell.room.down() + SPACE;
      }
      x += width + GAP;
    }
    for (int sweep = 0; sweep < HEIGHT_SWEEPS; sweep++) {
      for (int i = 0; i < columns.size(); i++) {
        settle(columns.get(sweep % 2 == 0 ? i : columns.size() - 1 - i));
      }
    }
    double top =
        columns.stream()
            .map(List::getFirst)
            .mapToDouble(cell -> cell.y - cell.room.up())
            .min()
            .orElse(0);
    columns.forEach(column -> column.forEach(cell -> cell.y -= top));
  }

  /**
   * Moves the cells of a column to where their neighbours are, without a change of order or too
   * little space between them: the least sum of squares, by pooling those that would overlap.
   */
  private static void settle(List<Cell> column) {
    double[] offset = new double[column.size()];
    List<double[]> pools = new ArrayList<>(); // of cells: weight, mean of wanted less offset, count
    for (int i = 0; i < offset.length; i++) {
      Cell cell = column.get(i);
      if (i > 0) {
        offset[i] = offset[i - 1] + column.get(i - 1).room.down() + SPACE + cell.room.up();
      }
      double[] pool = {cell.lane ? LANE_WEIGHT : 1, wanted(cell) - offset[i], 1};
      while (!pools.isEmpty() && pools.getLast()[1] > pool[1]) {
        double[] above = pools.removeLast();
        double weight = above[0] + pool[0];
        double mean = (above[0] * above[1] + pool[0] * pool[1]) / weight;
        pool = new double[] {weight, mean, above[2] + pool[2]};
      }
      pools.add(pool);
    }
    int i = 0;
    for (double[] pool : pools) {
      for (int k = 0; k < pool[2]; k++, i++) {
        column.get(i).y = pool[1] + offset[i];
      }
    }
  }

  private static double wanted(Cell cell) {
    double sum = 0;
    for (Link link : cell.before) {
      sum += link.from().y - link.port();
    }
    for (Link link : cell.after) {
      sum += link.to().y + link.port();
    }
    int count = cell.before.size() + cell.after.size();
    return count == 0 ? cell.y : sum / count;
  }
}
