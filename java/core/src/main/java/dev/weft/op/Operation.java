// SPDX-License-Identifier: Apache-2.0
package dev.weft.op;

import dev.weft.Node;
import dev.weft.Tensor;

/**
 * A differentiable operation: how its output comes from its inputs, and how the gradient of the
 * output becomes gradients of the inputs. An operation holds its settings and no state; what one
 * application needs to remember lies in its {@link Node}.
 */
public interface Operation {

  /** Its name, as in kernel symbols and reports: {@code softmax_cross_entropy}. */
  String name();

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
   * Whether it may write an input, running statistics: what needs it as it was is refused a
   * gradient, but the operation itself, whose {@link #backward} does not read it.
   */
  default boolean moves(int input) {
    return false;
  }
}
