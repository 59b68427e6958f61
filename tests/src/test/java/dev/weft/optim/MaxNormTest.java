// SPDX-License-Identifier: Apache-2.0
package dev.weft.optim;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weft.DType;
import dev.weft.Device;
import dev.weft.Inputs;
import dev.weft.MathMode;
import dev.weft.Tape;
import dev.weft.Tensor;
import dev.weft.data.Batch;
import dev.weft.data.Dataset;
import dev.weft.data.ToySets;
import dev.weft.nn.Activation;
import dev.weft.nn.Embedding;
import dev.weft.nn.Flatten;
import dev.weft.nn.Initializers;
import dev.weft.nn.Linear;
import dev.weft.nn.Sequential;
import dev.weft.nn.WeightNormLinear;
import dev.weft.support.OnEachDevice;
import dev.weft.support.OnEachDevice.Place;
import dev.weft.train.Fusion;
import dev.weft.train.Trainer;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

/** Bounds of columns against the same written out here. */
class MaxNormTest {
  private static final Dataset DATA = ToySets.moons(40, 0.1, 1);
  private static final double MOST = 0.9;

  private static Sequential network() {
    return Sequential.of(new Linear(2, 5), Activation.TANH, new Linear(5, 2));
  }

  /** What one update by plain descent makes of a parameter, under settings. */
  private static double[] after(Place place, MathMode math, String name, Consumer<Trainer> set) {
    try (Device device = place.open();
        Sequential network = network()) {
      Trainer trainer =
          Trainer.of(network)
              .on(device)
              .math(math)
              .batch(40)
              .fusion(Fusion.NEVER)
              .optimizer(Sgd.rate(0.3));
      set.accept(trainer);
      trainer.fit(DATA, 1);
      return network.named().get(name).tensor().toDoubles();
    }
  }

  private static double norm(double[] matrix, int columns, int column) {
    double sum = 0;
    for (int i = column; i < matrix.length; i += columns) {
      sum += matrix[i] * matrix[i];
    }
    return Math.sqrt(sum);
  }

  /** Longer columns are scaled to the bound, in float64 to its rounding; shorter keep each bit. */
  @OnEachDevice
  void columnsThatAreLongerAreScaledBack(Place place) {
    for (MathMode math : new MathMode[] {MathMode.STRICT, MathMode.DOUBLE}) {
      double[] free = after(place, math, "0.weight", trainer -> {});
      double[] bound = after(place, math, "0.weight", trainer -> trainer.maxNorm(MOST));
      int longer = 0;
      for (int column = 0; column < 5; column++) {
        double norm = norm(free, 5, column);
        longer += norm > MOST ? 1 : 0;
        for (int i = column; i < free.length; i += 5) {
          double expected = norm > MOST ? free[i] * MOST / norm : free[i];
          double tolerance = norm > MOST ? math == MathMode.DOUBLE ? 1e-15 : 1e-6 : 0;
          assertEquals(expected, bound[i], tolerance, math + ", element " + i);
        }
      }
      assertTrue(longer > 0 && longer < 5, "both kinds are there: " + longer + " of 5 are longer");
      assertArrayEquals(
          after(place, math, "0.bias", trainer -> {}),
          after(place, math, "0.bias", trainer -> trainer.maxNorm(MOST)));
    }
  }

  /** What layers see under BF16 is the bounded value, rounded. */
  @OnEachDevice
  void theRoundedCopyFollows(Place place) {
    double[] seen = after(place, MathMode.BF16, "0.weight", trainer -> trainer.maxNorm(0.25));
    for (int column = 0; column < 5; column++) {
      assertEquals(0.25, norm(seen, 5, column), 0.25 / 128, "column " + column);
    }
  }

  @Test
  void aPatternNamesMatricesAndTheFirstOneCounts() {
    Consumer<Trainer> both = trainer -> trainer.maxNorm("2.*", 0.1).maxNorm(0.2);
    double[] last = after(Place.CPU, MathMode.DOUBLE, "2.weight", both);
    double[] first = after(Place.CPU, MathMode.DOUBLE, "0.weight", both);
    assertEquals(0.1, norm(last, 2, 0), 1e-15);
    assertEquals(0.2, norm(first, 5, 0), 1e-15);
    double[] free = after(Place.CPU, MathMode.DOUBLE, "0.weight", trainer -> {});
    assertArrayEquals(
        free, after(Place.CPU, MathMode.DOUBLE, "0.weight", each -> each.maxNorm("2.*", 0.1)));
  }

  /** Where a group has a rule of its own, and where one clips its updates, it comes last. */
  @Test
  void itComesAfterEveryRuleAndClip() {
    double[] weight =
        after(
            Place.CPU,
            MathMode.DOUBLE,
            "2.weight",
            trainer ->
                trainer
                    .group("2.weight", Adam.rate(0.1))
                    .clip("2.weight", Clip.norm(0.5).ofUpdate())
                    .maxNorm(0.1));
    assertEquals(0.1, norm(weight, 2, 0), 1e-15);
    assertEquals(0.1, norm(weight, 2, 1), 1e-15);
  }

  @Test
  void columnsOfZerosStayAndFrozenMatricesToo() {
    try (Device device = Device.cpu();
        Sequential network = network()) {
      network.on(device, MathMode.DOUBLE).freeze("0.*");
      double[] before = network.named().get("0.weight").tensor().toDoubles();
      network.named().get("2.weight").tensor().fill(0);
      Trainer.of(network)
          .on(device)
          .math(MathMode.DOUBLE)
          .optimizer(Sgd.rate(0))
          .maxNorm(1e-3)
          .fit(DATA, 1);
      assertArrayEquals(before, network.named().get("0.weight").tensor().toDoubles());
      assertArrayEquals(new double[10], network.named().get("2.weight").tensor().toDoubles());
    }
  }

  @Test
  void aLoopByHandHasIt() {
    try (Device device = Device.cpu();
        Sequential network = network()) {
      network.on(device, MathMode.DOUBLE);
      try (Stepper stepper = Sgd.rate(0.3).stepper(network).maxNorm("0.weight", 0.1)) {
        assertSame(stepper, stepper.maxNorm("2.weight", 0.05)); // beside the first
        for (Batch batch : DATA.batches(device, 40, 0, 1)) {
          try (batch;
              Tape tape = stepper.tape()) {
            Tensor y = network.forward(tape, tape.cast(batch.inputs().features(), DType.F64));
            tape.backward(tape.softmaxCrossEntropy(y, batch.inputs().get(Inputs.TARGETS)));
            stepper.step();
          }
        }
      }
      assertEquals(0.1, norm(network.named().get("0.weight").tensor().toDoubles(), 5, 3), 1e-15);
      assertEquals(0.05, norm(network.named().get("2.weight").tensor().toDoubles(), 2, 0), 1e-15);
    }
  }

  @Test
  void whatHasNoColumnsToBoundIsRefused() {
    Trainer trainer = Trainer.of(network());
    refused("a max-norm must be positive and finite, not 0.0", () -> trainer.maxNorm(0));
    refused("not NaN", () -> trainer.maxNorm(Double.NaN));
    refused("'*.bias' fits no matrix", () -> trainer.maxNorm("*.bias", 1));
    refused("'3.*'", () -> trainer.maxNorm("3.*", 1));
    trainer.maxNorm(1).maxNorm("2.weight", 2);
    try (Device device = Device.cpu()) {
      refused(
          "a max-norm of '2.weight' fits no matrix that an earlier one of *, 2.weight does not",
          () -> trainer.on(device).start(DATA).close());
    }
    Trainer words = Trainer.of(Sequential.of(new Embedding(9, 4), new Flatten(), new Linear(8, 2)));
    refused(
        "a max-norm of '*' bounds columns, which the table 0.table has across all its rows, of"
            + " which a step changes few: name the matrices that it is for, such as '*.weight'",
        () -> words.maxNorm(1));
    words.maxNorm("*.weight", 1);
    Embedding dense = new Embedding(9, 4, Initializers.zeros(), Embedding.Gradient.DENSE);
    String bounds = " bounds the weights into each unit, a column of a matrix, and ";
    refused(
        "a max-norm of '*'" + bounds + "0.table is a table, which has a row for each id: name",
        () -> Trainer.of(Sequential.of(dense, new Flatten(), new Linear(8, 2))).maxNorm(1));
    Trainer directed = Trainer.of(Sequential.of(new WeightNormLinear(2, 3), new Linear(3, 2)));
    refused(
        "'0.*'" + bounds + "0.direction is a direction, whose norm the layer divides out: name",
        () -> directed.maxNorm("0.*", 1));
    directed.maxNorm("1.*", 1);
  }

  private static void refused(String part, Executable call) {
    String message = assertThrows(IllegalArgumentException.class, call).getMessage();
    assertTrue(message.contains(part), message);
  }
}
