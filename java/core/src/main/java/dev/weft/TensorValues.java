// SPDX-License-Identifier: Apache-2.0
package dev.weft;

/** The values of a small tensor as text, where they can be read without harm. */
final class TensorValues {
  private static final int MOST = 16;

  private TensorValues() {}

  /** Such as {@code : [[1.0, 2.0], [3.0, 4.0]]}; empty where there are too many or none to read. */
  static String text(Tensor tensor) {
    if (tensor.elements() > MOST || !tensor.isReadable()) {
      return "";
    }
    try {
      StringBuilder text = new StringBuilder(": ");
      append(text, tensor.dtype(), tensor.toDoubles(), tensor.shape(), 0, 0);
      return text.toString();
    } catch (RuntimeException e) {
      return ""; // a device that was lost: whoever uses the tensor is told
    }
  }

  /** Appends what lies along an axis from element {@code from} on. */
  private static void append(
      StringBuilder text, DType dtype, double[] values, Shape shape, int axis, long from) {
    if (axis == shape.rank()) {
      text.append(element(dtype, values[(int) from]));
      return;
    }
    long step = 1;
    for (int inner = axis + 1; inner < shape.rank(); inner++) {
      step *= shape.size(inner);
    }
    text.append('[');
    for (long i = 0; i < shape.size(axis) && values.length > 0; i++) {
      text.append(i == 0 ? "" : ", ");
      append(text, dtype, values, shape, axis + 1, from + i * step);
    }
    text.append(']');
  }

  /** As Java writes a value of the type. */
  private static String element(DType dtype, double value) {
    return switch (dtype) {
      case F64 -> Double.toString(value);
      case F32, BF16 -> Float.toString((float) value);
      case I32, U8 -> Integer.toString((int) value);
    };
  }
}
