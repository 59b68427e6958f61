// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench.report;

import static dev.weft.format.Format.format;

import dev.weft.DeviceKind;
import dev.weft.bench.report.PagePlot.Axis;
import dev.weft.bench.report.PagePlot.Kind;
import dev.weft.bench.report.PagePlot.Point;
import dev.weft.bench.report.PagePlot.Scale;
import dev.weft.bench.report.PagePlot.Series;
import dev.weft.bench.report.PagePlot.Style;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;

/** The plots of a run. */
final class Plots {
  private final Results results;
  private final Tables tables;

  Plots(Results results) {
    this.results = results;
    this.tables = new Tables(results);
  }

  /** Those of a part that have anything to show. */
  List<PagePlot> of(Part part) {
    List<PagePlot> plots =
        switch (part) {
          case CEILINGS -> List.of(products());
          case KERNELS -> kernels();
          case STEPS -> steps();
          case SCALING -> new ScalingPlots(results).all();
          case HOST -> List.of();
        };
    return plots.stream().filter(plot -> !plot.isEmpty()).toList();
  }

  private PagePlot products() {
    return bars(
        "gemm",
        "Matrix products",
        "Longer is better. The longest bar of a mode is its ceiling.",
        Axis.of("GFLOP/s", Scale.LINEAR),
        results.where(one -> one.part() == Part.CEILINGS && one.group().equals(Roofs.GEMM)),
        Measurement::name,
        Plots::whoAndWhere,
        one -> new Point(0, one.gigaflops(), slow(one), fast(one), gflops(one)));
  }

  private static double slow(Measurement one) {
    return one.flops() / one.times().high() / 1e3;
  }

  private static double fast(Measurement one) {
    return one.flops() / one.times().low() / 1e3;
  }

  private static String gflops(Measurement one) {
    return format("%s, %s: %.0f GFLOP/s", one.name(), whoAndWhere(one), one.gigaflops());
  }

  private List<PagePlot> kernels() {
    List<PagePlot> plots = new ArrayList<>();
    for (String device : devices(Part.KERNELS)) {
      plots.add(roofline(device));
    }
    for (String size : distinct(results.of(Part.KERNELS), Measurement::group)) {
      plots.add(
          bars(
              id("kernels-" + size),
              "Kernels, operands in " + size,
              "Share of the ceiling that is nearer, bytes or arithmetic: 100 % is as fast as"
                  + " the copy of that size.",
              new Axis("% of the ceiling", Scale.LINEAR, 100.0),
              results.where(
                  one -> one.part() == Part.KERNELS && one.isWeft() && one.group().equals(size)),
              Measurement::name,
              Measurement::device,
              this::share));
    }
    return plots;
  }

  private Point share(Measurement one) {
    double share = 100 * Roofs.of(results, one.device()).share(one).orElse(Double.NaN);
    if (Double.isNaN(share)) {
      return null;
    }
    double perMicro = share * one.times().median();
    return new Point(
        0,
        share,
        perMicro / one.times().high(),
        perMicro / one.times().low(),
        format(
            "%s, %s: %.0f %% of the ceiling, %.1f GB/s",
            one.name(), one.device(), share, one.gigabytesPerSecond()));
  }

  /** Arithmetic by time against arithmetic by byte, under the roof of the device. */
  private PagePlot roofline(String device) {
    PagePlot plot =
        PagePlot.lines(
            id("roofline-" + device),
            "Roofline, " + device,
            "Each point is a kernel. The slope is the bandwidth of a copy, the flat part the"
                + " fastest product. A point far below both has something to gain.",
            Axis.of("FLOP per byte", Scale.LOGARITHMIC),
            Axis.of("GFLOP/s", Scale.LOGARITHMIC));
    Roofs roofs = Roofs.of(results, device);
    for (String size : distinct(results.of(Part.KERNELS), Measurement::group)) {
      List<Point> points = new ArrayList<>();
      for (Measurement one : results.of(Part.KERNELS)) {
        if (one.isWeft()
            && one.device().equals(device)
            && one.group().equals(size)
            && one.flops() > 0) {
          points.add(roofPoint(one));
        }
      }
      plot.series().add(new Series("kernels, " + size, size, Style.POINTS, points));
    }
    List<Measurement> products =
        results.where(
            one ->
                one.part() == Part.CEILINGS
                    && one.group().equals(Roofs.GEMM)
                    && one.device().equals(device));
    for (String mode : distinct(products, Measurement::mode)) {
      List<Point> points =
          products.stream().filter(one -> one.mode().equals(mode)).map(Plots::roofPoint).toList();
      plot.series().add(new Series("products " + mode, "Weft " + mode, Style.POINTS, points));
    }
    for (String mode : distinct(products, Measurement::mode)) {
      double peak = roofs.gemm(mode).orElseThrow();
      for (String size : List.of("memory", "cache")) {
        roofs
            .copy(size)
            .map(copy -> roof(copy, peak))
            .map(
                roof ->
                    new Series("roof " + mode + ", " + size, "Weft " + mode, Style.DASHED, roof))
            .ifPresent(plot.series()::add);
      }
    }
    if (products.isEmpty()) {
      for (String size : List.of("memory", "cache")) {
        roofs
            .copy(size)
            .map(copy -> roof(copy, copy))
            .map(roof -> new Series("copy, " + size, size, Style.DASHED, roof.subList(0, 2)))
            .ifPresent(plot.series()::add);
      }
    }
    return plot;
  }

  private static Point roofPoint(Measurement one) {
    return new Point(
        one.flops() / one.bytes(),
        one.gigaflops(),
        slow(one),
        fast(one),
        format(
            "%s: %.1f GFLOP/s, %.1f GB/s", one.name(), one.gigaflops(), one.gigabytesPerSecond()));
  }

  /** From a twentieth to a thousand operations a byte. */
  private static List<Point> roof(double copy, double peak) {
    double narrowest = 0.05;
    double widest = 1000;
    return List.of(
        new Point(narrowest, narrowest * copy, null, null, format("%.1f GB/s", copy)),
        new Point(peak / copy, peak, null, null, format("%.0f GFLOP/s, %.1f GB/s", peak, copy)),
        new Point(widest, peak, null, null, format("%.0f GFLOP/s", peak)));
  }

  private List<PagePlot> steps() {
    List<PagePlot> plots = new ArrayList<>();
    List<Measurement> all = results.of(Part.STEPS);
    for (String device : devices(Part.STEPS)) {
      plots.add(ratios(device, all));
    }
    for (String network : distinct(all, Measurement::group)) {
      PagePlot plot =
          PagePlot.lines(
              id("step-" + network),
              "Step of " + network,
              "Lower is better. A straight diagonal means that twice the batch takes twice the"
                  + " time; the flat part is fixed cost.",
              Axis.of("batch", Scale.LOGARITHMIC),
              Axis.of("microseconds a step", Scale.LOGARITHMIC));
      List<Measurement> its = all.stream().filter(one -> one.group().equals(network)).toList();
      for (String name : distinct(its, Plots::whoAndWhere)) {
        List<Measurement> points =
            its.stream().filter(one -> whoAndWhere(one).equals(name)).toList();
        plot.series().add(new Series(name, colour(points.getFirst()), Style.SOLID, timed(points)));
      }
      plots.add(plot);
    }
    return plots;
  }

  /** Bars: how many times as long the others take. */
  private PagePlot ratios(String device, List<Measurement> all) {
    Set<String> categories = new LinkedHashSet<>();
    Map<String, Series> series = new LinkedHashMap<>();
    for (Measurement peer : all) {
      if (peer.isWeft() || !peer.device().equals(device)) {
        continue;
      }
      for (Measurement weft : all) {
        boolean same =
            weft.isWeft()
                && weft.device().equals(device)
                && weft.group().equals(peer.group())
                && weft.name().equals(peer.name())
                && Tables.comparable(peer.mode(), weft.mode());
        if (same) {
          String category = peer.group() + ", " + peer.name();
          categories.add(category);
          String name = peer.who() + " / Weft " + weft.mode();
          Ratio ratio = Ratio.of(peer, weft);
          int place = List.copyOf(categories).indexOf(category);
          series
              .computeIfAbsent(
                  name, unseen -> new Series(name, name, Style.SOLID, new ArrayList<>()))
              .points()
              .add(
                  new Point(
                      place,
                      ratio.median(),
                      ratio.lowest(),
                      ratio.highest(),
                      format("%s: %s times as long", name, ratio.text())));
        }
      }
    }
    return new PagePlot(
        id("ratios-" + device),
        "Time of others / time of Weft, " + device,
        "Above 1 Weft is faster. Bars are medians of neighbouring turns, whiskers the lowest and"
            + " the highest turn.",
        Kind.BARS,
        new Axis("times as long as Weft", Scale.LINEAR, 1.0),
        Axis.of("", Scale.LINEAR),
        List.copyOf(categories),
        List.copyOf(series.values()));
  }

  /** Speed-up of the GPU, one plot a part; none where there was no GPU. */
  List<PagePlot> compare() {
    List<PagePlot> plots = new ArrayList<>();
    for (Part part : Part.values()) {
      List<Measurement> both =
          tables.gpuMeasurements().stream()
              .filter(gpu -> gpu.part() == part)
              .filter(gpu -> tables.twin(gpu, gpu.side(), gpu.mode(), "cpu").isPresent())
              .toList();
      plots.add(
          bars(
              "compare-" + part.word(),
              "CPU / GPU: " + part.word(),
              "How many times as long the processor takes. Above 1 the GPU is faster.",
              new Axis("times as long as the GPU", Scale.LOGARITHMIC, 1.0),
              both,
              one -> one.group() + ", " + one.name(),
              Measurement::who,
              gpu -> {
                Measurement cpu = tables.twin(gpu, gpu.side(), gpu.mode(), "cpu").orElseThrow();
                double ratio = cpu.times().median() / gpu.times().median();
                return new Point(
                    0,
                    ratio,
                    cpu.times().low() / gpu.times().high(),
                    cpu.times().high() / gpu.times().low(),
                    format("%s: %.1f times", gpu.who(), ratio));
              }));
    }
    return plots.stream().filter(plot -> !plot.isEmpty()).toList();
  }

  private static PagePlot bars(
      String id,
      String title,
      String caption,
      Axis axis,
      List<Measurement> measured,
      Function<Measurement, String> category,
      Function<Measurement, String> name,
      Function<Measurement, Point> point) {
    List<String> categories = distinct(measured, category);
    List<Series> series = new ArrayList<>();
    for (String one : distinct(measured, name)) {
      List<Point> points = new ArrayList<>();
      String key = one;
      for (Measurement each : measured) {
        Point at = name.apply(each).equals(one) ? point.apply(each) : null;
        if (at != null) {
          key = one.equals(each.device()) ? one : colour(each);
          int place = categories.indexOf(category.apply(each));
          points.add(new Point(place, at.y(), at.low(), at.high(), at.label()));
        }
      }
      series.add(new Series(one, key, Style.SOLID, points));
    }
    return new PagePlot(
        id, title, caption, Kind.BARS, axis, Axis.of("", Scale.LINEAR), categories, series);
  }

  /** A name that can stand in an attribute. */
  static String id(String name) {
    return name.replaceAll("[^A-Za-z0-9-]+", "");
  }

  static List<Point> timed(List<Measurement> measured) {
    return measured.stream()
        .map(
            one ->
                new Point(
                    one.x(),
                    one.times().median(),
                    one.times().low(),
                    one.times().high(),
                    format("%s, %s: %,.1f us", whoAndWhere(one), one.name(), one.times().median())))
        .toList();
  }

  static String whoAndWhere(Measurement one) {
    return one.who() + ", " + one.device();
  }

  static String colour(Measurement one) {
    return DeviceKind.of(one.device()) == DeviceKind.CPU ? one.who() : one.who() + " gpu";
  }

  private List<String> devices(Part part) {
    return distinct(results.of(part), Measurement::device);
  }

  static List<String> distinct(List<Measurement> measured, Function<Measurement, String> property) {
    return measured.stream().map(property).distinct().toList();
  }
}
