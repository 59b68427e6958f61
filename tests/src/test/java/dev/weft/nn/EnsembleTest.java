// SPDX-License-Identifier: Apache-2.0
package dev.weft.nn;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weft.Device;
import dev.weft.Inputs;
import dev.weft.MathMode;
import dev.weft.RowType;
import dev.weft.Shape;
import dev.weft.Tape;
import dev.weft.Tensor;
import dev.weft.check.GradCheck;
import dev.weft.check.GradCheckFailure;
import dev.weft.data.Dataset;
import dev.weft.data.ToySets;
import dev.weft.optim.Adam;
import dev.weft.support.Broken;
import dev.weft.support.OnEachDevice;
import dev.weft.train.Evaluator;
import dev.weft.train.Trainer;
import dev.weft.train.TrainingRun;
import java.nio.file.Path;
import java.util.List;
import java.util.function.DoubleUnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What several models say together, and that they are one network to all else. */
class EnsembleTest {
  @TempDir private Path folder;

  private static final double[][] X = {{0.5, -1}, {2, 0.25}, {-3, 1.5}};

  private static Sequential member(String layers, long seed) {
    return Sequential.parse(layers).seed(seed);
  }

  private static double[][] alone(Device device, String layers, long seed) {
    try (Sequential network = member(layers, seed).on(device, MathMode.DOUBLE)) {
      return network.scores(X);
    }
  }

  /** A network that has its values, and is on no device. */
  private static Network made(Device device, String layers, long seed) {
    return member(layers, seed).on(device, MathMode.DOUBLE).off();
  }

  /** Members of three architectures. */
  private static final List<String> LAYERS =
      List.of("linear(2,4) tanh linear(4,3)", "linear(2,3)", "linear(2,5) relu linear(5,3)");

  @OnEachDevice
  void probabilitiesAreTheMeanOfThoseOfTheMembers(OnEachDevice.Place place) {
    try (Device device = place.open()) {
      double[][] mean = new double[X.length][3];
      for (int m = 0; m < LAYERS.size(); m++) {
        double[][] scores = alone(device, LAYERS.get(m), m + 1);
        for (int r = 0; r < X.length; r++) {
          double sum = 0;
          for (double score : scores[r]) {
            sum += Math.exp(score);
          }
          for (int c = 0; c < 3; c++) {
            mean[r][c] += Math.exp(scores[r][c]) / sum / LAYERS.size();
          }
        }
      }
      Network[] members = new Network[LAYERS.size()];
      for (int m = 0; m < members.length; m++) {
        members[m] = made(device, LAYERS.get(m), m + 1);
      }
      try (Network whole =
          Network.over(Ensemble.ofProbabilities(members)).on(device, MathMode.DOUBLE)) {
        double[][] probabilities = whole.probabilities(X);
        double[][] scores = whole.scores(X);
        for (int r = 0; r < X.length; r++) {
          assertArrayEquals(mean[r], probabilities[r], 1e-12);
          for (int c = 0; c < 3; c++) {
            assertEquals(Math.log(mean[r][c]), scores[r][c], 1e-11, "scores are logarithms");
          }
        }
      }
    }
  }

  private static double[] joined(Model ensemble, MathMode math, double[]... columns) {
    try (Device device = Device.cpu();
        Network network = Network.over(ensemble).on(device, math)) {
      return network.scores(columns)[0];
    }
  }

  private static Model plus(double... constants) {
    return Lambda.of("plus", (o, x) -> o.add(x, row(o, x, constants)));
  }

  private static Tensor row(dev.weft.Operations o, Tensor x, double... values) {
    Tensor[] parts = new Tensor[values.length];
    for (int i = 0; i < parts.length; i++) {
      parts[i] = o.full(x.dtype(), Shape.of(1), values[i]);
    }
    return o.concat(0, parts);
  }

  /** Members that are sure of different classes: e^-1200 is 0 in float64, its logarithm is not. */
  @Test
  void noProbabilityUnderflows() {
    double[] scores =
        joined(
            Ensemble.ofProbabilities(plus(1200, 0, 0), plus(1200, 0, -300)),
            MathMode.DOUBLE,
            new double[] {0, 0, 0});
    assertArrayEquals(
        new double[] {0, -1200, -1200 + Math.log((1 + Math.exp(-300)) / 2)}, scores, 1e-9);
    double[] logits =
        joined(
            Ensemble.ofBinaryProbabilities(plus(-1200), plus(-1000)),
            MathMode.DOUBLE,
            new double[] {0});
    assertEquals(-1000 - Math.log(2), logits[0], 1e-9);
    logits =
        joined(
            Ensemble.ofBinaryProbabilities(plus(1200), plus(1000)),
            MathMode.DOUBLE,
            new double[] {0});
    assertEquals(1000 + Math.log(2), logits[0], 1e-9);
  }

  @Test
  void binaryProbabilitiesAndValuesAreMeansToo() {
    DoubleUnaryOperator sigmoid = z -> 1 / (1 + Math.exp(-z));
    double p = (sigmoid.applyAsDouble(0.5) + sigmoid.applyAsDouble(-2)) / 2;
    double[] x = {0};
    Model[] members = {plus(0.5), plus(-2)};
    assertEquals(
        Math.log(p / (1 - p)),
        joined(Ensemble.ofBinaryProbabilities(members), MathMode.DOUBLE, x)[0],
        1e-12);
    assertEquals(-0.75, joined(Ensemble.ofValues(members), MathMode.DOUBLE, x)[0], 1e-12);
    assertEquals(-0.75, joined(Ensemble.ofValues(members), MathMode.BF16, x)[0], 1e-2);
  }

  @Test
  void itsGradientIsRight() {
    Model one = Sequential.of(new Linear(4, 5), Activation.TANH, new Linear(5, 3));
    Model other = new Linear(4, 3);
    for (Ensemble each :
        List.of(
            Ensemble.ofProbabilities(one, other),
            Ensemble.ofBinaryProbabilities(one, other),
            Ensemble.ofValues(one, other))) {
      GradCheck.of(each, GradCheck.randomNormal(3, 4)).assertPasses();
    }
    var wrong = Lambda.of("wrong", (o, x) -> o.apply(new Broken(Broken.Fault.SIGN), x));
    Ensemble broken = Ensemble.ofProbabilities(Sequential.of(new Linear(4, 3), wrong), other);
    assertThrows(
        GradCheckFailure.class,
        () -> GradCheck.of(broken, GradCheck.randomNormal(3, 4)).assertPasses());
  }

  /** Trained apart, saved as one file, read again and gone on with, as any network. */
  @OnEachDevice
  void itIsOneNetworkToAllElse(OnEachDevice.Place place) throws Exception {
    Dataset data = ToySets.moons(60, 0.1, 3);
    Path file = folder.resolve("ensemble.safetensors");
    try (Device device = place.open()) {
      Network[] members = new Network[2];
      for (int m = 0; m < members.length; m++) {
        Sequential member =
            Sequential.parse(
                m == 0 ? "linear(2,8) tanh linear(8,2)" : "linear(2,4) relu linear(4,2)");
        Trainer.of(member).on(device).optimizer(Adam.rate(0.02)).batch(16).seed(m).fit(data, 4);
        members[m] = member.off();
      }
      try (Network whole = Network.over(Ensemble.ofProbabilities(members)).on(device)) {
        whole.save(file);
        try (Network again = Network.load(file).on(device);
            var evaluator = new Evaluator(again, new SoftmaxCrossEntropy(), data, 50)) {
          assertArrayEquals(whole.scores(data), again.scores(data));
          assertEquals(whole.spec(), again.spec());
          assertTrue(
              again.spec().startsWith("ensemble_of_probabilities(linear(2,8) tanh"), again.spec());
          assertEquals(
              Ensemble.Mean.PROBABILITIES, assertInstanceOf(Ensemble.class, again.model()).mean());
          double before = evaluator.evaluate().loss();
          int[] labels = data.targets().toInts();
          double[][] p = again.probabilities(data);
          double loss = 0;
          int hits = 0;
          int[] classes = again.classes(data);
          for (int r = 0; r < labels.length; r++) {
            loss -= Math.log(p[r][labels[r]]) / labels.length;
            hits += classes[r] == labels[r] ? 1 : 0;
          }
          assertEquals(loss, before, 1e-5);
          assertEquals((double) hits / labels.length, evaluator.evaluate().accuracy(), 1e-6);
          double after = Trainer.of(again).on(device).fit(data, data, 5).last().test().loss();
          assertTrue(after < before, "members learn together, too");
        }
      }
    }
  }

  /** Parameters of members have their names below the member's number. */
  @Test
  void membersAreNumbered() {
    Network network =
        Network.over(Ensemble.ofValues(new Linear(2, 1), Sequential.of(new Linear(2, 1))));
    assertEquals("[0.weight, 0.bias, 1.0.weight, 1.0.bias]", network.named().keySet().toString());
  }

  @Test
  void whatIsNotAlikeIsRefused() {
    assertEquals(
        "Ensemble needs at least one model",
        assertThrows(IllegalArgumentException.class, Ensemble::ofValues).getMessage());
    Inputs<RowType> row = Inputs.of(RowType.floating(Shape.of(2)));
    String said =
        assertThrows(
                IllegalArgumentException.class,
                () ->
                    Ensemble.ofProbabilities(new Linear(2, 3), new Linear(2, 3), new Linear(2, 4))
                        .output(row))
            .getMessage();
    assertTrue(said.contains("members 0 and 2 give"), said);
    assertTrue(said.contains("[3]") && said.contains("[4]"), said);
    said =
        assertThrows(
                IllegalArgumentException.class,
                () -> Ensemble.ofProbabilities(new Linear(2, 1)).output(row))
            .getMessage();
    assertTrue(said.contains("a score for each of 2 classes or more"), said);
    assertTrue(said.contains("ofBinaryProbabilities"), said);
  }

  /** Values that are on a device are not lost unsaid, and come off it. */
  @Test
  void membersComeOffTheirDevice() {
    try (Device device = Device.cpu()) {
      Sequential member = member("linear(2,3)", 5).on(device);
      double[][] scores = member.scores(X);
      Network whole = Network.over(Ensemble.ofValues(member));
      String said = assertThrows(IllegalStateException.class, () -> whole.on(device)).getMessage();
      assertTrue(said.contains("is that of another network"), said);
      assertTrue(said.contains("off()"), said);
      long live = device.memory().live();
      assertTrue(live > 0);
      member.off();
      assertEquals(0, device.memory().live());
      assertFalse(member.isOnDevice());
      member.off(); // again it does nothing
      try (Network on = whole.on(device)) {
        assertArrayEquals(scores, on.scores(X));
      }
      try (Sequential again = Sequential.of(new Linear(2, 3)).on(device);
          TrainingRun run = Trainer.of(again).on(device).start(ToySets.moons(10, 0.1, 1))) {
        run.step();
        assertThrows(IllegalStateException.class, again::off);
        assertTrue(again.isOnDevice());
        run.step();
      }
    }
  }

  /** What is averaged at inference is averaged over what dropout leaves, which is all. */
  @Test
  void dropoutOfMembersIsOffInInference() {
    try (Device device = Device.cpu();
        Network network =
            Network.over(Ensemble.ofValues(new Dropout(0.5), new Dropout(0.25))).on(device);
        Tape tape = Tape.inference(device)) {
      Tensor x = device.tensor(X);
      assertArrayEquals(x.toDoubles(), network.forward(tape, x).toDoubles());
    }
  }
}
