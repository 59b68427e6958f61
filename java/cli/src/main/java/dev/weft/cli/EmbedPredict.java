// SPDX-License-Identifier: Apache-2.0
package dev.weft.cli;

import static dev.weft.format.Format.format;

import dev.weft.embed.Prediction;
import dev.weft.embed.SoftmaxTree;
import dev.weft.embed.Word2VecModel;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

/** {@code weft embed predict}. */
@Command(
    name = "predict",
    mixinStandardHelpOptions = true,
    description = {
      "The likeliest words at a place, by the words around it; or those near a word: with their"
          + " probabilities, as a model of word2vec was trained for them."
    },
    footer = {
      "",
      "Examples:",
      "  weft embed predict model.safetensors --context \"the sat on\"",
      "  weft embed predict model.safetensors --word ants --n 3"
    })
final class EmbedPredict implements Callable<Integer> {
  @ParentCommand private EmbedCommand parent;

  @Parameters(paramLabel = "MODEL", description = "A model of word2vec.")
  private Path file;

  @Option(
      names = "--context",
      paramLabel = "WORDS",
      description = "The words around the place, with spaces between them.")
  private @Nullable String context;

  @Option(names = "--word", paramLabel = "WORD", description = "The word that others are near to.")
  private @Nullable String word;

  @Option(
      names = {"-n", "--n"},
      paramLabel = "N",
      defaultValue = "10",
      description = "How many. Default: ${DEFAULT-VALUE}.")
  private int n;

  @Option(
      names = "--beam",
      paramLabel = "WIDTH",
      description =
          "Follows so many paths in the tree of a hierarchical softmax; 1 is greedy. Default: all.")
  private @Nullable Integer beam;

  @Override
  public Integer call() throws IOException {
    if (n < 1) {
      throw new IllegalArgumentException("--n must be at least 1, not " + n);
    }
    List<String> asked = asked();
    PrintWriter out = parent.screen().out();
    try (Word2VecModel model = Word2VecModel.read(file)) {
      if (beam == null) {
        print(model.predict(asked, n), out);
      } else {
        SoftmaxTree.Reading reading = model.beam(asked, beam);
        print(reading.words().subList(0, Math.min(n, reading.words().size())), out);
        out.println(format("evaluated %,d of %,d inner nodes", reading.nodes(), model.outputs()));
      }
    }
    return Main.SUCCESS;
  }

  private List<String> asked() {
    if (context == null && word != null) {
      return List.of(word);
    }
    if (context == null || word != null) {
      throw new IllegalArgumentException("give one of --context WORDS and --word WORD");
    }
    return Arrays.stream(context.split("\\s+")).filter(each -> !each.isEmpty()).toList();
  }

  private static void print(List<Prediction> predictions, PrintWriter out) {
    for (Prediction each : predictions) {
      out.println(format("%.6f  %s", each.probability(), each.word()));
    }
    if (predictions.isEmpty()) {
      out.println("none: the vectors of all words that were asked about are 0");
    }
  }
}
