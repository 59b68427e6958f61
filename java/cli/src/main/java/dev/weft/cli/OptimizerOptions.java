// SPDX-License-Identifier: Apache-2.0
package dev.weft.cli;

import static dev.weft.format.Format.format;

import dev.weft.optim.Adadelta;
import dev.weft.optim.Adagrad;
import dev.weft.optim.Adam;
import dev.weft.optim.KernelRule;
import dev.weft.optim.Lion;
import dev.weft.optim.NAdam;
import dev.weft.optim.Penalties;
import dev.weft.optim.RmsProp;
import dev.weft.optim.Sgd;
import java.util.EnumSet;
import java.util.Set;
import java.util.stream.Collectors;
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
      description =
          "sgd, momentum, nesterov, adagrad, rmsprop, adadelta, adam, adamw, amsgrad, nadam or"
              + " lion. Default: ${DEFAULT-VALUE}.")
  private String name;

  @Option(
      names = "--rate",
      paramLabel = "X",
      description =
          "Learning rate. Default: 0.1 for sgd, 0.01 for momentum, nesterov and adagrad, 1 for"
              + " adadelta, 0.002 for nadam, 0.0001 for lion, else 0.001.")
  private @Nullable Double rate;

  @Option(
      names = "--momentum",
      paramLabel = "X",
      description =
          "In [0, 1), for sgd, momentum, nesterov and rmsprop. Default: 0.9 for momentum and"
              + " nesterov, else 0.")
  private @Nullable Double momentum;

  @Option(
      names = "--dampening",
      paramLabel = "X",
      description =
          "For momentum: what the gradient's share in the velocity lacks to 1; as much as the"
              + " momentum makes the velocity a moving average. Default: 0.")
  private @Nullable Double dampening;

  @Option(
      names = "--beta1",
      paramLabel = "X",
      description =
          "Decay of the mean of gradients, in [0, 1), for adam, adamw, amsgrad, nadam and lion."
              + " Default: 0.9.")
  private @Nullable Double beta1;

  @Option(
      names = "--beta2",
      paramLabel = "X",
      description =
          "Decay of the mean of squares, in [0, 1), for adam, adamw, amsgrad, nadam, rmsprop (its"
              + " alpha) and adadelta (its rho); of lion's mean. Default: 0.999, for rmsprop and"
              + " lion 0.99, for adadelta 0.9.")
  private @Nullable Double beta2;

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
    ADAGRAD,
    RMSPROP,
    ADADELTA,
    ADAM,
    ADAMW,
    AMSGRAD,
    NADAM,
    LION;

    private static final Set<Rule> WITH_MOMENTUM = EnumSet.of(SGD, MOMENTUM, NESTEROV, RMSPROP);
    private static final Set<Rule> WITH_BETA1 = EnumSet.of(ADAM, ADAMW, AMSGRAD, NADAM, LION);
    private static final Set<Rule> WITH_BETA2 =
        EnumSet.of(ADAM, ADAMW, AMSGRAD, NADAM, LION, RMSPROP, ADADELTA);
  }

  /**
   * The optimizer.
   *
   * @throws IllegalArgumentException where the options name none
   */
  KernelRule<?> optimizer() {
    Rule rule = Choice.of("optimizer", name, Rule.class);
    check(rule);
    KernelRule<?> plain =
        switch (rule) {
          case SGD -> sgd(0.1, 0);
          case MOMENTUM -> sgd(0.01, MOMENTUM).dampening(or(dampening, 0));
          case NESTEROV -> sgd(0.01, MOMENTUM).nesterov();
          case ADAGRAD -> Adagrad.rate(or(rate, 0.01));
          case RMSPROP ->
              RmsProp.rate(or(rate, 1e-3)).alpha(or(beta2, 0.99)).momentum(or(momentum, 0));
          case ADADELTA -> Adadelta.rate(or(rate, 1)).rho(or(beta2, 0.9));
          case ADAM, ADAMW -> adam();
          case AMSGRAD -> adam().amsgrad();
          case NADAM -> NAdam.rate(or(rate, 2e-3)).betas(or(beta1, 0.9), or(beta2, 0.999));
          case LION -> Lion.rate(or(rate, 1e-4)).betas(or(beta1, 0.9), or(beta2, 0.99));
        };
    double usualDecay = rule == Rule.ADAMW ? DECOUPLED_DECAY : 0;
    return plain.with(new Penalties(l1, l2, or(decay, usualDecay)));
  }

  private void check(Rule rule) {
    checkFor("--momentum", momentum, rule, Rule.WITH_MOMENTUM);
    checkFor("--dampening", dampening, rule, EnumSet.of(Rule.MOMENTUM));
    if (dampening != null && dampening == 1) {
      throw new IllegalArgumentException(
          "--dampening 1 keeps all gradients out: as much as --momentum makes a moving average");
    }
    checkFor("--beta1", beta1, rule, Rule.WITH_BETA1);
    checkFor("--beta2", beta2, rule, Rule.WITH_BETA2);
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
  }

  private static void checkFor(String option, @Nullable Double value, Rule rule, Set<Rule> rules) {
    if (value != null && !rules.contains(rule)) {
      String words = rules.stream().map(Choice::word).collect(Collectors.joining(", "));
      throw new IllegalArgumentException(
          format("%s is for %s, not for %s", option, words, Choice.word(rule)));
    }
  }

  private static void checkNotNegative(String option, double value) {
    if (!(value >= 0) || Double.isInfinite(value)) {
      throw new IllegalArgumentException(
          format("%s must be finite and at least 0, not %s", option, value));
    }
  }

  private Sgd sgd(double usualRate, double usualMomentum) {
    return Sgd.rate(or(rate, usualRate)).momentum(or(momentum, usualMomentum));
  }

  private Adam adam() {
    return Adam.rate(or(rate, 1e-3)).betas(or(beta1, 0.9), or(beta2, 0.999));
  }

  private static double or(@Nullable Double given, double otherwise) {
    return given == null ? otherwise : given;
  }
}
