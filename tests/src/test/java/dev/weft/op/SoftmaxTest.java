// SPDX-License-Identifier: Apache-2.0
package dev.weft.op;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.weft.Device;
import dev.weft.Tape;
import dev.weft.Tensor;
import dev.weft.check.GradCheck;
import org.junit.jupiter.api.Test;

/** Softmax and its logarithm, compositions of other operations. */
class SoftmaxTest {
  private static final double[][] LOGITS = {{0, Math.log(3)}, {1000, 1000}, {-1000, 0}};

  @Test
  void valuesAreWorkedByHand() {
    try (Device device = Device.cpu();
        Tape tape = new Tape(device);
        Tensor x = device.tensor(LOGITS)) {
      assertArrayEquals(
          new double[] {0.25, 0.75, 0.5, 0.5, 0, 1}, tape.softmax(x).toDoubles(), 1e-15);
      assertArrayEquals(
          new double[] {Math.log(0.25), Math.log(0.75), -Math.log(2), -Math.log(2), -1000, 0},
          tape.logSoftmax(x).toDoubles(),
          1e-13);
    }
  }

  @Test
  void gradientsAgreeWithFiniteDifferences() {
    GradCheck.of((tape, in) -> tape.softmax(in[0])).at(GradCheck.randomNormal(4, 7)).assertPasses();
    GradCheck.of((tape, in) -> tape.logSoftmax(in[0]))
        .at(GradCheck.randomNormal(4, 7))
        .assertPasses();
  }

  @Test
  void logSoftmaxAtTheLabelIsTheFusedLoss() {
    try (Device device = Device.cpu();
        Tape tape = new Tape(device);
        Tensor x = device.tensor(new double[][] {{0.3, -1, 2}, {1, 0, 0.5}});
        Tensor labels = device.tensor(new int[] {2, 0})) {
      double[] logs = tape.logSoftmax(x).toDoubles();
      assertEquals(-(logs[2] + logs[3]) / 2, tape.softmaxCrossEntropy(x, labels).item(), 1e-14);
      double all = 0;
      for (double log : logs) {
        all -= log / 6;
      }
      assertEquals(
          0.9 * -(logs[2] + logs[3]) / 2 + 0.1 * all,
          tape.softmaxCrossEntropy(x, labels, 0.1).item(),
          1e-14);
    }
  }

  @Test
  void aVectorIsRefused() {
    try (Device device = Device.cpu();
        Tape tape = new Tape(device);
        Tensor x = device.tensor(new double[] {1, 2})) {
      assertThrows(IllegalArgumentException.class, () -> tape.softmax(x));
    }
  }
}
