// SPDX-License-Identifier: Apache-2.0
package dev.weft.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weft.Device;
import dev.weft.MathMode;
import dev.weft.data.Dataset;
import dev.weft.nn.MeanSquaredError;
import dev.weft.nn.Network;
import dev.weft.nn.Sequential;
import dev.weft.optim.Adam;
import dev.weft.optim.KernelRule;
import dev.weft.optim.Schedule;
import dev.weft.optim.Sgd;
import dev.weft.support.OnEachDevice;
import dev.weft.support.OnEachDevice.Place;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

/** Schedules of momentum and of weight decay: each update's factors are those of its number. */
class FactorSchedulesTest {
  private static final double[][] X = {{1, 2}, {0.5, -1}, {-1, 0.3}, {2, 1}, {0.1, 0.7}, {-2, 1}};
  private static final double[][] T = {{1}, {-1}, {0.5}, {2}, {0}, {-0.5}};
  private static final int ROWS = X.length;
  private static final int EPOCHS = 5; // of three updates
  private static final int BATCH = 2;
  private static final Schedule RATE = (update, epochs) -> 1 / (1 + epochs);
  private static final Schedule MOMENTUM = (update, epochs) -> 1 - 0.05 * update;
  private static final Schedule DECAY = (update, epochs) -> epochs < 2 ? 1 : 0.5 * update;

  private static double[] trained(
      Place place, KernelRule<?> rule, Fusion fusion, Schedule momentum, Schedule decay) {
    try (Device device = place.open();
        Network network = Sequential.parse("linear(2,1,no_bias)").on(device, MathMode.DOUBLE)) {
      network.named().get("0.weight").tensor().copyFrom(new double[] {0.3, -0.2});
      Trainer trainer =
          Trainer.of(network)
              .on(device)
              .math(MathMode.DOUBLE)
              .loss(new MeanSquaredError())
              .optimizer(rule)
              .fusion(fusion)
              .schedule(RATE)
              .momentumSchedule(momentum)
              .decaySchedule(decay)
              .batch(BATCH);
      trainer.fit(Dataset.of(X, T), 2);
      trainer.fit(Dataset.of(X, T), EPOCHS - 2);
      return network.named().get("0.weight").tensor().toDoubles();
    }
  }

  /** The same by the formulas, over the batches that the order of examples gives. */
  private static double[] byHand(KernelRule<?> rule, Schedule momentum, Schedule decay) {
    var order = new dev.weft.data.BatchOrder(ROWS, BATCH, dev.weft.data.LastBatch.KEEP, 1);
    double[] w = {0.3, -0.2};
    double[] first = new double[2];
    double[] second = new double[2];
    int updates = ROWS / BATCH;
    for (int u = 0; u < EPOCHS * updates; u++) {
      int[] rows = order.epoch(u / updates).toArray(java.lang.foreign.ValueLayout.JAVA_INT);
      double[] g = new double[2];
      for (int b = 0; b < BATCH; b++) {
        double[] x = X[rows[u % updates * BATCH + b]];
        double error = w[0] * x[0] + w[1] * x[1] - T[rows[u % updates * BATCH + b]][0];
        g[0] += 2 * error * x[0] / BATCH;
        g[1] += 2 * error * x[1] / BATCH;
      }
      double epochs = (double) u / updates;
      double rate = rule.rate() * RATE.factor(u, epochs);
      double b1 = rule.call().momentum() * momentum.factor(u, epochs);
      double lambda = rule.penalties().weightDecay() * decay.factor(u, epochs);
      for (int i = 0; i < 2; i++) {
        double direction;
        if (rule instanceof Adam adam) {
          first[i] = b1 * first[i] + (1 - b1) * g[i];
          second[i] = adam.beta2() * second[i] + (1 - adam.beta2()) * g[i] * g[i];
          direction =
              first[i]
                  / (1 - Math.pow(b1, u + 1))
                  / (Math.sqrt(second[i] / (1 - Math.pow(adam.beta2(), u + 1))) + adam.epsilon());
        } else {
          first[i] = b1 * first[i] + g[i];
          direction = first[i];
        }
        w[i] -= rate * (direction + lambda * w[i]);
      }
    }
    return w;
  }

  @OnEachDevice
  void updatesFollowBothSchedules(Place place) {
    for (KernelRule<?> rule :
        new KernelRule<?>[] {
          Sgd.rate(0.05).momentum(0.9).weightDecay(0.1), Adam.rate(0.05).weightDecay(0.1)
        }) {
      double[] expected = byHand(rule, MOMENTUM, DECAY);
      for (Fusion fusion : new Fusion[] {Fusion.ALWAYS, Fusion.NEVER}) {
        double[] actual = trained(place, rule, fusion, MOMENTUM, DECAY);
        assertArrayEquals(expected, actual, 1e-12, rule + ", fused " + fusion);
      }
      double[] plain = byHand(rule, Schedule.CONSTANT, Schedule.CONSTANT);
      assertArrayEquals(
          plain, trained(place, rule, Fusion.NEVER, Schedule.CONSTANT, Schedule.CONSTANT), 1e-12);
      // and each of the two matters
      assertTrue(Math.abs(byHand(rule, MOMENTUM, Schedule.CONSTANT)[0] - expected[0]) > 1e-4);
      assertTrue(Math.abs(byHand(rule, Schedule.CONSTANT, DECAY)[0] - expected[0]) > 1e-4);
    }
  }

  @Test
  void aMomentumOfOneIsRefusedWithItsUpdate() {
    Schedule within = (update, epochs) -> update == 7 ? 1.2 : 1;
    var thrown =
        assertThrows(
            IllegalArgumentException.class,
            () ->
                trained(
                    Place.CPU,
                    Sgd.rate(0.01).momentum(0.9),
                    Fusion.NEVER,
                    within,
                    Schedule.CONSTANT));
    String words = "factor of momentum for update 7, after 2.333 epochs";
    assertTrue(thrown.getMessage().contains(words), thrown.getMessage());
    assertTrue(thrown.getMessage().contains("makes the momentum 0.9"), thrown.getMessage());
  }

  /** An epoch's end that cannot be is found before the first step, not after hours. */
  @Test
  void aMomentumOfOneAtAnEpochsEndIsRefusedBeforeTheFirstStep() {
    try (Device device = Device.cpu();
        Network network = Sequential.parse("linear(2,1)")) {
      Trainer trainer =
          Trainer.of(network)
              .on(device)
              .loss(new MeanSquaredError())
              .optimizer(Sgd.rate(0.01).momentum(0.9))
              .momentumSchedule(Schedule.exponential(1.02))
              .batch(BATCH);
      refused("for update 18, after 6.000 epochs", trainer, 10);
      assertEquals(0, trainer.position().step());
      trainer.fit(Dataset.of(X, T), 2);
      refused("for update 18, after 6.000 epochs", trainer, 4);
      trainer.onStep(1, run -> stopAfter(run, 7)).fit(Dataset.of(X, T), 2);
      assertEquals(7, trainer.position().step());
      refused("for update 18, after 6.000 epochs", trainer, 4);
      assertEquals(7, trainer.position().step());
      // in float32 it would be 1, and Adam's correction 0
      trainer.optimizer(Adam.rate(0.1)).momentumSchedule((update, e) -> 0.99999999 / 0.9);
      refused("makes the momentum 0.9 0.99999999", trainer, 1);
    }
  }

  private static void stopAfter(TrainingRun run, long steps) {
    if (run.position().step() == steps) {
      run.stop("within an epoch");
    }
  }

  private static void refused(String words, Trainer trainer, int epochs) {
    var thrown =
        assertThrows(IllegalArgumentException.class, () -> trainer.fit(Dataset.of(X, T), epochs));
    assertTrue(thrown.getMessage().contains(words), thrown.getMessage());
  }

  @Test
  void whatNoRuleHasIsNotScheduled() {
    refused("sgd has none", Sgd.rate(0.1).weightDecay(0.1), MOMENTUM, Schedule.CONSTANT);
    refused("give it weightDecay(x)", Adam.rate(0.1), Schedule.CONSTANT, DECAY);
    refused(
        "factor of weight decay for update 0",
        Adam.rate(0.1).weightDecay(0.1),
        Schedule.CONSTANT,
        (update, epochs) -> -1);
    refused(
        "factor of momentum for update 0",
        Adam.rate(0.1),
        (update, epochs) -> Double.NaN,
        Schedule.CONSTANT);
  }

  private static void refused(String words, KernelRule<?> rule, Schedule momentum, Schedule decay) {
    var thrown =
        assertThrows(
            IllegalArgumentException.class,
            () -> trained(Place.CPU, rule, Fusion.AUTO, momentum, decay));
    assertTrue(thrown.getMessage().contains(words), thrown.getMessage());
  }

  /** A schedule is of all groups: also where the first has nothing to schedule. */
  @Test
  void groupsAreScheduled() {
    try (Device device = Device.cpu();
        Network network = Sequential.parse("linear(2,1)").on(device)) {
      Trainer trainer =
          Trainer.of(network)
              .on(device)
              .loss(new MeanSquaredError())
              .optimizer(Sgd.rate(0.1))
              .group("*.bias", Adam.rate(0.1))
              .momentumSchedule(MOMENTUM)
              .batch(BATCH);
      trainer.fit(Dataset.of(X, T), 2);
      assertEquals(6, trainer.position().update());
      assertTrue(Arrays.stream(network.arena().values().toDoubles()).allMatch(Double::isFinite));
    }
  }
}
