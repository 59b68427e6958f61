// SPDX-License-Identifier: Apache-2.0
package dev.weft.nn;

import static dev.weft.format.Format.format;

import dev.weft.Parameter;
import dev.weft.Tape;
import dev.weft.Tensor;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;

/** Looks for values of parameters that are NaN or infinite. */
final class NotFinite {
  private static final System.Logger LOG = System.getLogger("dev.weft");

  private NotFinite() {}

  /** How many there are, by parameter; read one by one only where a sum on the device tells. */
  static Map<String, Long> of(Map<String, Parameter> parameters, ParameterArena arena) {
    Tensor all = arena.values();
    try (Tape tape = Tape.inference(all.device())) {
      if (Double.isFinite(tape.sum(all).item())
          && arena.layout().buffers().stream()
              .allMatch(each -> Double.isFinite(tape.sum(arena.values(each)).item()))) {
        return Map.of();
      }
    }
    Map<String, Long> found = new LinkedHashMap<>();
    parameters.forEach(
        (name, parameter) -> {
          double[] each = arena.values(parameter).toDoubles();
          long count = Arrays.stream(each).filter(value -> !Double.isFinite(value)).count();
          if (count > 0) {
            found.put(name, count);
          }
        });
    return found;
  }

  /** Where an output that is not finite comes from, as far as parameters tell. */
  static String reason(Network network) {
    return network.notFinite().entrySet().stream()
        .findFirst()
        .map(
            each ->
                format("%d values of parameter %s are not finite", each.getValue(), each.getKey()))
        .orElse("all parameters are finite, so look for extreme values in the data");
  }

  /** Says of a file what was found. */
  static void warn(Map<String, Parameter> parameters, ParameterArena arena, String file) {
    of(parameters, arena)
        .forEach(
            (name, count) ->
                LOG.log(
                    System.Logger.Level.WARNING,
                    format("%s: %d values of parameter %s are not finite", file, count, name)));
  }
}
