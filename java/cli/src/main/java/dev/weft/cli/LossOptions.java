// SPDX-License-Identifier: Apache-2.0
package dev.weft.cli;

import static dev.weft.format.Format.format;

import dev.weft.data.Dataset;
import dev.weft.nn.ClassWeights;
import dev.weft.nn.Loss;
import dev.weft.nn.MultiClassHinge;
import dev.weft.nn.SoftmaxCrossEntropy;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** What training minimises. */
final class LossOptions {
  private static final Pattern HINGE = Pattern.compile("multi_class_hinge(?:\\((.*)\\))?");
  private static final String BALANCED = "balanced";

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
          "How much examples of each class count: balanced, so that all classes count alike, or a"
              + " number for each, by commas. Default: all examples count alike.")
  private @Nullable String weights;

  /**
   * The loss, its classes weighted as far as that is known without the data.
   *
   * @throws IllegalArgumentException where an option makes no sense
   */
  Loss check() {
    return weights == null || weights.equals(BALANCED) ? loss() : loss(numbers(weights));
  }

  /** The loss of training on examples. */
  Loss of(Dataset train) {
    return BALANCED.equals(weights) ? loss(ClassWeights.balanced(train.targets())) : check();
  }

  private Loss loss(double... ofClasses) {
    boolean weighted = ofClasses.length > 0;
    if (name.equals("softmax_cross_entropy")) {
      SoftmaxCrossEntropy loss = new SoftmaxCrossEntropy(smoothing);
      return weighted ? loss.classWeights(ofClasses) : loss;
    }
    Matcher hinge = HINGE.matcher(name);
    if (!hinge.matches()) {
      throw new IllegalArgumentException(
          format("unknown loss '%s': use softmax_cross_entropy, multi_class_hinge(MARGIN)", name));
    }
    if (smoothing != 0) {
      throw new IllegalArgumentException(
          "--smoothing spreads probability, of which --loss multi_class_hinge has none: leave one"
              + " out");
    }
    MultiClassHinge loss =
        new MultiClassHinge(hinge.group(1) == null ? 1 : number("--loss", hinge.group(1)));
    return weighted ? loss.classWeights(ofClasses) : loss;
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
