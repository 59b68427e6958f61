// SPDX-License-Identifier: Apache-2.0
package dev.weft.device;

import java.util.Locale;

/** The list of kernels, as in {@code native/abi/kernels.h}: a name and the struct that it takes. */
public enum Kernel {
  BIAS_ACTIVATION_FORWARD(Arguments.BiasActivationForward.class, Kind.TYPED),
  BIAS_ACTIVATION_BACKWARD(Arguments.BiasActivationBackward.class, Kind.TYPED),
  SOFTMAX_CROSS_ENTROPY(Arguments.SoftmaxCrossEntropy.class, Kind.TYPED),
  DROPOUT(Arguments.Dropout.class, Kind.TYPED),
  UNARY_FORWARD(Arguments.UnaryForward.class, Kind.TYPED),
  UNARY_BACKWARD(Arguments.UnaryBackward.class, Kind.TYPED),
  BINARY_FORWARD(Arguments.BinaryForward.class, Kind.TYPED),
  BINARY_BACKWARD(Arguments.BinaryBackward.class, Kind.TYPED),
  REDUCE(Arguments.Reduce.class, Kind.TYPED),
  REDUCE_BACKWARD(Arguments.ReduceBackward.class, Kind.TYPED),
  MAX_BACKWARD(Arguments.MaxBackward.class, Kind.TYPED),
  GATHER_ROWS(Arguments.GatherRows.class, Kind.TYPED),
  GATHER_ROWS_U8(Arguments.GatherRows.class, Kind.TYPED),
  GATHER_ROWS_BACKWARD(Arguments.GatherRowsBackward.class, Kind.TYPED),
  ARGMAX(Arguments.Argmax.class, Kind.TYPED),
  FILL(Arguments.Fill.class, Kind.TYPED),
  COPY_ROWS(Arguments.CopyRows.class, Kind.TYPED),
  TRANSPOSE(Arguments.Transpose.class, Kind.TYPED),
  RANDOM_UNIFORM(Arguments.Random.class, Kind.TYPED),
  RANDOM_NORMAL(Arguments.Random.class, Kind.TYPED),
  SGD(Arguments.Sgd.class, Kind.TYPED),
  ADAM(Arguments.Adam.class, Kind.TYPED),
  GATHER_LABELS(Arguments.GatherLabels.class, Kind.UNTYPED),
  ADVANCE_STEP(Arguments.AdvanceStep.class, Kind.UNTYPED),
  GEMM(Arguments.Gemm.class, Kind.LIBRARY);

  /** How a kernel exists: once a precision, once, or once a precision in a library (cuBLAS). */
  public enum Kind {
    TYPED,
    UNTYPED,
    LIBRARY
  }

  private final Class<? extends Arguments> arguments;
  private final Kind kind;
  private final String[] symbols;

  Kernel(Class<? extends Arguments> arguments, Kind kind) {
    this.arguments = arguments;
    this.kind = kind;
    String base = name().toLowerCase(Locale.ROOT);
    this.symbols =
        kind == Kind.UNTYPED
            ? new String[] {base, base}
            : new String[] {base + Precision.F32.suffix(), base + Precision.F64.suffix()};
  }

  /** The record that this kernel takes. */
  public Class<? extends Arguments> arguments() {
    return arguments;
  }

  /** How the kernel exists. */
  public Kind kind() {
    return kind;
  }

  /** The native name, such as {@code bias_activation_forward_f32}. */
  public String symbol(Precision precision) {
    return symbols[precision.ordinal()];
  }
}
