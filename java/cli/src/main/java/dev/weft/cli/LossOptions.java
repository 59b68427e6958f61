// SPDX-License-Identifier: Apache-2.0
package dev.weft.cli;

import static dev.weft.format.Format.format;

import dev.weft.data.Dataset;
import dev.weft.nn.Loss;
import dev.weft.nn.LossWeights;
import dev.weft.nn.MultiClassHinge;
import dev.weft.nn.SoftmaxCrossEntropy;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** The loss: what training minimises, and an evaluation tells. */
final class LossOptions {
  private static final Pattern NAME = Pattern.compile("([^(]*)(?:\\((.*)\\))?");

  private enum Kind {
    SOFTMAX_CROSS_ENTROPY,
    MULTI_CLASS_HINGE
  }

  private enum ClassWeights {
    BALANCED
  }

  @Option(
      names = "--loss",
      paramLabel = "NAME",
      defaultValue = "softmax_cross_entropy",
      description =
          "softmax_cross_entropy, or multi_class_hinge(MARGIN), of a margin of 1 where none is"
              + " given. Default: ${DEFAULT-VALUE}.")
  private String name;

  @Option(
      names = "--smoothing",
      paramLabel = "X",
      defaultValue = "0",
      description = "Label smoothing, in [0, 1). Default: ${DEFAULT-VALUE}.")
  private double smoothing;

  @Option(
      names = "--class-weights",
      paramLabel = "WHICH",
      description =
          "How much examples of each class count: balanced, so that all classes of the training"
              + " data count alike, or a number for each, by commas. Default: all examples count"
              + " alike.")
  private @Nullable String weights;

  /** Whether examples count by their class. */
  boolean isWeighted() {
    return weights != null;
  }

  /**
   * The loss, its classes weighted as far as that is known without the data.
   *
   * @throws IllegalArgumentException where an option makes no sense
   */
  Loss check() {
    return weights == null || isBalanced() ? loss() : loss(numbers(weights));
  }

  /** The loss, its classes balanced by what is trained on. */
  Loss of(Dataset train) {
    return isBalanced() ? loss(LossWeights.balanced(train.targets())) : check();
  }

  private boolean isBalanced() {
    if (weights == null || weights.matches(".*[0-9,].*")) {
      return false;
    }
    try {
      return Choice.of("--class-weights", weights, ClassWeights.class) == ClassWeights.BALANCED;
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException(e.getMessage() + ", or a number for each class", e);
    }
  }

  private Loss loss(double... ofClasses) {
    Matcher parts = NAME.matcher(name);
    boolean named = parts.matches();
    String number = named ? parts.group(2) : null;
    boolean weighted = ofClasses.length > 0;
    return switch (Choice.of("loss", named ? parts.group(1) : name, Kind.class)) {
      case SOFTMAX_CROSS_ENTROPY -> {
        if (number != null) {
          throw new IllegalArgumentException(
              format(
                  "--loss %s: softmax_cross_entropy takes no number; --smoothing smooths its"
                      + " labels",
                  name));
        }
        SoftmaxCrossEntropy loss = new SoftmaxCrossEntropy(smoothing);
        yield weighted ? loss.classWeights(ofClasses) : loss;
      }
      case MULTI_CLASS_HINGE -> {
        if (smoothing != 0) {
          throw new IllegalArgumentException(
              "--smoothing spreads probability, of which --loss multi_class_hinge has none: leave"
                  + " one out");
        }
        MultiClassHinge loss = new MultiClassHinge(number == null ? 1 : number("--loss", number));
        yield weighted ? loss.classWeights(ofClasses) : loss;
      }
    };
  }

  private static double[] numbers(String words) {
    return Stream.of(words.split(",", -1))
        .mapToDouble(word -> number("--class-weights", word))
        .toArray();
  }

  private static double number(String option, String word) {
    try {
      return Double.parseDouble(word.strip());
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException(format("%s: '%s' is no number", option, word), e);
    }
  }
}
