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
import org.jspecify.annotations.Nullable;
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
          "binary_cross_entropy has no gradient with respect to its targets, which want one: take"
              + " their values alone, by withoutGradient",
          () -> tape.binaryCrossEntropy(x, t));
      assertSays(
          "kl_divergence has no gradient with respect to its distributions, which want one: take"
              + " their values alone, by withoutGradient",
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

  /** Weights over their sum, however small that is; where it is 0 nothing counts. */
  @Test
  void sharesOfWeightsAddUpToOneOrAreZero() {
    try (Device device = Device.cpu();
        Tape tape = new Tape(device)) {
      Tensor tiny = device.tensor(DType.F32, Shape.of(2), 1e-38, 3e-38);
      float[] shares = RowWeights.shares(tape, tiny, tiny).toFloats();
      assertEquals(0.25, shares[0], 1e-6);
      assertEquals(0.75, shares[1], 1e-6);
      Tensor none = device.tensor(DType.F32, Shape.of(2), 0, 0);
      assertArrayEquals(new float[2], RowWeights.shares(tape, none, none).toFloats());
      assertArrayEquals(new float[2], RowWeights.shares(tape, tiny, none).toFloats());
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
        "the delta of huber must be positive and finite, not NaN",
        () ->
            new ValueLossOperation(
                ValueLossFunction.HUBER, NAN, LossReduction.MEAN, RowWeights.EQUAL));
  }

  private interface Weighable {
    /** The mean by weights, or where they are null by none. */
    Tensor of(Tape tape, Tensor x, Tensor t, @Nullable Tensor weights);
  }

  /** The mean by weights is made of the losses of rows, each of which is taken alone. */
  @OnEachDevice
  void eachLossTakesWeightsOfRows(OnEachDevice.Place place) {
    List<Weighable> losses =
        List.of(
            (o, x, t, w) -> w == null ? o.meanSquaredError(x, t) : o.meanSquaredError(x, t, w),
            (o, x, t, w) -> w == null ? o.meanAbsoluteError(x, t) : o.meanAbsoluteError(x, t, w),
            (o, x, t, w) -> w == null ? o.huber(x, t, 0.5) : o.huber(x, t, w, 0.5),
            (o, x, t, w) ->
                w == null ? o.epsilonInsensitive(x, t, 0.2) : o.epsilonInsensitive(x, t, w, 0.2),
            (o, x, t, w) -> w == null ? o.binaryCrossEntropy(x, t) : o.binaryCrossEntropy(x, t, w),
            (o, x, t, w) -> w == null ? o.hinge(x, t) : o.hinge(x, t, w),
            (o, x, t, w) -> w == null ? o.squaredHinge(x, t) : o.squaredHinge(x, t, w),
            (o, x, t, w) ->
                w == null
                    ? o.crossEntropyOfDistributions(x, t)
                    : o.crossEntropyOfDistributions(x, t, w),
            (o, x, t, w) -> w == null ? o.klDivergence(x, t) : o.klDivergence(x, t, w),
            (o, x, t, w) -> {
              Tensor labels = o.device().tensor(new int[(int) x.shape().size(0)]);
              return w == null
                  ? o.multiClassHinge(x, labels, 0.75)
                  : o.multiClassHinge(x, labels, w, 0.75);
            });
    double[] weights = {2, 0, 0.5};
    try (Device device = place.open();
        Tape tape = new Tape(device);
        Tensor x = device.tensor(DType.F64, Shape.of(3, 2), 0.5, -2, 3, -0.25, 0.125, 2);
        Tensor t = device.tensor(DType.F64, Shape.of(3, 2), 1, 1, 1, 1, 1, 1);
        Tensor w = device.tensor(DType.F64, Shape.of(3), weights)) {
      for (int i = 0; i < losses.size(); i++) {
        Weighable loss = losses.get(i);
        double sum = 0;
        double plain = 0;
        for (int r = 0; r < 3; r++) {
          Tensor row = tape.slice(x, 0, r, r + 1);
          double value = loss.of(tape, row, tape.slice(t, 0, r, r + 1), null).item();
          sum += weights[r] * value / 2.5;
          plain += value / 3;
        }
        double found = loss.of(tape, x, t, w).item();
        assertEquals(sum, found, 1e-14, "loss " + i);
        assertTrue(Math.abs(plain - found) > 1e-3, "loss " + i + " without weights");
      }
    }
  }

  @Test
  void errorsNameWhatTheUserWrote() {
    try (Device device = Device.cpu();
        Tape tape = new Tape(device);
        Tensor x = device.zeros(DType.F32, Shape.of(2, 3));
        Tensor t = device.zeros(DType.F32, Shape.of(3, 2));
        Tensor ints = device.zeros(DType.I32, Shape.of(2, 3))) {
      assertSays(
          "huber needs a and b of one shape, not [2, 3] and [3, 2]", () -> tape.huber(x, t, 1));
      assertSays(
          "binary_cross_entropy needs logits and t of one shape, not [2, 3] and [3, 2]",
          () -> tape.binaryCrossEntropy(x, t));
      assertSays(
          "hinge: x F32 [2, 3] and t I32 [2, 3] differ in type; cast one",
          () -> tape.hinge(x, ints));
      assertSays(
          "kl_divergence needs logits [rows, classes] and q [rows, classes] or [classes], not"
              + " [2, 3] and [3, 2]",
          () -> tape.klDivergence(x, t));
      assertSays(
          "squared_hinge needs a weight for each of its rows: x [2, 3], t [2, 3], weights [3, 2]",
          () -> tape.squaredHinge(x, x, t));
      assertSays(
          "the delta of huber must be positive and finite, not 0.0", () -> tape.huber(x, x, 0));
      assertSays(
          "the epsilon of epsilon_insensitive must be at least 0 and finite, not -1.0",
          () -> tape.epsilonInsensitive(x, x, -1));
    }
  }

  private static void assertSays(String expected, org.junit.jupiter.api.function.Executable body) {
    assertEquals(expected, assertThrows(IllegalArgumentException.class, body).getMessage());
  }
}
