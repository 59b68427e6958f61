// SPDX-License-Identifier: Apache-2.0
package dev.weft.op;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weft.DType;
import dev.weft.Device;
import dev.weft.Engine;
import dev.weft.RowGradient;
import dev.weft.Shape;
import dev.weft.StepState;
import dev.weft.Tape;
import dev.weft.Tensor;
import dev.weft.support.OnEachDevice;
import dev.weft.support.OnEachDevice.Place;
import dev.weft.support.Philox;
import dev.weft.text.AliasTable;
import dev.weft.text.HuffmanTree;
import java.util.Arrays;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Losses along paths of rows: hierarchical softmax and negative sampling. */
public class PathLossTest {
  private static final double NAN = Double.NaN;

  @OnEachDevice
  void probabilitiesOfAllPathsOfATreeAreThoseOfItsLossesAndAddUpToOne(Place place) {
    int classes = 50;
    HuffmanTree tree =
        HuffmanTree.of(IntStream.range(0, classes).mapToLong(c -> 1000 / (c + 1)).toArray());
    try (Device device = place.open();
        Tape tape = Tape.inference(device);
        Tensor x = normal(device, 3, 20);
        Tensor table = normal(device, classes - 1, 20);
        Tensor steps = device.tensor(tree.steps());
        Tensor offsets = device.tensor(Arrays.copyOf(tree.offsets(), classes))) {
      double[] all = tape.pathLogProbabilities(x, table, steps, offsets).toDoubles();
      for (int row = 0; row < 3; row++) {
        double sum = 0;
        for (int c = 0; c < classes; c++) {
          sum += Math.exp(all[row * classes + c]);
        }
        assertEquals(1, sum, 1e-12);
      }
      for (int c = 0; c < classes; c++) {
        try (Tensor labels = device.tensor(new int[] {c, c, c})) {
          double[] losses =
              tape.pathLosses(x, table, steps, offsets, labels, tree.longest()).toDoubles();
          for (int row = 0; row < 3; row++) {
            assertEquals(-all[row * classes + c], losses[row], 1e-12 * losses[row]);
          }
        }
      }
    }
  }

  private static Tensor normal(Device device, int rows, int cols) {
    double[] values = new java.util.Random(rows).doubles((long) rows * cols, -1, 1).toArray();
    return device.tensor(DType.F64, Shape.of(rows, cols), values);
  }

  /** A number that is no path's, a path that leaves the steps, runs back, or is too long; a row. */
  @OnEachDevice
  void aWrongPathIsNotANumberAndGivesNoGradient(Place place) {
    try (Device device = place.open();
        Tape tape = new Tape(device);
        Tensor x = device.tensor(DType.F64, Shape.of(8, 1), 1, 1, 1, 1, 1, 1, 1, 1);
        Tensor table = device.tensor(DType.F64, Shape.of(2, 1), 0, 0);
        Tensor steps = device.tensor(new int[] {0, 1, 2, 3, -1, 4, -2});
        Tensor offsets = device.tensor(new int[] {0, 2, 8, 1, 5, 6});
        Tensor numbers = device.tensor(new int[] {0, -1, 6, 1, 2, 3, 4, 5})) {
      x.requiresGrad();
      table.requiresGrad();
      Tensor losses = tape.pathLosses(x, table, steps, offsets, numbers, 3);
      double ln4 = 2 * Math.log(2);
      assertArrayEquals(
          new double[] {ln4, NAN, NAN, NAN, NAN, NAN, NAN, NAN}, losses.toDoubles(), 1e-15);
      tape.backward(tape.sum(losses));
      assertArrayEquals(new double[8], x.grad().toDoubles());
      assertArrayEquals(new double[2], table.grad().toDoubles(), 1e-15); // -1/2 and 1/2
      x.grad().close();
      table.grad().close();
    }
  }

  @OnEachDevice
  void ofATableOfRowsOnlyThoseThatWereTakenHaveAGradient(Place place) {
    try (Device device = place.open();
        Tape tape = new Tape(device);
        Tensor x = device.tensor(DType.F64, Shape.of(2, 1), 1, 2);
        Tensor table = device.tensor(DType.F64, Shape.of(9, 1), new double[9]);
        Tensor steps = device.tensor(DType.I32, Shape.of(2, 3), 14, -1, 3, 15, 2, 14)) {
      table.requiresGrad();
      Engine.gradIsRows(table);
      tape.backward(tape.sum(tape.pathLosses(x, table, steps)));
      RowGradient gradient = Engine.rowGradient(table);
      assertNotNull(gradient);
      assertArrayEquals(new int[] {-1, 1, 1, 7, 7, 7}, gradient.sorted().toInts());
      double[] dense = new double[9];
      dense[1] = 0.5 - 1;
      dense[7] = -0.5 + 1 - 1;
      try (Tensor sums = device.zeros(DType.F64, Shape.of(9, 1))) {
        RowSums.addTo(gradient, sums);
        assertArrayEquals(dense, sums.toDoubles(), 1e-15);
      }
    }
  }

  @OnEachDevice
  public void negativesFollowPhiloxAndTheAliasTable(Place place) {
    long seed = 5L << 33;
    long step = 3;
    int negatives = 7;
    int[] labels = {4, 0, 9, -1, 10};
    AliasTable noise = AliasTable.of(9, 1, 1, 5, 9, 0, 2, 2, 1, 3);
    int[] expected = new int[labels.length * (1 + negatives)];
    int leftOut = 0;
    for (int r = 0; r < labels.length; r++) {
      boolean known = labels[r] >= 0 && labels[r] < noise.size();
      expected[r * (1 + negatives)] = known ? 2 * labels[r] : -2;
      for (int j = 0; j < negatives; j++) {
        int element = 2 * (r * negatives + j);
        int at = (int) (Philox.word(seed, step, 1, element) * noise.size() >>> 32);
        boolean itself =
            Philox.word(seed, step, 1, element + 1)
                < Integer.toUnsignedLong(noise.thresholds()[at]);
        int drawn = itself ? at : noise.aliases()[at];
        boolean same = drawn == labels[r];
        leftOut += same ? 1 : 0;
        expected[r * (1 + negatives) + 1 + j] = !known ? -2 : same ? -1 : 2 * drawn + 1;
      }
    }
    assertTrue(leftOut > 0, "one of the words drawn is the label");
    try (Device device = place.open();
        StepState state = new StepState(device, seed);
        Tensor ids = device.tensor(labels);
        Tensor thresholds = device.tensor(noise.thresholds());
        Tensor aliases = device.tensor(noise.aliases())) {
      state.set(seed, step, 0, 0, 0);
      try (Tape tape = new Tape(device, state, Tape.Mode.TRAIN)) {
        Tensor first = tape.negativeSamples(ids, thresholds, aliases, negatives);
        Tensor second = tape.negativeSamples(ids, thresholds, aliases, negatives);
        assertArrayEquals(expected, second.toInts());
        assertEquals(Shape.of(labels.length, 1L + negatives), second.shape());
        assertTrue(!Arrays.equals(first.toInts(), second.toInts()), "a draw of its own");
      }
    }
  }

  @Test
  void settingsThatMakeNoSenseAreRefused() {
    assertThrows(IllegalArgumentException.class, () -> new NegativeSamples(0));
    assertThrows(IllegalArgumentException.class, () -> new PathLossOperation(-1));
  }
}
