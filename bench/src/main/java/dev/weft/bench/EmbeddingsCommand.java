// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench;

import static dev.weft.format.Format.count;
import static dev.weft.format.Format.format;
import static java.util.Locale.ROOT;

import dev.weft.bench.embeddings.Form;
import dev.weft.bench.embeddings.Peers;
import dev.weft.bench.embeddings.Peers.Tool;
import dev.weft.bench.embeddings.Quality;
import dev.weft.bench.embeddings.Run;
import dev.weft.bench.report.Machine;
import dev.weft.bench.report.Missing;
import dev.weft.bench.report.Part;
import dev.weft.bench.report.Results;
import dev.weft.bench.report.Table;
import dev.weft.bench.report.VectorTask;
import dev.weft.bench.report.VectorTraining;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.regex.Pattern;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Measures the training of word vectors beside word2vec.c, fastText and gensim. */
@Command(
    name = "weft bench embeddings",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = {
      "Trains word vectors on a text with Weft, word2vec.c, fastText without subwords and gensim,"
          + " in turn, with the same settings: seconds of whole commands, words/s of training, peak"
          + " memory, analogies and word pairs.",
      "Training is the difference of two whole commands of which one reads the text once more or"
          + " less, so that loading is outside of all sides' words/s. A target that is missed is"
          + " said; the exit code is 1 only where Weft fails.",
      "",
      "Example:",
      "  weft bench embeddings text.txt.gz --word2vec O3=w2v-O3 --word2vec Ofast=w2v-Ofast \\",
      "    --questions questions-words.txt --pairs EN-WS-353-ALL.txt --json embeddings.json",
      ""
    })
final class EmbeddingsCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;

  @Parameters(paramLabel = "TEXT", description = "words in lines or in one; plain or gzip")
  private Path text;

  @Option(
      names = "--questions",
      paramLabel = "FILE",
      description = "analogies in the form of questions-words.txt")
  private Path questions;

  @Option(
      names = "--pairs",
      paramLabel = "FILE",
      description = "judged pairs: lines of two words and a number; may be given several times")
  private List<Path> pairs = List.of();

  @Option(
      names = "--word2vec",
      paramLabel = "NAME=PATH",
      description =
          "a build of word2vec.c with a name for it, such as O3=bin/word2vec; may be given several"
              + " times")
  private Map<String, Path> builds = new LinkedHashMap<>();

  @Option(
      names = "--peer",
      split = ",",
      paramLabel = "fasttext|gensim|none",
      description = "who trains, too, where it is installed; default: both")
  private Set<Tool> tools = EnumSet.of(Tool.FASTTEXT, Tool.GENSIM);

  @Option(
      names = "--forms",
      split = ",",
      paramLabel = "FORM",
      description =
          "skip-gram, cbow, skip-gram-hs, cbow-hs, skip-gram-300, fast-rate, skip-gram-full,"
              + " cbow-full, reading, neighbours; default: all")
  private Set<Form> forms = EnumSet.allOf(Form.class);

  @Option(
      names = "--only",
      paramLabel = "REGEX",
      defaultValue = "",
      description = "only sides whose name contains a match")
  private Pattern only;

  @Option(
      names = "--dim",
      paramLabel = "N",
      defaultValue = "100",
      description = "of the vectors, but of skip-gram-300; default: ${DEFAULT-VALUE}")
  private int dimension;

  @Option(
      names = "--window",
      paramLabel = "N",
      defaultValue = "5",
      description = "words to each side at most; default: ${DEFAULT-VALUE}")
  private int window;

  @Option(
      names = "--epochs",
      paramLabel = "N",
      defaultValue = "1",
      description =
          "readings of the text in whole commands; the commands beside them read it once, or twice"
              + " beside one; default: ${DEFAULT-VALUE}")
  private int epochs;

  @Option(
      names = "--sample",
      paramLabel = "SHARE",
      defaultValue = "1e-4",
      description = "words that are more of the text are thinned; default: ${DEFAULT-VALUE}")
  private double sample;

  @Option(
      names = "--min-count",
      paramLabel = "N",
      defaultValue = "5",
      description = "rarer words are left out; default: ${DEFAULT-VALUE}")
  private int minCount;

  @Option(
      names = "--threads",
      paramLabel = "N",
      description = "of all sides; default: one for each processor")
  private int threads = Runtime.getRuntime().availableProcessors();

  @Option(
      names = "--turns",
      paramLabel = "N",
      defaultValue = "3",
      description = "of each side; default: ${DEFAULT-VALUE}")
  private int turns;

  @Option(
      names = "--wait",
      paramLabel = "MINUTES",
      description = "before each command, wait at most so long for an idle machine; default: 0")
  private int patience;

  @Option(names = "--json", paramLabel = "FILE", description = "also write all figures as JSON")
  private Path json;

  private final String command;

  EmbeddingsCommand(String arguments) {
    command = "weft bench " + arguments;
  }

  @Override
  public Integer call() throws IOException {
    Map<String, Integer> counts =
        Map.of(
            "--dim",
            dimension,
            "--window",
            window,
            "--epochs",
            epochs,
            "--min-count",
            minCount,
            "--threads",
            threads,
            "--turns",
            turns);
    counts.forEach((name, value) -> refuse(value < 1, name + " must be at least 1"));
    refuse(patience < 0, "--wait must not be negative");
    refuse(!(sample >= 0), "--sample must not be negative");
    refuse(
        tools.contains(Tool.NONE) && tools.size() > 1,
        "--peer none stands alone: name others, or none");
    OutputFile.check(spec.commandLine(), "--json", json);
    Results results = new Results(Machine.here(threads), command);
    Peers peers = Peers.find(builds, tools, results::add);
    Quality quality = Quality.read(questions, pairs);
    if (json != null) {
      results.keepIn(json);
    }
    System.out.printf(ROOT, "%s%n%s%n", results.machine().text(), Results.versions());
    Run.Settings settings =
        new Run.Settings(
            text,
            dimension,
            window,
            sample,
            minCount,
            threads,
            epochs,
            turns,
            Duration.ofMinutes(patience),
            only);
    Run run = new Run(settings, peers, quality, new Told(results));
    run.measure(forms);
    refuse(
        results.vectorTrainings().isEmpty() && results.vectorTasks().isEmpty() && !results.failed(),
        format("no side's name contains a match of --only '%s'", only));
    results.finish(Machine.here(threads).load());
    List<Table> tables = new ArrayList<>(VectorTraining.tables(results.vectorTrainings()));
    tables.add(VectorTask.table(results.vectorTasks()));
    tables.stream()
        .filter(table -> !table.isEmpty())
        .forEach(table -> System.out.printf(ROOT, "%n%s", table.text()));
    results.missing().forEach(one -> System.out.printf(ROOT, "%n%s: %s%n", one.what(), one.why()));
    if (json != null) {
      results.write(json);
      System.out.printf(ROOT, "%nwritten: %s%n", json);
    }
    return results.failed() ? CommandLine.ExitCode.SOFTWARE : CommandLine.ExitCode.OK;
  }

  private void refuse(boolean wrong, String why) {
    if (wrong) {
      throw new ParameterException(spec.commandLine(), why);
    }
  }

  /** Keeps what is measured, and says it. */
  private record Told(Results results) implements Run.Listener {
    @Override
    public void begins(String form, int sides) {
      System.out.printf(ROOT, "%n%s, %s%n", form, count(sides, "side"));
    }

    @Override
    public void turn(VectorTraining row, VectorTraining.Turn turn) {
      System.out.printf(
          ROOT,
          "  %s: %.2f s, %.0f MiB; with epochs %d instead of %d: %.2f s%n",
          row.side(),
          turn.seconds(),
          turn.peakMib(),
          row.otherEpochs(),
          row.epochs(),
          turn.otherSeconds());
    }

    @Override
    public void measured(VectorTraining row) {
      results.add(row);
    }

    @Override
    public void measured(VectorTask row) {
      results.add(row);
      System.out.printf(ROOT, "  %s: %s%n", row.name(), row.figure().text());
    }

    @Override
    public void failed(String form, String side, boolean isWeft, String why) {
      if (isWeft) {
        Progress.fail(results, Part.STEPS, form + ", " + side, why);
      } else {
        results.add(new Missing(side + ", " + form, why));
      }
    }
  }
}
