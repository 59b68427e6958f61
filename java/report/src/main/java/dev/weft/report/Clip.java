// SPDX-License-Identifier: Apache-2.0
package dev.weft.report;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Keeps what is inside of a rectangle, so that far values draw nothing over the rest. */
record Clip(double left, double top, double right, double bottom) {
  private static final double[] OUTSIDE = {};

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
   * the one before, and the last.
   */
  List<double[]> lines(List<double[]> lines, double near) {
    List<double[]> parts = new ArrayList<>();
    for (double[] line : lines) {
      double[] part = OUTSIDE;
      for (int i = 0; i + 3 < line.length; i += 2) {
        double[] shares = inside(line, i);
        if (shares.length == 0 || shares[0] > 0) {
          keep(part, near, parts);
          part = OUTSIDE;
        }
        if (shares.length > 0) {
          int length = part.length;
          part = Arrays.copyOf(part, length == 0 ? 4 : length + 2);
          if (length == 0) {
            between(line, i, shares[0], part, 0);
          }
          between(line, i, shares[1], part, part.length - 2);
          if (shares[1] < 1) {
            keep(part, near, parts);
            part = OUTSIDE;
          }
        }
      }
      keep(part, near, parts);
    }
    return parts;
  }

  private static void between(double[] line, int i, double share, double[] to, int at) {
    to[at] = line[i] + share * (line[i + 2] - line[i]);
    to[at + 1] = line[i + 1] + share * (line[i + 3] - line[i + 1]);
  }

  private static void keep(double[] part, double near, List<double[]> parts) {
    if (part.length == 0) {
      return;
    }
    double[] kept = part.clone();
    int length = 2;
    for (int i = 2; i < part.length; i += 2) {
      double distance = Math.hypot(part[i] - kept[length - 2], part[i + 1] - kept[length - 1]);
      if (distance >= near || i == part.length - 2) {
        kept[length++] = part[i];
        kept[length++] = part[i + 1];
      }
    }
    parts.add(Arrays.copyOf(kept, length));
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
