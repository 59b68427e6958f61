// SPDX-License-Identifier: Apache-2.0
package dev.weft.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.weft.DType;
import dev.weft.Device;
import dev.weft.Inputs;
import dev.weft.MathMode;
import dev.weft.RowType;
import dev.weft.Shape;
import dev.weft.Tape;
import dev.weft.Tensor;
import dev.weft.data.Column;
import dev.weft.data.Dataset;
import dev.weft.nn.ClassWeights;
import dev.weft.nn.DistributionLoss;
import dev.weft.nn.Linear;
import dev.weft.nn.Loss;
import dev.weft.nn.LossSum;
import dev.weft.nn.LossWeights;
import dev.weft.nn.MultiClassHinge;
import dev.weft.nn.Sequential;
import dev.weft.nn.SoftmaxCrossEntropy;
import dev.weft.nn.ValueLoss;
import dev.weft.optim.Sgd;
import dev.weft.support.OnEachDevice;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

/** Losses in a trainer: weights of rows and classes, over batches and over all rows at once. */
class LossesTest {
  private static final int ROWS = 11;
  private static final int[] LABELS = {0, 1, 2, 1, 1, -1, 0, 2, 1, -1, 1};

  /** Labels, some of them missing, values, sides, probabilities and weights of rows. */
  private static Dataset data() {
    double[][] features = new double[ROWS][4];
    double[][] values = new double[ROWS][3];
    double[][] shares = new double[ROWS][3];
    double[][] sides = new double[ROWS][3];
    double[][] probabilities = new double[ROWS][3];
    double[] weights = new double[ROWS];
    double[] signed = new double[ROWS];
    int[][] labels = new int[ROWS][];
    int[] all = new int[ROWS];
    for (int r = 0; r < ROWS; r++) {
      for (int c = 0; c < 4; c++) {
        features[r][c] = Math.sin(3 * r + c);
      }
      for (int c = 0; c < 3; c++) {
        values[r][c] = Math.cos(r + 2 * c);
        shares[r][c] = (r + c) % 5 / 4.0;
        sides[r][c] = (r + c) % 2 == 0 ? 1 : -1;
        probabilities[r][c] = r % 2 == 0 ? (c == r % 3 ? 1 : 0) : (c + 1) / 6.0;
      }
      weights[r] = r % 4;
      signed[r] = 2 - r;
      labels[r] = LABELS[r] < 0 ? new int[0] : new int[] {LABELS[r]};
      all[r] = r * r % 3;
    }
    Map<String, Column> columns = new LinkedHashMap<>();
    columns.put("features", Column.of(features));
    columns.put("targets", Column.ids(all, 3));
    columns.put("some", Column.padded(labels, 3).shaped());
    columns.put("values", Column.of(values));
    columns.put("shares", Column.of(shares));
    columns.put("sides", Column.of(sides));
    columns.put("probabilities", Column.of(probabilities));
    columns.put("weight", Column.of(weights));
    columns.put("signed", Column.of(signed));
    return Dataset.of(columns);
  }

  /** Each loss, mean and sum, of rows that count alike, and of others. */
  private static List<Loss> losses() {
    SoftmaxCrossEntropy cross = new SoftmaxCrossEntropy();
    return List.of(
        cross,
        cross.smoothing(0.1).sum(),
        cross.against("some").ignoring(RowType.PADDING),
        cross.against("some").ignoring(RowType.PADDING).smoothing(0.2).classWeights(1, 2, 5),
        cross.classWeights(1, 0, 5).sampleWeights("weight"),
        cross.classWeights(1, 2, 5).smoothing(0.1),
        cross.sampleWeights("weight").smoothing(0.1).ignoring(2).classWeights(3, 1, 1).sum(),
        new MultiClassHinge(),
        new MultiClassHinge(0.5).classWeights(1, 2, 3).sampleWeights("weight"),
        DistributionLoss.crossEntropy().against("probabilities").smoothing(0.1),
        DistributionLoss.divergence().against("probabilities").sampleWeights("weight"),
        ValueLoss.squared().against("values").sampleWeights("weight"),
        ValueLoss.absolute().against("values"),
        ValueLoss.huber(0.5).against("values").sampleWeights("weight").sum(),
        ValueLoss.epsilonInsensitive(0.2).against("values"),
        ValueLoss.binaryCrossEntropy().against("shares").positiveWeight(3).sampleWeights("weight"),
        ValueLoss.binaryCrossEntropy().against("shares").positiveWeight(1, 2, 3),
        ValueLoss.hinge().against("sides"),
        ValueLoss.squaredHinge().against("sides").sampleWeights("weight"));
  }

  private static double evaluate(Device device, Loss loss, Dataset data, int batch) {
    try (Sequential network = network()) {
      network.seed(7).on(device, MathMode.DOUBLE);
      try (var evaluator = new Evaluator(network, loss, List.of(), data, batch)) {
        return evaluator.evaluate().loss();
      }
    }
  }

  private static Sequential network() {
    return Sequential.of(new Linear(4, 3));
  }

  /** Batches of 4, 4 and 3 rows, some of which have no row that counts. */
  @OnEachDevice
  void anEvaluationOverBatchesIsThatOfAllRows(OnEachDevice.Place place) {
    try (Device device = place.open()) {
      for (Loss loss : losses()) {
        double whole = evaluate(device, loss, data(), ROWS);
        assertEquals(whole, evaluate(device, loss, data(), 4), 1e-12 * whole, loss::toString);
        assertEquals(whole, evaluate(device, loss, data(), 1), 1e-12 * whole, loss::toString);
      }
    }
  }

  /** A step of descent makes each loss smaller. */
  @OnEachDevice
  void trainingMinimisesIt(OnEachDevice.Place place) {
    try (Device device = place.open()) {
      for (Loss loss : losses()) {
        double before = evaluate(device, loss, data(), ROWS);
        try (Sequential network = network()) {
          Trainer trainer =
              Trainer.of(network.seed(7))
                  .on(device)
                  .math(MathMode.DOUBLE)
                  .loss(loss)
                  .metrics()
                  .optimizer(Sgd.rate(1e-3))
                  .batch(ROWS);
          trainer.fit(data(), 1);
          try (var evaluator = new Evaluator(network, loss, List.of(), data(), ROWS)) {
            double after = evaluator.evaluate().loss();
            assertEquals(true, after < before, () -> loss + ": " + before + " to " + after);
          }
        }
      }
    }
  }

  /** Of several losses over the outputs, each over its own. */
  @Test
  void aSumOfLossesIsThatOfEach() {
    try (Device device = Device.cpu()) {
      Loss values = ValueLoss.huber(0.5).against("values");
      Loss labels = new SoftmaxCrossEntropy();
      double apart =
          2 * evaluate(device, values, data(), 4) + 0.5 * evaluate(device, labels, data(), 4);
      LossSum both = LossSum.of(2, values).plus(0.5, labels, 0, 3);
      assertEquals(apart, evaluate(device, both, data(), 4), 1e-12);
      assertEquals("2.0 huber(0.5) + 0.5 softmax_cross_entropy", both.spec());
    }
    assertRefused(
        "the training data does not fit the loss: softmax_cross_entropy is over outputs 1 to 3, and"
            + " the network gives numbers [3]",
        LossSum.of(1, new SoftmaxCrossEntropy(), 1, 4));
    assertSays(
        "softmax_cross_entropy divides by the sum of the weights of rows, which other losses do"
            + " not: add its sum() to sums",
        () -> LossSum.of(1, new SoftmaxCrossEntropy().sampleWeights("weight")));
    assertSays(
        "absolute_error and huber cannot be added up, as one is a mean over rows and one a sum",
        () -> LossSum.of(1, ValueLoss.absolute()).plus(1, ValueLoss.huber(1).sum()));
  }

  /** What PyTorch's loss with weights and smoothing is, term by term. */
  @Test
  void smoothingBesideClassWeightsWeighsEachClass() {
    double[] v = {1, 2, 5};
    try (Device device = Device.cpu();
        Sequential network = network()) {
      network.seed(7).on(device, MathMode.DOUBLE);
      double[] outputs;
      double[] features = new double[ROWS * 4];
      for (int r = 0; r < ROWS; r++) {
        for (int c = 0; c < 4; c++) {
          features[4 * r + c] = data().features().get(r, c);
        }
      }
      try (Tape tape = Tape.inference(device);
          Tensor x = device.tensor(DType.F64, Shape.of(ROWS, 4), features)) {
        outputs = network.forward(tape, Inputs.of(x)).toDoubles();
      }
      Column labels = data().targets();
      double sum = 0;
      double weights = 0;
      for (int r = 0; r < ROWS; r++) {
        double total = 0;
        for (int c = 0; c < 3; c++) {
          total += Math.exp(outputs[3 * r + c]);
        }
        for (int c = 0; c < 3; c++) {
          double q = (c == labels.get(r, 0) ? 0.7 : 0) + 0.1;
          sum -= q * v[c] * (outputs[3 * r + c] - Math.log(total));
        }
        weights += v[(int) labels.get(r, 0)];
      }
      Loss loss = new SoftmaxCrossEntropy(0.3).classWeights(v);
      assertEquals(sum / weights, evaluate(device, loss, data(), 4), 1e-12);
    }
  }

  @Test
  void balancedWeightsAreThoseOfScikitLearn() {
    assertArrayEquals(
        new double[] {8 / 6.0, 8 / 12.0, 8 / 6.0}, ClassWeights.balanced(0, 1, 1, 2, 1, 0, 2, 1));
    assertArrayEquals(
        new double[] {9 / 6.0, 9 / 15.0, 9 / 6.0}, ClassWeights.balanced(data().column("some")));
    assertSays(
        "class 1 of 3 has no row among 2, so that no weight balances it",
        () -> ClassWeights.balanced(0, 2));
  }

  @Test
  void whatDoesNotFitIsRefusedBeforeTheFirstStep() {
    SoftmaxCrossEntropy cross = new SoftmaxCrossEntropy();
    String fit = "the training data does not fit the loss: ";
    assertRefused(
        fit + "softmax_cross_entropy has weights of 2 classes, and the network gives 3",
        cross.classWeights(1, 2));
    assertSays(
        "the weight of class 1 is -2.0: it must be finite and at least 0",
        () -> cross.classWeights(1, -2, 3));
    assertSays(
        "the weight of class 0 is NaN: it must be finite and at least 0",
        () -> cross.classWeights(Double.NaN, 2, 3));
    assertSays(
        "all 3 classes have the weight 0, so that no row counts",
        () -> cross.classWeights(0, 0, 0));
    assertRefused(
        fit
            + "softmax_cross_entropy: row 5 of some has no label: ignoring(RowType.PADDING) leaves"
            + " such rows out",
        cross.against("some"));
    assertRefused(
        fit
            + "softmax_cross_entropy: none of 11 rows counts: each is ignored, of a class of weight"
            + " 0, or of weight 0",
        cross.ignoring(0).classWeights(1, 0, 1));
    assertRefused(
        fit + "softmax_cross_entropy: row 3 of signed is -1.0, and weights are at least 0",
        cross.sampleWeights("signed"));
    assertRefused(
        fit + "softmax_cross_entropy needs a weight a row, and values has numbers [3]",
        cross.sampleWeights("values"));
    assertRefused(
        fit
            + "binary_cross_entropy needs targets from 0 to 1, and sides has numbers from -1.0 to"
            + " 1.0, row 0 the first that does not fit",
        ValueLoss.binaryCrossEntropy().against("sides"));
    assertRefused(
        fit
            + "hinge needs targets -1 or 1, and shares has numbers from 0.0 to 1.0, row 0 the first"
            + " that does not fit",
        ValueLoss.hinge().against("shares"));
    assertRefused(
        fit + "divergence needs probabilities, and row 0 of shares adds up to 0.75, not to 1",
        DistributionLoss.divergence().against("shares"));
    assertRefused(
        fit
            + "cross_entropy_of_distributions needs probabilities, and row 0 of sides has -1.0 in"
            + " column 1",
        DistributionLoss.crossEntropy().against("sides"));
    assertRefused(
        fit + "binary_cross_entropy has weights of 2 positive answers, and the network gives 3",
        ValueLoss.binaryCrossEntropy().against("shares").positiveWeight(1, 2));
    assertSays("label smoothing must be in [0, 1), not 1.0", () -> cross.smoothing(1));
    assertSays(
        "hinge has no answers of yes and no, whose weights could differ",
        () -> ValueLoss.hinge().positiveWeight(2));
  }

  @Test
  void accumulationOfAWeightedMeanIsRefused() {
    try (Device device = Device.cpu();
        Sequential network = network()) {
      Trainer trainer =
          Trainer.of(network)
              .on(device)
              .loss(new SoftmaxCrossEntropy().sampleWeights("weight"))
              .batch(4)
              .accumulate(2);
      assertSays(
          "accumulate(2) adds up gradients of batches that count by their rows, and"
              + " softmax_cross_entropy divides by the sum of the weights of rows, which differs"
              + " from batch to batch: take its sum(), or one batch an update",
          () -> trainer.fit(data(), 1));
      assertFalse(new SoftmaxCrossEntropy().sampleWeights("weight").sum().isWeighted());
      assertEquals(LossWeights.EQUAL, new SoftmaxCrossEntropy().weights());
    }
  }

  private static void assertRefused(String expected, Loss loss) {
    try (Device device = Device.cpu();
        Sequential network = network()) {
      Trainer trainer = Trainer.of(network).on(device).loss(loss).metrics().batch(4);
      assertSays(expected, () -> trainer.fit(data(), 1));
    }
  }

  private static void assertSays(String expected, Executable body) {
    assertEquals(expected, assertThrows(IllegalArgumentException.class, body).getMessage());
  }
}
