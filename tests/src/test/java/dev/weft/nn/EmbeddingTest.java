// SPDX-License-Identifier: Apache-2.0
package dev.weft.nn;

import static dev.weft.nn.ModelTest.refused;
import static dev.weft.nn.TextModels.BEFORE;
import static dev.weft.nn.TextModels.WORDS;
import static dev.weft.nn.TextModels.bag;
import static dev.weft.nn.TextModels.bagModel;
import static dev.weft.nn.TextModels.plain;
import static dev.weft.nn.TextModels.text;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weft.DType;
import dev.weft.Device;
import dev.weft.Engine;
import dev.weft.RowType;
import dev.weft.Shape;
import dev.weft.Tape;
import dev.weft.Tensor;
import dev.weft.data.Column;
import dev.weft.data.Dataset;
import dev.weft.device.BagFunction;
import dev.weft.optim.Adam;
import dev.weft.optim.Optimizer;
import dev.weft.optim.Sgd;
import dev.weft.support.OnEachDevice;
import dev.weft.train.History;
import dev.weft.train.Trainer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import java.util.function.Function;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Tables of which rows are looked up by number, alone and in bags: trained, saved, predicted. */
class EmbeddingTest {
  @TempDir private Path folder;

  @OnEachDevice
  void rowsLearnWhatDenseTablesLearn(OnEachDevice.Place place) {
    checkLearnsAsDense(
        place,
        text(300),
        8,
        table -> Sequential.of(table, new Flatten(), new Linear(BEFORE * 8, WORDS)));
  }

  /** What a table by rows learns a dense one learns, too, where no momentum is lazy. */
  private static void checkLearnsAsDense(
      OnEachDevice.Place place, Dataset data, int width, Function<Embedding, Sequential> made) {
    float[][] values = new float[2][];
    try (Device device = place.open()) {
      for (Embedding.Gradient gradient : Embedding.Gradient.values()) {
        var table = new Embedding(WORDS, width, Initializers.normal(0, 1), gradient);
        try (Sequential network = made.apply(table)) {
          Trainer.of(network).on(device).optimizer(Sgd.rate(0.5)).batch(32).fit(data, 3);
          values[gradient.ordinal()] = table.table().tensor().toFloats();
        }
      }
    }
    assertArrayEquals(values[1], values[0], 1e-5f);
  }

  /** A table of rows in two places of a recorded step, whose batches are of two sizes. */
  @OnEachDevice
  void aTableInTwoPlacesLearnsWhatADenseOneLearns(OnEachDevice.Place place) {
    checkLearnsAsDense(
        place,
        text(100),
        4,
        table ->
            Sequential.of(
                Concat.of(
                    Sequential.of(table, new Flatten()),
                    Sequential.of(table, new Flatten(), Activation.TANH)),
                new Linear(2 * BEFORE * 4, WORDS)));
  }

  @Test
  void aTableOfRowsIsNotUsedByOperationsThatChangeAllOfIt() {
    try (Device device = Device.cpu();
        Sequential network = Sequential.of(new Embedding(4, 2)).on(device);
        Tape tape = new Tape(device)) {
      Tensor table = network.named().get("0.table").tensor();
      refused("whose gradient is a list of those that were looked up", () -> tape.sum(table));
      Tensor ids = device.tensor(new int[] {1, 3, 1});
      Tensor other = device.tensor(new int[] {3, 3});
      Tensor y = tape.add(tape.sum(tape.gather(table, ids)), tape.sum(tape.gather(table, other)));
      tape.backward(y);
      try (Tensor dense = device.zeros(DType.F32, table.shape())) {
        dev.weft.op.RowSums.addTo(Engine.rowGradient(table), dense);
        assertArrayEquals(new float[] {0, 0, 2, 2, 0, 0, 3, 3}, dense.toFloats());
      }
      refused("call zeroGrad first", () -> tape.backward(y));
      table.zeroGrad();
      tape.backward(y);
      ids.close();
      other.close();
    }
  }

  @Test
  void predictionsOfIdsAreThoseOfForward() {
    try (Device device = Device.cpu();
        Sequential network = plain().on(device)) {
      double[][] y = network.scores(new int[][] {{1, 2, 3}, {29, 0, 0}});
      assertEquals(2, y.length);
      assertEquals(WORDS, y[1].length);
      assertFalse(Arrays.stream(y[1]).anyMatch(Double::isNaN));
      refused(
          "rows of 3 ids, the largest 30 in row 0: Embedding(30, 8) got ids up to 30",
          () -> network.scores(new int[][] {{1, 2, 30}}));
    }
  }

  /** Word2vec without its shortcuts is a table, a product and a softmax, by any optimizer. */
  @OnEachDevice
  void skipGramIsAVerySimpleNet(OnEachDevice.Place place) {
    int[] words = new int[300];
    int[] around = new int[300];
    for (int i = 0; i < words.length; i++) {
      words[i] = i % WORDS;
      around[i] = (words[i] + (i / WORDS % 2 == 0 ? 1 : WORDS - 1)) % WORDS;
    }
    Dataset pairs = Dataset.of(Column.ids(words, WORDS), Column.ids(around, WORDS));
    for (Optimizer optimizer :
        List.of(
            Sgd.rate(1),
            Sgd.rate(0.5).momentum(0.9),
            Sgd.rate(0.5).momentum(0.9).nesterov(),
            Adam.rate(0.05),
            Adam.rate(0.05).weightDecay(0.01))) {
      try (Device device = place.open();
          Sequential network = Sequential.of(new Embedding(WORDS, 16), new Linear(16, WORDS))) {
        double loss =
            Trainer.of(network)
                .on(device)
                .optimizer(optimizer)
                .batch(30)
                .fit(pairs, 30)
                .last()
                .train()
                .loss();
        // each word has two neighbours, equally often
        assertEquals(Math.log(2), loss, 0.25, optimizer.toString());
      }
    }
  }

  @OnEachDevice
  void bagsAreSumsAndMeansByRowAndByOffsets(OnEachDevice.Place place) {
    try (Device device = place.open();
        Tensor ids = device.tensor(new int[] {1, 3, 3, 0});
        Tensor offsets = device.tensor(new int[] {0, 2, 2});
        Tensor backwards = device.tensor(new int[] {0, 3, 2})) {
      for (BagFunction function : BagFunction.values()) {
        EmbeddingBag bag = bag(4, 2, function);
        try (Sequential network = Sequential.of(bag).on(device);
            Tape tape = new Tape(device)) {
          float[] t = network.named().get("0.table").tensor().toFloats();
          float half = function == BagFunction.SUM ? 1 : 0.5f;
          float[] first = {half * (t[2] + t[6]), half * (t[3] + t[7])};
          float[] second = {half * (t[6] + t[0]), half * (t[7] + t[1])};
          float[] wanted = {first[0], first[1], second[0], second[1]};
          Tensor rows = tape.reshape(ids, 2, 2);
          assertArrayEquals(wanted, network.forward(tape, rows).toFloats(), 1e-6f);
          float[] withEmpty = {first[0], first[1], 0, 0, second[0], second[1]};
          assertArrayEquals(withEmpty, bag.forward(tape, ids, offsets).toFloats(), 1e-6f);
          assertTrue(Float.isNaN(bag.forward(tape, ids, backwards).toFloats()[2]));
          assertEquals("EmbeddingBag(4, 2, " + function + ")", bag.toString());
        }
      }
    }
  }

  /** Rows of up to 6 words, whose class is what most of their words are by their remainder. */
  private static int[][] bagsOfWords(int rows) {
    Random random = new Random(5);
    int[][] bags = new int[rows][];
    for (int r = 0; r < rows; r++) {
      int main = r % 3;
      bags[r] =
          random
              .ints(r % 7, 0, WORDS / 3)
              .map(i -> 3 * i + (random.nextInt(10) == 0 ? 0 : main))
              .toArray();
    }
    return bags;
  }

  private static Dataset bags(int[][] words) {
    int[] classes = new int[words.length];
    Arrays.setAll(classes, r -> r % 3);
    return Dataset.of(Column.padded(words, WORDS), Column.ids(classes, 3));
  }

  @Test
  void bagsOfAnyLengthAreTrainedTheSameOnBothDevices() throws Exception {
    Dataset data = bags(bagsOfWords(400));
    for (BagFunction function : BagFunction.values()) {
      double[] losses = new double[2];
      double[][][] outputs = new double[2][][];
      int[][] asked = {{1, 4, 7}, {}, {2}};
      for (OnEachDevice.Place place : OnEachDevice.Place.values()) {
        int at = place.ordinal();
        try (Device device = place.open();
            Sequential network = bagModel(function)) {
          History history =
              Trainer.of(network)
                  .on(device)
                  .optimizer(Adam.rate(0.05))
                  .batch(32)
                  .fit(data, data, 6);
          losses[at] = history.last().test().loss();
          // a seventh has no words
          assertTrue(history.last().test().accuracy() > 0.8, history::toString);
          Path file = folder.resolve("bags.safetensors");
          network.save(file);
          try (Network again = Network.load(file).on(device)) {
            outputs[at] = again.scores(asked);
            assertArrayEquals(network.scores(asked)[2], outputs[at][2]);
          }
        }
      }
      assertEquals(losses[0], losses[1], 1e-5 * losses[0]);
      for (int r = 0; r < asked.length; r++) {
        assertArrayEquals(outputs[0][r], outputs[1][r], 1e-4);
      }
      assertEquals(1, argmax(outputs[0][0]));
      assertEquals(2, argmax(outputs[0][2]));
    }
  }

  private static int argmax(double[] scores) {
    return IntStream.range(0, scores.length)
        .boxed()
        .max(Comparator.comparing(i -> scores[i]))
        .orElseThrow();
  }

  /** What padding adds is nothing: a row alone gives what it gives among longer ones. */
  @OnEachDevice
  void paddingChangesNothing(OnEachDevice.Place place) {
    int[][] words = {{3, 1, 3}, {2}, {5, 7, 7, 7, 9, 11}};
    for (BagFunction function : BagFunction.values()) {
      try (Device device = place.open();
          Sequential network = bagModel(function).seed(3).on(device)) {
        double[][] together = network.scores(words);
        for (int r = 0; r < words.length; r++) {
          assertArrayEquals(network.scores(new int[][] {words[r]})[0], together[r]);
        }
        int[][] marked = {{3, -1, 1, 3, -1}};
        assertArrayEquals(together[0], network.scores(marked)[0]);
        refused("row 0 has the id -2", () -> network.scores(new int[][] {{-2}}));
      }
    }
    refused(
        "rows is not told which of padded ids [6] below 30 are none: make it a layer",
        () -> Lambda.of("rows", (ops, ids) -> ids).output(RowType.paddedIds(Shape.of(6), WORDS)));
    refused(
        "Embedding(30, 2) takes ids in all places and got padded ids [6] below 30: EmbeddingBag",
        () -> new Embedding(WORDS, 2).output(RowType.paddedIds(Shape.of(6), WORDS)));
  }
}
