// SPDX-License-Identifier: Apache-2.0
package dev.weft.op;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.weft.DType;
import dev.weft.Device;
import dev.weft.Operations;
import dev.weft.Shape;
import dev.weft.Tape;
import dev.weft.Tensor;
import dev.weft.check.CheckResult;
import dev.weft.check.Input;
import dev.weft.support.Emulator;
import dev.weft.support.OnEachDevice;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Layer norm against the operations that it is made of, in float64. */
@ExtendWith(Emulator.class)
class LayerNormTest {
  private static final double EPSILON = 1e-5;

  /** What no gradient goes through: with it, a term of dx is left out. */
  private enum Constant {
    NOTHING,
    MEAN,
    VARIANCE
  }

  private static Tensor composed(
      Operations ops, Tensor x, Tensor scale, Tensor shift, Constant constant) {
    Tensor mean = ofRows(ops, x, constant == Constant.MEAN);
    Tensor less = ops.subtract(x, mean);
    Tensor variance = ofRows(ops, ops.square(less), constant == Constant.VARIANCE);
    Tensor n = ops.divide(less, ops.sqrt(ops.shift(variance, EPSILON)));
    return ops.add(ops.multiply(scale, n), shift);
  }

  private static Tensor ofRows(Operations ops, Tensor x, boolean constant) {
    Tensor mean = ops.reshape(ops.mean(x, -1), x.shape().size(0), 1);
    return constant ? ops.device().tensor(mean.dtype(), mean.shape(), mean.toDoubles()) : mean;
  }

  /** Far from 0 and close together: a variance from a mean of squares would have no digit left. */
  @ParameterizedTest
  @CsvSource({"1, 1, 0", "9, 7, 0", "31, 129, 1000", "17, 4100, 1000", "3, 12345, 12345"})
  void itIsItsComposition(int rows, int width, double offset) {
    List<Input> inputs =
        List.of(
            Input.uniform(offset - 1, offset + 1, rows, width),
            Input.uniform(0.5, 2, width),
            Input.uniform(-1, 1, width));
    // A mean is off by half a unit of its last digit, offset ε / 2. y, at most 2 √3 times that, is
    // compared with its rms, which is above 1: less than the 2 offset ε that offset² terms allow.
    // A row of one has variance 0, and the rounding of g in g - mean(g) is multiplied by 1 /
    // √epsilon.
    double far = width == 1 ? 1 / EPSILON : offset * offset;
    long terms = (long) Math.max(Math.max(rows, width), far);
    Composed.assertAgrees(
        (tape, in) -> tape.layerNorm(in[0], in[1], in[2], EPSILON),
        (tape, in) -> composed(tape, in[0], in[1], in[2], Constant.NOTHING),
        inputs,
        terms);
  }

  @ParameterizedTest
  @EnumSource
  void aTermThatIsLeftOutIsNoticed(Constant constant) {
    List<CheckResult> results =
        Composed.checked("layer_norm", (tape, in) -> composed(tape, in[0], in[1], in[2], constant));
    boolean passed = results.stream().allMatch(CheckResult::passed);
    assertEquals(constant == Constant.NOTHING, passed, results::toString);
  }

  /** With a mean that is off by a last digit of 12345.678, there would be a third of scale. */
  @OnEachDevice
  void ofEqualNumbersNothingIsLeft(OnEachDevice.Place place) {
    for (int width : new int[] {3, 100, 300, 5000, 12_345}) {
      double[] equal = new double[width];
      Arrays.fill(equal, 12_345.678f);
      try (Device device = place.open();
          Tape tape = new Tape(device);
          Tensor x = device.tensor(DType.F32, Shape.of(1, width), equal);
          Tensor scale = device.tensor(DType.F32, Shape.of(width), equal);
          Tensor shift = device.tensor(DType.F32, Shape.of(width), equal)) {
        assertArrayEquals(equal, tape.layerNorm(x, scale, shift, EPSILON).toDoubles());
      }
    }
  }
}
