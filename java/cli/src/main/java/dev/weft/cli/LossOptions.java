// SPDX-License-Identifier: Apache-2.0
package dev.weft.cli;

import static dev.weft.format.Format.format;
import static java.util.stream.Collectors.joining;

import dev.weft.data.Dataset;
import dev.weft.nn.LabelLoss;
import dev.weft.nn.LossWeights;
import dev.weft.nn.MultiClassHinge;
import dev.weft.nn.SoftmaxCrossEntropy;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** The loss: what training minimises, and an evaluation tells. */
final class LossOptions {
  private static final String LOSS = "loss";
  private static final String SMOOTHING = "smoothing";
  private static final String CLASS_WEIGHTS = "class-weights";
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
      description =
          "softmax_cross_entropy, or multi_class_hinge(MARGIN), of a margin of 1 where none is"
              + " given. Default: softmax_cross_entropy; weft evaluate takes what the network was"
              + " trained with, its smoothing and weights of classes too.")
  private @Nullable String name;

  @Option(
      names = "--smoothing",
      paramLabel = "X",
      description = "Label smoothing, in [0, 1). Default: 0.")
  private @Nullable Double smoothing;

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

  /** A loss in the words of these options, as notes of a network's file. */
  static Map<String, String> notes(LabelLoss loss) {
    Map<String, String> notes = new LinkedHashMap<>();
    switch (loss) {
      case SoftmaxCrossEntropy cross -> {
        notes.put(LOSS, Choice.word(Kind.SOFTMAX_CROSS_ENTROPY));
        if (cross.smoothing() != 0) {
          notes.put(SMOOTHING, Double.toString(cross.smoothing()));
        }
      }
      case MultiClassHinge hinge -> notes.put(LOSS, hinge.spec());
    }
    if (!loss.weights().classes().isEmpty()) {
      notes.put(
          CLASS_WEIGHTS,
          loss.weights().classes().stream().map(String::valueOf).collect(joining(",")));
    }
    return notes;
  }

  /**
   * What the notes of a network's file say of the loss, where no loss is named here; then each
   * option that is given stands.
   *
   * @throws IOException where they name no loss
   */
  void fill(Path file, Map<String, String> notes) throws IOException {
    if (name != null || !notes.containsKey(LOSS)) {
      return;
    }
    var noted = new LossOptions();
    noted.name = notes.get(LOSS);
    noted.weights = notes.get(CLASS_WEIGHTS);
    try {
      String share = notes.get(SMOOTHING);
      noted.smoothing = share == null ? null : number("smoothing", share);
      noted.check();
    } catch (IllegalArgumentException e) {
      throw new IOException(
          format("%s, its loss: %s; --loss names another", file, e.getMessage()), e);
    }
    name = noted.name;
    smoothing = smoothing == null ? noted.smoothing : smoothing;
    weights = weights == null ? noted.weights : weights;
  }

  /**
   * The loss, its classes weighted as far as that is known without the data.
   *
   * @throws IllegalArgumentException where an option makes no sense
   */
  LabelLoss check() {
    return weights == null || isBalanced() ? loss() : loss(numbers(weights));
  }

  /** The loss, its classes balanced by what is trained on. */
  LabelLoss of(Dataset train) {
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

  private LabelLoss loss(double... ofClasses) {
    String name = this.name == null ? Choice.word(Kind.SOFTMAX_CROSS_ENTROPY) : this.name;
    double smoothing = this.smoothing == null ? 0 : this.smoothing;
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
