// SPDX-License-Identifier: Apache-2.0
package dev.weft.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weft.Device;
import dev.weft.Inputs;
import dev.weft.MathMode;
import dev.weft.Operations;
import dev.weft.RowType;
import dev.weft.Shape;
import dev.weft.Tensor;
import dev.weft.data.Column;
import dev.weft.data.Dataset;
import dev.weft.nn.DistributionLoss;
import dev.weft.nn.Linear;
import dev.weft.nn.Loss;
import dev.weft.nn.LossSum;
import dev.weft.nn.LossWeights;
import dev.weft.nn.MeanSquaredError;
import dev.weft.nn.MultiClassHinge;
import dev.weft.nn.Sequential;
import dev.weft.nn.SoftmaxCrossEntropy;
import dev.weft.nn.SumOfSquares;
import dev.weft.nn.ValueLoss;
import dev.weft.optim.Sgd;
import dev.weft.support.OnEachDevice;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.IntToDoubleFunction;
import java.util.stream.IntStream;
import java.util.stream.Stream;
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

  /** The loss of row r, whose outputs are y. */
  private interface RowLoss {
    double of(double[] y, int r);
  }

  /**
   * A loss, and what it is in plain Java.
   *
   * @param weight that of a row
   */
  private record Worked(Loss loss, RowLoss rows, IntToDoubleFunction weight) {
    /** Of all rows, each with a weight. */
    double value(double[][] outputs, IntToDoubleFunction weight) {
      double sum = 0;
      double weights = 0;
      for (int r = 0; r < ROWS; r++) {
        double w = weight.applyAsDouble(r);
        sum += w == 0 ? 0 : w * rows.of(outputs[r], r);
        weights += w;
      }
      return loss.weight(2) == 1 ? sum / ROWS : sum / weights; // which an evaluation divides
    }
  }

  private static final double[] ALIKE = {1, 1, 1};

  private static double at(String column, int r, int c) {
    return data().column(column).get(r, c);
  }

  private static double[] logProbabilities(double[] y) {
    double total = Arrays.stream(y).map(Math::exp).sum();
    return Arrays.stream(y).map(x -> x - Math.log(total)).toArray();
  }

  /** With smoothing each class's term has the class's weight, here over that of the label's. */
  private static RowLoss cross(String labels, double smoothing, double... v) {
    return (y, r) -> {
      int label = Math.max(0, (int) at(labels, r, 0)); // of no label only without weights
      double[] p = logProbabilities(y);
      double sum = 0;
      for (int c = 0; c < 3; c++) {
        sum -= ((c == label ? 1 - smoothing : 0) + smoothing / 3) * p[c] * v[c] / v[label];
      }
      return sum;
    };
  }

  private static RowLoss distribution(double smoothing, boolean divergence) {
    return (y, r) -> {
      double[] p = logProbabilities(y);
      double sum = 0;
      for (int c = 0; c < 3; c++) {
        double q = (1 - smoothing) * at("probabilities", r, c) + smoothing / 3;
        sum += q == 0 ? 0 : q * ((divergence ? Math.log(q) : 0) - p[c]);
      }
      return sum;
    };
  }

  private static RowLoss hinge(double margin) {
    return (y, r) -> {
      int label = (int) at("targets", r, 0);
      double sum = -margin;
      for (double x : y) {
        sum += Math.max(0, margin + x - y[label]);
      }
      return sum;
    };
  }

  private interface ValueFormula {
    double of(double x, double t, int c);
  }

  /** The mean over the elements of a row. */
  private static RowLoss values(String column, ValueFormula f) {
    return (y, r) ->
        IntStream.range(0, 3).mapToDouble(c -> f.of(y[c], at(column, r, c), c)).sum() / 3;
  }

  private static double huber(double x, double t) {
    double d = Math.abs(x - t);
    return d <= 0.5 ? d * d / 2 : 0.5 * (d - 0.25);
  }

  private static double logistic(double x, double t, double positive) {
    return positive * t * Math.log1p(Math.exp(-x)) + (1 - t) * Math.log1p(Math.exp(x));
  }

  private static double ofColumn(int r) {
    return at("weight", r, 0);
  }

  /** By the label's class; 0 where there is none. */
  private static IntToDoubleFunction ofClasses(String labels, double... v) {
    return r -> at(labels, r, 0) < 0 ? 0 : v[(int) at(labels, r, 0)];
  }

  /** Each loss, mean and sum, of rows that count alike, and of others. */
  private static List<Worked> worked() {
    SoftmaxCrossEntropy cross = new SoftmaxCrossEntropy();
    SoftmaxCrossEntropy some = cross.against("some").ignoring(RowType.PADDING);
    ValueLoss yes = ValueLoss.binaryCrossEntropy().against("shares");
    IntToDoubleFunction one = r -> 1;
    IntToDoubleFunction own = LossesTest::ofColumn;
    IntToDoubleFunction there = ofClasses("some", ALIKE);
    return List.of(
        new Worked(cross, cross("targets", 0, ALIKE), one),
        new Worked(cross.smoothing(0.1).sum(), cross("targets", 0.1, ALIKE), one),
        new Worked(some, cross("some", 0, ALIKE), there),
        new Worked(
            some.smoothing(0.2).classWeights(1, 2, 5),
            cross("some", 0.2, 1, 2, 5),
            ofClasses("some", 1, 2, 5)),
        new Worked(
            cross.classWeights(1, 0, 5).sampleWeights("weight"),
            cross("targets", 0, ALIKE),
            r -> ofColumn(r) * ofClasses("targets", 1, 0, 5).applyAsDouble(r)),
        new Worked(
            cross.classWeights(1, 2, 5).smoothing(0.1),
            cross("targets", 0.1, 1, 2, 5),
            ofClasses("targets", 1, 2, 5)),
        new Worked(
            cross.sampleWeights("weight").smoothing(0.1).ignoring(0).classWeights(3, 2, 1).sum(),
            cross("targets", 0.1, 3, 2, 1),
            r -> ofColumn(r) * ofClasses("targets", 0, 2, 1).applyAsDouble(r)),
        new Worked(new MultiClassHinge(), hinge(1), one),
        new Worked(
            new MultiClassHinge(0.5).classWeights(1, 2, 3).sampleWeights("weight"),
            hinge(0.5),
            r -> ofColumn(r) * ofClasses("targets", 1, 2, 3).applyAsDouble(r)),
        new Worked(
            DistributionLoss.crossEntropyOfDistributions().against("probabilities").smoothing(0.1),
            distribution(0.1, false),
            one),
        new Worked(
            DistributionLoss.crossEntropyOfDistributions()
                .against("probabilities")
                .sampleWeights("weight")
                .sum(),
            distribution(0, false),
            own),
        new Worked(
            DistributionLoss.klDivergence().against("probabilities").sampleWeights("weight"),
            distribution(0, true),
            own),
        new Worked(
            new MeanSquaredError("values").sampleWeights("weight"),
            values("values", (x, t, c) -> (x - t) * (x - t)),
            own),
        new Worked(
            new SumOfSquares().sampleWeights("weight").against("values"),
            values("values", (x, t, c) -> 3 * (x - t) * (x - t)),
            own),
        new Worked(
            ValueLoss.meanAbsoluteError().against("values"),
            values("values", (x, t, c) -> Math.abs(x - t)),
            one),
        new Worked(
            ValueLoss.huber(0.5).against("values").sampleWeights("weight").sum(),
            values("values", (x, t, c) -> 3 * huber(x, t)),
            own),
        new Worked(
            ValueLoss.epsilonInsensitive(0.2).against("values"),
            values("values", (x, t, c) -> Math.max(0, Math.abs(x - t) - 0.2)),
            one),
        new Worked(
            yes.positiveWeight(3).sampleWeights("weight"),
            values("shares", (x, t, c) -> logistic(x, t, 3)),
            own),
        new Worked(
            yes.positiveWeight(1, 2, 3), values("shares", (x, t, c) -> logistic(x, t, c + 1)), one),
        new Worked(
            ValueLoss.hinge().against("sides"),
            values("sides", (x, t, c) -> Math.max(0, 1 - t * x)),
            one),
        new Worked(
            ValueLoss.squaredHinge().against("sides").sampleWeights("weight"),
            values("sides", (x, t, c) -> Math.pow(Math.max(0, 1 - t * x), 2)),
            own));
  }

  private static List<Loss> losses() {
    return worked().stream().map(Worked::loss).toList();
  }

  private static double[][] outputs(Device device) {
    try (Sequential network = network()) {
      return network.seed(7).on(device, MathMode.DOUBLE).scores(data());
    }
  }

  /** Also that rows without their weights give another number, as a loss would that drops them. */
  @OnEachDevice
  void aLossIsWhatPlainJavaGives(OnEachDevice.Place place) {
    try (Device device = place.open()) {
      double[][] outputs = outputs(device);
      int weighted = 0;
      for (Worked each : worked()) {
        double found = evaluate(device, each.loss(), data(), 4);
        assertEquals(each.value(outputs, each.weight()), found, 1e-12 * found, each::toString);
        boolean differ =
            IntStream.range(0, ROWS).anyMatch(r -> each.weight().applyAsDouble(r) != 1);
        if (differ) {
          double dropped = each.value(outputs, r -> 1);
          assertTrue(Math.abs(dropped - found) > 1e-3, () -> each.loss() + " without weights");
          weighted++;
        }
      }
      assertEquals(13, weighted);
    }
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
        "mean_absolute_error and huber cannot be added up, as one is a mean over rows and one a"
            + " sum",
        () -> LossSum.of(1, ValueLoss.meanAbsoluteError()).plus(1, ValueLoss.huber(1).sum()));
  }

  /** Each over its own outputs, with as many numbers of its own. */
  @Test
  void partsOfASumKeepTheirConstants() {
    try (Device device = Device.cpu()) {
      ValueLoss yes = ValueLoss.binaryCrossEntropy().against("one").positiveWeight(3);
      ValueLoss two = yes.against("two");
      Map<String, Column> columns = new LinkedHashMap<>(data().columns());
      double[][] first = new double[ROWS][1];
      double[][] others = new double[ROWS][2];
      for (int r = 0; r < ROWS; r++) {
        first[r][0] = at("shares", r, 0);
        others[r] = new double[] {at("shares", r, 1), at("shares", r, 2)};
      }
      columns.put("one", Column.of(first));
      columns.put("two", Column.of(others));
      Dataset data = Dataset.of(columns);
      double all = evaluate(device, yes.against("shares").sum(), data, 4);
      LossSum sum = LossSum.of(1, yes.sum(), 0, 1).plus(1, two.sum(), 1, 3);
      assertEquals(all, evaluate(device, sum, data, 4), 1e-12 * all);
    }
    assertSays(
        "constant 2.0 and a loss before it have constants called 'c' that differ: give them other"
            + " names",
        () ->
            LossSum.of(1, new OfConstant(1))
                .plus(1, new OfConstant(2))
                .constants(RowType.floating(Shape.of(3))));
  }

  private record OfConstant(double value) implements Loss {
    @Override
    public void check(RowType output, Inputs<RowType> data) {}

    @Override
    public Tensor apply(Operations operations, Tensor output, Inputs<Tensor> data) {
      return operations.sum(data.get("c"));
    }

    @Override
    public Map<String, double[]> constants(RowType output) {
      return Map.of("c", new double[] {value});
    }

    @Override
    public boolean isWeighted() {
      return value < 0;
    }

    @Override
    public String spec() {
      return "constant " + value;
    }
  }

  @Test
  void aPartOfNoOutputsIsRefused() {
    Loss loss = new SoftmaxCrossEntropy();
    assertSays(
        "softmax_cross_entropy over the outputs from 2 to before 0: that is none",
        () -> LossSum.of(1, loss, 2, 0));
    assertSays(
        "softmax_cross_entropy over the outputs from 0 to before 0: that is none",
        () -> LossSum.of(1, loss, 0, 0));
  }

  @Test
  void aWeightedLossOfOnesOwnAddsUpItsWeights() {
    try (Device device = Device.cpu()) {
      String said =
          assertThrows(
                  IllegalStateException.class,
                  () -> evaluate(device, new OfConstant(-1), data(), 4))
              .getMessage();
      assertEquals(
          "the loss constant -1.0 is a mean by weights of rows, as its isWeighted() says, and has"
              + " no sumOfWeights(operations, output, data): write that method, which gives the sum"
              + " of the weights of a batch's rows",
          said);
    }
  }

  @Test
  void aLossIsCalledByItsParameters() {
    assertEquals(
        List.of(
            "softmax_cross_entropy",
            "softmax_cross_entropy(0.1)",
            "multi_class_hinge",
            "multi_class_hinge(0.5)",
            "cross_entropy_of_distributions(0.2)",
            "kl_divergence",
            "mean_squared_error",
            "sum_of_squares",
            "sum_of_squares",
            "mean_absolute_error",
            "huber",
            "huber(0.5)",
            "epsilon_insensitive(0.2)",
            "binary_cross_entropy",
            "hinge",
            "squared_hinge"),
        Stream.<Loss>of(
                new SoftmaxCrossEntropy(),
                new SoftmaxCrossEntropy(0.1),
                new MultiClassHinge(),
                new MultiClassHinge(0.5),
                DistributionLoss.crossEntropyOfDistributions().smoothing(0.2),
                DistributionLoss.klDivergence(),
                new MeanSquaredError(),
                new MeanSquaredError().sum(),
                new SumOfSquares(),
                ValueLoss.meanAbsoluteError(),
                ValueLoss.huber(1),
                ValueLoss.huber(0.5),
                ValueLoss.epsilonInsensitive(0.2),
                ValueLoss.binaryCrossEntropy(),
                ValueLoss.hinge(),
                ValueLoss.squaredHinge())
            .map(Loss::spec)
            .toList());
    assertEquals(new MeanSquaredError("values"), new MeanSquaredError().against("values"));
    assertEquals(ValueLoss.huber(2).sum(), ValueLoss.huber(2).sum());
    assertFalse(ValueLoss.huber(2).sum().equals(ValueLoss.huber(2)));
  }

  /** Of rows that the loss counts the share whose largest output is the label's. */
  @OnEachDevice
  void accuracyIsOverTheRowsThatTheLossCounts(OnEachDevice.Place place) {
    try (Device device = place.open();
        Sequential network = network()) {
      network.seed(7).on(device, MathMode.DOUBLE);
      double[][] outputs = network.scores(data());
      MultiClassHinge hinge = new MultiClassHinge();
      int right = 0;
      for (Loss loss :
          List.of(
              new SoftmaxCrossEntropy().against("some").ignoring(RowType.PADDING),
              hinge.against("some").ignoring(RowType.PADDING),
              new SoftmaxCrossEntropy().ignoring(1),
              hinge.ignoring(0),
              hinge.sampleWeights("weight"))) {
        SoftmaxCrossEntropy cross = loss instanceof SoftmaxCrossEntropy c ? c : null;
        MultiClassHinge other = cross == null ? (MultiClassHinge) loss : null;
        String target = cross == null ? other.target() : cross.target();
        int ignored = (cross == null ? other.weights() : cross.weights()).ignored().orElse(-7);
        int hits = 0;
        int rows = 0;
        for (int r = 0; r < ROWS; r++) {
          int label = (int) at(target, r, 0);
          double[] y = outputs[r];
          int largest = y[0] >= y[1] && y[0] >= y[2] ? 0 : y[1] >= y[2] ? 1 : 2;
          rows += label == ignored ? 0 : 1;
          hits += label != ignored && label == largest ? 1 : 0;
        }
        try (var evaluator = new Evaluator(network, loss, data(), 4)) {
          assertEquals((double) hits / rows, evaluator.evaluate().accuracy(), 1e-12, loss::spec);
        }
        right += hits;
      }
      assertTrue(right > 0, "some are right");
      try (var evaluator =
          new Evaluator(
              network,
              new SoftmaxCrossEntropy(),
              List.of(Accuracy.top(3).ignoring(0), Accuracy.top(3).against("some")),
              data(),
              4)) {
        Evaluation found = evaluator.evaluate();
        assertEquals(1, found.metric("top_3_accuracy"));
        assertEquals(9.0 / ROWS, found.metric("some top_3_accuracy"), 1e-15);
      }
    }
  }

  @Test
  void balancedWeightsAreThoseOfScikitLearn() {
    assertArrayEquals(
        new double[] {8 / 6.0, 8 / 12.0, 8 / 6.0}, LossWeights.balanced(0, 1, 1, 2, 1, 0, 2, 1));
    assertArrayEquals(
        new double[] {9 / 6.0, 9 / 15.0, 9 / 6.0}, LossWeights.balanced(data().column("some")));
    assertArrayEquals(
        new double[] {4 / 6.0, 4 / 2.0}, // one of a label that is no class
        LossWeights.balanced(Column.ids(new int[] {0, 255, 0, 1, 0}), 2));
    assertSays(
        "class 1 of 3 has no row among 2, so that no weight balances it",
        () -> LossWeights.balanced(0, 2));
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
        fit + "kl_divergence needs probabilities, and row 0 of shares adds up to 0.75, not to 1",
        DistributionLoss.klDivergence().against("shares"));
    assertRefused(
        fit
            + "cross_entropy_of_distributions needs probabilities, and row 0 of sides has -1.0 in"
            + " column 1",
        DistributionLoss.crossEntropyOfDistributions().against("sides"));
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
