// SPDX-License-Identifier: Apache-2.0
package dev.weft.op;

import static dev.weft.format.Format.format;

import dev.weft.Node;
import dev.weft.Operations;
import dev.weft.Tensor;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A differentiable operation: how its output comes from its inputs, and how the gradient of the
 * output becomes gradients of the inputs. An operation holds its settings and no state; what one
 * application needs to remember lies in its {@link Node}.
 */
public interface Operation {

  /** Its name, as in kernel symbols and reports: {@code softmax_cross_entropy}. */
  String name();

  /**
   * What a drawing of a graph shows: {@code +}, {@code σ}; its name where it has no sign.
   *
   * @param inputs the number of its inputs
   */
  default String sign(int inputs) {
    return name();
  }

  /** What it may be applied to; checked before {@link #forward} is called. */
  Operands operands();

  /**
   * Checks the shapes of the inputs and computes the output: a tensor of its own, or an input
   * itself where nothing is to be done, whose gradient then needs no backward.
   *
   * @throws IllegalArgumentException with all shapes, where the inputs do not fit
   */
  Tensor forward(Node node);

  /**
   * Adds the gradient of each input that wants one: reads {@link Node#gradient}, writes to {@link
   * Node#into}.
   */
  void backward(Node node);

  /**
   * The tangent of the output, how fast it changes when the inputs move along theirs: Σ_i ∂y/∂x_i
   * dx_i. It is made of operations, so that it has gradients itself. {@link dev.weft.Tangents} asks
   * for it; gradients need none.
   *
   * @param on what the tangent is computed on
   * @param node what was applied, and its output
   * @param tangents dx_i for each input, of its shape and type, null where it does not move; one at
   *     least is there
   * @return a tensor of the output's type, and of its shape or one that stretches to it; null where
   *     the output does not move
   * @throws UnsupportedOperationException where this operation has no tangent
   */
  default @Nullable Tensor tangent(Operations on, Node node, List<@Nullable Tensor> tangents) {
    throw new UnsupportedOperationException(
        format(
            "%s has no tangent, which forward mode and Hessian-vector products need: give its class"
                + " the method tangent of dev.weft.op.Operation",
            name()));
  }

  /**
   * Whether it looks up rows of an input by number, and gives its gradient by {@link Node#addRows}
   * where that is a list of rows.
   */
  default boolean looksUp(int input) {
    return false;
  }

  /** Whether the output takes the place of the first input, which nobody may read afterwards. */
  default boolean overwritesInput() {
    return false;
  }

  /**
   * Whether the operation may change an input, as batch norm moves its running values. Its own
   * {@link #backward} must not read that input. Any other operation that was applied to the input
   * refuses a gradient once it has changed.
   */
  default boolean moves(int input) {
    return false;
  }
}
