// SPDX-License-Identifier: Apache-2.0
package dev.weft;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weft.support.Beside;
import dev.weft.support.ExampleProgram;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The programs of docs/examples run, and say what they should. A test of one is marked {@link
 * ExampleProgram.Of}, here or in another class whose name ends with {@code ExamplesTest}.
 */
@Beside
class ExamplesTest {
  private static final Path DOCS = ExampleProgram.FOLDER.getParent();
  private static final int MOST_LINES = 60;

  @TempDir Path folder;

  /** The programs that the tests of this class and of those like it are about. */
  private static Set<String> tested() throws Exception {
    Path here = Path.of(ExamplesTest.class.getResource("").toURI());
    Set<String> tested = new TreeSet<>();
    try (Stream<Path> classes = Files.list(here)) {
      for (Path each : classes.filter(c -> c.toString().endsWith("ExamplesTest.class")).toList()) {
        String name = each.getFileName().toString().replace(".class", "");
        Arrays.stream(Class.forName("dev.weft." + name).getDeclaredMethods())
            .filter(method -> method.isAnnotationPresent(Test.class))
            .filter(method -> method.isAnnotationPresent(ExampleProgram.Of.class))
            .forEach(method -> tested.add(method.getAnnotation(ExampleProgram.Of.class).value()));
      }
    }
    return tested;
  }

  @Test
  void eachIsTested() throws Exception {
    assertEquals(new TreeSet<>(ExampleProgram.names()), tested());
  }

  @Test
  void eachIsShort() throws IOException {
    for (String name : ExampleProgram.names()) {
      List<String> lines = Files.readAllLines(ExampleProgram.FOLDER.resolve(name + ".java"));
      assertTrue(lines.size() <= MOST_LINES, () -> name + " has " + lines.size() + " lines");
    }
  }

  /** Pictures by the page that shows them, as {@code ](pictures/name.svg)}. */
  private static List<String> shown(String page) {
    return Pattern.compile("\\(pictures/([a-z-]+)\\.(svg|gif)\\)")
        .matcher(page)
        .results()
        .map(link -> link.group(1))
        .toList();
  }

  /** A page links the program that draws what it shows; and no picture lies there unshown. */
  @Test
  void picturesOfPagesAreThoseOfPrograms() throws Exception {
    Set<String> drawing = new TreeSet<>();
    Set<String> commands = new TreeSet<>();
    for (String name : ExampleProgram.names()) {
      String source = Files.readString(ExampleProgram.FOLDER.resolve(name + ".java"));
      if (source.contains("[--out FOLDER]")) {
        String word = source.replaceAll("(?s).*weft examples run ([a-z-]+).*", "$1");
        drawing.add(word);
        commands.add(word + " by " + name);
      }
    }
    Set<String> all = new TreeSet<>();
    try (Stream<Path> pages = Files.list(DOCS)) {
      for (Path page : pages.filter(file -> file.toString().endsWith(".md")).toList()) {
        String text = Files.readString(page);
        for (String picture : shown(text)) {
          all.add(picture);
          if (drawing.contains(picture)) {
            assertTrue(
                commands.stream()
                    .filter(each -> each.startsWith(picture + " by "))
                    .anyMatch(each -> text.contains("(examples/" + each.split(" ")[2] + ".java)")),
                () -> page + " shows " + picture + " and does not link its program");
          }
        }
      }
    }
    try (Stream<Path> pictures = Files.list(DOCS.resolve("pictures"))) {
      Set<String> there =
          pictures
              .map(file -> file.getFileName().toString().replaceAll("\\..*", ""))
              .collect(Collectors.toCollection(TreeSet::new));
      assertEquals(there, all);
    }
  }

  @Test
  @ExampleProgram.Of("OwnLayer")
  void aLayerOfOnesOwnIsSavedAndLoaded() throws Exception {
    assertEquals(List.of("true"), ExampleProgram.run("OwnLayer", folder.resolve("swish")));
  }

  @Test
  @ExampleProgram.Of("OwnModel")
  void aModelOfOnesOwnIsSavedAndLoaded() throws Exception {
    assertEquals(List.of("true"), ExampleProgram.run("OwnModel"));
  }

  /** Its accuracy is counted from the outputs: a loss says nothing of it. */
  @Test
  @ExampleProgram.Of("OwnLoss")
  void aLossOfOnesOwnIsTrainedWith() throws Exception {
    assertEquals(List.of("1.0 true"), ExampleProgram.run("OwnLoss"));
  }

  @Test
  @ExampleProgram.Of("OwnMetric")
  void aMetricOfOnesOwnIsMeasuredAndWatched() throws Exception {
    String said = ExampleProgram.run("OwnMetric").getFirst();
    assertTrue(said.startsWith("1.00; r2 did not become"), said);
  }

  @Test
  @ExampleProgram.Of("OwnListener")
  void listenersOfOnesOwnSaveChangeTheRateAndStop() throws Exception {
    Path best = folder.resolve("best.safetensors");
    assertEquals(List.of("97 % are enough"), ExampleProgram.run("OwnListener", best));
    assertTrue(Files.exists(best));
  }

  @Test
  @ExampleProgram.Of("OwnOptimizer")
  void anOptimizerOfOnesOwnIsTrainedWith() throws Exception {
    assertEquals(List.of("true"), ExampleProgram.run("OwnOptimizer"));
  }

  /** In a text that repeats itself the next word is known from those before it. */
  @Test
  @ExampleProgram.Of("Bengio")
  void theLanguageModelLearnsAText() throws Exception {
    Path text = folder.resolve("text");
    Files.writeString(text, "the cat saw the dog and the dog saw a bird\n".repeat(2_000));
    String said = ExampleProgram.run("Bengio", text, text).getFirst();
    assertTrue(said.startsWith("perplexity "), said);
    assertTrue(Double.parseDouble(said.split(" ")[1]) < 1.2, said);
  }

  @Test
  @ExampleProgram.Of("WordVectors")
  void wordVectorsAreAskedEvaluatedAndConverted() throws Exception {
    Path vectors = folder.resolve("v.txt");
    Files.writeString(vectors, "4 3\nking 3 0 1\nqueen 0 3 1\nman 1 0 0\nwoman 0 1 0\n");
    Path questions = folder.resolve("q.txt");
    Files.writeString(questions, ": family\nman woman king queen\n");
    Path pairs = folder.resolve("p.txt");
    Files.writeString(pairs, "king man 9\nking queen 5\nman woman 1\n");
    Path copy = folder.resolve("v.safetensors");
    assertEquals(
        List.of("man", "queen", "2", "1 of 1", "1.0"),
        ExampleProgram.run("WordVectors", vectors, questions, pairs, copy));
    assertTrue(Files.exists(copy));
  }

  /** Each says in its head how it is run: by what the command calls it. */
  @Test
  void eachSaysHowItIsRun() throws IOException {
    List<String> heads = new ArrayList<>();
    for (String name : ExampleProgram.names()) {
      String head = Files.readAllLines(ExampleProgram.FOLDER.resolve(name + ".java")).get(1);
      assertTrue(
          head.matches("// [a-z ]+: weft examples run [a-z0-9-]+( .*)?"), name + ": " + head);
      String word = head.replaceAll(".* run ([a-z0-9-]+).*", "$1");
      assertEquals(name.toLowerCase(java.util.Locale.ROOT), word.replace("-", ""));
      heads.add(word);
    }
    assertFalse(heads.isEmpty());
  }
}
