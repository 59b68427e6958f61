// SPDX-License-Identifier: Apache-2.0
package dev.weft.nn;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weft.Device;
import dev.weft.Inputs;
import dev.weft.MathMode;
import dev.weft.Tape;
import dev.weft.Tensor;
import dev.weft.data.Column;
import dev.weft.data.Dataset;
import dev.weft.optim.Adam;
import dev.weft.optim.Sgd;
import dev.weft.support.OnEachDevice;
import dev.weft.support.OnEachDevice.Place;
import dev.weft.text.AliasTable;
import dev.weft.text.HuffmanTree;
import dev.weft.train.Accuracy;
import dev.weft.train.Evaluation;
import dev.weft.train.Evaluator;
import dev.weft.train.History;
import dev.weft.train.Trainer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Last layers that are their own loss: hierarchical softmax and negative sampling, trained. */
class PathLossesTest {
  private static final int CLASSES = 50;
  private static final int FEATURES = 20;
  private static final int WIDTH = 24;

  @TempDir private Path folder;

  /** Points around a centre for each class. */
  private static Dataset classes(int rows, long seed) {
    double[][] centres = normal(CLASSES, new Random(1));
    double[][] x = normal(rows, new Random(seed));
    int[] labels = new int[rows];
    for (int r = 0; r < rows; r++) {
      labels[r] = (int) (CLASSES * Math.pow(new Random(seed + r).nextDouble(), 2));
      for (int i = 0; i < FEATURES; i++) {
        x[r][i] = centres[labels[r]][i] + 0.2 * x[r][i];
      }
    }
    return Dataset.of(x, labels, CLASSES);
  }

  private static double[][] normal(int rows, Random random) {
    return IntStream.range(0, rows)
        .mapToObj(r -> random.doubles(FEATURES, -1, 1).toArray())
        .toArray(double[][]::new);
  }

  private static HuffmanTree tree() {
    return HuffmanTree.of(IntStream.range(0, CLASSES).mapToLong(c -> 1000 / (c + 1)).toArray());
  }

  private static Sequential network(HierarchicalSoftmax head) {
    return Sequential.of(new Linear(FEATURES, WIDTH), Activation.TANH, head);
  }

  @OnEachDevice
  void aClassifierOfFiftyClassesLearns(Place place) throws IOException {
    var head = new HierarchicalSoftmax(WIDTH, tree());
    Dataset train = classes(place == Place.CPU ? 3000 : 1500, 7);
    Dataset test = classes(300, 8);
    try (Device device = place.open()) {
      learns(device, head, train, test, place == Place.CPU ? 6 : 4);
      assertEquals(0, device.memory().live());
    }
  }

  private void learns(
      Device device, HierarchicalSoftmax head, Dataset train, Dataset test, int epochs)
      throws IOException {
    Path file = folder.resolve("classes.safetensors");
    try (Sequential network = network(head)) {
      History history =
          Trainer.of(network)
              .on(device)
              .loss(head)
              .metrics(new Accuracy())
              .optimizer(Adam.rate(0.02))
              .batch(64)
              .fit(train, test, epochs);
      Evaluation last = history.last().test();
      assertTrue(last.metric("accuracy") > 0.95, last::toString);
      assertTrue(history.last().train().metric("accuracy") > 0.9, history::toString);
      network.save(file);

      double[][] probabilities = network.probabilities(test);
      double loss = 0;
      int hits = 0;
      int[] classes = network.classes(test);
      int[] labels = test.targets().toInts();
      for (int r = 0; r < labels.length; r++) {
        assertEquals(1, Arrays.stream(probabilities[r]).sum(), 1e-5);
        loss -= Math.log(probabilities[r][labels[r]]) / labels.length;
        hits += classes[r] == labels[r] ? 1 : 0;
      }
      assertEquals(loss, last.loss(), 1e-5);
      assertEquals(hits / 300.0, last.metric("accuracy"), 1e-6);
      assertEquals(loss, lossOfPaths(device, network, head, test), 1e-5);
      try (Network again = Network.load(file).on(device)) {
        assertArrayEquals(probabilities[5], again.probabilities(test)[5]);
        var loaded = assertInstanceOf(HierarchicalSoftmax.class, again.model().children().get("2"));
        assertArrayEquals(head.tree().steps(), loaded.tree().steps());
      }
    }
  }

  /** As in training, along the labels' paths alone. */
  private static double lossOfPaths(
      Device device, Sequential network, HierarchicalSoftmax head, Dataset data) {
    double[][] x = new double[data.rows()][FEATURES];
    for (int r = 0; r < x.length; r++) {
      for (int i = 0; i < FEATURES; i++) {
        x[r][i] = data.features().get(r, i);
      }
    }
    try (Tape tape = new Tape(device);
        Tensor features = device.tensor(x);
        Tensor labels = device.tensor(data.targets().toInts())) {
      Tensor hidden = network.forward(tape, features);
      assertEquals(WIDTH, hidden.shape().size(1), "in training x is passed on");
      return head.apply(tape, hidden, Inputs.of(Map.of(Inputs.TARGETS, labels))).item();
    }
  }

  @ParameterizedTest
  @EnumSource
  void itLearnsInEveryMathMode(MathMode math) {
    var head = new HierarchicalSoftmax(WIDTH, HuffmanTree.balanced(CLASSES));
    try (Device device = Device.cpu();
        Sequential network = network(head)) {
      History history =
          Trainer.of(network)
              .on(device)
              .math(math)
              .loss(head)
              .optimizer(Adam.rate(0.02))
              .batch(64)
              .fit(classes(1500, 7), classes(300, 8), 4);
      assertTrue(history.last().test().loss() < 0.7, history::toString); // of ln 50, 3.9
    }
  }

  private static final int WORDS = 40;

  /** Each word is followed by one of the same four: 0 to 3, 4 to 7 and so on. */
  private static Dataset neighbours(int rows) {
    Random random = new Random(4);
    int[] words = random.ints(rows, 0, WORDS).toArray();
    int[] around = IntStream.of(words).map(w -> w / 4 * 4 + random.nextInt(4)).toArray();
    return Dataset.of(Column.ids(words, WORDS), Column.ids(around, WORDS));
  }

  private static double[] weights() {
    double[] weights = new double[WORDS];
    Arrays.fill(weights, 1);
    return weights;
  }

  @OnEachDevice
  void wordsThatStandTogetherGetVectorsThatFit(Place place) throws IOException {
    var head = new NegativeSampling(16, 5, AliasTable.of(weights()));
    Dataset data = neighbours(2000);
    Path file = folder.resolve("vectors.safetensors");
    try (Device device = place.open();
        Sequential network = Sequential.of(new Embedding(WORDS, 16), head)) {
      Trainer trainer =
          Trainer.of(network).on(device).loss(head).optimizer(Adam.rate(0.05)).batch(50);
      History history = trainer.fit(data, data, 6);
      assertTrue(history.last().test().loss() < 2.2, history::toString); // of 6 ln 2, 4.2
      try (Tape tape = Tape.inference(device);
          Tensor ids = device.tensor(IntStream.range(0, WORDS).toArray())) {
        float[] scores = head.scores(tape, network.forward(tape, ids)).toFloats();
        for (int word = 0; word < WORDS; word++) {
          double near = Double.POSITIVE_INFINITY;
          double far = Double.NEGATIVE_INFINITY;
          for (int other = 0; other < WORDS; other++) {
            float score = scores[word * WORDS + other];
            near = word / 4 == other / 4 ? Math.min(near, score) : near;
            far = word / 4 == other / 4 ? far : Math.max(far, score);
          }
          assertTrue(near > far + 1, word + ": " + near + " is not above " + far);
        }
      }
      network.save(file);
      try (Network again = Network.load(file).on(device);
          Evaluator before = new Evaluator(network, head, data, 50);
          Evaluator after =
              new Evaluator(
                  again, (NegativeSampling) again.model().children().get("1"), data, 50)) {
        assertEquals(before.evaluate().loss(), after.evaluate().loss());
      }
    }
  }

  @Test
  void aStepChangesTheRowsThatItTookAndNoOthers() {
    var head = new HierarchicalSoftmax(FEATURES, HuffmanTree.balanced(8));
    double[][] x = {normal(1, new Random(3))[0]};
    try (Device device = Device.cpu();
        Sequential network = Sequential.of(head)) {
      Trainer.of(network)
          .on(device)
          .loss(head)
          .optimizer(Sgd.rate(0.1))
          .fit(Dataset.of(x, new int[] {5}, 8), 1);
      float[] table = head.table().tensor().toFloats();
      HuffmanTree tree = head.tree();
      List<Integer> taken =
          IntStream.range(tree.offsets()[5], tree.offsets()[6])
              .mapToObj(i -> tree.nodes()[i])
              .toList();
      for (int node = 0; node < 7; node++) {
        assertEquals(taken.contains(node), table[node * FEATURES] != 0, "node " + node);
      }
    }
  }

  @Test
  void theLossOfALayerIsThatOfItsNetwork() {
    var head = new HierarchicalSoftmax(WIDTH, tree());
    Dataset data = classes(10, 7);
    try (Device device = Device.cpu();
        Sequential network = network(head);
        Sequential other = Sequential.of(new Linear(FEATURES, CLASSES))) {
      refused(
          "the network has hierarchical_softmax(24,50), which is its own loss, and is to be trained"
              + " with softmax_cross_entropy: give the layer itself to loss(...)",
          () -> Trainer.of(network).on(device).fit(data, 1));
      refused(
          "the loss hierarchical_softmax(24,50) has parameters of its own and is no layer of the"
              + " network: make it the last one",
          () -> Trainer.of(other).on(device).loss(head).fit(data, 1));
      var early = new HierarchicalSoftmax(FEATURES, tree());
      refused(
          "must be the last layer of the network, which gives numbers [3]",
          () ->
              Trainer.of(Sequential.of(early, new Linear(CLASSES, 3)))
                  .on(device)
                  .loss(early)
                  .fit(data, 1));
      refused(
          "targets has 50 classes and hierarchical_softmax(24,3) 3",
          () -> {
            var few = new HierarchicalSoftmax(WIDTH, HuffmanTree.balanced(3));
            Trainer.of(network(few)).on(device).loss(few).fit(data, 1);
          });
      refused(
          "HierarchicalSoftmax(24, 50 classes) got 20 features",
          () -> {
            Sequential narrow = Sequential.of(head);
            Trainer.of(narrow).on(device).loss(head).fit(data, 1);
          });
      assertEquals(0, device.memory().live());
    }
    refused("2 classes or more", () -> new HierarchicalSoftmax(4, HuffmanTree.balanced(1)));
    refused("are positive", () -> new NegativeSampling(4, 0, AliasTable.of(1, 1)));
  }

  private static void refused(String message, Runnable call) {
    IllegalArgumentException e = assertThrows(IllegalArgumentException.class, call::run);
    assertTrue(e.getMessage().contains(message), e.getMessage());
  }
}
