// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench.harness;

import dev.weft.device.Arguments;
import dev.weft.device.BinaryFunction;
import dev.weft.device.Kernel;
import dev.weft.device.Nonlinearity;
import dev.weft.device.ReductionFunction;
import dev.weft.device.UnaryFunction;
import java.util.List;
import java.util.function.Function;
import java.util.stream.Stream;

/** One call of a kernel, to be made on two backends whose memory is then compared. */
public record KernelCall(String label, Function<CallMemory, Arguments> arguments) {
  static final int ROWS = 37;
  static final int COLS = 53;
  private static final int N = ROWS * COLS;

  private static List<KernelCall> one(Function<CallMemory, Arguments> arguments) {
    return List.of(new KernelCall("", arguments));
  }

  private static <E extends Enum<E>> List<KernelCall> each(
      E[] functions, Function<E, Function<CallMemory, Arguments>> make) {
    return Stream.of(functions)
        .map(f -> new KernelCall("operation " + f.ordinal(), make.apply(f)))
        .toList();
  }

  /** Calls of a kernel that reach each of its operations. */
  public static List<KernelCall> of(Kernel kernel) {
    return switch (kernel) {
      case BIAS_ACTIVATION_FORWARD ->
          each(
              Nonlinearity.values(),
              f ->
                  m ->
                      new Arguments.BiasActivationForward(
                          m.signed(N, 1), m.signed(COLS, 2), m.zeros(N), ROWS, COLS, f, 0.1));
      case BIAS_ACTIVATION_BACKWARD ->
          each(
              Nonlinearity.values(),
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
                          f.ordinal() % 2 == 1));
      case BIAS_ACTIVATION_GRADIENTS -> ShapedCalls.biasGradients();
      // how rows lie in their memory is for the device to choose: FusedCalls makes both in a row
      case FUSED_PASS, FUSED_UPDATE -> List.of();
      case SOFTMAX_CROSS_ENTROPY -> ShapedCalls.softmaxes();
      case LAYER_NORM_FORWARD -> ShapedCalls.layerNorms(true);
      case LAYER_NORM_BACKWARD -> ShapedCalls.layerNorms(false);
      case DROPOUT ->
          one(m -> new Arguments.Dropout(m.signed(N, 1), m.zeros(N), m.state(), N, 7, 0.3, true));
      case UNARY_FORWARD ->
          each(
              UnaryFunction.values(),
              f -> m -> new Arguments.UnaryForward(m.reals(N, 1), m.zeros(N), N, f, 1.5));
      case UNARY_BACKWARD ->
          each(
              UnaryFunction.values(),
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
                          f.ordinal() % 2 == 0));
      case BINARY_FORWARD ->
          each(
              BinaryFunction.values(),
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
                          f));
      case BINARY_BACKWARD ->
          each(
              BinaryFunction.values(),
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
                          false));
      case REDUCE -> ShapedCalls.reductions();
      case REDUCE_BACKWARD ->
          Stream.of(ReductionFunction.SUM, ReductionFunction.MEAN, ReductionFunction.SUM_OF_SQUARES)
              .map(
                  f ->
                      new KernelCall(
                          "operation " + f.ordinal(),
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
                                  f == ReductionFunction.SUM)))
              .toList();
      case MAX_BACKWARD ->
          List.of(
              ShapedCalls.maxBackward(11, 7, false),
              ShapedCalls.maxBackward(12, 70, true),
              ShapedCalls.maxBackward(1, 7, true),
              ShapedCalls.maxBackward(1, 301, false));
      case GATHER_ROWS -> List.of(ShapedCalls.gather(COLS), ShapedCalls.gather(64));
      case GATHER_ROWS_U8 ->
          List.of(
              ShapedCalls.gatherBytes(COLS),
              ShapedCalls.gatherBytes(64),
              ShapedCalls.gatherBytes(784));
      case GATHER_ROWS_BACKWARD ->
          List.of(ShapedCalls.scatter(COLS), ShapedCalls.scatter(64), ShapedCalls.scatter(132));
      case ARGMAX ->
          List.of(
              ShapedCalls.argmax(10),
              ShapedCalls.argmax(COLS),
              ShapedCalls.argmax(64),
              ShapedCalls.argmax(701));
      case FILL -> one(m -> new Arguments.Fill(m.zeros(N), N, 2.5));
      case COPY_ROWS ->
          one(
              m ->
                  new Arguments.CopyRows(
                      m.signed(N, 1), m.signed(ROWS * 40, 2), ROWS, 30, COLS, 40, 3, true));
      case TRANSPOSE ->
          List.of(
              ShapedCalls.transpose(ROWS, COLS),
              ShapedCalls.transpose(36, COLS),
              ShapedCalls.transpose(ROWS, 64),
              ShapedCalls.transpose(36, 64));
      case RANDOM_UNIFORM, RANDOM_NORMAL ->
          one(m -> new Arguments.Random(m.zeros(N), N, 3, 4, 5, -1, 2));
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
                      true));
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
                      0.02));
      case GATHER_LABELS ->
          one(
              m ->
                  new Arguments.GatherLabels(
                      m.ints(ROWS, 10, 1),
                      m.ints(20, ROWS, 2),
                      m.state(),
                      m.ints(10, 3, 3),
                      10,
                      ROWS));
      case F32_TO_BF16 -> casts(CallMemory::wideSigned, CallMemory::narrowSigned);
      case BF16_TO_F32 -> casts(CallMemory::narrowSigned, CallMemory::wideSigned);
      case ADVANCE_STEP -> one(m -> new Arguments.AdvanceStep(m.state(), 64));
      case GEMM -> ShapedCalls.gemms();
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
                    m -> new Arguments.Cast(from.in(m, N, 1), to.in(m, N, 2), N, add)))
        .toList();
  }
}
