// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench.harness;

import dev.weft.device.Arguments;
import dev.weft.device.Arguments.Gemm;
import dev.weft.device.Kernel;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Function;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** One call of a kernel, to be made on two backends whose memory is then compared. */
public record KernelCall(String label, Function<CallMemory, Arguments> arguments, long work) {
  private static final int ROWS = 37;
  private static final int COLS = 53;
  private static final int N = ROWS * COLS;

  private static List<KernelCall> one(Function<CallMemory, Arguments> arguments, long work) {
    return List.of(new KernelCall("", arguments, work));
  }

  private static List<KernelCall> each(
      int count, Function<Integer, Function<CallMemory, Arguments>> make, long work) {
    return IntStream.range(0, count)
        .mapToObj(i -> new KernelCall("operation " + i, make.apply(i), work))
        .toList();
  }

  /** Calls of a kernel that reach each of its operations. */
  public static List<KernelCall> of(Kernel kernel) {
    return switch (kernel) {
      case BIAS_ACTIVATION_FORWARD ->
          each(
              9,
              f ->
                  m ->
                      new Arguments.BiasActivationForward(
                          m.signed(N, 1), m.signed(COLS, 2), m.zeros(N), ROWS, COLS, f, 0.1),
              N);
      case BIAS_ACTIVATION_BACKWARD ->
          each(
              9,
              f ->
                  m ->
                      new Arguments.BiasActivationBackward(
                          m.signed(N, 1),
                          m.signed(COLS, 2),
                          m.reals(N, 3),
                          m.signed(N, 4),
                          m.signed(N, 5),
                          ROWS,
                          COLS,
                          f,
                          0.1,
                          f % 2 == 1),
              N);
      case BIAS_ACTIVATION_GRADIENTS -> biasGradients();
      // how rows lie in their memory is for the device to choose; FusedStepTest compares what they
      // do
      case FUSED_PASS, FUSED_UPDATE -> List.of();
      case SOFTMAX_CROSS_ENTROPY -> softmaxes();
      case DROPOUT ->
          one(
              m -> new Arguments.Dropout(m.signed(N, 1), m.zeros(N), m.state(), N, 7, 0.3, true),
              N);
      case UNARY_FORWARD ->
          each(9, f -> m -> new Arguments.UnaryForward(m.reals(N, 1), m.zeros(N), N, f, 1.5), N);
      case UNARY_BACKWARD ->
          each(
              9,
              f ->
                  m ->
                      new Arguments.UnaryBackward(
                          m.reals(N, 1),
                          m.reals(N, 2),
                          m.signed(N, 3),
                          m.signed(N, 4),
                          N,
                          f,
                          1.5,
                          f % 2 == 0),
              N);
      case BINARY_FORWARD ->
          each(
              6,
              f ->
                  m ->
                      new Arguments.BinaryForward(
                          m.reals(N, 1),
                          m.reals(COLS, 2),
                          m.zeros(N),
                          1,
                          1,
                          ROWS,
                          COLS,
                          0,
                          0,
                          COLS,
                          1,
                          0,
                          0,
                          0,
                          1,
                          f),
              N);
      case BINARY_BACKWARD ->
          each(
              6,
              f ->
                  m ->
                      new Arguments.BinaryBackward(
                          m.reals(N, 1),
                          m.reals(COLS, 2),
                          m.signed(N, 3),
                          m.signed(N, 4),
                          m.zeros(N),
                          1,
                          1,
                          ROWS,
                          COLS,
                          0,
                          0,
                          COLS,
                          1,
                          0,
                          0,
                          0,
                          1,
                          f,
                          true,
                          false),
              N);
      case REDUCE -> reductions();
      case REDUCE_BACKWARD ->
          List.of(0, 1, 3).stream()
              .map(
                  f ->
                      new KernelCall(
                          "operation " + f,
                          m ->
                              new Arguments.ReduceBackward(
                                  m.signed(3 * 7 * 11, 1),
                                  m.wideSigned(3 * 11, 2),
                                  m.signed(3 * 7 * 11, 3),
                                  3,
                                  7,
                                  11,
                                  f,
                                  0.5,
                                  f == 0),
                          3 * 7 * 11))
              .toList();
      case MAX_BACKWARD ->
          List.of(
              maxBackward(11, 7, false),
              maxBackward(12, 70, true),
              maxBackward(1, 7, true),
              maxBackward(1, 301, false));
      case GATHER_ROWS -> List.of(gather(COLS), gather(64));
      case GATHER_ROWS_U8 -> List.of(gatherBytes(COLS), gatherBytes(64), gatherBytes(784));
      case GATHER_ROWS_BACKWARD -> List.of(scatter(COLS), scatter(64), scatter(132));
      case ARGMAX -> List.of(argmax(10), argmax(COLS), argmax(64), argmax(701));
      case FILL -> one(m -> new Arguments.Fill(m.zeros(N), N, 2.5), N);
      case COPY_ROWS ->
          one(
              m ->
                  new Arguments.CopyRows(
                      m.signed(N, 1), m.signed(ROWS * 40, 2), ROWS, 30, COLS, 40, 3, true),
              ROWS * 30);
      case TRANSPOSE ->
          List.of(
              transpose(ROWS, COLS), transpose(36, COLS), transpose(ROWS, 64), transpose(36, 64));
      case RANDOM_UNIFORM, RANDOM_NORMAL ->
          one(m -> new Arguments.Random(m.zeros(N), N, 3, 4, 5, -1, 2), N);
      case SGD ->
          one(
              m ->
                  new Arguments.Sgd(
                      m.signed(N, 1),
                      m.signed(N, 2),
                      m.signed(N, 3),
                      m.narrowSigned(N, 4),
                      m.state(),
                      N,
                      0.9,
                      0.1,
                      0.01,
                      true),
              N);
      case ADAM ->
          one(
              m ->
                  new Arguments.Adam(
                      m.signed(N, 1),
                      m.signed(N, 2),
                      m.signed(N, 3),
                      m.reals(N, 4),
                      m.narrowSigned(N, 5),
                      m.state(),
                      N,
                      0.9,
                      0.999,
                      1e-8,
                      0.01,
                      0.02),
              N);
      case GATHER_LABELS ->
          one(
              m ->
                  new Arguments.GatherLabels(
                      m.ints(ROWS, 10, 1),
                      m.ints(20, ROWS, 2),
                      m.state(),
                      m.ints(10, 3, 3),
                      10,
                      ROWS),
              10);
      case F32_TO_BF16 -> casts(CallMemory::wideSigned, CallMemory::narrowSigned);
      case BF16_TO_F32 -> casts(CallMemory::narrowSigned, CallMemory::wideSigned);
      case ADVANCE_STEP -> one(m -> new Arguments.AdvanceStep(m.state(), 64), 1);
      case GEMM -> gemms();
    };
  }

  private interface Numbers {
    long in(CallMemory memory, int count, long seed);
  }

  private static List<KernelCall> casts(Numbers from, Numbers to) {
    return Stream.of(false, true)
        .map(
            add ->
                new KernelCall(
                    add ? "+=" : "=",
                    m -> new Arguments.Cast(from.in(m, N, 1), to.in(m, N, 2), N, add),
                    N))
        .toList();
  }

  /** Every activation; columns that packs divide and others, one part and several. */
  private static List<KernelCall> biasGradients() {
    List<KernelCall> cases = new ArrayList<>();
    for (int[] shape : new int[][] {{ROWS, COLS, 1}, {ROWS, 64, 1}, {131, 36, 3}, {70, 13, 2}}) {
      int rows = shape[0];
      int cols = shape[1];
      int parts = shape[2];
      for (int f = 0; f < 9; f++) {
        int activation = f;
        cases.add(
            new KernelCall(
                "operation %d of (%d, %d) in %d parts".formatted(f, rows, cols, parts),
                m ->
                    new Arguments.BiasActivationGradients(
                        m.signed(rows * cols, 1),
                        m.signed(cols, 2),
                        m.reals(rows * cols, 3),
                        m.signed(rows * cols, 4),
                        m.zeros(rows * cols),
                        m.wideSigned(parts * cols, 5),
                        rows,
                        cols,
                        parts,
                        activation,
                        0.1,
                        activation % 2 == 1),
                (long) parts * cols));
      }
    }
    return cases;
  }

  /** Rows for one to eight warps of the GPU, rows that its registers do not hold, and in place. */
  private static List<KernelCall> softmaxes() {
    List<KernelCall> cases = new ArrayList<>();
    for (int classes : new int[] {3, COLS, 301, 1000, 1501, 4001, 12_345}) {
      int rows = classes > 1000 ? 3 : ROWS;
      long work = new Arguments.SoftmaxCrossEntropy(0, 0, 0, 0, 0, rows, classes, 0, 1).work();
      for (boolean inPlace : new boolean[] {false, true}) {
        cases.add(
            new KernelCall(
                "%d classes%s".formatted(classes, inPlace ? " in place" : ""),
                m -> {
                  long x = m.signed(rows * classes, 1);
                  return new Arguments.SoftmaxCrossEntropy(
                      x,
                      m.ints(rows, classes, 2),
                      m.wide(new double[rows]),
                      inPlace ? x : m.zeros(rows * classes),
                      m.wide(new double[rows]),
                      rows,
                      classes,
                      0.1,
                      0.5);
                },
                work));
      }
    }
    return cases;
  }

  /** Columns, and rows for a warp and for a block, by every operation. */
  private static List<KernelCall> reductions() {
    int parts = 2;
    List<KernelCall> cases = new ArrayList<>();
    for (int[] shape : new int[][] {{3, 7, 11}, {3, 70, 12}, {37, 53, 1}, {5, 9001, 1}}) {
      int outputs = parts * shape[0] * shape[2];
      for (int operation = 0; operation < 4; operation++) {
        int f = operation;
        cases.add(
            new KernelCall(
                "operation %d of (%d, %d, %d)".formatted(f, shape[0], shape[1], shape[2]),
                m ->
                    new Arguments.Reduce(
                        m.signed(shape[0] * shape[1] * shape[2], 1),
                        m.wideSigned(outputs, 2),
                        shape[0],
                        shape[1],
                        shape[2],
                        parts,
                        f,
                        0.5,
                        f == 0),
                new Arguments.Reduce(0, 0, shape[0], shape[1], shape[2], parts, f, 1, false)
                    .work()));
      }
    }
    return cases;
  }

  /** Rows of any length, and of whole accesses. */
  private static KernelCall gather(int cols) {
    return new KernelCall(
        cols + " columns",
        m ->
            new Arguments.GatherRows(
                m.signed(ROWS * cols, 1),
                m.ints(20, ROWS + 2, 2),
                m.state(),
                m.zeros(10 * cols),
                10,
                cols,
                ROWS,
                2,
                1),
        10L * cols);
  }

  private static KernelCall gatherBytes(int cols) {
    return new KernelCall(
        cols + " columns",
        m ->
            new Arguments.GatherRows(
                m.ints((ROWS * cols + 3) / 4, Integer.MAX_VALUE, 1),
                m.ints(20, ROWS + 2, 2),
                m.state(),
                m.zeros(10 * cols),
                10,
                cols,
                ROWS,
                1 / 255.0,
                -0.5),
        10L * cols);
  }

  private static KernelCall scatter(int cols) {
    return new KernelCall(
        cols + " columns",
        m ->
            new Arguments.GatherRowsBackward(
                m.ints(20, 6, 2),
                m.signed(20 * cols, 1),
                m.wideSigned(5 * cols, 3),
                20,
                cols,
                5,
                2),
        cols);
  }

  /** Values that come more than once. */
  private static KernelCall argmax(int cols) {
    return new KernelCall(
        cols + " columns",
        m -> {
          double[] values = new double[ROWS * cols];
          for (int i = 0; i < values.length; i++) {
            values[i] = (i * 7919L) % 97;
          }
          return new Arguments.Argmax(m.reals(values), m.ints(ROWS, 9, 2), ROWS, cols);
        },
        new Arguments.Argmax(0, 0, ROWS, cols).work());
  }

  private static KernelCall transpose(int rows, int cols) {
    return new KernelCall(
        "(%d, %d)".formatted(rows, cols),
        m ->
            new Arguments.Transpose(
                m.signed(rows * cols, 1), m.signed(rows * cols, 2), rows, cols, true),
        (rows + 31L) / 32 * ((cols + 31) / 32));
  }

  /** Maxima of columns or, with inner 1, of rows; every third entry is the largest. */
  private static KernelCall maxBackward(int inner, int count, boolean accumulate) {
    int outputs = 3 * inner;
    return new KernelCall(
        "inner %d, %d entries".formatted(inner, count),
        m -> {
          double[] values = new double[count * outputs];
          for (int i = 0; i < values.length; i++) {
            values[i] = i % 3 == 0 ? 2 : i % 2;
          }
          double[] largest = new double[outputs];
          Arrays.fill(largest, 2);
          return new Arguments.MaxBackward(
              m.reals(values),
              m.wide(largest),
              m.wideSigned(outputs, 2),
              m.signed(count * outputs, 3),
              3,
              count,
              inner,
              accumulate);
        },
        new Arguments.MaxBackward(0, 0, 0, 0, 3, count, inner, accumulate).work());
  }

  /** A small product, and one whose right operand the CPU lays out anew. */
  private static List<KernelCall> gemms() {
    List<KernelCall> cases = new ArrayList<>(gemms(5, 7, 11));
    cases.addAll(gemms(800, 70, 37));
    return cases;
  }

  /** Both transposes of each side, rows that are not adjacent, alpha and beta. */
  private static List<KernelCall> gemms(int rows, int cols, int inner) {
    List<KernelCall> cases = new ArrayList<>();
    for (boolean ta : new boolean[] {false, true}) {
      for (boolean tb : new boolean[] {false, true}) {
        int lda = (ta ? rows : inner) + 2;
        int ldb = (tb ? inner : cols) + 3;
        int ldc = cols + 1;
        for (boolean wide : new boolean[] {false, true}) {
          cases.add(
              new KernelCall(
                  "%d x %d x %d transpose a %s, b %s, c wide %s"
                      .formatted(rows, inner, cols, ta, tb, wide),
                  m ->
                      new Gemm(
                          m.signed((ta ? inner : rows) * lda, 1),
                          m.signed((tb ? cols : inner) * ldb, 2),
                          wide ? m.wideSigned(rows * ldc, 3) : m.signed(rows * ldc, 3),
                          rows,
                          cols,
                          inner,
                          lda,
                          ldb,
                          ldc,
                          ta,
                          tb,
                          1.5,
                          0.5,
                          false,
                          wide),
                  rows * cols));
        }
      }
    }
    return cases;
  }
}
