// SPDX-License-Identifier: Apache-2.0
package dev.weft.report;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Lines of equal value through a grid: marching squares. A line crosses a cell's edge where the
 * value, taken as linear between its ends, is the level.
 */
final class Contours {
  private final double[] xs;
  private final double[] ys;
  private final double[][] z;
  private final double level;

  /** Each crossed edge and the one or two that a line goes on to. */
  private final Map<Long, List<Long>> next = new HashMap<>();

  private Contours(double[] xs, double[] ys, double[][] z, double level) {
    this.xs = xs;
    this.ys = ys;
    this.z = z;
    this.level = level;
  }

  /** The lines of {@code z[i][j]} at {@code xs[j], ys[i]}, each as x0, y0, x1, y1 and so on. */
  static List<double[]> of(double[] xs, double[] ys, double[][] z, double level) {
    return new Contours(xs, ys, z, level).lines();
  }

  private List<double[]> lines() {
    for (int i = 0; i + 1 < ys.length; i++) {
      for (int j = 0; j + 1 < xs.length; j++) {
        cell(i, j);
      }
    }
    List<double[]> lines = new ArrayList<>();
    List<Long> edges = next.keySet().stream().sorted().toList();
    for (boolean closed : new boolean[] {false, true}) { // lines that end somewhere, then rings
      for (long edge : edges) {
        while (at(edge).size() == 1 || closed && !at(edge).isEmpty()) {
          lines.add(follow(edge));
        }
      }
    }
    return lines;
  }

  /** A line from an edge on, which is taken away. */
  private double[] follow(long first) {
    double[] line = new double[16];
    int length = 0;
    for (long edge = first; ; ) {
      line = length == line.length ? Arrays.copyOf(line, 2 * length) : line;
      line[length++] = x(edge);
      line[length++] = y(edge);
      List<Long> on = at(edge);
      if (on.isEmpty()) {
        return Arrays.copyOf(line, length);
      }
      long to = on.removeFirst();
      at(to).remove(edge);
      edge = to;
    }
  }

  /**
   * The edges around a cell are below, right, above, left; those that the level crosses pair up.
   */
  private void cell(int i, int j) {
    double[] corners = {z[i][j], z[i][j + 1], z[i + 1][j + 1], z[i + 1][j]};
    long[] edges = {edge(i, j, 0), edge(i, j + 1, 1), edge(i + 1, j, 0), edge(i, j, 1)};
    List<Long> crossed = new ArrayList<>();
    for (int k = 0; k < edges.length; k++) {
      if (!Double.isFinite(corners[k])) {
        return;
      }
      if (corners[k] < level != corners[(k + 1) % edges.length] < level) {
        crossed.add(edges[k]);
      }
    }
    // of four, each line cuts off a corner that differs from the middle
    boolean turned =
        crossed.size() == 4 && corners[0] < level == Arrays.stream(corners).sum() / 4 < level;
    for (int k = 0; k < crossed.size(); k += 2) {
      join(crossed.get(turned ? k : (k + 3) % 4 % crossed.size()), crossed.get(turned ? k + 1 : k));
    }
  }

  private void join(long a, long b) {
    at(a).add(b);
    at(b).add(a);
  }

  private List<Long> at(long edge) {
    return next.computeIfAbsent(edge, any -> new ArrayList<>(2));
  }

  /** An edge from the grid's point (i, j): to the right, or upward. */
  private long edge(int i, int j, int upward) {
    return ((long) i * xs.length + j) * 2 + upward;
  }

  private double x(long edge) {
    int j = (int) (edge / 2 % xs.length);
    return edge % 2 == 0 ? xs[j] + share(edge) * (xs[j + 1] - xs[j]) : xs[j];
  }

  private double y(long edge) {
    int i = (int) (edge / 2 / xs.length);
    return edge % 2 == 1 ? ys[i] + share(edge) * (ys[i + 1] - ys[i]) : ys[i];
  }

  /** How far along an edge the level is. */
  private double share(long edge) {
    int i = (int) (edge / 2 / xs.length);
    int j = (int) (edge / 2 % xs.length);
    double from = z[i][j];
    double to = edge % 2 == 0 ? z[i][j + 1] : z[i + 1][j];
    return (level - from) / (to - from);
  }
}
