// SPDX-License-Identifier: Apache-2.0
package dev.weft.nn;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weft.DType;
import dev.weft.Device;
import dev.weft.Inputs;
import dev.weft.MathMode;
import dev.weft.Operations;
import dev.weft.RowType;
import dev.weft.Shape;
import dev.weft.Tape;
import dev.weft.Tensor;
import dev.weft.data.Column;
import dev.weft.data.Dataset;
import dev.weft.optim.Sgd;
import dev.weft.support.OnEachDevice;
import dev.weft.text.AliasTable;
import dev.weft.text.HuffmanTree;
import dev.weft.train.Accuracy;
import dev.weft.train.Evaluation;
import dev.weft.train.Evaluator;
import dev.weft.train.Trainer;
import dev.weft.train.TrainingRun;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Losses in loops by hand, and labels and weights of which nothing counts. */
class LossesByHandTest {
  private static final int NONE = 255;
  private static final double[][] SCORES = {{1, -2, 0.5}, {0, 3, 1}, {2, 2, -1}, {-1, 0, 1}};
  private static final int[] LABELS = {0, 2, 1, 2};
  private static final int[] SOME = {0, NONE, 1, NONE};

  private static List<LabelLoss> ofLabels() {
    SoftmaxCrossEntropy cross = new SoftmaxCrossEntropy();
    return List.of(
        cross.classWeights(1, 2, 5),
        cross.classWeights(1, 2, 5).smoothing(0.1),
        cross.classWeights(1, 2, 5).smoothing(0.1).ignoring(1).sum(),
        cross.ignoring(2),
        new MultiClassHinge().classWeights(1, 2, 5).sampleWeights("weight"),
        new MultiClassHinge(0.5).ignoring(0));
  }

  /** A loss with its gradient, of scores of the given type. */
  private static double[][] byHand(
      Device device, DType dtype, Loss loss, Map<String, Tensor> columns, boolean given) {
    try (Tape tape = new Tape(device);
        Tensor y = device.tensor(dtype, SCORES).requiresGrad()) {
      Map<String, Tensor> all = new HashMap<>(columns);
      if (given) {
        RowType output = RowType.floating(Shape.of(3));
        loss.constants(output)
            .forEach((name, values) -> all.put(name, device.tensor(dtype.wide(), values)));
      }
      Tensor value = loss.apply(tape, y, Inputs.of(all));
      tape.backward(value);
      return new double[][] {value.toDoubles(), y.grad().toDoubles()};
    }
  }

  @OnEachDevice
  void whatALossLacksItMakesItself(OnEachDevice.Place place) {
    try (Device device = place.open();
        Tensor labels = device.tensor(LABELS)) {
      for (DType dtype : List.of(DType.F32, DType.F64, DType.BF16)) {
        Tensor weight = device.tensor(dtype.wide(), new double[] {1, 0, 2, 0.5});
        Tensor shares =
            device.tensor(
                dtype.wide(), new double[][] {{1, 0, 0.5}, {1, 1, 0}, {0, 0, 0}, {1, 0, 1}});
        Map<String, Tensor> columns = Map.of("targets", labels, "weight", weight, "shares", shares);
        List<Loss> losses = new ArrayList<>(ofLabels());
        losses.add(ValueLoss.binaryCrossEntropy().against("shares").positiveWeight(1, 2, 3));
        losses.add(
            LossSum.of(2, new SoftmaxCrossEntropy().classWeights(1, 5).ignoring(2).sum(), 0, 2)
                .plus(1, new SoftmaxCrossEntropy().classWeights(1, 2, 5).sum()));
        for (Loss loss : losses) {
          assertTrue(!loss.constants(RowType.floating(Shape.of(3))).isEmpty(), loss::spec);
          double[][] given = byHand(device, dtype, loss, columns, true);
          double[][] made = byHand(device, dtype, loss, columns, false);
          assertArrayEquals(given[0], made[0], loss::spec);
          assertArrayEquals(given[1], made[1], loss::spec);
        }
      }
    }
  }

  /** A user's loss, made of another, whose constants it forgets. */
  private record Twice(Loss loss) implements Loss {
    @Override
    public void check(RowType output, Inputs<RowType> data) {
      loss.check(output, data);
    }

    @Override
    public Tensor apply(Operations operations, Tensor output, Inputs<Tensor> data) {
      return operations.scale(loss.apply(operations, output, data), 2);
    }
  }

  @OnEachDevice
  void aRecordedStepUploadsNothingAndSaysWhatIsMissing(OnEachDevice.Place place) {
    try (Device device = place.open();
        Sequential network = network()) {
      Loss loss = new Twice(new SoftmaxCrossEntropy().classWeights(1, 2, 5).sum());
      Trainer trainer = Trainer.of(network).on(device).loss(loss);
      assertEquals(
          "a recorded step has no 'weights of 3 classes [1.0, 2.0, 5.0]' among its columns, and"
              + " cannot upload them: a loss that is made of others gives their constants(output)"
              + " as its own",
          assertThrows(
                  IllegalStateException.class, () -> trainer.fit(Dataset.of(SCORES, LABELS, 3), 1))
              .getMessage());
    }
  }

  /** The loss of a batch whose weights add up to 0 is 0, and so is its gradient. */
  @OnEachDevice
  void whereNothingCountsTheLossIsNothing(OnEachDevice.Place place) {
    try (Device device = place.open();
        Tensor labels = device.tensor(new int[] {0, 0, 0, 0})) {
      Map<String, Tensor> columns = Map.of("targets", labels);
      SoftmaxCrossEntropy cross = new SoftmaxCrossEntropy();
      for (Loss loss :
          List.of(
              cross.classWeights(0, 1, 1),
              cross.classWeights(0, 1, 1).smoothing(0.1),
              cross.ignoring(0).smoothing(0.1),
              new MultiClassHinge().ignoring(0))) {
        double[][] found = byHand(device, DType.F64, loss, columns, false);
        assertArrayEquals(new double[] {0}, found[0], loss::spec);
        assertArrayEquals(new double[12], found[1], loss::spec);
      }
    }
  }

  private static Dataset data(int[] labels, int... rows) {
    double[][] features = new double[rows.length][];
    int[] targets = new int[rows.length];
    for (int r = 0; r < rows.length; r++) {
      features[r] = SCORES[rows[r]];
      targets[r] = labels[rows[r]];
    }
    return Dataset.of(Column.of(features), Column.ids(targets, NONE + 1));
  }

  private static Sequential network() {
    return Sequential.of(new Linear(3, 3));
  }

  /** A number that is no class leaves rows out as if they were not there. */
  @OnEachDevice
  void anIgnoredLabelMayBeNoClass(OnEachDevice.Place place) {
    try (Device device = place.open()) {
      for (LabelLoss loss :
          List.of(new SoftmaxCrossEntropy().ignoring(NONE), new MultiClassHinge().ignoring(NONE))) {
        double[][] ends = new double[2][];
        Evaluation[] found = new Evaluation[2];
        for (int i = 0; i < 2; i++) {
          Dataset data = i == 0 ? data(SOME, 0, 1, 2, 3) : data(SOME, 0, 2);
          try (Sequential network = network()) {
            Trainer.of(network)
                .on(device)
                .math(MathMode.DOUBLE)
                .loss(loss)
                .optimizer(Sgd.rate(0.1))
                .fit(data, 3);
            ends[i] = network.arena().values().toDoubles();
            try (Evaluator evaluator = new Evaluator(network, loss, data, 4)) {
              found[i] = evaluator.evaluate();
            }
          }
        }
        assertArrayEquals(ends[1], ends[0], 1e-15);
        assertEquals(found[1].loss(), found[0].loss(), 1e-15);
        assertEquals(found[1].accuracy(), found[0].accuracy());
      }
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {NONE, Integer.MAX_VALUE})
  void anIgnoredLabelThatNoRowHasChangesNothing(int ignored) {
    try (Device device = Device.cpu();
        Sequential network = network().on(device)) {
      Dataset data = Dataset.of(SCORES, LABELS, 3);
      Evaluation[] found = new Evaluation[2];
      for (int i = 0; i < 2; i++) {
        SoftmaxCrossEntropy cross = new SoftmaxCrossEntropy();
        try (Evaluator evaluator =
            new Evaluator(network, i == 0 ? cross : cross.ignoring(ignored), data, 4)) {
          found[i] = evaluator.evaluate();
        }
      }
      assertEquals(found[0].loss(), found[1].loss(), 1e-6);
      assertEquals(found[0].accuracy(), found[1].accuracy());
    }
  }

  @OnEachDevice
  void otherLabelsThatAreNoClassAreRefusedOrMakeTheLossNaN(OnEachDevice.Place place) {
    try (Device device = place.open();
        Tensor labels = device.tensor(SOME);
        Sequential network = network()) {
      for (LabelLoss loss :
          List.of(new SoftmaxCrossEntropy().ignoring(7), new MultiClassHinge().ignoring(7))) {
        Trainer trainer = Trainer.of(network).on(device).loss(loss);
        assertSays(
            "the training data does not fit the loss: "
                + loss.spec()
                + ": row 1 of targets has the label 255, which is no class of 0 to 2 and not the"
                + " ignored 7",
            () -> trainer.fit(data(SOME, 0, 1, 2, 3), 1));
        double[][] found = byHand(device, DType.F32, loss, Map.of(Inputs.TARGETS, labels), false);
        assertTrue(Double.isNaN(found[0][0]), loss::spec);
      }
      for (LabelLoss loss : List.of(new SoftmaxCrossEntropy(), new MultiClassHinge().ignoring(1))) {
        Trainer trainer = Trainer.of(network).on(device).loss(loss);
        assertSays(
            "the training data does not fit the loss: targets has 256 classes and the network 3"
                + " outputs",
            () -> trainer.fit(data(SOME, 0, 1, 2, 3), 1));
      }
    }
  }

  @Test
  void aLossThatIsALayerIsNoPartOfASum() {
    HierarchicalSoftmax tree = new HierarchicalSoftmax(4, HuffmanTree.of(3L, 2L, 1L));
    NegativeSampling sampling = new NegativeSampling(4, 2, AliasTable.of(1.0, 2.0, 3.0));
    for (Loss loss : List.of(tree, sampling)) {
      String said =
          loss.spec()
              + " is a layer and reads what it is given, not outputs among others: give it alone to"
              + " loss(...)";
      assertSays(said, () -> LossSum.of(1, loss));
      assertSays(said, () -> LossSum.of(1, new SoftmaxCrossEntropy(), 0, 2).plus(1, loss, 0, 4));
    }
  }

  /** Batches of a row each, of which one counts: before it the mean is 0, and no division by 0. */
  @OnEachDevice
  void theMeanOfNothingSoFarIsNothing(OnEachDevice.Place place) {
    double[] weights = {0, 0, 0, 2};
    Map<String, Column> columns = new HashMap<>(Dataset.of(SCORES, LABELS, 3).columns());
    columns.put("weight", Column.of(weights));
    try (Device device = place.open();
        Sequential network = network()) {
      Trainer trainer =
          Trainer.of(network)
              .on(device)
              .loss(new SoftmaxCrossEntropy().sampleWeights("weight"))
              .metrics(new Accuracy())
              .batch(1)
              .seed(3);
      try (TrainingRun run = trainer.start(Dataset.of(columns))) {
        int before = 0;
        for (int step = 0; step < 4; step++) {
          run.step();
          double loss = run.measured().loss();
          assertTrue(loss >= 0 && loss < 100, "a mean: " + loss);
          before += loss == 0 ? 1 : 0;
        }
        assertTrue(before > 0 && before < 4, before + " batches before the one that counts");
        assertTrue(run.measured().loss() > 0);
      }
    }
  }

  private static void assertSays(String expected, Executable body) {
    assertEquals(expected, assertThrows(IllegalArgumentException.class, body).getMessage());
  }
}
