// SPDX-License-Identifier: Apache-2.0
package dev.weft.cli;

import static dev.weft.format.Format.format;

import dev.weft.optim.Adam;
import dev.weft.optim.Optimizer;
import dev.weft.optim.Sgd;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Which optimizer. */
final class OptimizerOptions {
  private static final double MOMENTUM = 0.9;
  private static final double DECOUPLED_DECAY = 0.01;

  @Option(
      names = "--optimizer",
      paramLabel = "NAME",
      defaultValue = "adam",
      description = "sgd, momentum, nesterov, adam or adamw. Default: ${DEFAULT-VALUE}.")
  private String name;

  @Option(
      names = "--rate",
      paramLabel = "X",
      description = "Learning rate. Default: 0.001 for adam and adamw, 0.1 for sgd, else 0.01.")
  private @Nullable Double rate;

  @Option(
      names = "--momentum",
      paramLabel = "X",
      description = "In [0, 1), for sgd, momentum and nesterov. Default: 0.9 for the latter two.")
  private @Nullable Double momentum;

  @Option(
      names = "--weight-decay",
      paramLabel = "X",
      description =
          "Decoupled weight decay: a step takes rate times X of each parameter. Default: 0.01 for"
              + " adamw, else 0.")
  private @Nullable Double decay;

  @Option(
      names = "--l1",
      paramLabel = "X",
      defaultValue = "0",
      description =
          "An L1 penalty: after each step every parameter comes nearer to 0 by rate times X, with"
              + " momentum M by rate times X / (1 - M), and stays there once it is. Default:"
              + " ${DEFAULT-VALUE}.")
  private double l1;

  @Option(
      names = "--l2",
      paramLabel = "X",
      defaultValue = "0",
      description =
          "An L2 penalty: X times each parameter is added to its gradient. Default:"
              + " ${DEFAULT-VALUE}.")
  private double l2;

  private enum Rule {
    SGD,
    MOMENTUM,
    NESTEROV,
    ADAM,
    ADAMW
  }

  /**
   * The optimizer.
   *
   * @throws IllegalArgumentException where the options name none
   */
  Optimizer optimizer() {
    Rule rule = Choice.of("optimizer", name, Rule.class);
    if (momentum != null && (rule == Rule.ADAM || rule == Rule.ADAMW)) {
      throw new IllegalArgumentException("--momentum is for sgd, momentum and nesterov");
    }
    if (momentum != null && momentum == 0 && (rule == Rule.MOMENTUM || rule == Rule.NESTEROV)) {
      throw new IllegalArgumentException(
          format("--optimizer %s needs --momentum above 0: with 0 it is sgd", Choice.word(rule)));
    }
    if (decay != null && decay == 0 && rule == Rule.ADAMW) {
      throw new IllegalArgumentException(
          "--optimizer adamw needs --weight-decay above 0: with 0 it is adam");
    }
    if (rate != null && rate == 0) {
      throw new IllegalArgumentException("--rate 0 would change nothing; it must be above 0");
    }
    checkNotNegative("--weight-decay", or(decay, 0));
    checkNotNegative("--l1", l1);
    checkNotNegative("--l2", l2);
    return switch (rule) {
      case SGD -> sgd(0.1, 0);
      case MOMENTUM -> sgd(0.01, MOMENTUM);
      case NESTEROV -> sgd(0.01, MOMENTUM).nesterov();
      case ADAM -> adam(0);
      case ADAMW -> adam(DECOUPLED_DECAY);
    };
  }

  private static void checkNotNegative(String option, double value) {
    if (!(value >= 0) || Double.isInfinite(value)) {
      throw new IllegalArgumentException(
          format("%s must be finite and at least 0, not %s", option, value));
    }
  }

  private Sgd sgd(double usualRate, double usualMomentum) {
    return Sgd.rate(or(rate, usualRate))
        .momentum(or(momentum, usualMomentum))
        .weightDecay(or(decay, 0))
        .l1(l1)
        .l2(l2);
  }

  private Adam adam(double usualDecay) {
    return Adam.rate(or(rate, 1e-3)).weightDecay(or(decay, usualDecay)).l1(l1).l2(l2);
  }

  private static double or(@Nullable Double given, double otherwise) {
    return given == null ? otherwise : given;
  }
}
