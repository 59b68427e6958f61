// SPDX-License-Identifier: Apache-2.0
package dev.weft.op;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.weft.DType;
import dev.weft.Derivatives;
import dev.weft.Device;
import dev.weft.Operations;
import dev.weft.Shape;
import dev.weft.Tangents;
import dev.weft.Tape;
import dev.weft.Tensor;
import dev.weft.TensorFunction;
import dev.weft.support.Philox;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The numbers of {@link LectureNumbersTest} in forward mode, one input moved after another. */
class LectureNumbersForwardTest {
  private Device device;

  @BeforeEach
  void open() {
    device = Device.cpu();
  }

  @AfterEach
  void close() {
    device.close();
  }

  private List<Tensor> scalars(double... values) {
    List<Tensor> tensors = new ArrayList<>();
    for (double value : values) {
      tensors.add(device.tensor(DType.F64, Shape.of(), value));
    }
    return tensors;
  }

  /** How fast one number moves with each of others. */
  private double[] slopes(TensorFunction function, double... at) {
    double[] slopes = new double[at.length];
    for (int i = 0; i < at.length; i++) {
      double[] unit = new double[at.length];
      unit[i] = 1;
      slopes[i] = Derivatives.jvp(function, scalars(at), scalars(unit)).item();
    }
    return slopes;
  }

  private static Tensor binaryCrossEntropy(Operations ops, Tensor a, double y) {
    Tensor hit = ops.scale(ops.log(a), -y);
    Tensor miss = ops.scale(ops.log(ops.shift(ops.negate(a), 1)), -(1 - y));
    return ops.add(hit, miss);
  }

  @Test
  void aStepOfLogisticRegressionIsTheLectures() {
    double[] theta = {0, 0, 0}; // w1, w2, b beside x1 = 3, x2 = 2, 1
    TensorFunction loss =
        (ops, in) -> {
          Tensor z = ops.add(ops.add(ops.scale(in[0], 3), ops.scale(in[1], 2)), in[2]);
          return binaryCrossEntropy(ops, ops.sigmoid(z), 1);
        };
    double[] gradient = slopes(loss, theta);
    assertArrayEquals(new double[] {-1.5, -1.0, -0.5}, gradient, 1e-15);
    for (int i = 0; i < 3; i++) {
      theta[i] -= 0.1 * gradient[i];
    }
    assertArrayEquals(new double[] {0.15, 0.10, 0.05}, theta, 1e-15);
  }

  @Test
  void aRepeatedFactorMovesTheProductTwice() {
    double[] slopes =
        slopes(
            (ops, in) ->
                ops.multiply(
                    ops.multiply(ops.add(in[0], in[1]), in[0]), ops.square(in[1])), // (x + y) x y²
            1,
            2);
    assertArrayEquals(new double[] {16, 16}, slopes, 1e-12);
  }

  @Test
  void aSumMovesAsFastAsEachSummand() {
    double[] slopes = slopes((ops, in) -> ops.multiply(ops.add(in[0], in[1]), in[2]), -2, 5, -4);
    assertArrayEquals(new double[] {-4, -4, 3}, slopes);
  }

  @Test
  void aFactorIsMultipliedIntoEachSlope() {
    double[] slopes =
        slopes((ops, in) -> ops.multiply(in[2], ops.add(in[0], ops.scale(in[1], 2))), 3, 1, -2);
    assertArrayEquals(new double[] {-2, -4, 5}, slopes);
  }

  @Test
  void powersMoveByTheirExponents() {
    double[] slopes =
        slopes((ops, in) -> ops.multiply(ops.pow(in[1], 4), ops.pow(in[0], 5)), 1.5, -0.5);
    assertEquals(5 * Math.pow(1.5, 4) * Math.pow(-0.5, 4), slopes[0], 1e-14);
    assertEquals(4 * Math.pow(-0.5, 3) * Math.pow(1.5, 5), slopes[1], 1e-14);
  }

  @Test
  void twoGraphsOfOneFunctionAgree() {
    TensorFunction one = // (x + 3)² + 4x²
        (ops, in) -> ops.add(ops.square(ops.shift(in[0], 3)), ops.scale(ops.square(in[0]), 4));
    TensorFunction two = // 5x² + 6x + 9
        (ops, in) -> ops.shift(ops.multiply(in[0], ops.shift(ops.scale(in[0], 5), 6)), 9);
    for (double x : new double[] {0.7, -2}) {
      assertEquals(10 * x + 6, slopes(one, x)[0], 1e-13);
      assertEquals(10 * x + 6, slopes(two, x)[0], 1e-13);
    }
  }

  @Test
  void dropoutMovesWhatItKeepsAlone() {
    long seed = 0;
    double[] factors = Philox.dropoutFactors(seed, 0, 0, 3, 0.3);
    while (!(factors[0] > 0 && factors[1] == 0 && factors[2] > 0)) {
      factors = Philox.dropoutFactors(++seed, 0, 0, 3, 0.3);
    }
    for (int column = 0; column < 3; column++) {
      Tensor u = device.tensor(DType.F64, new double[] {5, 6, 7});
      double[] unit = new double[3];
      unit[column] = 1;
      try (Tape tape = new Tape(device, seed)) {
        Tangents tangents = new Tangents(tape).set(u, device.tensor(DType.F64, unit));
        Tensor y = tangents.dropout(u, 0.3);
        assertArrayEquals(new double[] {5 / 0.7, 0, 7 / 0.7}, y.toDoubles(), 1e-14);
        double[] moved = new double[3];
        moved[column] = column == 1 ? 0 : 1 / 0.7;
        assertArrayEquals(moved, tangents.of(y).toDoubles(), 1e-15);
      }
    }
  }

  @Test
  void softmaxCrossEntropyGivesProbabilitiesLessOneHot() {
    double[] logits = {1, -0.5, 2, 0.25};
    double total = 0;
    for (double logit : logits) {
      total += Math.exp(logit);
    }
    Tensor labels = device.tensor(new int[] {2});
    TensorFunction loss =
        (ops, in) -> {
          Tensor[] parts = in.clone();
          for (int i = 0; i < parts.length; i++) {
            parts[i] = ops.reshape(in[i], 1, 1);
          }
          return ops.softmaxCrossEntropy(ops.concat(1, parts), labels);
        };
    double[] slopes = slopes(loss, logits);
    for (int c = 0; c < 4; c++) {
      assertEquals(Math.exp(logits[c]) / total - (c == 2 ? 1 : 0), slopes[c], 1e-15);
    }
  }

  @Test
  void sigmoidAndBinaryCrossEntropyGiveOutputLessTarget() {
    double a = 1 / (1 + Math.exp(-0.8));
    for (double y : new double[] {0, 1, 0.25}) {
      TensorFunction loss = (ops, in) -> binaryCrossEntropy(ops, ops.sigmoid(in[0]), y);
      assertEquals(a - y, slopes(loss, 0.8)[0], 1e-15);
    }
  }
}
