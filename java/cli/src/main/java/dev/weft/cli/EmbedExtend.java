// SPDX-License-Identifier: Apache-2.0
package dev.weft.cli;

import static dev.weft.format.Format.format;

import dev.weft.Device;
import dev.weft.embed.Word2Vec;
import dev.weft.embed.Word2VecModel;
import dev.weft.embed.Word2VecTraining;
import dev.weft.text.Corpus;
import dev.weft.text.TextReader;
import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

/** {@code weft embed extend}. */
@Command(
    name = "extend",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = {
      "Trains a model on another text, whose new words are added to it. Settings are those that the"
          + " model was trained by, and its text was read by, unless options name others;"
          + " --checkpoint saves the new model."
    },
    footer = {
      "",
      "Examples:",
      "  weft embed extend model.safetensors -train new.txt -output vectors.bin -iter 2",
      "  weft embed extend old.safetensors -train new.txt -output v.bin --checkpoint"
          + " new.safetensors"
    })
final class EmbedExtend implements Callable<Integer> {
  @ParentCommand private EmbedCommand parent;

  @Parameters(paramLabel = "MODEL", description = "A file that --checkpoint wrote.")
  private Path file;

  @Mixin private EmbedRun run;

  @Option(
      names = {"-min-count", "--min-count"},
      paramLabel = "N",
      defaultValue = "5",
      description =
          "New words that are rarer in this text are left out. Default: ${DEFAULT-VALUE}.")
  private long minCount;

  @Option(
      names = {"-iter", "--iter"},
      paramLabel = "N",
      description = "Readings of the text.")
  private @Nullable Integer epochs;

  @Option(
      names = {"-alpha", "--alpha"},
      paramLabel = "RATE",
      description = "The learning rate at the start.")
  private @Nullable Double alpha;

  @Option(
      names = {"-window", "--window"},
      paramLabel = "N",
      description = "Words to each side at most.")
  private @Nullable Integer window;

  @Option(
      names = {"-sample", "--sample"},
      paramLabel = "SHARE",
      description = "Words that are more of all texts are thinned; 0 thins none.")
  private @Nullable Double sample;

  @Option(
      names = {"-negative", "--negative"},
      paramLabel = "N",
      description = "Noise words for a word, of a model that has some.")
  private @Nullable Integer negative;

  @Option(names = "--seed", paramLabel = "N", description = "Of all random draws.")
  private @Nullable Long seed;

  @Override
  public Integer call() throws IOException {
    try (Word2VecModel model = Word2VecModel.read(file)) {
      extend(model);
    }
    return Main.SUCCESS;
  }

  private void extend(Word2VecModel model) throws IOException {
    Word2Vec settings = settings(model.settings());
    run.check(model.tree() != null, null, "MODEL", file);
    TextReader reader = model.reader().extending(model.vocabulary()).minCount(minCount);
    try (Device device = run.device();
        Corpus corpus = run.read(reader)) {
      run.announce(corpus, parent.screen());
      int words = corpus.vocabulary().size();
      int added = words - model.vocabulary().size();
      parent.screen().out().println(format("%,d words added, %,d in all", added, words));
      try (Word2VecTraining training = model.extend(settings, device, corpus)) {
        run.train(training, corpus, parent);
      }
    }
  }

  private Word2Vec settings(Word2Vec old) {
    if (negative != null && old.objective() != Word2Vec.Objective.NEGATIVE_SAMPLING) {
      throw new IllegalArgumentException(
          format("-negative %d: %s was trained without noise words", negative, file));
    }
    Word2Vec settings = negative == null ? old : old.negatives(negative);
    settings = epochs == null ? settings : settings.epochs(epochs);
    settings = alpha == null ? settings : settings.rate(alpha);
    settings = window == null ? settings : settings.window(window);
    settings = sample == null ? settings : settings.sample(sample);
    return seed == null ? settings : settings.seed(seed);
  }
}
