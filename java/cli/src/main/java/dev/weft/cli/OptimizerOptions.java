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
          "The factor of an L2 penalty's gradient; for adamw, decoupled. Default: 0, adamw 0.01.")
  private @Nullable Double decay;

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
    if (rate != null && rate == 0) {
      throw new IllegalArgumentException("--rate 0 would change nothing; it must be above 0");
    }
    return switch (rule) {
      case SGD -> Sgd.rate(or(rate, 0.1)).momentum(or(momentum, 0)).weightDecay(or(decay, 0));
      case MOMENTUM -> withMomentum();
      case NESTEROV -> withMomentum().nesterov();
      case ADAM -> Adam.rate(or(rate, 1e-3)).l2(or(decay, 0));
      case ADAMW -> Adam.rate(or(rate, 1e-3)).weightDecay(or(decay, DECOUPLED_DECAY));
    };
  }

  private Sgd withMomentum() {
    return Sgd.rate(or(rate, 0.01)).momentum(or(momentum, MOMENTUM)).weightDecay(or(decay, 0));
  }

  private static double or(@Nullable Double given, double otherwise) {
    return given == null ? otherwise : given;
  }
}
