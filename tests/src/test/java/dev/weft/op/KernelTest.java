// SPDX-License-Identifier: Apache-2.0
package dev.weft.op;

import static java.lang.Double.NEGATIVE_INFINITY;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.weft.DType;
import dev.weft.Device;
import dev.weft.Engine;
import dev.weft.Shape;
import dev.weft.StepState;
import dev.weft.Tape;
import dev.weft.Tensor;
import dev.weft.check.Input;
import dev.weft.device.Arguments;
import dev.weft.device.Kernel;
import dev.weft.device.Precision;
import dev.weft.device.cpu.CpuLibrary;
import dev.weft.support.OnEachDevice;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Comparator;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Kernels that have no gradient, and what holds for kernels beyond their formula. */
public class KernelTest {
  private static final double NAN = Double.NaN;
  private static final int MAX = Integer.MAX_VALUE;
  private static final int MIN = Integer.MIN_VALUE;

  @OnEachDevice
  void fillSetsEveryElement(OnEachDevice.Place place) {
    try (Device device = place.open()) {
      for (int n : new int[] {1, 7, 1024, 1025, 5000}) {
        for (DType dtype : DType.values()) {
          double value = dtype.isFloating() ? 2.5 : 2;
          double[] expected = new double[n];
          Arrays.fill(expected, value);
          assertArrayEquals(expected, device.full(dtype, Shape.of(n), value).toDoubles());
        }
      }
    }
  }

  @OnEachDevice
  void argmaxTakesTheFirstLargest(OnEachDevice.Place place) {
    double[] x = {
      1, 5, 5, 2, // a tie: the first
      -3, -1, -2, -1, //
      NAN, 9, 1, 1, // NaN counts as the largest
      9, 1, NAN, NAN, //
      7, 7, 7, 7
    };
    try (Device device = place.open()) {
      for (DType dtype : new DType[] {DType.F32, DType.F64}) {
        assertArrayEquals(new int[] {1, 1, 0, 2, 0}, argmax(device, dtype, x, 5, 4));
        double[] wide = new double[3 * 2000];
        wide[1999] = 1;
        wide[2000 + 700] = 3;
        wide[2000 + 1300] = 3;
        assertArrayEquals(new int[] {1999, 700, 0}, argmax(device, dtype, wide, 3, 2000));
        double[] least = new double[2 * 70];
        Arrays.fill(least, Double.NEGATIVE_INFINITY);
        least[139] = NAN;
        assertArrayEquals(new int[] {0, 69}, argmax(device, dtype, least, 2, 70));
      }
    }
  }

  @OnEachDevice
  void topKFollowsTheDefinition(OnEachDevice.Place place) {
    try (Device device = place.open();
        Tape tape = new Tape(device)) {
      for (DType dtype : new DType[] {DType.F32, DType.F64, DType.BF16}) {
        double[] x = {1, 5, 5, 2, NAN, 9, 1, NAN, 7, 7, 7, 7, NEGATIVE_INFINITY, 0, -0.0, -1};
        Tensor matrix = device.tensor(dtype, Shape.of(4, 4), x);
        assertArrayEquals(
            new int[] {1, 2, 3, 0, 3, 1, 0, 1, 2, 1, 2, 3}, tape.topK(matrix, 1, 3).toInts());
        assertArrayEquals(new int[] {1, 0, 0, 1}, tape.argmax(matrix, -1).toInts());
        Tensor columns = tape.topK(matrix, 0, 2);
        assertEquals(Shape.of(2, 4), columns.shape());
        assertArrayEquals(new int[] {1, 1, 2, 1, 2, 2, 0, 2}, columns.toInts());
        assertArrayEquals(new int[] {1, 1, 2, 1}, tape.argmax(matrix, 0).toInts());
        for (int cols : new int[] {1, 31, 300, 1500}) {
          compareTopK(tape, dtype, 3, cols, Math.min(cols, 40));
        }
      }
    }
  }

  /** Against a sort that keeps equal ones in their order. */
  private static void compareTopK(Tape tape, DType dtype, int rows, int cols, int k) {
    double[] values = new double[rows * cols];
    Arrays.setAll(values, i -> i * 7919 % 61);
    Tensor y = tape.topK(tape.device().tensor(dtype, Shape.of(rows, cols), values), 1, k);
    int[] expected = new int[rows * k];
    for (int r = 0; r < rows; r++) {
      int first = r * cols;
      int[] order =
          IntStream.range(0, cols)
              .boxed()
              .sorted(Comparator.comparingDouble(c -> -values[first + c]))
              .limit(k)
              .mapToInt(c -> c)
              .toArray();
      System.arraycopy(order, 0, expected, r * k, k);
    }
    assertArrayEquals(expected, y.toInts());
  }

  @OnEachDevice
  void idsAreRowsOfOneOne(OnEachDevice.Place place) {
    try (Device device = place.open();
        Tape tape = new Tape(device)) {
      Tensor ids = device.tensor(DType.I32, Shape.of(2, 2), 2, 0, -1, 3);
      for (DType dtype : new DType[] {DType.F32, DType.F64, DType.BF16}) {
        Tensor y = tape.oneHot(ids, 3, dtype);
        assertEquals(dtype, y.dtype());
        assertEquals(Shape.of(2, 2, 3), y.shape());
        assertArrayEquals(
            new double[] {0, 0, 1, 1, 0, 0, NAN, NAN, NAN, NAN, NAN, NAN}, y.toDoubles());
      }
    }
  }

  private static int[] argmax(Device device, DType dtype, double[] values, int rows, int cols) {
    Tensor x = device.tensor(dtype, Shape.of(rows, cols), values);
    Tensor y = device.allocate(DType.I32, Shape.of(rows));
    var arguments = new Arguments.Argmax(Engine.address(x), Engine.address(y), rows, cols);
    Engine.run(device, Kernel.ARGMAX, dtype.precision(), arguments);
    return y.toInts();
  }

  @OnEachDevice
  void bytesAreNormalised(OnEachDevice.Place place) {
    try (Device device = place.open();
        StepState state = new StepState(device, 1)) {
      // rows 0..3 of 3 bytes; the batch is rows order[2], order[3]
      Tensor source =
          device.tensor(DType.U8, Shape.of(4, 3), 0, 51, 255, 1, 2, 3, 100, 128, 200, 7, 8, 9);
      Tensor order = device.tensor(new int[] {3, 1, 2, 0});
      state.set(1, 0, 0, 2, 0);
      for (DType dtype : new DType[] {DType.F32, DType.F64}) {
        Tensor y = device.allocate(dtype, Shape.of(2, 3));
        Engine.run(
            device,
            Kernel.GATHER_ROWS_U8,
            dtype.precision(),
            new Arguments.GatherRows(
                Engine.address(source),
                Engine.address(order),
                Engine.address(state),
                Engine.address(y),
                2,
                3,
                4,
                1.0 / 255,
                -0.5));
        double[] expected = {100 / 255.0 - .5, 128 / 255.0 - .5, 200 / 255.0 - .5, -.5, -.3, .5};
        assertArrayEquals(expected, y.toDoubles(), 1e-7);
      }
    }
  }

  @OnEachDevice
  void idsFollowTheCursor(OnEachDevice.Place place) {
    try (Device device = place.open();
        StepState state = new StepState(device, 1)) {
      Tensor labels = device.tensor(new int[] {10, 11, 12, 13, 14});
      Tensor order = device.tensor(new int[] {4, 2, 0, 1, 3});
      Tensor y = device.allocate(DType.I32, Shape.of(2));
      state.set(1, 0, 0, 1, 0);
      Engine.run(
          device,
          Kernel.GATHER_IDS,
          Precision.F32,
          new Arguments.GatherIds(
              Engine.address(labels),
              Engine.address(order),
              Engine.address(state),
              Engine.address(y),
              2,
              1,
              1,
              5));
      assertArrayEquals(new int[] {12, 10}, y.toInts());
      Engine.run(
          device,
          Kernel.GATHER_IDS,
          Precision.F32,
          new Arguments.GatherIds(
              Engine.address(labels), Engine.address(order), 0, Engine.address(y), 2, 1, 1, 5));
      assertArrayEquals(new int[] {14, 12}, y.toInts());
    }
  }

  @OnEachDevice
  void idsOfAbsentRowsAreNone(OnEachDevice.Place place) {
    try (Device device = place.open()) {
      Tensor labels = device.tensor(new int[] {10, 11, 12, 13, 14});
      Tensor order = device.tensor(new int[] {4, -1, 3, 0, 5, MAX, MIN});
      Tensor y = device.allocate(DType.I32, Shape.of(7));
      // the source is said to have four of its five rows
      Engine.run(
          device,
          Kernel.GATHER_IDS,
          Precision.F32,
          new Arguments.GatherIds(
              Engine.address(labels), Engine.address(order), 0, Engine.address(y), 7, 1, 1, 4));
      assertArrayEquals(new int[] {-2, -2, 13, 10, -2, -2, -2}, y.toInts());
    }
  }

  @OnEachDevice
  void windowsOfIdsOverlap(OnEachDevice.Place place) {
    try (Device device = place.open()) {
      int[] tokens = new int[700];
      Arrays.setAll(tokens, i -> 1000 + i);
      Tensor source = device.tensor(tokens);
      Tensor order = device.tensor(new int[] {0, 697, -1, 2, 698, 400});
      Tensor y = device.allocate(DType.I32, Shape.of(6, 3));
      Engine.run(
          device,
          Kernel.GATHER_IDS,
          Precision.F32,
          new Arguments.GatherIds(
              Engine.address(source), Engine.address(order), 0, Engine.address(y), 6, 3, 1, 698));
      int[] expected = {
        1000, 1001, 1002, 1697, 1698, 1699, -2, -2, -2, 1002, 1003, 1004, -2, -2, -2, 1400, 1401,
        1402
      };
      assertArrayEquals(expected, y.toInts());
    }
  }

  /** Their results are NaN and their gradients go nowhere, whether or not rows come in packs. */
  @OnEachDevice
  void absentRowsAreNeitherReadNorWritten(OnEachDevice.Place place) {
    try (Device device = place.open()) {
      for (DType dtype : new DType[] {DType.F32, DType.F64}) {
        for (int cols : new int[] {1, 3, 4, 40}) {
          gatherAbsent(device, dtype, cols);
        }
      }
    }
  }

  private static void gatherAbsent(Device device, DType dtype, int cols) {
    int[] index = {1, -1, 2, 3, 1, MAX, MIN, 0};
    double[] expected = new double[index.length * cols];
    double[] gradient = new double[3 * cols];
    for (int i = 0; i < expected.length; i++) {
      int row = index[i / cols];
      boolean known = row >= 0 && row < 3;
      expected[i] = known ? row + 1 : NAN;
      if (known) {
        gradient[row * cols + i % cols]++;
      }
    }
    double[] values = new double[3 * cols];
    Arrays.setAll(values, i -> i / cols + 1);
    Tensor source = device.tensor(dtype, Shape.of(3, cols), values).requiresGrad();
    Tensor bytes = device.tensor(DType.U8, Shape.of(3, cols), values);
    Tensor order = device.tensor(index);
    Tensor y = device.allocate(dtype, Shape.of(index.length, cols));
    Engine.run(
        device,
        Kernel.GATHER_ROWS_U8,
        dtype.precision(),
        new Arguments.GatherRows(
            Engine.address(bytes),
            Engine.address(order),
            0,
            Engine.address(y),
            index.length,
            cols,
            3,
            1,
            0));
    assertArrayEquals(expected, y.toDoubles());
    try (Tape tape = new Tape(device)) {
      Tensor taken = tape.gather(source, order);
      assertArrayEquals(expected, taken.toDoubles());
      tape.backward(tape.sum(taken));
    }
    assertArrayEquals(gradient, source.grad().toDoubles());
  }

  @OnEachDevice
  void stepAdvances(OnEachDevice.Place place) {
    try (Device device = place.open();
        StepState state = new StepState(device, 9)) {
      state.set(9, 41, 41, 0, 0.1);
      state.advance(64);
      state.advance(36);
      assertEquals(43, state.step());
      // the cursor stands at 100: the batch begins there
      int[] numbers = new int[101];
      Arrays.setAll(numbers, i -> i);
      Tensor all = device.tensor(numbers);
      Tensor y = device.allocate(DType.I32, Shape.of(1));
      Engine.run(
          device,
          Kernel.GATHER_IDS,
          Precision.F32,
          new Arguments.GatherIds(
              Engine.address(all),
              Engine.address(all),
              Engine.address(state),
              Engine.address(y),
              1,
              1,
              1,
              101));
      assertEquals(100, y.item());
    }
  }

  /**
   * Rates and factors are taken by the number of updates, and again from the first after the last.
   */
  @OnEachDevice
  void updatesTakeTheirRates(OnEachDevice.Place place) {
    double[] rates = {0.1, 0.9, 2, 0.2, 0.8, 3, 0.7, 0, 4};
    try (Device device = place.open();
        StepState state = new StepState(device, 9);
        Tensor schedule = device.tensor(DType.F64, Shape.of(9), rates)) {
      state.set(9, 40, 20, 5, 0.5, 0.6, 0.7);
      checkState(device, state, 40, 20, 5, 0.5, 0.6, 0.7);
      // a batch whose gradients are added to others
      advance(device, state, schedule, 8, false);
      checkState(device, state, 41, 20, 13, 0.5, 0.6, 0.7);
      for (int update = 21; update < 28; update++) {
        advance(device, state, schedule, 8, true);
        double[] now = Arrays.copyOfRange(rates, 3 * (update % 3), 3 * (update % 3) + 3);
        checkState(device, state, update + 21, update, 8 * update - 147, now);
      }
      advance(device, state, null, 1, true);
      checkState(device, state, 49, 28, 70, 0.1, 0.9, 2);
      assertEquals(28, state.update());
      state.rate(0.25); // leaves the factors
      checkState(device, state, 49, 28, 70, 0.25, 0.9, 2);
      state.set(9, 1, 2, 3, 0.125);
      checkState(device, state, 1, 2, 3, 0.125, 1, 1);
    }
  }

  private static void advance(
      Device device, StepState state, Tensor rates, long rows, boolean update) {
    Engine.run(
        device,
        Kernel.ADVANCE_STEP,
        Precision.F32,
        new Arguments.AdvanceStep(
            Engine.address(state),
            rates == null ? 0 : Engine.address(rates),
            rows,
            rates == null ? 0 : rates.elements() / 3,
            update));
  }

  private static void checkState(
      Device device, StepState state, long step, long update, long cursor, double... rates) {
    int[] numbers = new int[16];
    Arrays.setAll(numbers, i -> i);
    try (Tensor order = device.tensor(numbers);
        Tensor words = device.allocate(DType.I32, Shape.of(16))) {
      Engine.run(
          device,
          Kernel.GATHER_IDS,
          Precision.F32,
          new Arguments.GatherIds(
              Engine.address(state),
              Engine.address(order),
              0,
              Engine.address(words),
              16,
              1,
              1,
              16));
      int[] halves = words.toInts();
      long[] actual = new long[8];
      Arrays.setAll(actual, i -> halves[2 * i + 1] * (1L << 32) + (halves[2 * i] & 0xffffffffL));
      long[] expected = {
        9,
        step,
        update,
        cursor,
        Double.doubleToRawLongBits(rates[0]),
        Float.floatToRawIntBits((float) rates[0]),
        Double.doubleToRawLongBits(rates[1]),
        Double.doubleToRawLongBits(rates[2])
      };
      assertArrayEquals(expected, actual);
    }
  }

  @OnEachDevice
  void rowsAreCopiedBetweenStrides(OnEachDevice.Place place) {
    try (Device device = place.open()) {
      Tensor x = device.tensor(DType.F64, Shape.of(2, 4), 1, 2, 3, 4, 5, 6, 7, 8);
      Tensor y = device.full(DType.F64, Shape.of(2, 3), 100);
      // columns 1 and 2 of x to columns 0 and 1 of y, times -2; then the same once more, added
      for (boolean accumulate : new boolean[] {false, true}) {
        Engine.run(
            device,
            Kernel.COPY_ROWS,
            Precision.F64,
            new Arguments.CopyRows(
                Engine.address(x) + 8, Engine.address(y), 2, 2, 4, 3, -2, accumulate));
      }
      assertArrayEquals(new double[] {-8, -12, 100, -24, -28, 100}, y.toDoubles());
    }
  }

  @OnEachDevice
  void copiesGoBothWays(OnEachDevice.Place place) {
    try (Device device = place.open()) {
      float[] values = new float[3 * 1031];
      for (int i = 0; i < values.length; i++) {
        values[i] = i * 0.37f - 100;
      }
      Tensor x = device.tensor(values);
      assertArrayEquals(values, x.toFloats());
      x.view(5, Shape.of(2)).copyFrom(MemorySegment.ofArray(new float[] {1, 2}));
      assertArrayEquals(
          new float[] {values[4], 1, 2, values[7]}, Arrays.copyOfRange(x.toFloats(), 4, 8));
    }
  }

  @OnEachDevice
  void maximumHandsOnNaN(OnEachDevice.Place place) {
    try (Device device = place.open();
        Tape tape = new Tape(device)) {
      Tensor a = device.tensor(new double[] {NAN, 1, 2});
      Tensor b = device.tensor(new double[] {1, NAN, 3});
      assertArrayEquals(new double[] {NAN, NAN, 3}, tape.maximum(a, b).toDoubles());
      assertArrayEquals(new double[] {NAN, NAN, 2}, tape.minimum(a, b).toDoubles());
      assertEquals(NAN, tape.max(a).item());
      assertEquals(NAN, tape.sum(a).item());
      assertArrayEquals(new double[] {NAN, 1, 2}, tape.relu(a).toDoubles());
    }
  }

  @OnEachDevice
  void labelOutsideTheClassesMakesTheLossNaN(OnEachDevice.Place place) {
    try (Device device = place.open();
        Tape tape = new Tape(device)) {
      Tensor x = device.zeros(DType.F32, Shape.of(2, 3)).requiresGrad();
      for (int label : new int[] {3, -1}) {
        Tensor loss = tape.softmaxCrossEntropy(x, device.tensor(new int[] {0, label}));
        assertEquals(NAN, loss.item());
      }
    }
  }

  @OnEachDevice
  void hitsCountTheFirstLargestLogit(OnEachDevice.Place place) {
    try (Device device = place.open();
        Tape tape = new Tape(device)) {
      Tensor x =
          device.tensor(DType.F64, new double[][] {{1, 3, 2}, {4, 4, 0}, {4, 4, 0}, {0, NAN, 1}});
      Tensor hits = device.allocate(DType.F64, Shape.of(4));
      tape.apply(
          new SoftmaxCrossEntropyOperation(0), x, device.tensor(new int[] {1, 0, 1, 1}), hits);
      assertArrayEquals(new double[] {1, 1, 0, 0}, hits.toDoubles());
    }
  }

  /**
   * Rows of any length are held by eight lanes to eight warps of a GPU, or read twice: their
   * losses, gradients and hits are those of the formula, whatever is odd about a row or its label.
   */
  @OnEachDevice
  void oddRowsOfAnyLengthFollowTheFormula(OnEachDevice.Place place) {
    try (Device device = place.open()) {
      for (int classes : new int[] {3, 31, 32, 33, 130, 513, 1030, 2051, 4099}) {
        oddRows(device, classes);
      }
    }
  }

  private static void oddRows(Device device, int classes) {
    final int rows = 7;
    final int last = classes - 1;
    double[] x = new double[rows * classes];
    for (int i = 0; i < x.length; i++) {
      x[i] = (i * 7919L % 101) / 50.0 - 1;
    }
    int[] labels = {last, 0, classes, -1, last, 1, last / 2};
    x[last] = 5; // row 0: its label is the largest, and the last
    x[classes] = 5; // row 1: two largest, the first is its label
    x[classes + last] = 5;
    x[4 * classes] = 5; // row 4: two largest, the second is its label
    x[4 * classes + last] = 5;
    x[5 * classes + last] = NAN;
    Arrays.fill(x, 6 * classes, 7 * classes, Double.NEGATIVE_INFINITY);
    x[6 * classes + last / 2] = 2; // all of the probability at the label
    double[] hits = {1, 1, 0, 0, 0, 0, 1};
    Tensor logits = device.tensor(DType.F64, Shape.of(rows, classes), x);
    Tensor targets = device.tensor(labels);
    Tensor losses = device.allocate(DType.F64, Shape.of(rows));
    Tensor dx = device.allocate(DType.F64, Shape.of(rows, classes));
    Tensor found = device.allocate(DType.F64, Shape.of(rows));
    var full =
        new Arguments.SoftmaxCrossEntropy(
            Engine.address(logits),
            Engine.address(targets),
            0,
            Engine.address(losses),
            Engine.address(dx),
            Engine.address(found),
            rows,
            classes,
            0,
            1);
    Engine.run(device, Kernel.SOFTMAX_CROSS_ENTROPY, Precision.F64, full);
    assertArrayEquals(hits, found.toDoubles(), classes + " classes");
    double[] gradients = dx.toDoubles();
    double[] got = losses.toDoubles();
    for (int r = 0; r < rows; r++) {
      double sum = 0;
      for (int c = 0; c < classes; c++) {
        sum += Math.exp(x[r * classes + c]);
      }
      boolean known = labels[r] >= 0 && labels[r] < classes;
      double loss = known ? Math.log(sum) - x[r * classes + labels[r]] : NAN;
      String row = "row %d of %d classes".formatted(r, classes);
      assertEquals(loss, got[r], 1e-12, row);
      for (int c = 0; c < classes; c++) {
        double p = known ? Math.exp(x[r * classes + c]) / sum : NAN;
        assertEquals(p - (c == labels[r] ? 1 : 0), gradients[r * classes + c], 1e-12, row);
      }
    }
    // without a gradient or hits: the same losses
    Tensor alone = device.allocate(DType.F64, Shape.of(rows));
    var lossOnly =
        new Arguments.SoftmaxCrossEntropy(
            Engine.address(logits),
            Engine.address(targets),
            0,
            Engine.address(alone),
            0,
            0,
            rows,
            classes,
            0,
            1);
    Engine.run(device, Kernel.SOFTMAX_CROSS_ENTROPY, Precision.F64, lossOnly);
    assertArrayEquals(got, alone.toDoubles());
  }

  /** Rows of any length with ties, NaN, infinities, and labels that are none. */
  @OnEachDevice
  void topHitsFollowTheDefinition(OnEachDevice.Place place) {
    try (Device device = place.open()) {
      for (int classes : new int[] {1, 3, 31, 32, 33, 130, 513, 1024, 1030, 4099}) {
        for (Precision precision : Precision.values()) {
          topHits(device, precision, classes);
        }
      }
    }
  }

  private static void topHits(Device device, Precision precision, int classes) {
    final int rows = 13;
    final int last = classes - 1;
    double[] x = new double[rows * classes];
    for (int i = 0; i < x.length; i++) {
      x[i] = (i * 7919L % 101) / 16.0 - 3; // each comes often, and bfloat16 holds it
    }
    int[] labels = {
      last, 0, classes, -1, last, last / 2, last / 2, 0, last / 3, last, 0, last / 2, MIN
    };
    x[4 * classes] = NAN;
    x[5 * classes + last] = NAN;
    Arrays.fill(x, 6 * classes, 8 * classes, Double.NEGATIVE_INFINITY);
    x[8 * classes + last] = Double.POSITIVE_INFINITY; // leaves no softmax, either
    Arrays.fill(x, 9 * classes, 11 * classes, 7);
    DType wide = DType.valueOf(precision.wide().name());
    try (Tensor logits =
            device.tensor(DType.valueOf(precision.name()), Shape.of(rows, classes), x);
        Tensor targets = device.tensor(labels);
        Tensor losses = device.allocate(wide, Shape.of(rows));
        Tensor first = device.allocate(wide, Shape.of(rows));
        Tensor hits = device.allocate(wide, Shape.of(rows))) {
      for (int k : new int[] {1, 2, 5, 1000}) {
        var arguments =
            new Arguments.TopHits(
                Engine.address(logits),
                Engine.address(targets),
                Engine.address(hits),
                rows,
                classes,
                k);
        Engine.run(device, Kernel.TOP_HITS, precision, arguments);
        double[] expected = new double[rows];
        for (int r = 0; r < rows; r++) {
          double[] row = Arrays.copyOfRange(x, r * classes, (r + 1) * classes);
          expected[r] = isAmong(row, labels[r], k) ? 1 : 0;
        }
        assertArrayEquals(expected, hits.toDoubles(), precision + ", k " + k + " of " + classes);
        if (k == 1) {
          var loss =
              new Arguments.SoftmaxCrossEntropy(
                  Engine.address(logits),
                  Engine.address(targets),
                  0,
                  Engine.address(losses),
                  0,
                  Engine.address(first),
                  rows,
                  classes,
                  0,
                  1);
          Engine.run(device, Kernel.SOFTMAX_CROSS_ENTROPY, precision, loss);
          assertArrayEquals(first.toDoubles(), hits.toDoubles(), classes + " classes");
        }
      }
    }
  }

  private static boolean isAmong(double[] row, int label, int k) {
    if (label < 0
        || label >= row.length
        || Arrays.stream(row).anyMatch(v -> !(v < Double.POSITIVE_INFINITY))) {
      return false;
    }
    int place = 0;
    for (int c = 0; c < row.length; c++) {
      place += row[c] > row[label] || row[c] == row[label] && c < label ? 1 : 0;
    }
    return place < k;
  }

  /** With one thread or two, on the first run or the second: the same bits. */
  @Test
  void threadsDoNotChangeABit() {
    float[][] results = new float[4][];
    CpuLibrary.get().disturb(1); // so little work is shared then, too
    try {
      for (int run = 0; run < 4; run++) {
        try (Device cpu = Device.cpu(1 + run % 2);
            Tensor x = Input.randomNormal(700, 130).on(cpu, DType.F32, 3);
            Tape tape = new Tape(cpu)) {
          results[run] =
              tape.concat(
                      0,
                      tape.reshape(tape.sum(x), 1),
                      tape.sum(x, 0),
                      tape.mean(x, 1),
                      tape.reshape(tape.squaredNorm(x), 1))
                  .toFloats();
        }
      }
    } finally {
      CpuLibrary.get().disturb(0);
    }
    for (float[] result : results) {
      assertArrayEquals(results[0], result);
    }
  }

  @Test
  void closeLeavesNothing() {
    Device cpu = Device.cpu();
    try (Tape tape = new Tape(cpu);
        Tensor x = cpu.full(DType.F32, Shape.of(100, 100), 1).requiresGrad()) {
      tape.backward(tape.sum(tape.dropout(tape.square(x), 0.5)));
    }
    assertEquals(0, cpu.memory().live());
    cpu.close();
  }
}
