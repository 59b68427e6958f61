// SPDX-License-Identifier: Apache-2.0
package dev.weft.op;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weft.DType;
import dev.weft.Derivatives;
import dev.weft.Device;
import dev.weft.Shape;
import dev.weft.Tape;
import dev.weft.Tensor;
import dev.weft.TensorFunction;
import dev.weft.device.ValueLossFunction;
import dev.weft.support.OnEachDevice;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;
import java.util.function.BiFunction;
import org.junit.jupiter.api.Test;

/** What losses do at the edges: weights of 0, labels that are none, targets out of range. */
public class LossTest {
  private static final double NAN = Double.NaN;

  @OnEachDevice
  void weightsFollowLabels(OnEachDevice.Place place) {
    try (Device device = place.open();
        Tape tape = new Tape(device);
        Tensor labels = device.tensor(new int[] {2, 0, 1, 3, -1, 5, 5})) {
      for (DType dtype : new DType[] {DType.F32, DType.F64}) {
        Tensor table = device.tensor(dtype, Shape.of(3), 2, 3, 5);
        Tensor rows = device.tensor(dtype, Shape.of(7), 1, 2, 0.5, 1, 1, 0, 4);
        var ignoring = new LabelWeights(OptionalInt.of(-1));
        assertArrayEquals(
            new double[] {5, 4, 1.5, NAN, 0, 0, NAN},
            tape.apply(ignoring, labels, table, rows).toDoubles());
        var plain = new LabelWeights(OptionalInt.empty());
        assertArrayEquals(
            new double[] {5, 2, 3, NAN, NAN, NAN, NAN},
            tape.apply(plain, labels, table).toDoubles());
        table.close();
        rows.close();
      }
    }
  }

  /** Short rows, rows of a block, and rows that registers do not hold. */
  @OnEachDevice
  void aRowOfWeightZeroCountsNothingWhateverItHolds(OnEachDevice.Place place) {
    for (int classes : new int[] {3, 70, 600, 4200}) {
      try (Device device = place.open();
          Tape tape = new Tape(device)) {
        double[] values = new double[3 * classes];
        for (int i = 0; i < values.length; i++) {
          values[i] = i * 7 % 5 / 4.0;
        }
        double[] broken = values.clone();
        broken[classes + 1] = NAN;
        Tensor x = device.tensor(DType.F64, Shape.of(3, classes), values).requiresGrad();
        Tensor y = device.tensor(DType.F64, Shape.of(3, classes), broken).requiresGrad();
        Tensor labels = device.tensor(new int[] {2, 0, 1});
        Tensor none = device.tensor(new int[] {2, -100, 1});
        Tensor weights = device.tensor(DType.F64, Shape.of(3), 2, 0, 0.5);
        BiFunction<Tensor, Tensor, Tensor> cross =
            (logits, of) ->
                tape.apply(
                    new SoftmaxCrossEntropyOperation(0.1, LossReduction.NONE, RowWeights.GIVEN),
                    logits,
                    of,
                    weights);
        BiFunction<Tensor, Tensor, Tensor> hinge =
            (logits, of) ->
                tape.apply(
                    new MultiClassHingeOperation(1, LossReduction.NONE, RowWeights.GIVEN),
                    logits,
                    of,
                    weights);
        var against =
            new SoftmaxCrossEntropyDistributionOperation(
                SoftmaxCrossEntropyDistributionOperation.Kind.KL_DIVERGENCE,
                LossReduction.NONE,
                RowWeights.GIVEN);
        double[] q = new double[3 * classes];
        q[0] = q[classes + 1] = q[2 * classes + 2] = 1;
        Tensor good = device.tensor(DType.F64, Shape.of(3, classes), q);
        q[classes] = -1;
        Tensor bad = device.tensor(DType.F64, Shape.of(3, classes), q);
        check(tape, cross.apply(x, labels), cross.apply(y, none), x, y);
        check(tape, hinge.apply(x, labels), hinge.apply(y, none), x, y);
        check(
            tape,
            tape.apply(against, x, good, weights),
            tape.apply(against, y, bad, weights),
            x,
            y);
        for (Tensor t : new Tensor[] {x, y, labels, none, weights, good, bad}) {
          t.close();
        }
      }
    }
  }

  /** Losses of x, and the same of y, whose row 1 holds what is none. */
  private static void check(Tape tape, Tensor of, Tensor same, Tensor x, Tensor y) {
    double[] losses = of.toDoubles();
    assertEquals(0, losses[1]);
    assertTrue(losses[0] > 0 && losses[2] > 0);
    assertArrayEquals(losses, same.toDoubles());
    x.zeroGrad();
    y.zeroGrad();
    try (Tensor dy = tape.device().tensor(DType.F64, Shape.of(3), 1, 1, 1)) {
      tape.backward(of, dy);
      tape.backward(same, dy);
    }
    assertArrayEquals(x.grad().toDoubles(), y.grad().toDoubles());
  }

  @OnEachDevice
  void whatIsNoTargetMakesALossNaN(OnEachDevice.Place place) {
    try (Device device = place.open();
        Tape tape = new Tape(device);
        Tensor x = device.tensor(DType.F32, Shape.of(4), 0.5, 0.5, 0.5, NAN);
        Tensor t = device.tensor(DType.F32, Shape.of(4), 1, 1.5, -0.5, 1)) {
      for (ValueLossFunction f : ValueLossFunction.values()) {
        double[] losses =
            tape.apply(new ValueLossOperation(f, LossReduction.NONE), x, t).toDoubles();
        boolean checks =
            switch (f) {
              case LOGISTIC, HINGE, SQUARED_HINGE -> true;
              default -> false;
            };
        assertTrue(Double.isFinite(losses[0]), f::token);
        assertEquals(checks, Double.isNaN(losses[1]), f::token);
        assertEquals(checks, Double.isNaN(losses[2]), f::token);
        assertTrue(Double.isNaN(losses[3]), f::token);
      }
    }
  }

  @OnEachDevice
  void aWeightedMeanDividesByTheSumOfTheWeights(OnEachDevice.Place place) {
    try (Device device = place.open();
        Tape tape = new Tape(device);
        Tensor x = device.tensor(DType.F64, Shape.of(3, 2), 1, 2, 0, 1, 3, -1).requiresGrad();
        Tensor labels = device.tensor(new int[] {1, 0, 0});
        Tensor weights = device.tensor(DType.F64, Shape.of(3), 2, 0, 6);
        Tensor none = device.zeros(DType.F64, Shape.of(3))) {
      double first = Math.log1p(Math.exp(-1));
      double last = Math.log1p(Math.exp(-4));
      Tensor loss = tape.softmaxCrossEntropy(x, labels, weights, 0);
      assertEquals((2 * first + 6 * last) / 8, loss.item(), 1e-14);
      Tensor nothing = tape.softmaxCrossEntropy(x, labels, none, 0);
      assertEquals(0, nothing.item());
      tape.backward(nothing);
      assertArrayEquals(new double[6], x.grad().toDoubles());
    }
  }

  /** Far from 0, where 1 - s and e^x are 0 or infinite. */
  @OnEachDevice
  void binaryCrossEntropyKeepsItsDigits(OnEachDevice.Place place) {
    try (Device device = place.open();
        Tape tape = new Tape(device);
        Tensor x = device.tensor(DType.F32, Shape.of(4), 200, -200, 30, -30).requiresGrad();
        Tensor t = device.tensor(DType.F32, Shape.of(4), 0, 1, 1, 0)) {
      Tensor losses =
          tape.apply(new ValueLossOperation(ValueLossFunction.LOGISTIC, LossReduction.NONE), x, t);
      double small = Math.log1p(Math.exp(-30));
      double[] expected = {200, 200, small, small};
      double[] found = losses.toDoubles();
      for (int i = 0; i < 4; i++) {
        assertEquals(expected[i], found[i], 1e-6 * expected[i]);
      }
      try (Tensor dy = device.tensor(DType.F32, Shape.of(4), 1, 1, 1, 1)) {
        tape.backward(losses, dy);
      }
      double[] slopes = x.grad().toDoubles();
      assertEquals(1, slopes[0]);
      assertEquals(-1, slopes[1]);
      assertEquals(-Math.exp(-30), slopes[2], 1e-6 * Math.exp(-30));
      assertEquals(Math.exp(-30), slopes[3], 1e-6 * Math.exp(-30));
    }
  }

  @Test
  void whatGetsNoGradientIsRefusedWhereItWantsOne() {
    try (Device device = Device.cpu();
        Tape tape = new Tape(device);
        Tensor x = device.zeros(DType.F32, Shape.of(2, 3)).requiresGrad();
        Tensor t = device.zeros(DType.F32, Shape.of(2, 3)).requiresGrad()) {
      assertSays(
          "value_loss_logistic has no gradient with respect to its targets, which want one: take"
              + " their values alone, by withoutGradient",
          () -> tape.binaryCrossEntropy(x, t));
      assertSays(
          "softmax_cross_entropy_distribution has no gradient with respect to its distributions,"
              + " which want one: take their values alone, by withoutGradient",
          () -> tape.klDivergence(x, t));
      tape.meanAbsoluteError(x, t);
      Tensor labels = device.tensor(new int[] {0, 2});
      Tensor table = device.tensor(DType.F32, Shape.of(3), 1, 2, 3).requiresGrad();
      var ofLabels = new LabelWeights(OptionalInt.empty());
      assertSays(
          "label_weights has no gradient with respect to its table, which want one: take their"
              + " values alone, by withoutGradient",
          () -> tape.apply(ofLabels, labels, table));
      Tensor weights = device.tensor(DType.F32, Shape.of(2), 1, 2).requiresGrad();
      assertSays(
          "label_weights has no gradient with respect to its weights, which want one: take their"
              + " values alone, by withoutGradient",
          () ->
              tape.apply(
                  ofLabels, labels, tape.withoutGradient(() -> tape.scale(table, 1)), weights));
      assertSays(
          "softmax_cross_entropy has no gradient with respect to its weights, which want one: take"
              + " their values alone, by withoutGradient",
          () -> tape.softmaxCrossEntropy(x, labels, weights, 0));
    }
  }

  /** A row that counts nothing holds NaN, and no label; Hessians have 0 there, others as alone. */
  @Test
  void secondDerivativesOfARowOfWeightZeroAreZero() {
    try (Device device = Device.cpu()) {
      Tensor x = device.tensor(DType.F64, Shape.of(2, 3), NAN, 1, 2, 0.3, -0.2, 0.9);
      Tensor alone = device.tensor(DType.F64, Shape.of(1, 3), 0.3, -0.2, 0.9);
      Tensor v = device.tensor(DType.F64, Shape.of(2, 3), 1, -1, 2, 0.5, 2, -1);
      Tensor ofAlone = device.tensor(DType.F64, Shape.of(1, 3), 0.5, 2, -1);
      Tensor weights = device.tensor(DType.F64, Shape.of(2), 0, 2);
      Tensor weight = device.tensor(DType.F64, Shape.of(1), 2);
      Tensor labels = device.tensor(new int[] {-1, 2});
      Tensor label = device.tensor(new int[] {2});
      Tensor t = device.tensor(DType.F64, Shape.of(2, 3), NAN, 0, 1, 0.5, 0.25, 0.25);
      Tensor target = device.tensor(DType.F64, Shape.of(1, 3), 0.5, 0.25, 0.25);
      LossReduction sum = LossReduction.SUM;
      RowWeights given = RowWeights.GIVEN;
      Operation[] losses = {
        new SoftmaxCrossEntropyOperation(0.1, sum, given),
        new MultiClassHingeOperation(1, sum, given),
        new SoftmaxCrossEntropyDistributionOperation(
            SoftmaxCrossEntropyDistributionOperation.Kind.CROSS_ENTROPY, sum, given),
        new ValueLossOperation(ValueLossFunction.LOGISTIC, 1, sum, given),
        new ValueLossOperation(ValueLossFunction.SQUARED, 1, sum, given)
      };
      for (int i = 0; i < losses.length; i++) {
        Operation loss = losses[i];
        Tensor all = i < 2 ? labels : t;
        Tensor one = i < 2 ? label : target;
        double[] whole = product((on, in) -> on.apply(loss, on.square(in[0]), all, weights), x, v);
        double[] part =
            product((on, in) -> on.apply(loss, on.square(in[0]), one, weight), alone, ofAlone);
        assertArrayEquals(part, Arrays.copyOfRange(whole, 3, 6), 1e-12, loss.name());
        // of the square of NaN there is no derivative; beyond the loss nothing is NaN
        double[] direct = product((on, in) -> on.apply(loss, in[0], all, weights), x, v);
        for (int k = 0; k < 3; k++) {
          assertEquals(0, direct[k], loss.name());
        }
      }
    }
  }

  private static double[] product(TensorFunction loss, Tensor x, Tensor v) {
    try (Tensor product =
        Derivatives.hessianVectorProduct(loss, List.of(x), List.of(v)).getFirst()) {
      return product.toDoubles();
    }
  }

  @Test
  void settingsOutOfRangeAreRefused() {
    assertSays(
        "a margin must be positive and finite, not 0.0",
        () -> new MultiClassHingeOperation(0, LossReduction.MEAN, RowWeights.EQUAL));
    assertSays(
        "the alpha of huber must be positive and finite, not NaN",
        () ->
            new ValueLossOperation(
                ValueLossFunction.HUBER, NAN, LossReduction.MEAN, RowWeights.EQUAL));
  }

  private static void assertSays(String expected, org.junit.jupiter.api.function.Executable body) {
    assertEquals(expected, assertThrows(IllegalArgumentException.class, body).getMessage());
  }
}
