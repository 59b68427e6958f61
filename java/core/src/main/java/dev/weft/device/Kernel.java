// SPDX-License-Identifier: Apache-2.0
package dev.weft.device;

import static dev.weft.format.Format.format;
import static java.util.Locale.ROOT;

/** The list of kernels, as in {@code native/abi/kernels.h}: a name and the struct that it takes. */
public enum Kernel {
  BIAS_ACTIVATION_FORWARD(Arguments.BiasActivationForward.class, Kind.TYPED),
  BIAS_ACTIVATION_BACKWARD(Arguments.BiasActivationBackward.class, Kind.TYPED),
  BIAS_ACTIVATION_GRADIENTS(Arguments.BiasActivationGradients.class, Kind.TYPED),
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
  RANDOM_UNIFORM(Arguments.Random.class, Kind.WIDE),
  RANDOM_NORMAL(Arguments.Random.class, Kind.WIDE),
  SGD(Arguments.Sgd.class, Kind.WIDE),
  ADAM(Arguments.Adam.class, Kind.WIDE),
  FUSED_PASS(Arguments.FusedPass.class, Kind.WIDE),
  FUSED_UPDATE(Arguments.FusedUpdate.class, Kind.WIDE),
  GATHER_LABELS(Arguments.GatherLabels.class, Kind.UNTYPED),
  F32_TO_BF16(Arguments.Cast.class, Kind.UNTYPED),
  BF16_TO_F32(Arguments.Cast.class, Kind.UNTYPED),
  ADVANCE_STEP(Arguments.AdvanceStep.class, Kind.UNTYPED),
  GEMM(Arguments.Gemm.class, Kind.LIBRARY);

  /**
   * How a kernel exists: once a precision, once for F32 and F64, once, or once a precision in a
   * library (cuBLAS).
   */
  public enum Kind {
    TYPED,
    WIDE,
    UNTYPED,
    LIBRARY
  }

  private final Class<? extends Arguments> arguments;
  private final Kind kind;
  private final String[] symbols = new String[Precision.values().length];

  Kernel(Class<? extends Arguments> arguments, Kind kind) {
    this.arguments = arguments;
    this.kind = kind;
    String base = name().toLowerCase(ROOT);
    for (Precision precision : Precision.values()) {
      if (exists(precision)) {
        symbols[precision.ordinal()] = kind == Kind.UNTYPED ? base : base + precision.suffix();
      }
    }
  }

  /** The record that this kernel takes. */
  public Class<? extends Arguments> arguments() {
    return arguments;
  }

  /** How the kernel exists. */
  public Kind kind() {
    return kind;
  }

  /** Whether there is such a kernel; an untyped one stands for all precisions. */
  public boolean exists(Precision precision) {
    return kind != Kind.WIDE || precision == precision.wide();
  }

  /**
   * The native name, such as {@code bias_activation_forward_f32}.
   *
   * @throws IllegalArgumentException where there is no such kernel
   */
  public String symbol(Precision precision) {
    if (!exists(precision)) {
      throw new IllegalArgumentException(
          format("%s has no kernel for %s; compute it in %s", this, precision, precision.wide()));
    }
    return symbols[precision.ordinal()];
  }
}
