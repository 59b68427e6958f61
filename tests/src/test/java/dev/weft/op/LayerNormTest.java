// SPDX-License-Identifier: Apache-2.0
package dev.weft.op;

import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weft.DType;
import dev.weft.Device;
import dev.weft.Operations;
import dev.weft.Tensor;
import dev.weft.check.Evaluation;
import dev.weft.check.Input;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Layer norm against the operations that it is made of, in float64. */
class LayerNormTest {
  private static final double EPSILON = 1e-2;

  private static Tensor composed(Operations ops, Tensor x, Tensor scale, Tensor shift) {
    long rows = x.shape().size(0);
    Tensor less = ops.subtract(x, ops.reshape(ops.mean(x, -1), rows, 1));
    Tensor variance = ops.reshape(ops.mean(ops.square(less), -1), rows, 1);
    Tensor n = ops.divide(less, ops.sqrt(ops.shift(variance, EPSILON)));
    return ops.add(ops.multiply(scale, n), shift);
  }

  /** Far from 0 and close together: a variance from a mean of squares would have no digit left. */
  @ParameterizedTest
  @CsvSource({"1, 1, 0", "9, 7, 0", "31, 129, 1000", "17, 4100, 1000", "3, 12345, 100"})
  void itIsItsComposition(int rows, int width, double offset) {
    List<Input> inputs =
        List.of(
            Input.uniform(offset - 1, offset + 1, rows, width),
            Input.uniform(0.5, 2, width),
            Input.uniform(-1, 1, width));
    try (Device cpu = Device.cpu()) {
      Evaluation expected =
          Evaluation.of(
              (tape, in) -> composed(tape, in[0], in[1], in[2]), inputs, cpu, DType.F64, 3);
      for (DType dtype : List.of(DType.F64, DType.F32)) {
        Evaluation actual =
            Evaluation.of(
                (tape, in) -> tape.layerNorm(in[0], in[1], in[2], EPSILON), inputs, cpu, dtype, 3);
        // float32's mean is off by up to half a unit of its last digit
        long terms = (long) Math.max(Math.max(rows, width), offset * offset);
        for (Evaluation.Part part : expected.compare(actual, dtype, terms)) {
          assertTrue(part.comparison().passed(), () -> dtype + " " + part);
        }
      }
    }
  }
}
