// SPDX-License-Identifier: Apache-2.0
package dev.weft.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weft.Device;
import dev.weft.embed.Vectors;
import dev.weft.embed.Word2Vec;
import dev.weft.embed.Word2VecModel;
import dev.weft.embed.Word2VecTraining;
import dev.weft.support.SourceFile;
import dev.weft.text.Corpus;
import dev.weft.text.TextReader;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What docs/embeddings.md says to type is typed, and models are asked. */
class EmbeddingsPageTest {
  private static final Path PAGE =
      Path.of(System.getProperty("weft.root"), "docs", "embeddings.md");
  private static final Pattern FENCE = Pattern.compile("```(java)?\n(.*?)```", Pattern.DOTALL);
  private static final Pattern WORD = Pattern.compile("\"([^\"]*)\"|(\\S+)");

  @TempDir Path folder;
  private Path text;
  private Path file;

  @BeforeEach
  void write() throws IOException {
    text = folder.resolve("text.txt.gz");
    file = folder.resolve("model.safetensors");
    try (OutputStream out = new GZIPOutputStream(Files.newOutputStream(text))) {
      String lines = "the cat sat on the mat\nthe dog lay on the rug\n".repeat(300);
      out.write(lines.getBytes(StandardCharsets.UTF_8));
    }
    Files.writeString(folder.resolve("other.txt"), "the dog sat on the mat\n".repeat(99));
    Files.writeString(folder.resolve("new.txt"), "the cow stood on the grass\n".repeat(9));
    save(Word2Vec.skipGram());
  }

  private void save(Word2Vec form) throws IOException {
    try (Device device = Device.cpu();
        Corpus corpus = TextReader.lines().read(text);
        Word2VecTraining training = form.dimension(16).sample(0).inOrder().start(device, corpus)) {
      training.finish();
      training.model().save(file);
    }
  }

  /** A model whose training has more to do. */
  private void interrupt() throws IOException {
    try (Device device = Device.cpu();
        Corpus corpus = TextReader.lines().read(text);
        Word2VecTraining training = Word2Vec.skipGram().start(device, corpus)) {
      training.step();
      training.model().save(file);
    }
  }

  private static List<MatchResult> fences(boolean java) throws IOException {
    return FENCE
        .matcher(Files.readString(PAGE))
        .results()
        .filter(fence -> java == (fence.group(1) != null))
        .toList();
  }

  @Test
  void itsCommandsRun() throws IOException {
    List<String> commands =
        fences(false).stream().flatMap(fence -> fence.group(2).lines()).toList();
    assertTrue(commands.size() > 5, commands::toString);
    for (String command : commands) {
      if (command.startsWith("weft embed resume ")) {
        interrupt();
      }
      Object[] words =
          WORD.matcher(command)
              .results()
              .map(word -> word.group(1) == null ? placed(word.group(2)) : word.group(1))
              .skip(1)
              .toArray();
      Weft.run(words).succeeded();
    }
    assertTrue(Files.exists(folder.resolve("contexts.bin")));
  }

  /** A name of a file is one in the folder. */
  private String placed(String word) {
    return word.matches("[a-z]+(\\.[a-z]+)+") ? folder.resolve(word).toString() : word;
  }

  @Test
  void itsProgramsCompile() throws IOException {
    int number = 0;
    for (MatchResult fence : fences(true)) {
      String name = "Page" + number++;
      Path source = folder.resolve(name + ".java");
      Files.writeString(
          source,
"""
          import dev.weft.*;
          import dev.weft.data.*;
          import dev.weft.embed.*;
          import dev.weft.nn.*;
          import dev.weft.text.*;
          import dev.weft.train.*;
          import java.nio.file.Path;
          import java.util.ArrayList;
import java.util.List;
          public class %s { public static void main(String[] args) throws Exception {
          %s}}\
"""
              .formatted(name, fence.group(2)));
      assertEquals("", SourceFile.compile(source, folder), fence.group(2));
    }
    assertTrue(number > 1, "there are programs");
  }

  private List<String> predict(Object... more) {
    return Weft.run(Stream.concat(Stream.of("embed", "predict", file), Stream.of(more)).toArray())
        .succeeded()
        .out()
        .lines()
        .toList();
  }

  @Test
  void aModelTellsWhatItExpects() throws IOException {
    save(Word2Vec.cbow().fullSoftmax().rate(0.2).window(2));
    List<String> likeliest = predict("--context", " the sat  on ", "--n", 2);
    assertEquals(2, likeliest.size());
    assertTrue(likeliest.getFirst().matches("0\\.\\d{6}  cat"), likeliest::toString);
    assertEquals(8, predict("--word", "cat", "--n", 50).size());
    assertEquals(predict("--context", "cat"), predict("--word", "cat"));
    save(Word2Vec.cbow().hierarchicalSoftmax().rate(0.2).window(2));
    List<String> all = predict("--context", "the sat on", "--n", 3);
    List<String> beam = predict("--context", "the sat on", "--n", 3, "--beam", 8);
    assertEquals(all, beam.subList(0, 3));
    assertEquals("evaluated 7 of 7 inner nodes", beam.getLast());
    assertEquals(2, predict("--context", "the sat on", "--beam", 1).size());
  }

  @ParameterizedTest
  @ValueSource(strings = {"W", "C", "W+C"})
  void theMatricesAreExported(String matrix) throws IOException {
    Path converted = folder.resolve("a.bin");
    Weft.run("embed", "convert", file, converted, "--export", matrix).succeeded();
    Word2VecModel model = Word2VecModel.read(file);
    float[] w = model.vectors().vector("cat");
    float[] c = model.contextVectors().vector("cat");
    try (Vectors vectors = Vectors.open(converted)) {
      for (int i = 0; i < w.length; i++) {
        float expected = matrix.equals("W") ? w[i] : matrix.equals("C") ? c[i] : w[i] + c[i];
        assertEquals(expected, vectors.vector("cat")[i], matrix);
      }
    }
    Path trained = folder.resolve("b.bin");
    String options = "-cbow 0 -size 16 -sample 0 -min-count 1 --in-order --export " + matrix;
    List<Object> train = new ArrayList<>();
    train.addAll(List.of("embed", "train", "-train", text, "-output", trained));
    train.addAll(List.of(options.split(" ")));
    Weft.run(train.toArray()).succeeded();
    assertArrayEquals(Files.readAllBytes(converted), Files.readAllBytes(trained));
  }

  @Test
  void whatCannotBeIsSaid() throws IOException {
    Weft.run("embed", "predict", file).failed(Main.WRONG_USE, "give one of --context WORDS and");
    Weft.run("embed", "predict", file, "--context", "a", "--word", "b")
        .failed(Main.WRONG_USE, "give one of --context WORDS and --word WORD");
    Weft.run("embed", "predict", file, "--context", " ")
        .failed(Main.WRONG_USE, "no word around the place is given");
    Weft.run("embed", "predict", file, "--word", "cats")
        .failed(Main.WRONG_USE, "'cats' is not among the 8 words; spelled like it: cat");
    Weft.run("embed", "predict", file, "--word", "cat", "--n", 0)
        .failed(Main.WRONG_USE, "--n must be at least 1, not 0");
    Weft.run("embed", "predict", file, "--word", "cat", "--beam", 2)
        .failed(Main.FAILURE, "this model has negative sampling");
    Path out = folder.resolve("a.bin");
    Weft.run("embed", "convert", file, out, "--export", "V")
        .failed(Main.WRONG_USE, "--export is W, C or W+C, not V");
    Weft.run("embed", "train", "-train", text, "-output", out, "-hs", 1, "--export", "C")
        .failed(Main.WRONG_USE, "the rows of C are the inner nodes of its tree");
    save(Word2Vec.skipGram().hierarchicalSoftmax());
    Weft.run("embed", "convert", file, out, "--export", "W+C")
        .failed(Main.WRONG_USE, "the rows of C are the inner nodes of its tree");
    Weft.run("embed", "predict", file, "--context", "the cat", "--beam", 2)
        .failed(Main.WRONG_USE, "skip-gram's tree is read for one word, not for 2");
    Weft.run("embed", "convert", file, out).succeeded();
    Path copy = folder.resolve("copy.bin");
    Weft.run("embed", "convert", out, copy, "--export", "C").failed(Main.FAILURE, out.toString());
    Weft.run("embed", "predict", out, "--word", "cat").failed(Main.FAILURE, out.toString());
  }
}
