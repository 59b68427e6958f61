// SPDX-License-Identifier: Apache-2.0
package dev.weft.cli;

import static dev.weft.format.Format.format;

import dev.weft.Device;
import dev.weft.embed.Analogies;
import dev.weft.embed.AnalogyScore;
import dev.weft.embed.Neighbour;
import dev.weft.embed.VectorFormat;
import dev.weft.embed.Vectors;
import dev.weft.embed.Word2VecModel;
import dev.weft.embed.WordPairs;
import dev.weft.io.AtomicFile;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

/** {@code weft embed}. */
@Command(
    name = "embed",
    mixinStandardHelpOptions = true,
    description = "Trains, asks, evaluates and converts word vectors; prepares texts.",
    subcommands = {
      EmbedTrain.class,
      EmbedResume.class,
      EmbedExtend.class,
      EmbedVocab.class,
      EmbedPhrases.class,
      EmbedPredict.class,
      EmbedCommand.Neighbours.class,
      EmbedCommand.Analogy.class,
      EmbedCommand.Similarity.class,
      EmbedCommand.Odd.class,
      EmbedCommand.Evaluate.class,
      EmbedCommand.Convert.class
    },
    footer = {
      "",
      "Examples:",
      "  weft embed train -train text.txt.gz -output vectors.bin -cbow 0",
      "  weft embed predict model.safetensors --context \"the sat on\"",
      "  weft embed neighbours glove.6B.300d.txt king",
      "  weft embed evaluate vectors.bin --analogies questions-words.txt",
      "  weft embed convert glove.6B.300d.txt glove.safetensors"
    })
final class EmbedCommand implements Runnable {
  @ParentCommand private Main main;
  @CommandLine.Spec private CommandLine.Model.CommandSpec spec;

  /** No command was given. */
  @Override
  public void run() {
    throw new CommandLine.ParameterException(
        spec.commandLine(), "say what to do: " + String.join(", ", spec.subcommands().keySet()));
  }

  Screen screen() {
    return main.screen();
  }

  Interruption interruption() {
    return main.interruption();
  }

  /** One of those that ask. */
  abstract static class Asking implements Callable<Integer> {
    @ParentCommand private EmbedCommand parent;
    @Mixin VectorOptions file;

    @Override
    public Integer call() throws IOException {
      check();
      try (Vectors vectors = file.open(screen())) {
        ask(vectors, screen().out());
      }
      return Main.SUCCESS;
    }

    /** Returns if the options fit each other, before the file is opened. */
    void check() throws IOException {
      // all do
    }

    abstract void ask(Vectors vectors, PrintWriter out) throws IOException;

    final Screen screen() {
      return parent.main.screen();
    }

    final void print(List<Neighbour> neighbours, PrintWriter out) {
      for (Neighbour each : neighbours) {
        out.println(format("%.6f  %s", each.score(), each.word()));
      }
      if (neighbours.isEmpty()) {
        out.println("none: a vector that was asked about is 0");
      }
    }
  }

  @Command(
      name = "neighbours",
      mixinStandardHelpOptions = true,
      description = "The words whose vectors have the largest cosine with a word's, or a mean's.",
      footer = {"", "Examples:", "  weft embed neighbours vectors.bin king --n 5"})
  static final class Neighbours extends Asking {
    @Parameters(
        paramLabel = "WORD",
        index = "1..*",
        arity = "1..*",
        description = "A word; of several, the mean of their vectors at length 1.")
    private List<String> words;

    @Option(
        names = {"-n", "--n"},
        paramLabel = "N",
        defaultValue = "10",
        description = "How many. Default: ${DEFAULT-VALUE}.")
    private int n;

    @Override
    void check() {
      if (n < 1) {
        throw new IllegalArgumentException("--n must be at least 1, not " + n);
      }
    }

    @Override
    void ask(Vectors vectors, PrintWriter out) {
      List<Neighbour> near =
          vectors.neighbours(vectors.mean(words), Math.min(n, vectors.size()) + words.size());
      print(near.stream().filter(each -> !words.contains(each.word())).limit(n).toList(), out);
    }
  }

  @Command(
      name = "analogy",
      mixinStandardHelpOptions = true,
      description = "A is to B as C is to what?",
      footer = {"", "Examples:", "  weft embed analogy vectors.bin man woman king"})
  static final class Analogy extends Asking {
    @Parameters(paramLabel = "A", index = "1", description = "As man.")
    private String a;

    @Parameters(paramLabel = "B", index = "2", description = "As woman.")
    private String b;

    @Parameters(paramLabel = "C", index = "3", description = "As king.")
    private String c;

    @Option(
        names = {"-n", "--n"},
        paramLabel = "N",
        defaultValue = "10",
        description = "How many. Default: ${DEFAULT-VALUE}.")
    private int n;

    @Mixin private ScoreOption score;

    @Override
    void ask(Vectors vectors, PrintWriter out) {
      print(vectors.analogy(a, b, c, n, score.score()), out);
    }
  }

  /** How answers are ranked. */
  static final class ScoreOption {
    @Option(
        names = "--score",
        paramLabel = "SCORE",
        defaultValue = "add",
        description = "add: 3CosAdd. multiply: 3CosMul. Default: ${DEFAULT-VALUE}.")
    private String word;

    AnalogyScore score() {
      return Choice.of("score", word, AnalogyScore.class);
    }
  }

  @Command(
      name = "similarity",
      mixinStandardHelpOptions = true,
      description = "The cosine of two words' vectors.",
      footer = {"", "Examples:", "  weft embed similarity vectors.bin cat dog"})
  static final class Similarity extends Asking {
    @Parameters(paramLabel = "A", index = "1", description = "A word.")
    private String a;

    @Parameters(paramLabel = "B", index = "2", description = "Another one.")
    private String b;

    @Override
    void ask(Vectors vectors, PrintWriter out) {
      out.println(format("%.6f", vectors.similarity(a, b)));
    }
  }

  @Command(
      name = "odd",
      mixinStandardHelpOptions = true,
      description = "The word that is least like the others.",
      footer = {"", "Examples:", "  weft embed odd vectors.bin breakfast cereal dinner lunch"})
  static final class Odd extends Asking {
    @Parameters(paramLabel = "WORD", index = "1..*", arity = "3..*", description = "Three or more.")
    private List<String> words;

    @Override
    void ask(Vectors vectors, PrintWriter out) {
      out.println(vectors.oddOneOut(words));
    }
  }

  @Command(
      name = "evaluate",
      mixinStandardHelpOptions = true,
      description = "Answers analogies, and compares cosines with people's judgement of pairs.",
      footer = {
        "",
        "Examples:",
        "  weft embed evaluate vectors.bin --analogies questions-words.txt",
        "  weft embed evaluate vectors.bin --pairs EN-WS-353-ALL.txt"
      })
  static final class Evaluate extends Asking {
    @Option(
        names = "--analogies",
        paramLabel = "FILE",
        description = "Questions in the form of questions-words.txt.")
    private @Nullable Path analogies;

    @Option(
        names = "--pairs",
        paramLabel = "FILE",
        description = "Lines of two words and a number, as WordSim-353 and MEN have.")
    private @Nullable Path pairs;

    @Option(
        names = "--limit",
        paramLabel = "N",
        defaultValue = "30000",
        description =
            "Only the first N words count. Default: ${DEFAULT-VALUE}, compute-accuracy's; gensim's"
                + " is 300000.")
    private int limit;

    @Option(
        names = "--rule",
        paramLabel = "RULE",
        defaultValue = "word2vec",
        description = {
          "Which answer counts. word2vec: as compute-accuracy. gensim: as evaluate_word_analogies."
              + " Default: ${DEFAULT-VALUE}."
        })
    private String rule;

    @Mixin private ScoreOption score;

    @Option(
        names = "--device",
        paramLabel = "NAME",
        defaultValue = "best",
        description = "best, cpu, cuda or cuda:N. Default: ${DEFAULT-VALUE}.")
    private String device;

    @Override
    void check() {
      if (analogies == null && pairs == null) {
        throw new IllegalArgumentException("give --analogies FILE, --pairs FILE or both");
      }
    }

    @Override
    void ask(Vectors vectors, PrintWriter out) throws IOException {
      if (analogies != null) {
        Analogies questions = Analogies.read(analogies);
        Analogies.Rule counts = Choice.of("rule", rule, Analogies.Rule.class);
        try (Device opened = Device.named(device)) {
          print(questions.evaluate(vectors, opened, limit, counts, score.score()), out);
        }
      }
      if (pairs != null) {
        WordPairs.Result result = WordPairs.read(pairs).evaluate(vectors, limit);
        out.println(
            format(
                "%,d pairs, %s unseen: Spearman %.4f, Pearson %.4f",
                result.pairs(),
                Amount.percent(result.unseenShare()),
                result.spearman(),
                result.pearson()));
      }
    }

    private static void print(Analogies.Result result, PrintWriter out) {
      Table table =
          new Table(
              out,
              Table.left("section", 28),
              Table.right("questions", 9),
              Table.right("asked", 7),
              Table.right("right", 7),
              Table.right("accuracy", 9));
      result.sections().forEach(section -> row(table, section));
      row(table, result.semantic());
      row(table, result.syntactic());
      row(table, result.total());
    }

    private static void row(Table table, Analogies.Section section) {
      table.row(
          section.name(),
          Amount.count(section.questions()),
          Amount.count(section.asked()),
          Amount.count(section.right()),
          Amount.percent(section.accuracy()));
    }
  }

  @Command(
      name = "convert",
      mixinStandardHelpOptions = true,
      description = "Writes word vectors in another format.",
      footer = {
        "",
        "Examples:",
        "  weft embed convert glove.txt vectors.safetensors",
        "  weft embed convert vectors.bin vectors.txt --to glove",
        "  weft embed convert model.safetensors contexts.bin --export C"
      })
  static final class Convert extends Asking {
    @Parameters(
        paramLabel = "OUT",
        index = "1",
        description = {
          "The file to write. Its words go beside an npy file, to the name that ends in .vocab."
        })
    private Path target;

    @Option(
        names = "--to",
        paramLabel = "FORMAT",
        description = {
          "word2vec_text, word2vec_binary, glove, safetensors or npy. Default: by the ending: .txt"
              + " or .vec, .bin, .glove, .safetensors, .npy."
        })
    private @Nullable String to;

    @Mixin private ExportOption export;

    @Option(names = "--overwrite", description = "Replace a file that is there.")
    private boolean overwrite;

    @Override
    public Integer call() throws IOException {
      if (export.isInput()) {
        return super.call();
      }
      check();
      try (Word2VecModel model = Word2VecModel.read(file.file());
          Vectors vectors = export.of(model)) {
        ask(vectors, screen().out());
      }
      return Main.SUCCESS;
    }

    private VectorFormat wanted() {
      return to == null ? VectorFormat.ofName(target) : VectorOptions.named(to);
    }

    @Override
    void check() throws IOException {
      export.check(false);
      VectorFormat format = wanted();
      for (Path file : format.files(target)) {
        if (!overwrite && Files.exists(file)) {
          throw new FileSystemException(
              file.toString(),
              null,
              "is there already: name another file, or replace it by --overwrite");
        }
        AtomicFile.checkWritable(file);
      }
    }

    @Override
    void ask(Vectors vectors, PrintWriter out) throws IOException {
      vectors.write(target, wanted());
      out.println(format("%s: %s", target, vectors));
    }
  }
}
