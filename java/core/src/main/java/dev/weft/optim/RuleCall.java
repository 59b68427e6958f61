// SPDX-License-Identifier: Apache-2.0
package dev.weft.optim;

import dev.weft.Engine;
import dev.weft.RowGradient;
import dev.weft.Tensor;
import dev.weft.device.Arguments;
import dev.weft.device.Kernel;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** A rule's kernels, and what they are called with: see {@code native/abi/optimizer.h}. */
public final class RuleCall {
  private final Kernel kernel;
  private final int operations;
  private final @Nullable String first;
  private final @Nullable String second;
  private final @Nullable String third;
  private double momentum;
  private double decay;
  private double epsilon;
  private double fade;
  private boolean nesterov;

  /**
   * A call of a kernel, whose numbers are 0 until they are set.
   *
   * @param operations for a value, without penalties
   * @param first the name of the first memory; null where the rule has none
   */
  RuleCall(
      Kernel kernel,
      int operations,
      @Nullable String first,
      @Nullable String second,
      @Nullable String third) {
    this.kernel = kernel;
    this.operations = operations;
    this.first = first;
    this.second = second;
    this.third = third;
  }

  RuleCall momentum(double momentum) {
    this.momentum = momentum;
    return this;
  }

  RuleCall decay(double decay) {
    this.decay = decay;
    return this;
  }

  RuleCall epsilon(double epsilon) {
    this.epsilon = epsilon;
    return this;
  }

  RuleCall fade(double fade) {
    this.fade = fade;
    return this;
  }

  RuleCall nesterov(boolean nesterov) {
    this.nesterov = nesterov;
    return this;
  }

  /** The kernel of dense parameters. */
  public Kernel kernel() {
    return kernel;
  }

  /** The name of the first memory; null where the rule has none. */
  public @Nullable String first() {
    return first;
  }

  /** The name of the second memory; null where the rule has none. */
  public @Nullable String second() {
    return second;
  }

  /** Whether the momentum is Nesterov's. */
  public boolean nesterov() {
    return nesterov;
  }

  /** The decay of the second memory; of {@link Sgd} the dampening. */
  public double decay() {
    return decay;
  }

  /** What keeps quotients finite. */
  public double epsilon() {
    return epsilon;
  }

  /** The momentum, which a schedule of it is a factor of; 0 where the rule has none. */
  public double momentum() {
    return momentum;
  }

  /** What the rule remembers. */
  List<String> memory() {
    return Stream.of(first, second, third).filter(Objects::nonNull).toList();
  }

  /** Runs, or records, a step. */
  void run(Update u, Penalties p) {
    Tensor values = u.values();
    int all = operations + p.operations();
    if (!u.isTable()) {
      u.run(
          kernel,
          new Arguments.Update(
              Engine.address(values),
              Engine.address(u.rawGradient()),
              address(u, first),
              address(u, second),
              address(u, third),
              u.copyAddress(),
              u.stateAddress(),
              u.squaresAddress(),
              values.elements(),
              u.squaresCount(),
              all,
              nesterov,
              momentum,
              decay,
              epsilon,
              fade,
              p.l1(),
              p.l2(),
              p.weightDecay(),
              u.rateFactor(),
              u.gradientScale(),
              u.maxNorm(),
              u.gradientLimit(),
              u.updateLimit()));
      return;
    }
    RowGradient gradient = u.rows();
    u.run(
        Kernel.valueOf(kernel.name() + "_ROWS"),
        new Arguments.UpdateRows(
            Engine.address(values),
            address(u, first),
            address(u, second),
            address(u, third),
            u.copyAddress(),
            u.stateAddress(),
            Engine.address(gradient.sorted()),
            Engine.address(gradient.sums()),
            u.squaresAddress(),
            gradient.rows(),
            gradient.cols(),
            values.shape().size(0),
            u.squaresCount(),
            all,
            nesterov,
            momentum,
            decay,
            epsilon,
            fade,
            p.l1(),
            p.l2(),
            p.weightDecay(),
            u.rateFactor(),
            u.gradientScale(),
            u.maxNorm(),
            u.gradientLimit(),
            u.updateLimit()));
  }

  private static long address(Update u, @Nullable String memory) {
    return memory == null ? 0 : Engine.address(u.memory(memory));
  }
}
