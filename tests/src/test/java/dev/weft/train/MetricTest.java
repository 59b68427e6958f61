// SPDX-License-Identifier: Apache-2.0
package dev.weft.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weft.DType;
import dev.weft.Device;
import dev.weft.Inputs;
import dev.weft.MathMode;
import dev.weft.Operations;
import dev.weft.RowType;
import dev.weft.Tensor;
import dev.weft.data.Column;
import dev.weft.data.Dataset;
import dev.weft.data.ToySets;
import dev.weft.nn.Loss;
import dev.weft.nn.MeanSquaredError;
import dev.weft.nn.Sequential;
import dev.weft.nn.SoftmaxCrossEntropy;
import dev.weft.optim.Sgd;
import dev.weft.support.OnEachDevice;
import dev.weft.support.OnEachDevice.Place;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.BiFunction;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;

/** What is measured beside the loss, against a count of outputs and labels in the test. */
class MetricTest {
  private static final int BATCH = 8; // the last one is smaller
  private static final int CLASSES = 5;
  private static final Dataset CLASSIFIED = ToySets.spirals(52, CLASSES, 0.2, 1);
  private static final Dataset OTHERS = ToySets.spirals(37, CLASSES, 0.2, 2);

  /** As a user writes one: it says nothing of hits. */
  private record Mine() implements Loss {
    @Override
    public void check(RowType output, Inputs<RowType> data) {
      data.get(Inputs.TARGETS);
    }

    @Override
    public Tensor apply(Operations o, Tensor output, Inputs<Tensor> data) {
      return o.softmaxCrossEntropy(output, data.get(Inputs.TARGETS));
    }
  }

  /** A metric in a few words. */
  private record Made(String name, int sums, BiFunction<Operations, Batch, Tensor> made)
      implements Metric {
    private record Batch(Tensor output, Inputs<Tensor> data) {}

    @Override
    public Tensor values(Operations operations, Tensor output, Inputs<Tensor> data) {
      return made.apply(operations, new Batch(output, data));
    }
  }

  /** 1 - Σ (y - t)² / Σ (t - mean t)², of three sums. */
  private record Determination() implements Metric {
    @Override
    public String name() {
      return "r_squared";
    }

    @Override
    public int sums() {
      return 3;
    }

    @Override
    public Tensor values(Operations o, Tensor output, Inputs<Tensor> data) {
      Tensor t = data.get(Inputs.TARGETS);
      return o.concat(1, o.square(o.subtract(output, t)), t, o.square(t));
    }

    @Override
    public double of(double[] sums, long rows) {
      return 1 - sums[0] / (sums[2] - sums[1] * sums[1] / rows);
    }
  }

  private static Sequential classifier() {
    return Sequential.parse("linear(2,6) tanh linear(6,5)");
  }

  private static Sequential regressor() {
    return Sequential.parse("linear(3,6) tanh linear(6,1)");
  }

  private static Dataset numbers(int rows, long seed) {
    Random random = new Random(seed);
    double[][] x = new double[rows][3];
    double[] t = new double[rows];
    for (int r = 0; r < rows; r++) {
      Arrays.setAll(x[r], c -> random.nextGaussian());
      t[r] = x[r][0] * x[r][1] + 2;
    }
    return Dataset.of(x, t);
  }

  private static double share(double[][] scores, Dataset data, int k) {
    int hits = 0;
    for (int r = 0; r < scores.length; r++) {
      int label = (int) data.targets().get(r, 0);
      int before = 0;
      for (int c = 0; c < scores[r].length; c++) {
        boolean larger = scores[r][c] > scores[r][label];
        before += larger || scores[r][c] == scores[r][label] && c < label ? 1 : 0;
      }
      hits += before < k ? 1 : 0;
    }
    return (double) hits / scores.length;
  }

  /** A rate of 0: what is measured while training is that of the network which stays. */
  private static Trainer still(Sequential network, Device device) {
    return Trainer.of(network).on(device).batch(BATCH).optimizer(Sgd.rate(0)).seed(3);
  }

  /** Losses that know nothing of hits, and the one that counts them as it goes. */
  @OnEachDevice
  void accuracyIsThatOfTheOutputsWhateverTheLoss(Place place) {
    for (Loss loss : List.of(new Mine(), new SoftmaxCrossEntropy(), new SoftmaxCrossEntropy(0.1))) {
      for (MathMode math : List.of(MathMode.STRICT, MathMode.BF16)) {
        try (Device device = place.open();
            Sequential network = classifier()) {
          Metric[] all = {Accuracy.top(3), new Accuracy(), Accuracy.top(2), Accuracy.top(CLASSES)};
          History.Epoch epoch =
              still(network, device)
                  .math(math)
                  .loss(loss)
                  .metrics(all)
                  .fit(CLASSIFIED, OTHERS, 1)
                  .last();
          assertEquals(
              "[top_3_accuracy, accuracy, top_2_accuracy, top_5_accuracy]",
              epoch.test().metrics().keySet().toString());
          for (int k : new int[] {1, 2, 3, CLASSES}) {
            String name = k == 1 ? "accuracy" : "top_" + k + "_accuracy";
            assertEquals(
                share(network.scores(CLASSIFIED), CLASSIFIED, k),
                epoch.train().metric(name),
                1e-9,
                name);
            assertEquals(share(network.scores(OTHERS), OTHERS, k), epoch.test().metric(name), 1e-9);
          }
          double accuracy = epoch.test().accuracy();
          assertTrue(
              accuracy > 0 && accuracy < epoch.test().metric("top_2_accuracy"), "they differ");
        }
      }
    }
  }

  /** A trained network, in its usual way and by another loss: as many hits. */
  @Test
  void aLossOfOnesOwnTrainsTheSameAndMeasuresTheSame() {
    Evaluation[] ends = new Evaluation[2];
    for (int i = 0; i < 2; i++) {
      try (Device device = Device.cpu();
          Sequential network = classifier()) {
        Trainer trainer = Trainer.of(network).on(device).batch(BATCH).fusion(Fusion.NEVER);
        if (i == 1) {
          trainer.loss(new Mine()).metrics(new Accuracy());
        }
        ends[i] = trainer.fit(CLASSIFIED, OTHERS, 5).last().test();
      }
    }
    assertEquals(ends[0], ends[1]);
    assertEquals(List.of("accuracy"), List.copyOf(ends[0].metrics().keySet()));
  }

  @Test
  void whatIsNotMeasuredIsSaid() {
    try (Device device = Device.cpu();
        Sequential network = regressor();
        Sequential mine = classifier()) {
      Trainer trainer = Trainer.of(network).on(device).loss(new MeanSquaredError()).batch(BATCH);
      Evaluation none = trainer.fit(numbers(20, 1), 1).last().train();
      assertSaid("'accuracy' was not measured, but loss", none::accuracy);
      trainer.metrics(new MeanAbsoluteError(), new Determination());
      Evaluation some = trainer.fit(numbers(20, 1), 1).last().train();
      assertSaid(
          "'accuracy' was not measured, but loss, mean_absolute_error, r_squared", some::accuracy);
      assertEquals(some.loss(), some.metric(Evaluation.LOSS));
      History.Epoch own = still(mine, device).loss(new Mine()).fit(CLASSIFIED, 1).last();
      assertSaid("'accuracy' was not measured, but loss", own.train()::accuracy);
      assertSaid(
          "the training data does not fit the metric accuracy: accuracy needs class labels",
          () -> trainer.metrics(new Accuracy()).fit(numbers(20, 1), 1));
      assertThrows(IllegalArgumentException.class, () -> Accuracy.top(0));
    }
  }

  private static void assertSaid(String words, Runnable action) {
    String said = assertThrows(IllegalArgumentException.class, action::run).getMessage();
    assertTrue(said.contains(words), said);
  }

  /** Mean absolute error, and one that is worked out from several sums. */
  @OnEachDevice
  void metricsOfNumbersAreThoseOfTheOutputs(Place place) {
    Dataset train = numbers(50, 1);
    Dataset test = numbers(21, 2);
    Loss loss = new MeanSquaredError();
    try (Device device = place.open();
        Sequential network = regressor()) {
      History.Epoch epoch =
          still(network, device)
              .math(MathMode.DOUBLE)
              .loss(loss)
              .metrics(new Determination(), new MeanAbsoluteError())
              .fit(train, test, 1)
              .last();
      for (Dataset data : List.of(train, test)) {
        double[][] y = network.scores(data);
        double[] t = new double[y.length];
        Arrays.setAll(t, r -> data.targets().get(r, 0));
        double mean = Arrays.stream(t).average().orElseThrow();
        double absolute = 0;
        double squares = 0;
        double all = 0;
        for (int r = 0; r < t.length; r++) {
          absolute += Math.abs(y[r][0] - t[r]) / t.length;
          squares += Math.pow(y[r][0] - t[r], 2);
          all += Math.pow(t[r] - mean, 2);
        }
        Evaluation measured = data == train ? epoch.train() : epoch.test();
        assertEquals(absolute, measured.metric("mean_absolute_error"), 1e-12);
        assertEquals(1 - squares / all, measured.metric("r_squared"), 1e-11);
        assertEquals(squares / t.length, measured.loss(), 1e-12);
      }
    }
  }

  /** The memory of an output is given back in the backward pass; its sum is taken before. */
  @OnEachDevice
  void aMetricMayBeTheOutputItself(Place place) {
    Dataset data = numbers(50, 1);
    Loss loss = new MeanSquaredError();
    try (Device device = place.open();
        Sequential network = regressor()) {
      Evaluation measured =
          still(network, device)
              .math(MathMode.DOUBLE)
              .loss(loss)
              .metrics(
                  new Made("output", 1, (o, batch) -> batch.output()),
                  new Made(
                      "view",
                      1,
                      (o, batch) -> o.reshape(batch.output(), batch.output().elements())),
                  new Made("target", 1, (o, batch) -> batch.data().get(Inputs.TARGETS)))
              .fit(data, 1)
              .last()
              .train();
      double[][] y = network.scores(data);
      double mean = Arrays.stream(y).mapToDouble(row -> row[0]).average().orElseThrow();
      assertEquals(mean, measured.metric("output"), 1e-12);
      assertEquals(mean, measured.metric("view"), 1e-12);
      assertEquals(2, measured.metric("target"), 0.5);
    }
  }

  @Test
  void whatIsNoMetricIsRefused() {
    Dataset data = numbers(20, 1);
    try (Device device = Device.cpu();
        Sequential network = regressor()) {
      Trainer trainer = Trainer.of(network).on(device).loss(new MeanSquaredError()).batch(BATCH);
      assertSaid(
          "the metric all must give 1 numbers of type F32 for each of 8 rows, not",
          () -> trainer.metrics(new Made("all", 1, (o, b) -> o.mean(b.output()))).fit(data, 1));
      assertSaid(
          "the metric two must give 2 numbers of type F32 for each of 8 rows, not",
          () -> trainer.metrics(new Made("two", 2, (o, b) -> b.output())).fit(data, 1));
      assertSaid(
          "the metric narrow must give 1 numbers of type F32 for each of 8 rows, not",
          () ->
              trainer
                  .metrics(new Made("narrow", 1, (o, b) -> o.cast(b.output(), DType.BF16)))
                  .fit(data, 1));
      assertSaid(
          "two metrics are called 'mean_absolute_error'",
          () -> trainer.metrics(new MeanAbsoluteError(), new MeanAbsoluteError()));
      assertSaid(
          "a metric is called 'loss', as the loss is",
          () -> trainer.metrics(new Made("loss", 1, null)));
      assertSaid(
          "there is no column 'hot' in the batch: check(...) of a loss or a metric, or output(...)"
              + " of a model, must ask for it, as was asked for features, targets",
          () -> trainer.metrics(new Made("h", 1, (o, b) -> b.data().get("hot"))).fit(data, 1));
      assertSaid("adds up 0 numbers", () -> trainer.metrics(new Made("none", 0, null)));
      assertSaid(
          "does not fit the metric other mean_absolute_error: there is no column 'other': there is"
              + " features, targets",
          () -> trainer.metrics(new MeanAbsoluteError("other")).fit(data, 1));
      assertEquals(Position.START, trainer.position());
      trainer.metrics().fit(data, 1);
    }
  }

  @Test
  void severalSumsNeedWordsOfWhatTheyAre() {
    Made two = new Made("two", 2, null);
    String said =
        assertThrows(IllegalStateException.class, () -> two.of(new double[2], 1)).getMessage();
    assertTrue(said.startsWith("the metric two has 2 sums and no of(sums, rows): write"), said);
    assertEquals(2, two.of(new double[] {6}, 3));
  }

  /** A metric is called while a step is recorded: there is nothing to read yet. */
  @OnEachDevice
  void valuesAreNeitherReadNorUploadedInAMetric(Place place) {
    try (Device device = place.open();
        Sequential network = regressor()) {
      Trainer trainer = Trainer.of(network).on(device).loss(new MeanSquaredError()).batch(BATCH);
      List<Metric> wrong =
          List.of(
              new Made("read", 1, (o, b) -> o.scale(b.output(), b.output().toFloats()[0])),
              new Made("made", 1, (o, b) -> device.tensor(new float[BATCH])));
      for (Metric metric : wrong) {
        trainer.metrics(metric);
        String said =
            assertThrows(IllegalStateException.class, () -> trainer.fit(numbers(20, 1), 1))
                .getMessage();
        assertTrue(said.contains("while a step is recorded. Losses, metrics, optimizers"), said);
        assertTrue(said.contains("no value can be read and none uploaded"), said);
      }
    }
  }

  @Test
  void anAccuracyIsCalledByItsColumn() {
    Map<String, Column> columns = new LinkedHashMap<>();
    columns.put("features", CLASSIFIED.features());
    columns.put("kind", CLASSIFIED.targets());
    Dataset data = Dataset.of(columns);
    try (Device device = Device.cpu();
        Sequential network = classifier()) {
      Trainer trainer =
          still(network, device).loss(new SoftmaxCrossEntropy().against("kind")).batch(BATCH);
      Evaluation usual = trainer.fit(data, 1).last().train();
      assertEquals(List.of("kind accuracy"), List.copyOf(usual.metrics().keySet()));
      assertEquals(share(network.scores(CLASSIFIED), CLASSIFIED, 1), usual.accuracy(), 1e-9);
      assertEquals(usual.metric("kind accuracy"), usual.accuracy());
      trainer.metrics(Accuracy.top(2).against("kind")).fit(data, 1);
      assertEquals("mean_absolute_error", new MeanAbsoluteError().name());
      assertEquals("kind mean_absolute_error", new MeanAbsoluteError("kind").name());
      Evaluation top = trainer.fit(data, 1).last().train();
      assertEquals(List.of("kind top_2_accuracy"), List.copyOf(top.metrics().keySet()));
      assertSaid("'accuracy' was not measured, but loss, kind top_2_accuracy", top::accuracy);
    }
    Map<String, Double> both = Map.of("a accuracy", 0.25, "b accuracy", 0.5);
    assertSaid("'accuracy' was not measured", new Evaluation(0, both, 1)::accuracy);
    Map<String, Double> own = Map.of("a accuracy", 0.25, "accuracy", 0.5);
    assertEquals(0.5, new Evaluation(0, own, 1).accuracy());
  }

  /** A column that neither the network nor the loss reads. */
  @Test
  void aMetricMayReadAColumnOfItsOwn() {
    Dataset data = numbers(20, 1);
    Map<String, Column> columns = new LinkedHashMap<>(data.columns());
    columns.put("other", data.targets().scaled(1, 10));
    try (Device device = Device.cpu();
        Sequential network = regressor()) {
      Evaluation measured =
          still(network, device)
              .loss(new MeanSquaredError())
              .metrics(new MeanAbsoluteError("other"))
              .fit(Dataset.of(columns), 1)
              .last()
              .train();
      double expected =
          Arrays.stream(network.scores(data)).mapToDouble(y -> -y[0]).average().orElseThrow();
      double mean = 0;
      for (int r = 0; r < data.rows(); r++) {
        mean += data.targets().get(r, 0) / data.rows();
      }
      assertEquals(expected + mean + 10, measured.metric("other mean_absolute_error"), 1e-5);
    }
  }

  /** Resident and streamed give the same bits, both devices the same numbers. */
  @Test
  void allPlacesMeasureTheSame() {
    UnaryOperator<Trainer> streamed = trainer -> trainer.dataMemory(600);
    History[] runs = new History[4];
    int at = 0;
    for (Place place : Place.values()) {
      for (UnaryOperator<Trainer> way : List.of(UnaryOperator.<Trainer>identity(), streamed)) {
        try (Device device = place.open();
            Sequential network = classifier()) {
          Trainer trainer = Trainer.of(network).on(device).batch(BATCH).loss(new Mine());
          runs[at++] =
              way.apply(trainer.metrics(new Accuracy(), Accuracy.top(2)))
                  .fit(CLASSIFIED, OTHERS, 3);
        }
      }
    }
    for (int e = 0; e < 3; e++) {
      for (int run = 1; run < 4; run++) {
        History.Epoch expected = runs[run & 2].epochs().get(e);
        History.Epoch epoch = runs[run].epochs().get(e);
        assertEquals(expected.train(), epoch.train());
        assertEquals(expected.test(), epoch.test());
        assertEquals(
            runs[0].epochs().get(e).test().metrics(),
            epoch.test().metrics(),
            "on the other device");
        assertEquals(runs[0].epochs().get(e).train().loss(), epoch.train().loss(), 1e-5);
      }
    }
    assertFalse(
        runs[0].epochs().get(0).train().equals(runs[0].epochs().get(2).train()), "they change");
  }
}
