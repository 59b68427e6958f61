// SPDX-License-Identifier: Apache-2.0
package dev.weft.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weft.Device;
import dev.weft.MathMode;
import dev.weft.data.Column;
import dev.weft.data.Dataset;
import dev.weft.data.LastBatch;
import dev.weft.nn.Activation;
import dev.weft.nn.Embedding;
import dev.weft.nn.Linear;
import dev.weft.nn.Loss;
import dev.weft.nn.MeanSquaredError;
import dev.weft.nn.Sequential;
import dev.weft.nn.SoftmaxCrossEntropy;
import dev.weft.nn.SumOfSquares;
import dev.weft.optim.Adam;
import dev.weft.optim.Clip;
import dev.weft.optim.Optimizer;
import dev.weft.optim.Schedule;
import dev.weft.optim.Sgd;
import dev.weft.optim.Update;
import dev.weft.support.OnEachDevice;
import dev.weft.support.OnEachDevice.Place;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Gradients that add up over batches give the update of one batch of all their rows. */
class AccumulateTest {
  private static final int EPOCHS = 3;

  /** Descent made of operations, which scale and clip the gradient themselves. */
  private record Descent(double rate) implements Optimizer {
    @Override
    public List<String> memory() {
      return List.of();
    }

    @Override
    public void update(Update u) {
      var o = u.operations();
      o.assign(u.values(), o.subtract(u.values(), o.multiply(u.rate(), u.gradient())));
    }
  }

  private static Dataset data(int rows, boolean classes) {
    Random random = new Random(1);
    double[][] x = new double[rows][3];
    double[] t = new double[rows];
    int[] labels = new int[rows];
    for (int r = 0; r < rows; r++) {
      Arrays.setAll(x[r], c -> random.nextGaussian());
      t[r] = x[r][0] - x[r][1] * x[r][2];
      labels[r] = r % 2;
    }
    return classes ? Dataset.of(x, labels) : Dataset.of(x, t);
  }

  private static Sequential network(Loss loss) {
    return Sequential.of(
        new Linear(3, 4),
        Activation.TANH,
        new Linear(4, loss instanceof SoftmaxCrossEntropy ? 2 : 1));
  }

  private static double[] train(
      Device device, Loss loss, int rows, int batch, int accumulated, UnaryOperator<Trainer> tell) {
    Dataset data = data(rows, loss instanceof SoftmaxCrossEntropy);
    try (Sequential network = network(loss)) {
      Trainer trainer =
          tell.apply(
              Trainer.of(network)
                  .on(device)
                  .math(MathMode.DOUBLE)
                  .loss(loss)
                  .batch(batch)
                  .accumulate(accumulated));
      History history = trainer.fit(data, EPOCHS);
      double[] values = network.arena().values().toDoubles();
      double[] ends = Arrays.copyOf(values, values.length + 2);
      ends[values.length] = history.last().train().loss();
      ends[values.length + 1] = trainer.position().update();
      return ends;
    }
  }

  /** huggingface/transformers #39659: what is left at an epoch's end counts for what it is. */
  @ParameterizedTest(name = "{0} rows: {1} batches of {2}")
  @CsvSource({
    "20, 2, 4", // 8 8 4
    "18, 2, 4", // 8 8 2
    "22, 2, 4", // 8 8 6
    "20, 5, 4", // all of them
    "20, 10, 4", // more than there are
    "20, 1, 4",
    "23, 4, 5" // 20 3
  })
  void equalsOneBatchOfAllRows(int rows, int accumulated, int batch) {
    Map<Optimizer, Clip> rules =
        Map.of(
            Sgd.rate(0.01).momentum(0.9),
            Clip.norm(0.5),
            Adam.rate(0.01),
            Clip.value(0.1),
            new Descent(0.01),
            Clip.norm(0.5));
    for (Place place : Place.values()) {
      try (Device device = place.open()) {
        for (Loss loss :
            List.of(new MeanSquaredError(), new SumOfSquares(), new SoftmaxCrossEntropy())) {
          rules.forEach(
              (rule, clip) -> {
                UnaryOperator<Trainer> tell =
                    t -> t.optimizer(rule).schedule(Schedule.cosine(4).warmUp(3)).clip(clip);
                double[] one = train(device, loss, rows, accumulated * batch, 1, tell);
                double[] many = train(device, loss, rows, batch, accumulated, tell);
                assertArrayEquals(one, many, 1e-12, rule.spec() + ", " + loss.spec());
                int updates = EPOCHS * ((rows + accumulated * batch - 1) / (accumulated * batch));
                assertEquals(updates, many[many.length - 1]);
              });
        }
      }
    }
  }

  @Test
  void anotherDivisionWouldBeSeen() {
    try (Device device = Device.cpu()) {
      UnaryOperator<Trainer> tell = t -> t.optimizer(Sgd.rate(0.01));
      double[] one = train(device, new MeanSquaredError(), 22, 8, 1, tell);
      double[] many = train(device, new MeanSquaredError(), 22, 4, 3, tell);
      double most = 0;
      for (int i = 0; i < one.length - 2; i++) {
        most = Math.max(most, Math.abs(one[i] - many[i]));
      }
      assertTrue(most > 1e-6, most + "");
    }
  }

  @Test
  void whatIsDroppedIsNotAdded() {
    try (Device device = Device.cpu()) {
      UnaryOperator<Trainer> drop = t -> t.lastBatch(LastBatch.DROP);
      double[] one = train(device, new MeanSquaredError(), 19, 16, 1, drop);
      double[] many = train(device, new MeanSquaredError(), 19, 8, 2, drop);
      assertArrayEquals(one, many, 1e-12);
    }
  }

  /** huggingface/transformers #22098: 5 batches by 4 are 2 updates an epoch, 3 by 8 one. */
  @OnEachDevice
  void updatesAreCounted(Place place) {
    try (Device device = place.open();
        Sequential network = network(new MeanSquaredError())) {
      List<Long> updates = new ArrayList<>();
      Trainer trainer =
          Trainer.of(network)
              .on(device)
              .loss(new MeanSquaredError())
              .batch(4)
              .accumulate(4)
              .onStep(1, run -> updates.add(run.position().update()));
      trainer.fit(data(20, false), 2);
      assertEquals(List.of(0L, 0L, 0L, 1L, 2L, 2L, 2L, 2L, 3L, 4L), updates);
      trainer.accumulate(8).fit(data(12, false), 2);
      assertEquals(List.of(4L, 4L, 5L, 5L, 5L, 6L), updates.subList(10, 16));
    }
  }

  /** Stops a run, once. */
  private static void stopAt(Trainer trainer, long step) {
    boolean[] stopped = new boolean[1];
    trainer.onStep(
        1,
        run -> {
          if (run.position().step() == step && !stopped[0]) {
            stopped[0] = true;
            run.stop("enough");
          }
        });
  }

  /** A group of batches that was begun under another number cannot be finished: an epoch begins. */
  @Test
  void anotherNumberOfBatchesBeginsAnEpoch() {
    Dataset data = data(24, false);
    try (Device device = Device.cpu();
        Sequential network = network(new MeanSquaredError())) {
      Trainer trainer =
          Trainer.of(network).on(device).loss(new MeanSquaredError()).batch(4).accumulate(3);
      stopAt(trainer, 3);
      trainer.fit(data, 1);
      assertEquals(new Position(0, 3, 3, 1), trainer.position());
      assertEquals(2, trainer.accumulate(2).fit(data, 1).last().number());
      assertEquals(new Position(2, 0, 9, 4), trainer.position());
    }
  }

  /** Gradients that were half added up stay where memory stayed; else they are added up again. */
  @OnEachDevice
  void aGroupOfBatchesThatWasCutIsWhole(Place place) {
    Dataset data = data(24, false);
    double[][] ends = new double[3][];
    for (int i = 0; i < ends.length; i++) {
      try (Device device = place.open();
          Device other = Device.cpu();
          Sequential network = network(new MeanSquaredError())) {
        Trainer trainer =
            Trainer.of(network)
                .on(device)
                .math(MathMode.DOUBLE)
                .loss(new MeanSquaredError())
                .optimizer(Sgd.rate(0.1).momentum(0.5))
                .batch(4)
                .accumulate(3);
        if (i > 0) {
          stopAt(trainer, 5);
          trainer.fit(data, 1);
          if (i == 2) {
            trainer.on(other);
          }
        }
        trainer.fit(data, 1);
        assertEquals(2, trainer.position().update());
        assertEquals(1, trainer.position().epoch());
        ends[i] = network.arena().values().toDoubles();
      }
    }
    assertArrayEquals(ends[0], ends[1]);
    assertArrayEquals(ends[0], ends[2], 1e-12);
  }

  @Test
  void tablesOfRowsAreRefused() {
    Dataset data = Dataset.of(Column.ids(new int[] {0, 1, 2}), Column.ids(new int[] {0, 1, 1}));
    try (Device device = Device.cpu();
        Sequential network = Sequential.of(new Embedding(3, 2))) {
      Trainer trainer = Trainer.of(network).on(device).batch(1).accumulate(2);
      String said =
          assertThrows(IllegalArgumentException.class, () -> trainer.fit(data, 1)).getMessage();
      assertTrue(said.contains("do not add up over batches for the table"), said);
      assertTrue(said.contains("accumulate 1, or make it dense"), said);
      assertFalse(network.isOnDevice());
      assertThrows(IllegalArgumentException.class, () -> trainer.accumulate(0));
      trainer.accumulate(1).fit(data, 1);
    }
  }
}
