// SPDX-License-Identifier: Apache-2.0
package dev.weft.cli;

import static dev.weft.format.Format.format;

import dev.weft.Device;
import dev.weft.embed.Word2Vec;
import dev.weft.embed.Word2VecTraining;
import dev.weft.embed.WordTree;
import dev.weft.text.Corpus;
import dev.weft.text.TextReader;
import dev.weft.text.Vocabulary;
import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;

/** {@code weft embed train}: word2vec, under the option names of word2vec.c. */
@Command(
    name = "train",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = {
      "Trains word vectors on a text: word2vec. Options that word2vec.c has too bear its names,"
          + " with its defaults; each is taken with one dash or two.",
      "A line is a sentence; a text of one line is one. Ctrl-C ends it and writes what there is, a"
          + " second one ends it at once; with --checkpoint, weft embed resume goes on from there."
    },
    footer = {
      "",
      "Examples:",
      "  weft embed train -train text.txt.gz -output vectors.bin -cbow 0",
      "  weft embed train -train text.txt.gz -output vectors.bin --checkpoint model.safetensors",
      "  weft embed train -train - -output vectors.txt -size 300 -hs 1 -negative 0 < text.txt"
    })
final class EmbedTrain implements Callable<Integer> {
  private static final long LEAST_COUNT = 5;
  private static final double CBOW_RATE = 0.05;
  private static final double SKIP_GRAM_RATE = 0.025;

  @ParentCommand private EmbedCommand parent;

  @Mixin private EmbedRun run;

  @Option(
      names = {"-size", "--size"},
      paramLabel = "N",
      defaultValue = "100",
      description = "The vectors' dimension. Default: ${DEFAULT-VALUE}.")
  private int size;

  @Option(
      names = {"-window", "--window"},
      paramLabel = "N",
      defaultValue = "5",
      description = "Words to each side at most. Default: ${DEFAULT-VALUE}.")
  private int window;

  @Option(
      names = {"-sample", "--sample"},
      paramLabel = "SHARE",
      defaultValue = "1e-3",
      description =
          "Words that are more of the text are thinned; 0 thins none. Default: ${DEFAULT-VALUE}.")
  private double sample;

  @Option(
      names = {"-hs", "--hs"},
      paramLabel = "0|1",
      defaultValue = "0",
      description = "1: hierarchical softmax, without -negative. Default: ${DEFAULT-VALUE}.")
  private int hierarchical;

  @Option(
      names = {"--tree"},
      paramLabel = "TREE",
      description = "Of -hs 1: huffman or balanced. Default: huffman.")
  private @Nullable String tree;

  @Option(
      names = {"--full-softmax"},
      description = "The softmax over all words, which takes as long as there are words.")
  private boolean full;

  @Option(
      names = {"-negative", "--negative"},
      paramLabel = "N",
      description = "Noise words for a word. Default: 5; none with -hs 1 or --full-softmax.")
  private @Nullable Integer negative;

  @Option(
      names = {"--sharing"},
      paramLabel = "N",
      description =
          "So many words, far apart, share their noise words, 64 at most; 0: each pair of words has"
              + " its own, as in word2vec.c, and takes longer. Default: 8.")
  private @Nullable Integer sharing;

  @Option(
      names = {"--noise-power"},
      paramLabel = "P",
      description = "Noise words are drawn by count to this power. Default: 0.75.")
  private @Nullable Double noisePower;

  @Option(
      names = {"-iter", "--iter"},
      paramLabel = "N",
      defaultValue = "5",
      description = "Readings of the text. Default: ${DEFAULT-VALUE}.")
  private int epochs;

  @Option(
      names = {"-min-count", "--min-count"},
      paramLabel = "N",
      description = "Rarer words are left out. Default: 5.")
  private @Nullable Long minCount;

  @Option(
      names = {"-alpha", "--alpha"},
      paramLabel = "RATE",
      description = "The learning rate at the start. Default: 0.05 for CBOW, else 0.025.")
  private @Nullable Double alpha;

  @Option(
      names = {"-cbow", "--cbow"},
      paramLabel = "0|1",
      defaultValue = "1",
      description = "1: continuous bag of words, 0: skip-gram. Default: ${DEFAULT-VALUE}.")
  private int cbow;

  @Option(
      names = {"-save-vocab", "--save-vocab"},
      paramLabel = "FILE",
      description = "A file for the vocabulary with its counts.")
  private @Nullable Path saveVocabulary;

  @Option(
      names = {"-read-vocab", "--read-vocab"},
      paramLabel = "FILE",
      description = "A vocabulary with counts, instead of the text's own.")
  private @Nullable Path readVocabulary;

  @Option(
      names = {"--seed"},
      paramLabel = "N",
      defaultValue = "1",
      description = "Of all random draws. Default: ${DEFAULT-VALUE}.")
  private long seed;

  @ArgGroup private @Nullable Order order;

  /** How the same bits come in every run. */
  private static final class Order {
    @Option(
        names = {"--deterministic"},
        description =
            "The same bits in every run, with any number of threads, 4 of which work; takes about"
                + " twice as long on two.")
    private boolean deterministic;

    @Option(
        names = {"--in-order"},
        description = "One thread alone trains: the same bits in every run.")
    private boolean inOrder;
  }

  @Override
  public Integer call() throws IOException {
    Word2Vec settings = settings();
    run.check(hierarchical == 1, saveVocabulary, "the vocabulary of -read-vocab", readVocabulary);
    try (Device device = run.device();
        Corpus corpus = run.read(reader())) {
      run.announce(corpus, parent.screen());
      if (saveVocabulary != null) {
        corpus.vocabulary().write(saveVocabulary);
      }
      try (Word2VecTraining training = settings.start(device, corpus)) {
        run.train(training, corpus, parent);
      }
    }
    return Main.SUCCESS;
  }

  private Word2Vec settings() {
    EmbedRun.checkFlag("-hs", hierarchical);
    EmbedRun.checkFlag("-cbow", cbow);
    double rate = alpha != null ? alpha : cbow == 1 ? CBOW_RATE : SKIP_GRAM_RATE;
    Word2Vec model = cbow == 1 ? Word2Vec.cbow() : Word2Vec.skipGram();
    Word2Vec settings =
        objective(model)
            .dimension(size)
            .window(window)
            .sample(sample)
            .rate(rate)
            .epochs(epochs)
            .seed(seed);
    if (order == null) {
      return settings;
    }
    return order.inOrder ? settings.inOrder() : settings.deterministic();
  }

  private Word2Vec objective(Word2Vec model) {
    if (hierarchical == 0 && tree != null) {
      throw new IllegalArgumentException("--tree is for -hs 1, and has no effect without it");
    }
    if (hierarchical == 0 && !full) {
      if (negative != null && negative == 0) {
        throw new IllegalArgumentException(
            "-hs 0 -negative 0 is no objective: give -hs 1, -negative N or --full-softmax");
      }
      Word2Vec sampled = negative == null ? model : model.negatives(negative);
      sampled = sharing == null ? sampled : sampled.sharing(sharing);
      return noisePower == null ? sampled : sampled.noisePower(noisePower);
    }
    if (hierarchical == 1 && full) {
      throw new IllegalArgumentException(
          "-hs 1 and --full-softmax are two objectives: give one of them");
    }
    String objective = full ? "--full-softmax" : "-hs 1";
    String noise =
        negative != null && negative != 0
            ? "-negative"
            : sharing != null ? "--sharing" : noisePower != null ? "--noise-power" : "";
    if (!noise.isEmpty()) {
      throw new IllegalArgumentException(
          format(
              "%s is about noise words, and %s has none: leave one of the two out",
              noise, objective));
    }
    return full
        ? model.fullSoftmax()
        : model.hierarchicalSoftmax(
            tree == null ? WordTree.HUFFMAN : Choice.of("tree", tree, WordTree.class));
  }

  private TextReader reader() throws IOException {
    TextReader reader = TextReader.lines();
    if (readVocabulary != null && minCount != null) {
      throw new IllegalArgumentException(
          "-read-vocab names all words that are kept: -min-count has no effect beside it");
    }
    return readVocabulary != null
        ? reader.vocabulary(Vocabulary.read(readVocabulary))
        : reader.minCount(minCount == null ? LEAST_COUNT : minCount);
  }
}
