// SPDX-License-Identifier: Apache-2.0
package dev.weft;

import dev.weft.op.Operands;
import dev.weft.op.Operation;
import java.util.function.Supplier;

/**
 * What runs operations: the device, whether a pass is for training, and the door through which
 * every operation goes. {@link Operations} names the operations.
 */
public interface Execution {

  /** The device that computes. */
  Device device();

  /**
   * Applies an operation, one of {@code dev.weft.op} or of the user's own.
   *
   * @throws IllegalArgumentException where inputs do not fit, lie on different devices, are of
   *     other types than {@link Operation#operands} says, or were computed on another tape
   * @throws IllegalStateException where the tape or an input is closed
   */
  Tensor apply(Operation operation, Tensor... inputs);

  /**
   * Returns if something can be applied to such inputs, here and now: what a function made of
   * several operations asks first, so that a refusal names the function.
   *
   * @param name what is applied, as its messages begin
   * @throws IllegalArgumentException as {@link #apply}
   * @throws IllegalStateException as {@link #apply}
   */
  void check(String name, Operands operands, Tensor... inputs);

  /** Whether the pass is for training: dropout, and what keeps statistics, act there alone. */
  boolean isTraining();

  /**
   * A tensor whose elements all have one value; it reads nothing, so that no infinity or NaN comes
   * into it. Without gradient.
   *
   * @param dtype a floating-point type
   * @throws IllegalArgumentException where {@code dtype} is no such type
   */
  Tensor full(DType dtype, Shape shape, double value);

  /**
   * Sets a buffer to a value of its shape, without gradient, where the pass is for training; else
   * it leaves it. A layer with running statistics calls this in its forward pass.
   *
   * @throws IllegalArgumentException where the shapes differ, or the buffer has a gradient
   */
  void assign(Tensor buffer, Tensor value);

  /** Runs {@code body} so that nothing in it gets a gradient. */
  <R> R withoutGradient(Supplier<R> body);
}
