// SPDX-License-Identifier: Apache-2.0
package dev.weft.nn;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weft.DType;
import dev.weft.Device;
import dev.weft.Engine;
import dev.weft.Inputs;
import dev.weft.Shape;
import dev.weft.Tape;
import dev.weft.Tensor;
import dev.weft.op.RowSums;
import dev.weft.support.OnEachDevice;
import dev.weft.support.Philox;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Dropout of whole rows: of each place by itself, or of a table's rows wherever they stand. */
class RowDropoutTest {
  private static final double RATE = 0.4;
  @TempDir private Path folder;

  /** The factors of rows are those of Philox; so is the gradient. */
  @OnEachDevice
  void rowsAreDroppedWhole(OnEachDevice.Place place) {
    double[] factors = Philox.dropoutFactors(9, 0, 0, 12, RATE);
    assertTrue(Arrays.stream(factors).distinct().count() == 2, "some are dropped, some are not");
    double[] expected = new double[12 * 5];
    Arrays.setAll(expected, i -> factors[i / 5]);
    try (Device device = place.open();
        Tensor x = device.full(DType.F64, Shape.of(4, 3, 5), 1).requiresGrad()) {
      try (Tape tape = new Tape(device, 9)) {
        Tensor y = new RowDropout(RATE).forward(tape, x);
        assertArrayEquals(expected, y.toDoubles(), 1e-15);
        tape.backward(tape.sum(y));
      }
      assertArrayEquals(expected, x.grad().toDoubles(), 1e-15);
      try (Tape tape = Tape.inference(device)) {
        assertEquals(x, new RowDropout(RATE).forward(tape, x));
      }
    }
  }

  @OnEachDevice
  void rowsOfATableAreDroppedWhereverTheyStand(OnEachDevice.Place place) {
    int[] ids = {0, 3, 3, 1, 5, 0, 2, 4};
    double[] factors = Philox.dropoutFactors(9, 0, 0, 6, RATE);
    for (Embedding.Gradient gradient : Embedding.Gradient.values()) {
      Embedding embedding = new Embedding(6, 2, Initializers.ones(), gradient);
      try (Device device = place.open();
          Sequential network = Sequential.of(new EmbeddingDropout(embedding, RATE)).on(device);
          Tensor rows = device.tensor(DType.I32, Shape.of(2, 4), toDoubles(ids))) {
        double[] expected = new double[ids.length * 2];
        Arrays.setAll(expected, i -> factors[ids[i / 2]]);
        try (Tape tape = new Tape(device, 9)) {
          Tensor y = network.forward(tape, Inputs.of(rows));
          assertArrayEquals(expected, y.toDoubles(), 1e-6);
          tape.backward(tape.sum(y));
          double[] sums = new double[12];
          for (int i = 0; i < 16; i++) {
            sums[ids[i / 2] * 2 + i % 2] += factors[ids[i / 2]];
          }
          Tensor table = embedding.table().tensor();
          if (gradient == Embedding.Gradient.DENSE) {
            assertArrayEquals(sums, table.grad().toDoubles(), 1e-6);
          } else {
            try (Tensor dense = device.zeros(DType.F32, table.shape())) {
              RowSums.addTo(Engine.rowGradient(table), dense);
              assertArrayEquals(sums, dense.toDoubles(), 1e-6);
            }
          }
        }
        try (Tape tape = Tape.inference(device)) {
          double[] ones = new double[16];
          Arrays.fill(ones, 1);
          assertArrayEquals(ones, network.forward(tape, Inputs.of(rows)).toDoubles());
        }
      }
    }
  }

  /** What a row holds does not decide what its neighbours are multiplied by. */
  @OnEachDevice
  void infinityStaysWhereItIs(OnEachDevice.Place place) {
    double infinity = Double.POSITIVE_INFINITY;
    double[] factors = Philox.dropoutFactors(9, 0, 0, 2, 0.1);
    assertArrayEquals(new double[] {1 / 0.9, 1 / 0.9}, factors, 1e-15, "both rows are kept");
    Embedding embedding = new Embedding(2, 2, Initializers.zeros(), Embedding.Gradient.DENSE);
    try (Device device = place.open();
        Sequential network = Sequential.of(new EmbeddingDropout(embedding, 0.1)).on(device);
        Tensor ids = device.tensor(DType.I32, Shape.of(1, 2), 0, 1);
        Tensor x = device.tensor(DType.F64, new double[][] {{infinity, 1}, {Double.NaN, 1}})) {
      embedding.table().tensor().copyFrom(new double[] {infinity, 1, Double.NaN, 1});
      double[] expected = {infinity, 1 / 0.9, Double.NaN, 1 / 0.9};
      try (Tape tape = new Tape(device, 9)) {
        assertArrayEquals(expected, new RowDropout(0.1).forward(tape, x).toDoubles(), 1e-15);
      }
      try (Tape tape = new Tape(device, 9)) {
        double[] y = network.forward(tape, Inputs.of(ids)).toDoubles();
        assertArrayEquals(expected, y, 1e-6);
      }
    }
  }

  private static double[] toDoubles(int[] ids) {
    return Arrays.stream(ids).asDoubleStream().toArray();
  }

  @Test
  void bothAreInFiles() throws Exception {
    Path file = folder.resolve("network.safetensors");
    try (Device device = Device.cpu();
        Sequential network =
            Sequential.of(new EmbeddingDropout(new Embedding(6, 2), 0.1), new RowDropout(0.2))) {
      network.on(device).save(file);
      try (Network again = Network.load(file)) {
        assertEquals("embedding_dropout(embedding(6,2),0.1) row_dropout(0.2)", again.spec());
      }
    }
  }

  @Test
  void whatDoesNotFitIsRefused() {
    assertThrows(IllegalArgumentException.class, () -> new RowDropout(1));
    assertThrows(
        IllegalArgumentException.class, () -> new EmbeddingDropout(new Embedding(2, 2), -1));
    try (Device device = Device.cpu();
        Tape tape = new Tape(device);
        Tensor x = device.full(DType.F32, Shape.of(3), 1)) {
      IllegalArgumentException e =
          assertThrows(IllegalArgumentException.class, () -> new RowDropout(0.5).forward(tape, x));
      assertEquals("row_dropout(0.5) got x of shape [3]", e.getMessage());
    }
  }
}
