// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench;

import static dev.weft.format.Format.format;
import static java.util.Locale.ROOT;

import com.google.gson.Gson;
import com.google.gson.JsonParseException;
import dev.weft.MathMode;
import dev.weft.bench.peer.Mlp;
import dev.weft.bench.report.Measurement;
import dev.weft.bench.report.Measurement.Times;
import dev.weft.bench.report.Part;
import dev.weft.bench.report.Roofs;
import java.io.IOException;
import java.io.Reader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/** Steps and products that {@code peers/torch_steps.py} timed, to be put beside Weft's. */
final class TorchFile {
  private record File(List<Step> steps, List<Product> products) {}

  private record Step(
      String device,
      String mode,
      String dtype,
      int batch,
      List<Integer> widths,
      double medianMicros,
      double lowMicros,
      double highMicros,
      long samples) {}

  private record Product(
      String device,
      String dtype,
      int m,
      int k,
      int n,
      double medianMicros,
      double lowMicros,
      double highMicros,
      long samples) {}

  private TorchFile() {}

  /**
   * Reads a file.
   *
   * @throws IOException where it cannot be read or is not of that kind
   */
  static List<Measurement> read(Path path) throws IOException {
    File file;
    try (Reader text = Files.newBufferedReader(path)) {
      file = new Gson().fromJson(text, File.class);
    } catch (JsonParseException e) {
      throw new IOException(format("%s is not JSON: %s", path, e.getMessage()), e);
    }
    if (file == null || file.steps() == null) {
      throw new IOException(path + " has no steps: write it by peers/torch_steps.py --json");
    }
    List<Measurement> read = new ArrayList<>();
    for (Step step : file.steps()) {
      if (step.widths() == null
          || step.device() == null
          || step.mode() == null
          || !(step.medianMicros() > 0)) {
        throw new IOException(
            format("%s: step %d has no device, mode, widths or time", path, read.size()));
      }
      read.add(measurement(path, step));
    }
    for (Product product : file.products() == null ? List.<Product>of() : file.products()) {
      if (product.device() == null || !(product.medianMicros() > 0)) {
        throw new IOException(format("%s: a product has no device or time", path));
      }
      read.add(measurement(path, product));
    }
    return read;
  }

  /** Named as Weft names its own, {@code y = x W}. */
  private static Measurement measurement(Path path, Product one) throws IOException {
    String mode = mode(path, one.dtype());
    double numbers =
        (double) one.m() * one.k() + (double) one.k() * one.n() + (double) one.m() * one.n();
    return new Measurement(
        Part.CEILINGS,
        Roofs.GEMM,
        format("%d x %d x %d, forward", one.m(), one.k(), one.n()),
        0,
        "PyTorch",
        mode,
        device(one.device()),
        new Times(
            one.medianMicros(),
            one.lowMicros(),
            one.highMicros(),
            List.of(one.medianMicros()),
            one.samples(),
            null),
        MathMode.valueOf(mode).dtype().bytes() * numbers,
        2.0 * one.m() * one.k() * one.n());
  }

  private static String device(String torch) {
    return torch.equals("cuda") ? "cuda:0" : torch;
  }

  private static String mode(Path path, String dtype) throws IOException {
    return switch (dtype) {
      case "f32" -> "STRICT";
      case "tf32" -> "FAST";
      case "bf16" -> "BF16";
      case null, default -> throw new IOException(path + ": unknown dtype " + dtype);
    };
  }

  private static Measurement measurement(Path path, Step step) throws IOException {
    var widths = step.widths();
    Mlp mlp = Mlp.of(step.batch(), widths.toArray(Integer[]::new));
    String mode = mode(path, step.dtype());
    return new Measurement(
        Part.STEPS,
        widths.stream().map(String::valueOf).collect(Collectors.joining("-")),
        mlp.size(),
        step.batch(),
        "PyTorch " + step.mode().toLowerCase(ROOT),
        mode,
        device(step.device()),
        new Times(
            step.medianMicros(),
            step.lowMicros(),
            step.highMicros(),
            List.of(step.medianMicros()),
            step.samples(),
            null),
        0,
        mlp.flops());
  }
}
