// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench.embeddings;

import dev.weft.bench.measure.ChildJava;
import dev.weft.bench.report.Results;
import dev.weft.cli.Main;
import dev.weft.embed.Word2Vec.Model;
import dev.weft.embed.Word2Vec.Objective;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.BiFunction;

/**
 * Who trains: a command line for a training and a name for its vectors.
 *
 * @param name as it is printed
 * @param kind whose it is
 * @param ending of the file of vectors, behind the name that the command is given
 * @param command of a training and that name
 * @param environment beside this process's own
 */
record Side(
    String name,
    Kind kind,
    String ending,
    BiFunction<Training, String, List<String>> command,
    Map<String, String> environment) {

  /** Whose a side is. */
  enum Kind {
    WEFT,
    WORD2VEC,
    FASTTEXT,
    GENSIM
  }

  /** Weft's command, with options of its own behind the common ones. */
  static Side weft(String name, Map<String, String> environment, String... more) {
    return new Side(
        name,
        Kind.WEFT,
        ".bin",
        (training, vectors) -> {
          List<String> words = new ArrayList<>(List.of("embed", "train", "--plain"));
          words.addAll(options(training, vectors + ".bin"));
          words.addAll(
              training.vocabulary() == null
                  ? List.of("-min-count", Integer.toString(training.minCount()))
                  : List.of("-read-vocab", training.vocabulary().toString()));
          words.addAll(
              switch (training.objective()) {
                case NEGATIVE_SAMPLING -> List.of("-negative", "" + Training.NEGATIVES);
                case HIERARCHICAL_SOFTMAX -> List.of("-hs", "1");
                case FULL_SOFTMAX -> List.of("--full-softmax");
              });
          words.addAll(List.of(more)); // the last -threads holds
          return ChildJava.command(Main.class, List.of(), words);
        },
        environment);
  }

  /** A program that is word2vec.c. */
  static Side word2vec(String name, Path program) {
    return new Side(
        "word2vec.c " + name,
        Kind.WORD2VEC,
        ".bin",
        (training, vectors) -> {
          boolean tree = training.objective() == Objective.HIERARCHICAL_SOFTMAX;
          List<String> words = new ArrayList<>(List.of(program.toAbsolutePath().toString()));
          words.addAll(options(training, vectors + ".bin"));
          words.addAll(List.of("-min-count", Integer.toString(training.minCount())));
          words.addAll(List.of("-hs", tree ? "1" : "0", "-binary", "1"));
          words.addAll(List.of("-negative", tree ? "0" : "" + Training.NEGATIVES));
          return words;
        },
        Map.of());
  }

  /** What Weft's command and word2vec.c call alike. */
  private static List<String> options(Training training, String vectors) {
    return List.of(
        "-train",
        training.text().toString(),
        "-output",
        vectors,
        "-cbow",
        training.model() == Model.CBOW ? "1" : "0",
        "-size",
        Integer.toString(training.dimension()),
        "-window",
        Integer.toString(training.window()),
        "-sample",
        Training.digits(training.sample()),
        "-alpha",
        Training.digits(training.rate()),
        "-iter",
        Integer.toString(training.epochs()),
        "-threads",
        Integer.toString(training.threads()));
  }

  /** fastText without subwords. */
  static Side fastText(Path program) {
    return new Side(
        "fastText",
        Kind.FASTTEXT,
        ".vec",
        (training, vectors) ->
            List.of(
                program.toString(),
                training.model() == Model.CBOW ? "cbow" : "skipgram",
                "-input",
                training.text().toString(),
                "-output",
                vectors,
                "-dim",
                Integer.toString(training.dimension()),
                "-ws",
                Integer.toString(training.window()),
                "-t",
                Training.digits(training.sample()),
                "-lr",
                Training.digits(training.rate()),
                "-epoch",
                Integer.toString(training.epochs()),
                "-thread",
                Integer.toString(training.threads()),
                "-minCount",
                Integer.toString(training.minCount()),
                "-loss",
                training.objective() == Objective.HIERARCHICAL_SOFTMAX ? "hs" : "ns",
                "-neg",
                Integer.toString(Training.NEGATIVES),
                "-maxn",
                "0"),
        Map.of());
  }

  /** gensim, by the script that is a resource of this package. */
  static Side gensim(Path python) {
    String script;
    try (InputStream text = Side.class.getResourceAsStream("gensim_word2vec.py")) {
      script = new String(text.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return new Side(
        "gensim",
        Kind.GENSIM,
        ".bin",
        (training, vectors) ->
            List.of(
                python.toString(),
                "-c",
                script,
                training.text().toString(),
                vectors + ".bin",
                training.model() == Model.CBOW ? "0" : "1",
                training.objective() == Objective.HIERARCHICAL_SOFTMAX ? "1" : "0",
                Integer.toString(training.dimension()),
                Integer.toString(training.window()),
                Training.digits(training.sample()),
                Integer.toString(training.minCount()),
                Training.digits(training.rate()),
                Integer.toString(training.threads()),
                Integer.toString(training.epochs())),
        Map.of());
  }

  /** The command line in a line; a script in it is left out. */
  String text(Training training) {
    List<String> words = new ArrayList<>();
    environment.forEach((name, value) -> words.add(name + "=" + value));
    for (String word : command.apply(training, "vectors")) {
      words.add(word.contains("\n") ? "SCRIPT" : word);
    }
    int main = words.indexOf(Main.class.getName());
    if (main < 0) {
      return Results.withoutFolders(" " + String.join(" ", words)).strip();
    }
    List<String> weft = new ArrayList<>(words.subList(0, environment.size()));
    weft.add("weft");
    weft.addAll(words.subList(main + 1, words.size()));
    return Results.withoutFolders(String.join(" ", weft));
  }
}
