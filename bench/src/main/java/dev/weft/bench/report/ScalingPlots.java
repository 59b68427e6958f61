// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench.report;

import static dev.weft.format.Format.format;

import dev.weft.bench.report.PagePlot.Axis;
import dev.weft.bench.report.PagePlot.Point;
import dev.weft.bench.report.PagePlot.Scale;
import dev.weft.bench.report.PagePlot.Series;
import dev.weft.bench.report.PagePlot.Style;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.ToLongFunction;

/** The plots of time and memory against size. */
final class ScalingPlots {
  private final Results results;
  private final Tables tables;

  ScalingPlots(Results results) {
    this.results = results;
    this.tables = new Tables(results);
  }

  /** One of times and one of memory for each quantity that was varied. */
  List<PagePlot> all() {
    List<PagePlot> plots = new ArrayList<>();
    List<Measurement> all = results.of(Part.SCALING);
    for (String quantity : Plots.distinct(all, Measurement::group)) {
      PagePlot plot =
          PagePlot.lines(
              Plots.id("scaling-" + quantity),
              "Time against " + quantity,
              "Points are measured; the broken line is a + b x through them. Off that line by at"
                  + " most: "
                  + deviations(quantity)
                  + ".",
              Axis.of(quantity, Scale.LOGARITHMIC),
              Axis.of("microseconds", Scale.LOGARITHMIC));
      tables
          .scalingSeries()
          .values()
          .forEach(
              points -> {
                Measurement any = points.getFirst();
                if (!any.group().equals(quantity)) {
                  return;
                }
                String name = Plots.whoAndWhere(any);
                plot.series()
                    .add(new Series(name, Plots.colour(any), Style.POINTS, Plots.timed(points)));
                if (points.size() >= 3) {
                  LinearFit fit = Tables.fit(points);
                  List<Point> line =
                      points.stream()
                          .map(one -> new Point(one.x(), fit.at(one.x()), null, null, "line"))
                          .toList();
                  plot.series()
                      .add(new Series(name + ", line", Plots.colour(any), Style.DASHED, line));
                }
              });
      plots.add(plot);
    }
    plots.addAll(memory());
    return plots;
  }

  private String deviations(String quantity) {
    List<String> each = new ArrayList<>();
    for (List<Measurement> points : tables.scalingSeries().values()) {
      if (points.getFirst().group().equals(quantity) && points.size() >= 3) {
        each.add(
            format(
                "%s %.1f %%",
                Plots.whoAndWhere(points.getFirst()), 100 * Tables.fit(points).deviation()));
      }
    }
    return String.join(", ", each);
  }

  private List<PagePlot> memory() {
    List<PagePlot> plots = new ArrayList<>();
    List<String> quantities = results.memory().stream().map(Memory::group).distinct().toList();
    for (String quantity : quantities) {
      PagePlot plot =
          PagePlot.lines(
              Plots.id("memory-" + quantity),
              "Memory against " + quantity,
              "Points are the most that was live on the device; the broken line is parameters x"
                  + " (value + gradient + state) + data + one batch of activations.",
              Axis.of(quantity, Scale.LOGARITHMIC),
              Axis.of("MB", Scale.LOGARITHMIC));
      Map<String, List<Memory>> runs = new LinkedHashMap<>();
      for (Memory one : results.memory()) {
        if (one.group().equals(quantity)) {
          String optimizer = one.optimizer().replaceAll("\\(.*", "");
          runs.computeIfAbsent(optimizer + ", " + one.device(), unseen -> new ArrayList<>())
              .add(one);
        }
      }
      runs.forEach(
          (name, its) -> {
            plot.series().add(memory(name, name, Style.POINTS, its, Memory::peakBytes));
            plot.series()
                .add(memory(name + ", formula", name, Style.DASHED, its, Memory::formulaBytes));
          });
      plots.add(plot);
    }
    return plots;
  }

  private static Series memory(
      String name, String key, Style style, List<Memory> runs, ToLongFunction<Memory> bytes) {
    List<Point> points =
        runs.stream()
            .map(
                one ->
                    new Point(
                        one.x(),
                        bytes.applyAsLong(one) / 1e6,
                        null,
                        null,
                        format(
                            "%s, %s: %.1f MB, %+.1f %% off the formula",
                            one.network(),
                            one.optimizer(),
                            bytes.applyAsLong(one) / 1e6,
                            100 * one.deviation())))
            .toList();
    return new Series(name, key, style, points);
  }
}
