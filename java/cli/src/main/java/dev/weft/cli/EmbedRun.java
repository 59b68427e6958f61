// SPDX-License-Identifier: Apache-2.0
package dev.weft.cli;

import static dev.weft.format.Format.format;
import static java.util.Locale.ROOT;

import dev.weft.Device;
import dev.weft.embed.VectorFormat;
import dev.weft.embed.Vectors;
import dev.weft.embed.Word2VecModel;
import dev.weft.embed.Word2VecTraining;
import dev.weft.io.AtomicFile;
import dev.weft.text.Corpus;
import dev.weft.text.TextReader;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
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
      description =
          "Of a name that says no format: 1 writes word2vec's binary, 0, the default, its text.")
  private @Nullable Integer binary;

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

  private @Nullable Path resumed;
  private volatile boolean stopped;

  static void checkFlag(String name, int value) {
    if (value != 0 && value != 1) {
      throw new IllegalArgumentException(format("%s is 0 or 1, not %d", name, value));
    }
  }

  /** A model's training goes on: its file is that of checkpoints, where none is named. */
  void resume(Path model) {
    resumed = model;
    checkpoint = checkpoint == null ? model : checkpoint;
  }

  /**
   * All that is to be written must be files that can be, each another one and none that is read,
   * but for the model that is resumed.
   *
   * @param hierarchical whether the objective is a hierarchical softmax
   * @param vocabulary the file of -save-vocab; null where there is none
   * @param what a file that is read beside the texts is, in words
   * @param read that file; null where there is none
   */
  void check(boolean hierarchical, @Nullable Path vocabulary, String what, @Nullable Path read)
      throws IOException {
    if (binary != null) {
      checkFlag("-binary", binary);
      VectorFormat wanted = binary == 1 ? VectorFormat.WORD2VEC_BINARY : VectorFormat.WORD2VEC_TEXT;
      if (vectorFormat() != wanted) {
        throw new IllegalArgumentException(
            format(
                "-binary %d and the ending of -output %s say different formats: leave -binary out,"
                    + " or name another file",
                binary, output));
      }
    }
    if (isStandardInput(valid) && train.equals("-")) {
      throw new IllegalArgumentException(
          "-train - and --valid -: standard input is one text; name a file for one of the two");
    }
    export.check(hierarchical);
    Map<Path, String> taken = new LinkedHashMap<>();
    take("", read, what, taken);
    take("", train.equals("-") ? null : Path.of(train), "the text of -train", taken);
    take("", isStandardInput(valid) ? null : valid, "the text of --valid", taken);
    for (Path file : vectorFormat().files(output)) {
      take("-output", file, "a file of -output", taken);
    }
    if (checkpoint != null && resumed != null && isSame(checkpoint, resumed)) {
      AtomicFile.checkWritable(checkpoint);
    } else {
      take("--checkpoint", checkpoint, "the file of --checkpoint", taken);
    }
    take("-save-vocab", vocabulary, "the file of -save-vocab", taken);
  }

  /** Adds a file to those that are taken; one that is to be written, by an option, is none yet. */
  private static void take(String option, @Nullable Path file, String what, Map<Path, String> taken)
      throws IOException {
    if (file == null) {
      return;
    }
    if (!option.isEmpty()) {
      if (file.toString().equals("-")) {
        throw new IllegalArgumentException(
            format(
                "%s -: a file is written, not standard output; ./- is one of that name", option));
      }
      AtomicFile.checkWritable(file);
      for (Map.Entry<Path, String> other : taken.entrySet()) {
        checkOther(option, file, other.getValue(), other.getKey());
      }
    }
    taken.putIfAbsent(file, what);
  }

  /**
   * A file that an option says to write must be another one than that, which is read or written.
   */
  static void checkOther(String option, Path file, String what, Path other) throws IOException {
    if (isSame(file, other)) {
      throw new IllegalArgumentException(
          format("%s %s is %s, %s: name another one", option, file, what, other));
    }
  }

  private static boolean isStandardInput(@Nullable Path text) {
    return text != null && text.toString().equals("-");
  }

  private static boolean isSame(Path file, Path other) throws IOException {
    return file.toAbsolutePath().normalize().equals(other.toAbsolutePath().normalize())
        || Files.exists(file) && Files.exists(other) && Files.isSameFile(file, other);
  }

  private VectorFormat vectorFormat() {
    String name = output.toString().toLowerCase(ROOT);
    return name.matches(".*\\.(bin|txt|vec|glove|safetensors|npy)")
        ? VectorFormat.ofName(output)
        : binary != null && binary == 1 ? VectorFormat.WORD2VEC_BINARY : VectorFormat.WORD2VEC_TEXT;
  }

  Device device() {
    return threads == null ? Device.cpu() : Device.cpu(threads);
  }

  /** Reads the text. */
  Corpus read(TextReader reader) throws IOException {
    return reading.read(train, reader);
  }

  /** Reads the text of a training that goes on, as it was read before. */
  Corpus readAgain(TextReader reader) throws IOException {
    if (!reading.of(reader).equals(reader)) {
      throw new IllegalArgumentException(
          format(
              "the training began on a text read with%s --lower-case and with --normalization %s;"
                  + " it is read so again, and with no other",
              reader.letters() == TextReader.Letters.LOWER_CASE ? "" : "out",
              Choice.word(reader.normalization())));
    }
    return TextOptions.open(train, reader);
  }

  /** Says what was read, and that the output can hold its words. */
  void announce(Corpus corpus, Screen screen) {
    screen.out().println(corpus.report());
    vectorFormat().check(corpus.vocabulary());
    String lost = lost(corpus.report());
    if (checkpoint != null && !lost.isEmpty()) {
      screen.err().println("weft: " + lost);
    }
  }

  /** Why a training on a text cannot be resumed; nothing where it can. */
  static String lost(Corpus.Report text) {
    return text.forgotten() == 0
        ? ""
        : format(
            "%,d types were forgotten while the text was counted, and their words left out, which"
                + " would stay when it is read again: weft embed resume will refuse it. What can"
                + " be resumed is a training by a list of words: weft embed vocab TEXT -save-vocab"
                + " WORDS, then weft embed train with -read-vocab WORDS",
            text.forgotten());
  }

  /** Trains to the end, or to Ctrl-C, and writes what there is then. */
  void train(Word2VecTraining training, Corpus corpus, EmbedCommand command) throws IOException {
    Screen screen = plain ? command.screen().plain() : command.screen();
    PrintWriter out = screen.out();
    try (Corpus heldOut =
        valid == null ? null : TextOptions.open(valid.toString(), corpus.reader())) {
      if (heldOut != null) {
        // a text that cannot be measured ends the command here
        double loss = training.loss(heldOut);
        out.println(format("%s: %s, held out: loss %.4f", valid, heldOut.report(), loss));
      }
      command.interruption().onStart(() -> stopped = true);
      long before = training.progress().tokens();
      long start = System.nanoTime();
      train(training, heldOut, screen);
      double seconds = (System.nanoTime() - start) / SECOND;
      Word2VecTraining.Progress at = training.progress();
      long tokens = at.tokens() - before;
      boolean left = at.tokens() < at.ofTokens();
      try (Word2VecModel model = export.isInput() ? null : training.model();
          Vectors vectors = model == null ? training.vectors() : export.of(model)) {
        vectors.write(output, vectorFormat());
        out.println(
            format(
                "%strained on %,d tokens in %.1f s (%,.0f tokens/s); wrote %,d vectors of %d to"
                    + " %s%s",
                left ? "stopped: " : "",
                tokens,
                seconds,
                tokens / seconds,
                vectors.size(),
                vectors.dimension(),
                output,
                checkpoint == null ? "" : "; the model is in " + checkpoint));
      }
      if (left && checkpoint != null && lost(corpus.report()).isEmpty()) {
        out.println("to go on: " + goingOn(checkpoint));
      }
    }
  }

  /** The command that goes on from a checkpoint, for a shell. */
  private String goingOn(Path from) {
    List<Object> words = new ArrayList<>(List.of("weft", "embed", "resume", from));
    words.addAll(List.of("-train", train, "-output", output));
    words.addAll(binary == null ? List.of() : List.of("-binary", binary));
    words.addAll(export.isInput() ? List.of() : List.of("--export", export.matrix()));
    words.addAll(valid == null ? List.of() : List.of("--valid", valid));
    words.addAll(threads == null ? List.of() : List.of("-threads", threads));
    words.addAll(plain ? List.of("--plain") : List.of());
    return words.stream().map(EmbedRun::quoted).collect(Collectors.joining(" "))
        + (train.equals("-") || isStandardInput(valid)
            ? " (standard input cannot be read again: give it the same text once more)"
            : "");
  }

  private static String quoted(Object word) {
    String text = word.toString();
    return text.matches("[\\w@%+=:,./-]+") ? text : "'" + text.replace("'", "'\\''") + "'";
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
            double loss = training.loss(heldOut, () -> stopped);
            line.end(Double.isNaN(loss) ? said : said + format("  held out %.4f", loss));
          }
        }
        if (checkpoint != null
            && (read && more || now - saved > SECONDS_BETWEEN_CHECKPOINTS * SECOND)) {
          save(training, checkpoint);
          saved = System.nanoTime();
        }
      }
      if (checkpoint != null) {
        save(training, checkpoint);
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

  private static void save(Word2VecTraining training, Path checkpoint) throws IOException {
    try (Word2VecModel model = training.model()) {
      model.save(checkpoint);
    }
  }

  private static String said(
      Word2VecTraining.Progress at, int epochs, long before, double seconds) {
    double speed = (at.tokens() - before) / seconds;
    boolean done = at.tokens() % (at.ofTokens() / epochs) == 0;
    String loss = Double.isNaN(at.loss()) ? "-" : format("%.4f", at.loss());
    return format(
        "%5.1f %%  epoch %d of %d  loss %s  rate %.5f  %,.0f tokens/s  %.0f s left",
        100.0 * at.tokens() / at.ofTokens(),
        done ? at.epoch() : at.epoch() + 1,
        epochs,
        loss,
        at.rate(),
        speed,
        (at.ofTokens() - at.tokens()) / speed);
  }
}
