// SPDX-License-Identifier: Apache-2.0
package dev.weft.optim;

import java.util.List;

/**
 * A rule that has kernels of its own, one for dense parameters and one for rows of a table. All
 * take the same penalties, with g = gradient + l2 value going into the rule:
 *
 * <ul>
 *   <li>{@link #l2} is a penalty's gradient: rules that divide by the size of gradients divide it,
 *       too;
 *   <li>{@link #weightDecay} takes rate times it of each value beside what the rule takes, and no
 *       memory sees it (Loshchilov and Hutter 2019);
 *   <li>{@link #l1} brings each value nearer to 0 by rate times it, and to exactly 0, after the
 *       step (a proximal step: Daubechies et al. 2004); where a rule has momentum, by rate times
 *       what the velocity makes of it.
 * </ul>
 *
 * <p>Of a table with a gradient of rows only those rows are changed, and what is remembered of
 * them: memories, penalties and decay of a row stand still in the steps that do not use it, while
 * the number of updates, which corrections go by, counts all steps.
 *
 * @param <R> the rule
 */
public sealed interface KernelRule<R extends KernelRule<R>> extends Optimizer
    permits Sgd, Adam, NAdam, Adagrad, RmsProp, Adadelta, Lion {

  /** The penalties. */
  Penalties penalties();

  /** The same rule with these penalties. */
  R with(Penalties penalties);

  /** What the rule's kernels are called with. */
  RuleCall call();

  /** The same with an L1 penalty of l1 Σ |value|, by a proximal step. */
  default R l1(double l1) {
    return with(new Penalties(l1, penalties().l2(), penalties().weightDecay()));
  }

  /** The same with an L2 penalty of l2/2 |value|². */
  default R l2(double l2) {
    return with(new Penalties(penalties().l1(), l2, penalties().weightDecay()));
  }

  /** The same with decoupled weight decay. */
  default R weightDecay(double weightDecay) {
    return with(new Penalties(penalties().l1(), penalties().l2(), weightDecay));
  }

  @Override
  default List<String> memory() {
    return call().memory();
  }

  @Override
  default boolean takesRows() {
    return true;
  }

  @Override
  default boolean isOneKernel() {
    return true;
  }

  @Override
  default void update(Update update) {
    call().run(update, penalties());
  }
}
