// SPDX-License-Identifier: Apache-2.0
package dev.weft.op;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weft.DType;
import dev.weft.Device;
import dev.weft.Engine;
import dev.weft.RecordedProgram;
import dev.weft.Shape;
import dev.weft.Tape;
import dev.weft.Tensor;
import dev.weft.check.GradCheck;
import dev.weft.check.Input;
import dev.weft.device.Call;
import dev.weft.support.OnEachDevice;
import java.util.Arrays;
import java.util.List;
import java.util.function.UnaryOperator;
import java.util.stream.DoubleStream;
import org.junit.jupiter.api.Test;

/** Softmax and its logarithm. */
class SoftmaxTest {
  private static final double[][] LOGITS = {{0, Math.log(3)}, {1000, 1000}, {-1000, 0}};

  @Test
  void valuesAreWorkedByHand() {
    try (Device device = Device.cpu();
        Tape tape = new Tape(device);
        Tensor x = device.tensor(DType.F64, LOGITS)) {
      assertArrayEquals(
          new double[] {0.25, 0.75, 0.5, 0.5, 0, 1}, tape.softmax(x).toDoubles(), 1e-15);
      assertArrayEquals(
          new double[] {Math.log(0.25), Math.log(0.75), -Math.log(2), -Math.log(2), -1000, 0},
          tape.logSoftmax(x).toDoubles(),
          1e-13);
    }
  }

  /** A long chain of additions would lose a digit more. */
  @Test
  void rowsOfAMillionEntriesAreAddedUpInParts() {
    float[] logits = new float[1 << 20];
    Arrays.fill(logits, -1);
    logits[0] = 0;
    double expected = -Math.log(1 + (logits.length - 1) * Math.exp(-1));
    try (Device device = Device.cpu();
        Tape tape = Tape.inference(device)) {
      Tensor x = tape.reshape(device.tensor(logits), 1, logits.length);
      assertEquals(expected, tape.logSoftmax(x).toFloats()[0], 2e-5);
      assertEquals(
          -expected, tape.softmaxCrossEntropy(x, device.tensor(new int[] {0})).item(), 2e-5);
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
        Tensor x = device.tensor(DType.F64, new double[][] {{0.3, -1, 2}, {1, 0, 0.5}});
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

  /** The gradient of the weights after some passes from the loss, dy being 1: given, or implied. */
  private static double[] gradient(UnaryOperator<Tape> mode, boolean given, int passes) {
    try (Device device = Device.cpu();
        Tape tape = mode.apply(new Tape(device));
        Tensor w =
            device.tensor(DType.F64, new double[][] {{0.3, -1, 2}, {1, 0, 0.5}}).requiresGrad();
        Tensor labels = device.tensor(new int[] {2, 0});
        Tensor one = device.full(DType.F64, Shape.of(), 1)) {
      Tensor x = tape.scale(w, 3);
      Tensor loss = tape.softmaxCrossEntropy(x, labels);
      for (int pass = 0; pass < passes; pass++) {
        if (given) {
          tape.backward(loss, one);
        } else {
          tape.backward(loss);
        }
      }
      return w.grad().toDoubles();
    }
  }

  @Test
  void gradientOfTheLossItselfIsTheOneForAGivenGradientOfOne() {
    List<UnaryOperator<Tape>> modes =
        List.of(tape -> tape, Tape::retainGradients, Tape::releaseResults);
    for (UnaryOperator<Tape> mode : modes) {
      assertArrayEquals(gradient(mode, true, 1), gradient(mode, false, 1));
    }
    for (UnaryOperator<Tape> mode : modes.subList(0, 2)) {
      assertArrayEquals(gradient(mode, true, 2), gradient(mode, false, 2));
      assertEquals(2 * gradient(mode, true, 1)[0], gradient(mode, false, 2)[0], 1e-15);
    }
  }

  @Test
  void gradientOfTheLossItselfTakesNoKernel() {
    try (Device device = Device.cpu();
        Tensor w =
            device.tensor(DType.F64, new double[][] {{0.3, -1, 2}, {1, 0, 0.5}}).requiresGrad();
        Tensor labels = device.tensor(new int[] {2, 0});
        Tape tape = new Tape(device).releaseResults()) {
      Tensor loss = tape.softmaxCrossEntropy(tape.scale(w, 3), labels);
      try (RecordedProgram program = Engine.record(device, () -> tape.backward(loss))) {
        assertEquals(List.of("unary_backward_f64"), symbols(program));
      }
    }
  }

  private static List<String> symbols(RecordedProgram program) {
    return program.calls().stream().map(Call::symbol).toList();
  }

  @OnEachDevice
  void axesOfAnyRankAreSoftmaxOfTheirRows(OnEachDevice.Place place) {
    try (Device device = place.open();
        Tape tape = new Tape(device)) {
      Tensor x = Input.randomNormal(2, 3, 2, 5, 3).on(device, DType.F64, 1);
      for (int axis = -5; axis < 5; axis++) {
        long[] shares = {0};
        Tensor y = tape.softmax(x, axis);
        for (double sum : tape.sum(y, axis).toDoubles()) {
          assertEquals(1, sum, 1e-14);
          shares[0]++;
        }
        assertEquals(x.elements() / x.shape().size(axis), shares[0]);
        double[] logs = tape.log(y).toDoubles();
        assertArrayEquals(logs, tape.logSoftmax(x, axis).toDoubles(), 1e-13);
      }
      Tensor vector = device.tensor(DType.F64, Shape.of(2), 0, Math.log(3));
      assertArrayEquals(new double[] {0.25, 0.75}, tape.softmax(vector).toDoubles(), 1e-15);
      x.close();
      vector.close();
    }
  }

  /** As in PyTorch; short rows, long ones, such as a GPU's registers do not hold, and columns. */
  @OnEachDevice
  void whatIsNoNumberSpreadsOverItsRowAlone(OnEachDevice.Place place) {
    double[] with = {Double.NaN, Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY};
    try (Device device = place.open();
        Tape tape = new Tape(device)) {
      for (int width : new int[] {3, 70, 300, 5000}) {
        double[] values = new double[4 * width];
        for (int r = 0; r < 3; r++) {
          values[r * width + width / 2] = with[r];
        }
        for (boolean log : new boolean[] {false, true}) {
          Tensor x = device.tensor(DType.F32, Shape.of(4, width), values);
          double[] y = (log ? tape.logSoftmax(x) : tape.softmax(x)).toDoubles();
          double[] columns = across(tape, x, log).toDoubles();
          for (int i = 0; i < y.length; i++) {
            int r = i / width;
            boolean infinite = r == 2 && i % width == width / 2;
            double share = infinite ? 0 : 1.0 / (r == 2 ? width - 1 : width);
            double expected = r < 2 ? Double.NaN : log ? Math.log(share) : share;
            assertEquals(expected, y[i], 1e-6);
            assertEquals(expected, columns[i], 1e-6);
          }
          x.close();
        }
        try (Tensor none = device.full(DType.F32, Shape.of(1, width), with[2])) {
          for (Tensor y : List.of(tape.softmax(none), tape.logSoftmax(none))) {
            assertTrue(DoubleStream.of(y.toDoubles()).allMatch(Double::isNaN));
          }
        }
      }
    }
  }

  private static Tensor across(Tape tape, Tensor x, boolean log) {
    Tensor turned = tape.transpose(x);
    return tape.transpose(log ? tape.logSoftmax(turned, 0) : tape.softmax(turned, 0));
  }

  @Test
  void aScalarIsRefused() {
    try (Device device = Device.cpu();
        Tape tape = new Tape(device);
        Tensor x = device.full(DType.F64, Shape.of(), 1)) {
      IllegalArgumentException e =
          assertThrows(IllegalArgumentException.class, () -> tape.logSoftmax(x));
      assertEquals("log_softmax goes along an axis, and x of shape [] has none", e.getMessage());
    }
  }
}
