// SPDX-License-Identifier: Apache-2.0
package dev.weft.report;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Keeps what is inside of a rectangle, so that far values draw nothing over the rest. */
record Clip(double left, double top, double right, double bottom) {
  private static final double[] OUTSIDE = {};
  private static final double DOT = 0.1; // a dash of no length would draw nothing

  /** The points of lines that are inside. */
  List<double[]> points(List<double[]> lines) {
    List<double[]> points = new ArrayList<>();
    for (double[] line : lines) {
      for (int i = 0; i < line.length; i += 2) {
        if (line[i] >= left && line[i] <= right && line[i + 1] >= top && line[i + 1] <= bottom) {
          points.add(new double[] {line[i], line[i + 1]});
        }
      }
    }
    return points;
  }

  /**
   * The parts of lines that are inside, of their points those that are {@code near} or farther from
   * the one before, and the last. A point that stands alone is a dot.
   */
  List<double[]> lines(List<double[]> lines, double near) {
    List<double[]> parts = new ArrayList<>();
    for (double[] line : lines) {
      double[] part = new double[line.length];
      int length = 0;
      addAlone(line, parts);
      for (int i = 0; i + 3 < line.length; i += 2) {
        double[] shares = inside(line, i);
        if (shares.length == 0 || shares[0] > 0) {
          keep(part, length, near, parts);
          length = 0;
        }
        if (shares.length > 0) {
          if (length == 0) {
            between(line, i, shares[0], part, 0);
            length = 2;
          }
          between(line, i, shares[1], part, length);
          length += 2;
          if (shares[1] < 1) {
            keep(part, length, near, parts);
            length = 0;
          }
        }
      }
      keep(part, length, near, parts);
    }
    return parts;
  }

  private void addAlone(double[] line, List<double[]> parts) {
    for (int i = 0; i < line.length; i += 2) {
      if (!isThere(line, i - 2) && !isThere(line, i + 2)) {
        points(List.of(new double[] {line[i], line[i + 1]}))
            .forEach(at -> parts.add(new double[] {at[0], at[1], at[0] + DOT, at[1]}));
      }
    }
  }

  private static boolean isThere(double[] line, int i) {
    return i >= 0 && i < line.length && Double.isFinite(line[i] + line[i + 1]);
  }

  private static void between(double[] line, int i, double share, double[] to, int at) {
    to[at] = line[i] + share * (line[i + 2] - line[i]);
    to[at + 1] = line[i + 1] + share * (line[i + 3] - line[i + 1]);
  }

  private static void keep(double[] part, int length, double near, List<double[]> parts) {
    if (length == 0) {
      return;
    }
    double[] kept = Arrays.copyOf(part, length);
    int end = 2;
    for (int i = 2; i < length; i += 2) {
      double distance = Math.hypot(part[i] - kept[end - 2], part[i + 1] - kept[end - 1]);
      if (distance >= near || i == length - 2) {
        kept[end++] = part[i];
        kept[end++] = part[i + 1];
      }
    }
    parts.add(Arrays.copyOf(kept, end));
  }

  /** From which to which share of it a piece of a line is inside (Liang and Barsky); or nothing. */
  private double[] inside(double[] line, int i) {
    double x = line[i];
    double y = line[i + 1];
    double dx = line[i + 2] - x;
    double dy = line[i + 3] - y;
    if (!Double.isFinite(x + y + dx + dy)) {
      return OUTSIDE;
    }
    double[] towards = {-dx, dx, -dy, dy};
    double[] room = {x - left, right - x, y - top, bottom - y};
    double from = 0;
    double to = 1;
    for (int side = 0; side < room.length; side++) {
      if (towards[side] == 0 && room[side] < 0) {
        return OUTSIDE;
      }
      double share = room[side] / towards[side];
      if (towards[side] < 0) {
        from = Math.max(from, share);
      } else if (towards[side] > 0) {
        to = Math.min(to, share);
      }
    }
    return from < to || from == to && dx == 0 && dy == 0 ? new double[] {from, to} : OUTSIDE;
  }
}
