// SPDX-License-Identifier: Apache-2.0
package dev.weft.op;

import static dev.weft.format.Format.format;

import dev.weft.DType;
import dev.weft.Device;
import dev.weft.Node;
import dev.weft.Tensor;
import dev.weft.device.Arguments;
import dev.weft.device.Kernel;

/**
 * y = x as BF16, rounded to the nearest, or as F32, exact; any shape. Backward: dx = dy in x's
 * type.
 *
 * @param dtype the type of y: BF16 for an x that is F32, F32 for one that is BF16
 */
public record Cast(DType dtype) implements Operation {

  @Override
  public String name() {
    return "cast";
  }

  @Override
  public Operands operands() {
    return Operands.any("x");
  }

  @Override
  public Tensor forward(Node node) {
    Tensor x = node.input(0);
    boolean narrows = x.dtype() == DType.F32 && dtype == DType.BF16;
    boolean widens = x.dtype() == DType.BF16 && dtype == DType.F32;
    if (!narrows && !widens) {
      throw new IllegalArgumentException(
          format("cast goes from F32 to BF16 and back, not from %s to %s", x.dtype(), dtype));
    }
    Tensor y = node.make(dtype, x.shape());
    run(node.tape().device(), x, new Node.Sink(y, false));
    return y;
  }

  @Override
  public void backward(Node node) {
    if (node.wants(0)) {
      // dy has y's type, and the sink the other one
      run(node.tape().device(), node.gradient(), node.into(0));
    }
  }

  /** Writes, or adds, a tensor to one of the other type. */
  public static void run(Device device, Tensor from, Node.Sink to) {
    Kernel kernel = from.dtype() == DType.F32 ? Kernel.F32_TO_BF16 : Kernel.BF16_TO_F32;
    device.run(
        kernel,
        from.dtype().precision(),
        new Arguments.Cast(from.address(), to.tensor().address(), from.elements(), to.accumulate()),
        from.elements());
  }
}
