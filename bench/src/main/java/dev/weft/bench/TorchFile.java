// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench;

import com.google.gson.Gson;
import com.google.gson.JsonParseException;
import dev.weft.bench.peer.Mlp;
import dev.weft.bench.report.Measurement;
import dev.weft.bench.report.Measurement.Times;
import dev.weft.bench.report.Part;
import java.io.IOException;
import java.io.Reader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/** Steps that {@code peers/torch_steps.py} timed, to be put beside Weft's. */
final class TorchFile {
  private record File(List<Step> steps) {}

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
      throw new IOException("%s is not JSON: %s".formatted(path, e.getMessage()), e);
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
            "%s: step %d has no device, mode, widths or time".formatted(path, read.size()));
      }
      read.add(measurement(path, step));
    }
    return read;
  }

  private static Measurement measurement(Path path, Step step) throws IOException {
    var widths = step.widths();
    Mlp mlp = Mlp.of(step.batch(), widths.toArray(Integer[]::new));
    String mode =
        switch (step.dtype()) {
          case "f32" -> "STRICT";
          case "tf32" -> "FAST";
          case "bf16" -> "BF16";
          case null, default -> throw new IOException(path + ": unknown dtype " + step.dtype());
        };
    return new Measurement(
        Part.STEPS,
        widths.stream().map(String::valueOf).collect(Collectors.joining("-")),
        mlp.size(),
        step.batch(),
        "PyTorch " + step.mode().toLowerCase(Locale.ROOT),
        mode,
        step.device().equals("cuda") ? "cuda:0" : step.device(),
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
