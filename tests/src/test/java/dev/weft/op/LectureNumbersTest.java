// SPDX-License-Identifier: Apache-2.0
package dev.weft.op;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import dev.weft.DType;
import dev.weft.Device;
import dev.weft.Engine;
import dev.weft.StepState;
import dev.weft.Tape;
import dev.weft.Tensor;
import dev.weft.device.Arguments;
import dev.weft.device.Kernel;
import dev.weft.device.Precision;
import dev.weft.support.Philox;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Examples that lectures on backpropagation work through on the blackboard. */
class LectureNumbersTest {
  private Device device;
  private Tape tape;

  @BeforeEach
  void open() {
    device = Device.cpu();
    tape = new Tape(device, 0);
  }

  @AfterEach
  void close() {
    tape.close();
    device.close();
  }

  private Tensor leaf(double... values) {
    return device.tensor(DType.F64, values).requiresGrad();
  }

  private static double grad(Tensor x) {
    return x.grad().item();
  }

  /** -(y log a + (1 - y) log(1 - a)), a = σ(z): binary cross-entropy out of plain operations. */
  private Tensor binaryCrossEntropy(Tensor a, double y) {
    Tensor hit = tape.scale(tape.log(a), -y);
    Tensor miss = tape.scale(tape.log(tape.shift(tape.negate(a), 1)), -(1 - y));
    return tape.sum(tape.add(hit, miss));
  }

  @Test
  void stepOfLogisticRegression() {
    // w1, w2, b beside x1 = 3, x2 = 2, 1
    Tensor theta = leaf(0, 0, 0);
    Tensor x = device.tensor(DType.F64, new double[] {3, 2, 1});
    Tensor z = tape.sum(tape.multiply(theta, x));
    tape.backward(binaryCrossEntropy(tape.sigmoid(z), 1));
    assertArrayEquals(new double[] {-1.5, -1.0, -0.5}, theta.grad().toDoubles(), 1e-15);
    try (StepState state = new StepState(device, 0)) {
      state.set(0, 0, 0, 0, 0.1);
      Engine.run(
          device,
          Kernel.SGD,
          Precision.F64,
          new Arguments.Update(
              Engine.address(theta),
              Engine.address(theta.grad()),
              0,
              0,
              0,
              0,
              Engine.address(state),
              0,
              3,
              0,
              2,
              false,
              0,
              0,
              0,
              0,
              0,
              0,
              0,
              1,
              1,
              Double.POSITIVE_INFINITY,
              Double.POSITIVE_INFINITY,
              Double.POSITIVE_INFINITY));
    }
    assertArrayEquals(new double[] {0.15, 0.10, 0.05}, theta.toDoubles(), 1e-15);
  }

  @Test
  void productWithARepeatedFactor() {
    Tensor x = leaf(1);
    Tensor y = leaf(2);
    // (x + y) x y²
    Tensor f = tape.multiply(tape.multiply(tape.add(x, y), x), tape.square(y));
    tape.backward(f);
    assertEquals(12, f.item(), 1e-12);
    assertEquals(16, grad(x), 1e-12);
    assertEquals(16, grad(y), 1e-12);
  }

  @Test
  void sumTimesZ() {
    Tensor x = leaf(-2);
    Tensor y = leaf(5);
    Tensor z = leaf(-4);
    Tensor loss = tape.multiply(tape.add(x, y), z);
    tape.backward(loss);
    assertEquals(-12, loss.item());
    assertArrayEquals(new double[] {-4, -4, 3}, new double[] {grad(x), grad(y), grad(z)});
  }

  @Test
  void computationGraphOfThree() {
    Tensor a = leaf(3);
    Tensor b = leaf(1);
    Tensor c = leaf(-2);
    Tensor loss = tape.multiply(c, tape.add(a, tape.scale(b, 2)));
    tape.backward(loss);
    assertEquals(-10, loss.item());
    assertArrayEquals(new double[] {-2, -4, 5}, new double[] {grad(a), grad(b), grad(c)});
  }

  @Test
  void powers() {
    Tensor x = leaf(1.5);
    Tensor y = leaf(-0.5);
    tape.backward(tape.multiply(tape.pow(y, 4), tape.pow(x, 5)));
    assertEquals(4 * Math.pow(-0.5, 3) * Math.pow(1.5, 5), grad(y), 1e-14);
    assertEquals(5 * Math.pow(1.5, 4) * Math.pow(-0.5, 4), grad(x), 1e-14);
  }

  @Test
  void twoGraphsOfOneFunctionAgree() {
    Tensor x = leaf(0.7, -2);
    // (x + 3)² + 4x²
    Tensor one = tape.add(tape.square(tape.shift(x, 3)), tape.scale(tape.square(x), 4));
    tape.backward(tape.sum(one));
    double[] first = x.grad().toDoubles();
    x.zeroGrad();
    // 5x² + 6x + 9
    Tensor two = tape.shift(tape.multiply(x, tape.shift(tape.scale(x, 5), 6)), 9);
    tape.backward(tape.sum(two));
    assertArrayEquals(one.toDoubles(), two.toDoubles(), 1e-13);
    assertArrayEquals(first, x.grad().toDoubles(), 1e-13);
    assertArrayEquals(new double[] {13, -14}, first, 1e-13);
  }

  @Test
  void dropoutThatKeepsFirstAndThird() {
    long seed = 0;
    double[] factors = Philox.dropoutFactors(seed, 0, 0, 3, 0.3);
    while (!(factors[0] > 0 && factors[1] == 0 && factors[2] > 0)) {
      factors = Philox.dropoutFactors(++seed, 0, 0, 3, 0.3);
    }
    double[][] jacobian = new double[3][];
    for (int row = 0; row < 3; row++) {
      Tensor u = leaf(5, 6, 7);
      try (Tape own = new Tape(device, seed)) {
        Tensor y = own.dropout(u, 0.3);
        assertArrayEquals(new double[] {5 / 0.7, 0, 7 / 0.7}, y.toDoubles(), 1e-14);
        own.backward(own.slice(y, 0, row, row + 1));
        jacobian[row] = u.grad().toDoubles();
      }
    }
    assertArrayEquals(new double[] {1 / 0.7, 0, 0}, jacobian[0], 1e-15);
    assertArrayEquals(new double[] {0, 0, 0}, jacobian[1], 1e-15);
    assertArrayEquals(new double[] {0, 0, 1 / 0.7}, jacobian[2], 1e-15);
  }

  @Test
  void softmaxCrossEntropyGivesProbabilitiesLessOneHot() {
    double[] logits = {1, -0.5, 2, 0.25};
    double total = 0;
    for (double logit : logits) {
      total += Math.exp(logit);
    }
    Tensor x = device.tensor(DType.F64, new double[][] {logits}).requiresGrad();
    tape.backward(tape.softmaxCrossEntropy(x, device.tensor(new int[] {2})));
    for (int c = 0; c < 4; c++) {
      double p = Math.exp(logits[c]) / total;
      assertEquals(p - (c == 2 ? 1 : 0), x.grad().toDoubles()[c], 1e-15);
    }
  }

  @Test
  void sigmoidAndBinaryCrossEntropyGiveOutputLessTarget() {
    for (double y : new double[] {0, 1, 0.25}) {
      Tensor z = leaf(0.8);
      Tensor a = tape.sigmoid(z);
      tape.backward(binaryCrossEntropy(a, y));
      assertEquals(a.item() - y, grad(z), 1e-15);
      assertNotEquals(0, grad(z));
    }
  }
}
