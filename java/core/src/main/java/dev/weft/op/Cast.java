// SPDX-License-Identifier: Apache-2.0
package dev.weft.op;

import static dev.weft.format.Format.format;

import dev.weft.DType;
import dev.weft.Device;
import dev.weft.Engine;
import dev.weft.Node;
import dev.weft.Operations;
import dev.weft.Tensor;
import dev.weft.device.Arguments;
import dev.weft.device.Bfloat16;
import dev.weft.device.Kernel;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * y = x in another type, x itself where it has that type; any shape. To a floating-point type it is
 * rounded to the nearest, where that is BF16 by way of F32, and one too large becomes infinite. To
 * an integer type it is cut off toward zero, and refused where that cannot hold it. Backward: dx =
 * dy in x's type; none for integers.
 *
 * <p>Between F32 and BF16 a kernel does it. All other casts, which prepare data and check, go
 * through host memory, where every value can be looked at; a recording cannot do that.
 *
 * @param dtype the type of y
 */
public record Cast(DType dtype) implements Operation {
  private static final Operands OPERANDS = Operands.any("x");

  @Override
  public String name() {
    return "cast";
  }

  @Override
  public Operands operands() {
    return OPERANDS;
  }

  @Override
  public Tensor forward(Node node) {
    Tensor x = node.input(0);
    if (x.dtype() == dtype) {
      return x;
    }
    if (hasKernel(x.dtype(), dtype)) {
      Tensor y = node.make(dtype, x.shape());
      run(node.device(), x, new Node.Sink(y, false));
      return y;
    }
    double[] values = converted(x, dtype);
    Tensor y = node.make(dtype, x.shape());
    y.copyFrom(values);
    return y;
  }

  @Override
  public void backward(Node node) {
    if (!node.wants(0)) {
      return;
    }
    Tensor dy = node.gradient();
    Node.Sink dx = node.into(0);
    if (hasKernel(dy.dtype(), dx.tensor().dtype())) {
      run(node.device(), dy, dx);
      return;
    }
    double[] values = converted(dy, dx.tensor().dtype());
    if (dx.accumulate()) {
      double[] before = dx.tensor().toDoubles();
      Arrays.setAll(values, i -> rounded(before[i] + values[i], dx.tensor().dtype()));
    }
    dx.tensor().copyFrom(values);
  }

  @Override
  public @Nullable Tensor tangent(Operations on, Node node, List<@Nullable Tensor> tangents) {
    return dtype.isFloating() ? on.apply(this, tangents.get(0)) : null;
  }

  private static boolean hasKernel(DType from, DType to) {
    return from == DType.F32 && to == DType.BF16 || from == DType.BF16 && to == DType.F32;
  }

  private static double[] converted(Tensor x, DType dtype) {
    if (Engine.recorder(x.device()).isRecording()) {
      throw new IllegalStateException(
          format(
              "a cast of %s to %s goes through host memory, which a recording cannot: cast before",
              Engine.describe(x), dtype));
    }
    double[] values = x.toDoubles();
    for (int i = 0; i < values.length; i++) {
      double value = rounded(values[i], dtype);
      if (!dtype.holds(value)) {
        throw dtype.refusal(values[i], format("cast: element %d of %s", i, Engine.describe(x)));
      }
      values[i] = value;
    }
    return values;
  }

  private static double rounded(double value, DType dtype) {
    return switch (dtype) {
      case F64 -> value;
      case F32 -> (float) value;
      case BF16 -> Bfloat16.round((float) value);
      case I32, U8 -> value < 0 ? Math.ceil(value) : Math.floor(value);
    };
  }

  /** Writes, or adds, a tensor of F32 or BF16 to one of the other of the two. */
  public static void run(Device device, Tensor from, Node.Sink to) {
    Kernel kernel = from.dtype() == DType.F32 ? Kernel.F32_TO_BF16 : Kernel.BF16_TO_F32;
    Engine.run(
        device,
        kernel,
        from.dtype().precision(),
        new Arguments.Cast(
            Engine.address(from), Engine.address(to.tensor()), from.elements(), to.accumulate()));
  }
}
