// SPDX-License-Identifier: Apache-2.0
package dev.weft.op;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import dev.weft.DType;
import dev.weft.Device;
import dev.weft.Engine;
import dev.weft.Node;
import dev.weft.RowGradient;
import dev.weft.Shape;
import dev.weft.StepState;
import dev.weft.Tape;
import dev.weft.Tensor;
import dev.weft.check.Input;
import dev.weft.device.Arguments;
import dev.weft.device.Kernel;
import dev.weft.device.cpu.CpuLibrary;
import dev.weft.support.OnEachDevice;
import java.util.Arrays;
import java.util.Comparator;
import java.util.SplittableRandom;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Gradients of rows that are taken by number: sorted, added up, and put to use. */
public class RowSumsTest {
  private static final double RATE = 0.1;

  /** Gathers rows, and hands what adds up for each to a test on the way back. */
  private record Taking(Consumer<RowGradient> use) implements Operation {
    @Override
    public String name() {
      return "taking";
    }

    @Override
    public Operands operands() {
      return new GatherRows().operands();
    }

    @Override
    public Tensor forward(Node node) {
      return new GatherRows().forward(node);
    }

    @Override
    public void backward(Node node) {
      use.accept(RowSums.of(node, node.input(1), node.gradient()));
    }
  }

  /** Does something with the gradient of a table (rows, cols) of which some rows were taken. */
  private static void backward(
      Device device, DType dtype, long rows, int[] ids, Tensor dy, Consumer<RowGradient> use) {
    try (Tape tape = new Tape(device);
        Tensor table = device.zeros(dtype, Shape.of(rows, dy.shape().size(1))).requiresGrad();
        Tensor numbers = device.tensor(ids)) {
      tape.backward(tape.apply(new Taking(use), table, numbers), dy);
    }
  }

  private static int[] drawn(int n, int low, int high) {
    return new SplittableRandom(n).ints(n, low, high).toArray();
  }

  @OnEachDevice
  void idsAreSortedStably(OnEachDevice.Place place) {
    try (Device device = place.open()) {
      for (int n : new int[] {1, 31, 33, 1023, 1024, 1025, 3000, 8193, 20_000}) {
        sort(device, drawn(n, 0, 50));
        sort(device, drawn(n, -70_000, 70_000));
        sort(device, drawn(n, Integer.MIN_VALUE, Integer.MAX_VALUE));
        sort(device, new int[n]);
        sort(device, IntStream.range(0, n).map(i -> i % 2 == 0 ? -i : Integer.MAX_VALUE).toArray());
      }
    }
  }

  /** So many that threads share the passes: three of them, and two. */
  @Test
  void manyIdsAreSortedStably() {
    try (Device cpu = Device.cpu()) {
      sort(cpu, drawn(70_001, Integer.MIN_VALUE, Integer.MAX_VALUE));
      sort(cpu, drawn(70_001, -300, 60_000));
    }
  }

  private static void sort(Device device, int[] ids) {
    int n = ids.length;
    int[] order =
        IntStream.range(0, n)
            .boxed()
            .sorted(Comparator.comparing(i -> ids[i]))
            .mapToInt(i -> i)
            .toArray();
    try (Tensor in = device.tensor(ids);
        Tensor chunks = device.allocate(DType.I32, Shape.of(n));
        Tensor places = device.allocate(DType.I32, Shape.of(n));
        Tensor sorted = device.allocate(DType.I32, Shape.of(n));
        Tensor from = device.allocate(DType.I32, Shape.of(n))) {
      Engine.run(
          device,
          Kernel.SORT_CHUNKS,
          DType.F32.precision(),
          new Arguments.SortChunks(
              Engine.address(in), Engine.address(chunks), Engine.address(places), n));
      Engine.run(
          device,
          Kernel.MERGE_CHUNKS,
          DType.F32.precision(),
          new Arguments.MergeChunks(
              Engine.address(chunks),
              Engine.address(places),
              Engine.address(sorted),
              Engine.address(from),
              n));
      assertArrayEquals(order, from.toInts());
      assertArrayEquals(IntStream.of(order).map(i -> ids[i]).toArray(), sorted.toInts());
    }
  }

  /** Ids 7 1 7 -1 7: in order -1 1 7 7 7, whose sums stand at places 1 and 2, of -1 none. */
  @OnEachDevice
  void sumsStandWhereANumberBegins(OnEachDevice.Place place) {
    try (Device device = place.open()) {
      Tensor dy = device.tensor(DType.F64, Shape.of(5, 1), 1, 10, 100, 1000, 10_000);
      int[] ids = {7, 1, 7, -1, 7};
      backward(
          device,
          DType.F64,
          9,
          ids,
          dy,
          rows -> {
            assertArrayEquals(new int[] {-1, 1, 7, 7, 7}, rows.sorted().toInts());
            assertArrayEquals(
                new double[] {10, 10_101}, Arrays.copyOfRange(rows.sums().toDoubles(), 1, 3));
            Tensor dense = device.full(DType.F64, Shape.of(9, 1), 0.5);
            RowSums.addTo(rows, dense);
            double[] expected = new double[9];
            Arrays.fill(expected, 0.5);
            expected[1] = 10.5;
            expected[7] = 10_101.5;
            assertArrayEquals(expected, dense.toDoubles());
          });
    }
  }

  /** At the head of each row's run its sum of squares, else 0; of a run over many tiles, too. */
  @OnEachDevice
  void squaresOfRunsAreThoseOfTheGradient(OnEachDevice.Place place) {
    int[] ids = drawn(700, -20, 60);
    Arrays.fill(ids, 100, 400, 17);
    try (Device device = place.open()) {
      for (DType dtype : new DType[] {DType.F32, DType.F64}) {
        for (int cols : new int[] {1, 4, 7, 64, 1100}) {
          squares(device, dtype, 40, cols, ids);
        }
      }
    }
  }

  private static void squares(Device device, DType dtype, int rows, int cols, int[] ids) {
    try (Tensor dy = Input.randomNormal(ids.length, cols).on(device, dtype, 2);
        Tensor found = device.allocate(dtype, Shape.of(ids.length))) {
      double[][] gradients = new double[rows][cols];
      double[] each = dy.toDoubles();
      for (int i = 0; i < each.length; i++) {
        if (ids[i / cols] >= 0 && ids[i / cols] < rows) {
          gradients[ids[i / cols]][i % cols] += each[i];
        }
      }
      backward(
          device,
          dtype,
          rows,
          ids,
          dy,
          g -> {
            Engine.run(
                device,
                Kernel.RUN_SQUARES,
                dtype.precision(),
                new Arguments.RunSquares(
                    Engine.address(g.sorted()),
                    Engine.address(g.sums()),
                    Engine.address(found),
                    ids.length,
                    cols,
                    rows));
            int[] sorted = g.sorted().toInts();
            double[] squares = found.toDoubles();
            for (int p = 0; p < sorted.length; p++) {
              boolean head = p == 0 || sorted[p] != sorted[p - 1];
              double expected =
                  head && sorted[p] >= 0 && sorted[p] < rows
                      ? Arrays.stream(gradients[sorted[p]]).map(v -> v * v).sum()
                      : 0;
              double near = (dtype == DType.F32 ? 1e-4 : 1e-12) * expected;
              assertEquals(expected, squares[p], near, "id " + sorted[p] + ", " + cols);
            }
          });
    }
  }

  /** A table with its optimizer's memory, and the settings. */
  private record Table(Device device, DType dtype, int rows, int cols, Tensor[] t, StepState state)
      implements AutoCloseable {
    static Table of(Device device, DType dtype, int rows, int cols) {
      Tensor[] t = {
        Input.randomNormal(rows, cols).on(device, dtype, 1),
        device.zeros(dtype, Shape.of(rows, cols)),
        device.zeros(dtype, Shape.of(rows, cols)),
        device.zeros(DType.BF16, Shape.of(rows, cols))
      };
      return new Table(device, dtype, rows, cols, t, new StepState(device, 0, 2 * RATE));
    }

    void sgd(RowGradient g, double momentum, double decay) {
      Engine.run(
          device,
          Kernel.SGD_ROWS,
          dtype.precision(),
          new Arguments.UpdateRows(
              Engine.address(t[0]),
              momentum == 0 ? 0 : Engine.address(t[1]),
              0,
              0,
              Engine.address(t[3]),
              Engine.address(state),
              Engine.address(g.sorted()),
              Engine.address(g.sums()),
              0,
              g.rows(),
              g.cols(),
              rows,
              0,
              2,
              momentum != 0,
              momentum,
              0,
              0,
              0,
              0,
              decay,
              0,
              0.5,
              1,
              Double.POSITIVE_INFINITY,
              Double.POSITIVE_INFINITY,
              Double.POSITIVE_INFINITY));
    }

    void sgd(Tensor gradient, double momentum, double decay) {
      Engine.run(
          device,
          Kernel.SGD,
          dtype.precision(),
          new Arguments.Update(
              Engine.address(t[0]),
              Engine.address(gradient),
              momentum == 0 ? 0 : Engine.address(t[1]),
              0,
              0,
              Engine.address(t[3]),
              Engine.address(state),
              0,
              t[0].elements(),
              0,
              2,
              momentum != 0,
              momentum,
              0,
              0,
              0,
              0,
              decay,
              0,
              0.5,
              1,
              Double.POSITIVE_INFINITY,
              Double.POSITIVE_INFINITY,
              Double.POSITIVE_INFINITY));
    }

    void adam(RowGradient g) {
      Engine.run(
          device,
          Kernel.ADAM_ROWS,
          dtype.precision(),
          new Arguments.UpdateRows(
              Engine.address(t[0]),
              Engine.address(t[1]),
              Engine.address(t[2]),
              0,
              Engine.address(t[3]),
              Engine.address(state),
              Engine.address(g.sorted()),
              Engine.address(g.sums()),
              0,
              g.rows(),
              g.cols(),
              rows,
              0,
              13,
              false,
              0.9,
              0.999,
              0,
              0,
              0,
              0,
              0,
              0.5,
              1,
              Double.POSITIVE_INFINITY,
              Double.POSITIVE_INFINITY,
              Double.POSITIVE_INFINITY));
      state.advance(1);
    }

    double[] row(int tensor, int row) {
      return Arrays.copyOfRange(t[tensor].toDoubles(), row * cols, (row + 1) * cols);
    }

    @Override
    public void close() {
      state.close();
      Arrays.stream(t).forEach(Tensor::close);
    }
  }

  /** Each row once: the same bits. Rows again and again: up to rounding. */
  @OnEachDevice
  void sgdOfRowsIsSgd(OnEachDevice.Place place) {
    final int rows = 200;
    int[] once = IntStream.range(0, 150).map(i -> (i * 7919 + 3) % rows).toArray();
    int[] often = drawn(1200, -20, rows + 20);
    Arrays.fill(often, 300, 900, 17);
    try (Device device = place.open()) {
      sgd(device, DType.F32, rows, 64, once, 0);
      sgd(device, DType.F32, rows, 5, once, 0);
      sgd(device, DType.F64, rows, 5, once, 0);
      sgd(device, DType.F32, rows, 20, often, 1e-4);
      sgd(device, DType.F64, rows, 5, often, 1e-12);
    }
  }

  private static void sgd(
      Device device, DType dtype, int rows, int cols, int[] ids, double allowed) {
    for (double momentum : new double[] {0, 0.9}) {
      double decay = momentum / 30;
      try (Tensor dy = Input.randomNormal(ids.length, cols).on(device, dtype, 2);
          Tensor dense = device.zeros(dtype, Shape.of(rows, cols));
          Table whole = Table.of(device, dtype, rows, cols);
          Table lazy = Table.of(device, dtype, rows, cols)) {
        for (int i = 0; i < 2; i++) {
          backward(device, dtype, rows, ids, dy, g -> lazy.sgd(g, momentum, decay));
          dense.fill(0);
          double[] sum = new double[rows * cols];
          double[] each = dy.toDoubles();
          for (int k = 0; k < each.length; k++) {
            int row = ids[k / cols];
            if (row >= 0 && row < rows) {
              sum[row * cols + k % cols] += each[k];
            }
          }
          dense.copyFrom(sum);
          whole.sgd(dense, momentum, decay);
        }
        boolean[] taken = new boolean[rows];
        IntStream.of(ids).filter(id -> id >= 0 && id < rows).forEach(id -> taken[id] = true);
        try (Table before = Table.of(device, dtype, rows, cols)) {
          for (int tensor : new int[] {0, 1, 3}) {
            double[] expected = whole.t[tensor].toDoubles();
            double[] actual = lazy.t[tensor].toDoubles();
            double[] untouched = before.t[tensor].toDoubles();
            for (int i = 0; i < expected.length; i++) {
              double near = tensor == 3 && allowed > 0 ? Math.abs(expected[i]) / 128 : allowed;
              boolean mine = taken[i / cols];
              assertEquals(mine ? expected[i] : untouched[i], actual[i], mine ? near : 0);
            }
          }
        }
      }
    }
  }

  /**
   * Three steps at rate 0.1 over gradients 2, 4, 2 of rows 0 1 0, then 1 alone, then 0 alone. m =
   * 0.9 m + 0.1 g, v = 0.999 v + 0.001 g², and the corrections are those of all steps.
   */
  @OnEachDevice
  void adamOfRowsIsSparseAdam(OnEachDevice.Place place) {
    try (Device device = place.open();
        Table table = Table.of(device, DType.F64, 3, 4)) {
      table.t[0].fill(1);
      int[][] ids = {{0, 1, 0}, {1, 5, -1}, {0}};
      double[][] gradients = {{1, 4, 1}, {3, 9, 9}, {-1}};
      for (int step = 0; step < 3; step++) {
        double[] dy = new double[4 * ids[step].length];
        for (int i = 0; i < dy.length; i++) {
          dy[i] = gradients[step][i / 4];
        }
        try (Tensor g = device.tensor(DType.F64, Shape.of(ids[step].length, 4), dy)) {
          backward(device, DType.F64, 3, ids[step], g, table::adam);
        }
      }
      // step 1: m = 0.2 and 0.4, v = 0.004 and 0.016; both move by the rate
      // step 2, row 1: m = 0.66, v = 0.024984; step 3, row 0: m = 0.08, v = 0.004996
      double one = 0.9 - 0.1 * (0.66 / 0.19) / Math.sqrt(0.024984 / 0.001999);
      double zero = 0.9 - 0.1 * (0.08 / 0.271) / Math.sqrt(0.004996 / 0.002997001);
      close(new double[] {zero, 0.08, 0.004996}, table, 0);
      close(new double[] {one, 0.66, 0.024984}, table, 1);
      close(new double[] {1, 0, 0}, table, 2);
      assertArrayEquals(new double[4], table.row(3, 2));
      assertNotEquals(0, table.row(3, 1)[0]);
    }
  }

  private static void close(double[] expected, Table table, int row) {
    for (int tensor = 0; tensor < 3; tensor++) {
      double[] all = new double[4];
      Arrays.fill(all, expected[tensor]);
      assertArrayEquals(all, table.row(tensor, row), 1e-14);
    }
  }

  /** Both devices add up in one order, and so does any number of threads. */
  @Test
  void sumsAreTheSameBitsEverywhere() {
    int[] ids = drawn(3001, 0, 40);
    Arrays.fill(ids, 500, 1900, 12);
    float[][] results = new float[3][];
    CpuLibrary.get().disturb(1); // so little work is shared then, too
    try {
      for (int i = 0; i < results.length; i++) {
        try (Device device = i < 2 ? Device.cpu(1 + i) : OnEachDevice.Place.EMULATED_CUDA.open();
            Tensor dy = Input.randomNormal(ids.length, 33).on(device, DType.F32, 3);
            Tensor dense = device.zeros(DType.F32, Shape.of(40, 33))) {
          backward(device, DType.F32, 40, ids, dy, rows -> RowSums.addTo(rows, dense));
          results[i] = dense.toFloats();
        }
      }
    } finally {
      CpuLibrary.get().disturb(0);
    }
    assertArrayEquals(results[0], results[1]);
    assertArrayEquals(results[0], results[2]);
  }
}
