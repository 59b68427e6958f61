// SPDX-License-Identifier: Apache-2.0
package dev.weft.cli;

import static dev.weft.format.Format.format;
import static java.util.Locale.ROOT;

import dev.weft.Device;
import dev.weft.embed.VectorFormat;
import dev.weft.embed.Vectors;
import dev.weft.embed.Word2Vec;
import dev.weft.embed.Word2VecTraining;
import dev.weft.embed.WordTree;
import dev.weft.io.AtomicFile;
import dev.weft.text.Corpus;
import dev.weft.text.TextReader;
import dev.weft.text.Vocabulary;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
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
      "A line is a sentence; a text of one line is one. Ctrl-C ends it and writes what there is."
    },
    footer = {
      "",
      "Examples:",
      "  weft embed train -train text.txt.gz -output vectors.bin -cbow 0",
      "  weft embed train -train - -output vectors.txt -size 300 -hs 1 -negative 0 < text.txt"
    })
final class EmbedTrain implements Callable<Integer> {
  private static final double SECOND = 1e9;
  private static final long LEAST_COUNT = 5;
  private static final double CBOW_RATE = 0.05;
  private static final double SKIP_GRAM_RATE = 0.025;

  @ParentCommand private EmbedCommand parent;

  @Option(
      names = {"-train", "--train"},
      required = true,
      paramLabel = "FILE",
      description = "The text, plain or gzip; - is standard input.")
  private String train;

  @Option(
      names = {"-output", "--output"},
      required = true,
      paramLabel = "FILE",
      description =
          "The vectors: .bin is word2vec's binary; .txt and .vec its text, .glove, .safetensors,"
              + " .npy; another name as -binary says.")
  private Path output;

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
          "So many words that follow each other share their noise words; 0: each pair of words has"
              + " its own, as in word2vec.c, and takes longer. Default: 4.")
  private @Nullable Integer sharing;

  @Option(
      names = {"--noise-power"},
      paramLabel = "P",
      description = "Noise words are drawn by count to this power. Default: 0.75.")
  private @Nullable Double noisePower;

  @Option(
      names = {"-threads", "--threads"},
      paramLabel = "N",
      description = "Threads at most. Default: one for each processor.")
  private @Nullable Integer threads;

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
      names = {"-binary", "--binary"},
      paramLabel = "0|1",
      defaultValue = "0",
      description =
          "Of a name that says no format: 1 writes word2vec's binary, 0 its text. Default:"
              + " ${DEFAULT-VALUE}.")
  private int binary;

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

  @Option(
      names = {"--in-order"},
      description = "One thread takes all words in their order: the same bits in every run.")
  private boolean inOrder;

  @Mixin private TextOptions reading;
  @Mixin private ExportOption export;

  private volatile boolean stopped;

  @Override
  public Integer call() throws IOException {
    Word2Vec settings = settings();
    VectorFormat format = vectorFormat();
    for (Path file : format.files(output)) {
      AtomicFile.checkWritable(file);
      if (file.equals(saveVocabulary)) {
        throw new IllegalArgumentException(
            format("-save-vocab %s is a file of -output %s: name another one", file, output));
      }
    }
    if (saveVocabulary != null) {
      AtomicFile.checkWritable(saveVocabulary);
    }
    PrintWriter out = parent.screen().out();
    try (Device device = threads == null ? Device.cpu() : Device.cpu(threads);
        Corpus corpus = corpus()) {
      out.println(corpus.report());
      format.check(corpus.vocabulary());
      if (saveVocabulary != null) {
        corpus.vocabulary().write(saveVocabulary);
      }
      try (Word2VecTraining training = settings.start(device, corpus)) {
        parent.interruption().onStart(() -> stopped = true);
        long start = System.nanoTime();
        train(training, out);
        double seconds = (System.nanoTime() - start) / SECOND;
        Word2VecTraining.Progress end = training.progress();
        try (Vectors vectors =
            export.isInput() ? training.vectors() : export.of(training.model())) {
          vectors.write(output, format);
        }
        out.println(
            format(
                "%strained on %,d tokens in %.1f s (%,.0f tokens/s); wrote %,d vectors of %d to %s",
                stopped ? "stopped: " : "",
                end.tokens(),
                seconds,
                end.tokens() / seconds,
                corpus.vocabulary().size(),
                size,
                output));
      }
    }
    return Main.SUCCESS;
  }

  private void train(Word2VecTraining training, PrintWriter out) {
    long start = System.nanoTime();
    long reported = start;
    boolean more = true;
    while (more && !stopped) {
      more = training.step();
      long now = System.nanoTime();
      if (now - reported > SECOND || !more) {
        reported = now;
        Word2VecTraining.Progress p = training.progress();
        double seconds = (now - start) / SECOND;
        out.println(
            format(
                "%5.1f %%  epoch %d of %d  loss %.4f  rate %.5f  %,.0f words/s  %.0f s left",
                100.0 * p.tokens() / p.ofTokens(),
                Math.min(epochs, p.epoch() + 1),
                epochs,
                p.loss(),
                p.rate(),
                p.tokens() / seconds,
                seconds / p.tokens() * (p.ofTokens() - p.tokens())));
        out.flush();
      }
    }
  }

  private Word2Vec settings() {
    checkFlag("-hs", hierarchical);
    checkFlag("-cbow", cbow);
    checkFlag("-binary", binary);
    export.check(hierarchical == 1);
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
    return inOrder ? settings.inOrder() : settings;
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

  private static void checkFlag(String name, int value) {
    if (value != 0 && value != 1) {
      throw new IllegalArgumentException(format("%s is 0 or 1, not %d", name, value));
    }
  }

  private VectorFormat vectorFormat() {
    String name = output.toString().toLowerCase(ROOT);
    return name.matches(".*\\.(bin|txt|vec|glove|safetensors|npy)")
        ? VectorFormat.ofName(output)
        : binary == 1 ? VectorFormat.WORD2VEC_BINARY : VectorFormat.WORD2VEC_TEXT;
  }

  private Corpus corpus() throws IOException {
    TextReader reader = TextReader.lines();
    if (readVocabulary != null && minCount != null) {
      throw new IllegalArgumentException(
          "-read-vocab names all words that are kept: -min-count has no effect beside it");
    }
    if (readVocabulary != null) {
      reader = reader.vocabulary(Vocabulary.read(readVocabulary));
    } else {
      reader = reader.minCount(minCount == null ? LEAST_COUNT : minCount);
    }
    return reading.read(train, reader);
  }
}
