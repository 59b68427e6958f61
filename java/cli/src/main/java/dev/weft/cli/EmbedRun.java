// SPDX-License-Identifier: Apache-2.0
package dev.weft.cli;

import static dev.weft.format.Format.format;
import static java.util.Locale.ROOT;

import dev.weft.Device;
import dev.weft.embed.VectorFormat;
import dev.weft.embed.Vectors;
import dev.weft.embed.Word2VecTraining;
import dev.weft.io.AtomicFile;
import dev.weft.text.Corpus;
import dev.weft.text.TextReader;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** What all commands that train word vectors do: they read, report, save and write. */
final class EmbedRun {
  private static final double SECOND = 1e9;
  private static final double SECONDS_BETWEEN_CHECKPOINTS = 600;

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
      names = {"-binary", "--binary"},
      paramLabel = "0|1",
      defaultValue = "0",
      description =
          "Of a name that says no format: 1 writes word2vec's binary, 0 its text. Default:"
              + " ${DEFAULT-VALUE}.")
  private int binary;

  @Option(
      names = {"-threads", "--threads"},
      paramLabel = "N",
      description = "Threads at most. Default: one for each processor.")
  private @Nullable Integer threads;

  @Option(
      names = "--checkpoint",
      paramLabel = "FILE",
      description =
          "A safetensors file for all that it takes to go on: written after each reading of the"
              + " text, every 10 minutes and at Ctrl-C. weft embed resume goes on from it, extend"
              + " trains it on more text.")
  private @Nullable Path checkpoint;

  @Option(
      names = "--valid",
      paramLabel = "FILE",
      description =
          "A text that is not trained on: the mean of the objective over it is printed before"
              + " training and after each reading.")
  private @Nullable Path valid;

  @Option(names = "--plain", description = "No line that is written anew, also in a terminal.")
  private boolean plain;

  @Mixin private TextOptions reading;
  @Mixin private ExportOption export;

  private volatile boolean stopped;

  static void checkFlag(String name, int value) {
    if (value != 0 && value != 1) {
      throw new IllegalArgumentException(format("%s is 0 or 1, not %d", name, value));
    }
  }

  /** The file for checkpoints where none is named. */
  void checkpoint(Path usual) {
    checkpoint = checkpoint == null ? usual : checkpoint;
  }

  /**
   * Returns if all that is to be written can be.
   *
   * @param hierarchical whether the objective is a hierarchical softmax
   * @param other a file that is written, too; null where there is none
   */
  void check(boolean hierarchical, @Nullable Path other) throws IOException {
    checkFlag("-binary", binary);
    if (valid != null && valid.toString().equals("-") && train.equals("-")) {
      throw new IllegalArgumentException(
          "-train - and --valid -: standard input is one text; name a file for one of the two");
    }
    export.check(hierarchical);
    for (Path file : vectorFormat().files(output)) {
      AtomicFile.checkWritable(file);
      checkOther("-save-vocab", other, "a file of -output", file);
      checkOther("--checkpoint", checkpoint, "a file of -output", file);
    }
    checkOther("-save-vocab", other, "the file of --checkpoint", checkpoint);
    for (Path file : new @Nullable Path[] {checkpoint, other}) {
      if (file != null) {
        AtomicFile.checkWritable(file);
      }
    }
  }

  private void checkOther(String option, @Nullable Path file, String what, @Nullable Path other) {
    if (file != null
        && other != null
        && file.toAbsolutePath().normalize().equals(other.toAbsolutePath().normalize())) {
      throw new IllegalArgumentException(
          format("%s %s is %s, %s: name another one", option, file, what, other));
    }
  }

  private VectorFormat vectorFormat() {
    String name = output.toString().toLowerCase(ROOT);
    return name.matches(".*\\.(bin|txt|vec|glove|safetensors|npy)")
        ? VectorFormat.ofName(output)
        : binary == 1 ? VectorFormat.WORD2VEC_BINARY : VectorFormat.WORD2VEC_TEXT;
  }

  Device device() {
    return threads == null ? Device.cpu() : Device.cpu(threads);
  }

  /** Reads the text. */
  Corpus read(TextReader reader) throws IOException {
    return reading.read(train, reader);
  }

  /** Says what was read, and that the output can hold its words. */
  void announce(Corpus corpus, Screen screen) {
    screen.out().println(corpus.report());
    vectorFormat().check(corpus.vocabulary());
  }

  /** Trains to the end, or to Ctrl-C, and writes what there is then. */
  void train(Word2VecTraining training, Corpus corpus, EmbedCommand command) throws IOException {
    Screen screen = plain ? command.screen().plain() : command.screen();
    PrintWriter out = screen.out();
    try (Corpus heldOut =
        valid == null
            ? null
            : reading.read(valid.toString(), TextReader.lines().vocabulary(corpus.vocabulary()))) {
      if (heldOut != null) {
        // a text that cannot be measured ends the command here
        out.println(format("held out %.4f  %s", training.loss(heldOut), heldOut.report()));
      }
      command.interruption().onStart(() -> stopped = true);
      long before = training.progress().tokens();
      long start = System.nanoTime();
      train(training, heldOut, screen);
      double seconds = (System.nanoTime() - start) / SECOND;
      long tokens = training.progress().tokens() - before;
      try (Vectors vectors = export.isInput() ? training.vectors() : export.of(training.model())) {
        vectors.write(output, vectorFormat());
        out.println(
            format(
                "%strained on %,d tokens in %.1f s (%,.0f tokens/s); wrote %,d vectors of %d to %s",
                stopped ? "stopped: " : "",
                tokens,
                seconds,
                tokens / seconds,
                vectors.size(),
                vectors.dimension(),
                output));
      }
      if (stopped && checkpoint != null) {
        out.println(
            format(
                "to go on: weft embed resume %s -train %s -output %s", checkpoint, train, output));
      }
    }
  }

  private void train(Word2VecTraining training, @Nullable Corpus heldOut, Screen screen)
      throws IOException {
    Word2VecTraining.Progress at = training.progress();
    long before = at.tokens();
    long start = System.nanoTime();
    long reported = start;
    long saved = start;
    ProgressLine line = new ProgressLine(screen);
    try {
      for (boolean more = true; more && !stopped; ) {
        int epoch = training.epoch();
        more = training.step();
        boolean read = training.epoch() > epoch;
        long now = System.nanoTime();
        if (now - reported > SECOND || read) {
          reported = now;
          at = training.progress();
          String said = said(at, training.settings().epochs(), before, (now - start) / SECOND);
          if (!read) {
            line.show(said);
          } else if (heldOut == null) {
            line.end(said);
          } else {
            line.end(said + format("  held out %.4f", training.loss(heldOut)));
          }
        }
        if (checkpoint != null
            && (read && more || now - saved > SECONDS_BETWEEN_CHECKPOINTS * SECOND)) {
          training.model().save(checkpoint);
          saved = System.nanoTime();
        }
      }
      if (checkpoint != null) {
        training.model().save(checkpoint);
      }
    } catch (IllegalStateException e) {
      throw saved == start
          ? e
          : new IllegalStateException(
              format("%s; %s has what was before", e.getMessage(), checkpoint), e);
    } finally {
      line.clear();
    }
  }

  private static String said(
      Word2VecTraining.Progress at, int epochs, long before, double seconds) {
    double speed = (at.tokens() - before) / seconds;
    boolean done = at.tokens() % (at.ofTokens() / epochs) == 0;
    return format(
        "%5.1f %%  epoch %d of %d  loss %.4f  rate %.5f  %,.0f words/s  %.0f s left",
        100.0 * at.tokens() / at.ofTokens(),
        done ? at.epoch() : at.epoch() + 1,
        epochs,
        at.loss(),
        at.rate(),
        speed,
        (at.ofTokens() - at.tokens()) / speed);
  }
}
