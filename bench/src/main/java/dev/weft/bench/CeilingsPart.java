// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench;

import static dev.weft.format.Format.format;
import static java.util.Locale.ROOT;

import dev.weft.MathMode;
import dev.weft.bench.kernel.KernelSize;
import dev.weft.bench.measure.Jmh;
import dev.weft.bench.measure.KernelBenchmark;
import dev.weft.bench.measure.ProductBenchmark;
import dev.weft.bench.measure.ProductForm;
import dev.weft.bench.measure.ProductShape;
import dev.weft.bench.peer.Target;
import dev.weft.bench.report.Measurement;
import dev.weft.bench.report.Part;
import dev.weft.bench.report.Results;
import dev.weft.bench.report.Roofs;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** Copies, and products in the layouts that a layer needs, in every arithmetic. */
final class CeilingsPart {
  private record Product(Target target, ProductShape shape, ProductForm form, MathMode mode) {
    /** By which {@code --only} finds it. */
    String row() {
      return "gemm " + mode + " " + name();
    }

    String name() {
      return shape + ", " + form.name().toLowerCase(ROOT).replace('_', ' ');
    }
  }

  private CeilingsPart() {}

  /** The names of all rows. */
  static List<String> names(Settings settings) {
    Stream<String> copies = KernelsPart.SIZES.stream().map(CeilingsPart::copyRow);
    return Stream.concat(copies, products(settings).stream().map(Product::row).distinct()).toList();
  }

  private static String copyRow(KernelSize size) {
    return "copy, " + size.word();
  }

  private static List<Product> products(Settings settings) {
    List<Product> products = new ArrayList<>();
    for (Target target : settings.targets()) {
      for (MathMode mode : settings.modes()) {
        for (ProductShape shape : ProductShape.values()) {
          for (ProductForm form : ProductForm.values()) {
            if (shape.suits(target)) {
              products.add(new Product(target, shape, form, mode));
            }
          }
        }
      }
    }
    return products;
  }

  static void run(Settings settings, Results results) {
    List<Product> products =
        products(settings).stream().filter(product -> settings.wants(product.row())).toList();
    List<KernelSize> sizes =
        KernelsPart.SIZES.stream().filter(size -> settings.wants(copyRow(size))).toList();
    int copies = settings.targets().size() * sizes.size();
    Progress progress = new Progress(settings, "ceilings", copies + products.size());
    copies(settings, sizes, results, progress);
    Jmh jmh = settings.jmh();
    for (Product one : products) {
      String row = format("%s, %s, %s", one.target().word(), one.mode(), one.name());
      progress.next(row);
      ProductShape shape = one.shape();
      int repeats =
          Settings.repeats(one.target(), shape.bytes(one.mode()), shape.flops(), one.mode());
      Progress.done(
          results,
          Part.CEILINGS,
          row,
          jmh.run(
              ProductBenchmark.task(shape, one.form(), one.mode(), one.target(), repeats),
              settings.turns(1, 2)),
          times ->
              new Measurement(
                  Part.CEILINGS,
                  Roofs.GEMM,
                  one.name(),
                  0,
                  Measurement.WEFT,
                  one.mode().name(),
                  one.target().device(),
                  times,
                  shape.bytes(one.mode()),
                  shape.flops()));
    }
  }

  /** Those of {@code --device}; other parts need them too. */
  static void copies(
      Settings settings, List<KernelSize> sizes, Results results, Progress progress) {
    for (Target target : settings.targets()) {
      for (KernelSize size : sizes) {
        String row = format("%s, copy in %s", target.word(), size.word());
        progress.next(row);
        double bytes = size.timed(KernelSize.COPY).cost().bytes();
        int repeats = Settings.repeats(target, bytes, 0);
        Progress.done(
            results,
            Part.CEILINGS,
            row,
            settings
                .jmh()
                .run(
                    KernelBenchmark.task(KernelSize.COPY, size, target, repeats),
                    settings.turns(1, 2)),
            times ->
                new Measurement(
                    Part.CEILINGS,
                    Roofs.COPY,
                    size.word(),
                    0,
                    Measurement.WEFT,
                    MathMode.STRICT.name(),
                    target.device(),
                    times,
                    bytes,
                    0));
      }
    }
  }
}
