// SPDX-License-Identifier: Apache-2.0
package dev.weft.nn;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weft.Device;
import dev.weft.MathMode;
import dev.weft.Shape;
import dev.weft.Tape;
import dev.weft.Tensor;
import dev.weft.data.Column;
import dev.weft.data.Dataset;
import dev.weft.data.Digits;
import dev.weft.data.Split;
import dev.weft.support.OnEachDevice;
import dev.weft.train.Evaluator;
import dev.weft.train.Trainer;
import java.util.Arrays;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Scores, probabilities and classes: of arrays and of data sets, batch by batch. */
class PredictionTest {
  private static final int MORE_THAN_A_BATCH = 300;

  private static double[][] rows(int width) {
    Random random = new Random(3);
    double[][] rows = new double[MORE_THAN_A_BATCH][width];
    for (double[] row : rows) {
      Arrays.setAll(row, i -> random.nextInt(-8, 8) / 4.0);
    }
    return rows;
  }

  private static float[][] floats(double[][] rows) {
    float[][] floats = new float[rows.length][rows[0].length];
    for (int r = 0; r < rows.length; r++) {
      for (int i = 0; i < rows[r].length; i++) {
        floats[r][i] = (float) rows[r][i];
      }
    }
    return floats;
  }

  private static int argmax(double[] scores) {
    int largest = 0;
    for (int c = 1; c < scores.length; c++) {
      largest = scores[c] > scores[largest] ? c : largest;
    }
    return largest;
  }

  @OnEachDevice
  void classesAreThoseThatAnEvaluatorCounts(OnEachDevice.Place place) {
    Split digits = Digits.generate(3_000, 5);
    Dataset test = digits.test();
    assertTrue(test.rows() > 256, test::toString);
    try (Device device = place.open();
        Sequential network = Sequential.of(new Linear(784, 10))) {
      Trainer.of(network).on(device).batch(50).fit(digits.train(), 1);
      int[] classes = network.classes(test);
      double[][] scores = network.scores(test);
      double[][] probabilities = network.probabilities(test);
      int hits = 0;
      for (int row = 0; row < classes.length; row++) {
        assertEquals(argmax(scores[row]), classes[row]);
        assertEquals(1, Arrays.stream(probabilities[row]).sum(), 1e-5);
        double sum = Arrays.stream(scores[row]).map(Math::exp).sum();
        assertEquals(Math.exp(scores[row][3]) / sum, probabilities[row][3], 1e-5);
        hits += classes[row] == test.targets().get(row, 0) ? 1 : 0;
      }
      try (var evaluator = new Evaluator(network, new SoftmaxCrossEntropy(), test, 16)) {
        assertEquals(hits / (double) classes.length, evaluator.evaluate().accuracy(), 1e-6);
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void arraysOfEitherTypeAndDataSetsGiveTheSame(MathMode math) {
    double[][] x = rows(5);
    try (Device device = Device.cpu();
        Sequential network =
            Sequential.of(new Linear(5, 7), Activation.TANH, new Linear(7, 3)).on(device, math)) {
      double[][] scores = network.scores(x);
      float[][] inFloats = network.scores(floats(x));
      Dataset data = Dataset.of(Map.of("features", Column.of(x)));
      assertTrue(Arrays.deepEquals(scores, network.scores(data)));
      assertTrue(Arrays.deepEquals(floats(scores), inFloats));
      assertTrue(
          Arrays.deepEquals(floats(network.probabilities(x)), network.probabilities(floats(x))));
      assertTrue(Arrays.deepEquals(network.probabilities(x), network.probabilities(data)));
      assertArrayEquals(network.classes(x), network.classes(floats(x)));
      assertArrayEquals(network.classes(x), network.classes(data));
      try (Tape tape = Tape.inference(device);
          Tensor batch = device.tensor(math.dtype(), x)) {
        double[] expected = network.forward(tape, batch).toDoubles();
        double[] given = Arrays.stream(scores).flatMapToDouble(Arrays::stream).toArray();
        assertArrayEquals(expected, given, math == MathMode.DOUBLE ? 1e-14 : 1e-2);
      }
      // what is held beside the network is given back
      long live = device.memory().live();
      network.scores(x);
      assertEquals(live, device.memory().live());
    }
  }

  @Test
  void severalColumnsAreGivenByADataSet() {
    int[] ids = new int[MORE_THAN_A_BATCH];
    Arrays.setAll(ids, r -> r % 4);
    double[][] x = rows(2);
    byte[] bytes = new byte[MORE_THAN_A_BATCH];
    new Random(1).nextBytes(bytes);
    var data =
        Dataset.of(
            Map.of(
                "numbers", Column.of(x),
                "word", Column.ids(ids, 4),
                "byte", Column.ofBytes(bytes, 1)));
    Network network =
        Sequential.of(
            Concat.of(
                new Select("numbers"),
                new Select("byte"),
                Sequential.of(new Select("word"), new Embedding(4, 2))),
            Lambda.of("numbers first", (ops, y) -> y));
    try (Device device = Device.cpu();
        Network asked = network.on(device)) {
      double[][] scores = asked.scores(data);
      double[] table = asked.named().get("0.2.1.table").tensor().toDoubles();
      for (int r = 0; r < MORE_THAN_A_BATCH; r++) {
        double b = (float) ((bytes[r] & 0xFF) / 255.0);
        double[] row = {x[r][0], x[r][1], b, table[2 * ids[r]], table[2 * ids[r] + 1]};
        assertArrayEquals(row, scores[r], 1e-7);
      }
    }
  }

  private static void refused(String words, Class<? extends Exception> type, Runnable asked) {
    String message = assertThrows(type, asked::run).getMessage();
    assertTrue(message.contains(words), message);
  }

  @Test
  void whatDoesNotFitIsRefusedInWords() {
    try (Device device = Device.cpu();
        Sequential one = Sequential.of(new Linear(2, 1)).on(device);
        Sequential image =
            Sequential.of(
                    Lambda.of("image", (ops, x) -> ops.reshape(x, 1, 1, 2), row -> Shape.of(1, 2)))
                .on(device)) {
      Class<IllegalStateException> state = IllegalStateException.class;
      Class<IllegalArgumentException> argument = IllegalArgumentException.class;
      double[][] x = {{1, 2}};
      refused("classes need at least 2 scores a row", state, () -> one.classes(x));
      assertEquals(1, one.probabilities(x)[0][0]);
      refused(
          "row 0, column 1 is 1.0E300", argument, () -> one.scores(new double[][] {{1, 1e300}}));
      refused(
          "the data does not fit the network: there is no column 'features'",
          argument,
          () -> one.scores(Dataset.of(Map.of("targets", Column.of(x)))));
      assertEquals(0, one.classes(new double[0][]).length);
      assertEquals(0, one.scores(new float[0][]).length);
      assertEquals(0, one.probabilities(new int[0][]).length);
      assertArrayEquals(x[0], image.scores(x)[0]);
      refused(
          "probabilities need a vector of scores a row, and the network gives numbers [1, 2]",
          state,
          () -> image.probabilities(x));
    }
    Sequential nowhere = Sequential.of(new Linear(2, 1));
    refused("on no device", IllegalStateException.class, () -> nowhere.classes(new float[1][2]));
    refused("on no device", IllegalStateException.class, () -> nowhere.scores(new int[1][2]));
  }
}
