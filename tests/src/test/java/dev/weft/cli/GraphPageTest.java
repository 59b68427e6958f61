// SPDX-License-Identifier: Apache-2.0
package dev.weft.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weft.support.SourceFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What docs/differentiation.md says of graphs and classes is run, and its pictures are drawn. */
class GraphPageTest {
  private static final Path DOCS = Path.of(System.getProperty("weft.root"), "docs");
  private static final Pattern FENCE = Pattern.compile("```(java)?\n(.*?)```", Pattern.DOTALL);
  private static final Pattern WORD = Pattern.compile("\"([^\"]*)\"|(\\S+)");
  private static final Pattern PICTURE = Pattern.compile("\\]\\(pictures/([a-z]+\\.svg)\\)");

  @TempDir private Path folder;

  private static String page() throws IOException {
    return Files.readString(DOCS.resolve("differentiation.md"));
  }

  private static List<String> commands() throws IOException {
    return FENCE
        .matcher(page())
        .results()
        .filter(fence -> fence.group(1) == null)
        .flatMap(fence -> fence.group(2).lines())
        .filter(line -> line.matches("weft (graph|gradcheck --(three-ways|class)).*"))
        .toList();
  }

  @Test
  void itsCommandsRunAndDrawItsPictures() throws IOException {
    Path classes = Files.createDirectory(folder.resolve("classes"));
    compile(
        "Net",
        """
        package my;
        import dev.weft.*;
        import dev.weft.nn.*;
        public class Net implements Layer {
          public Tensor forward(Operations o, Tensor x) { return o.tanh(x); }
          public RowType output(RowType row) { return row; }
        }
        """,
        classes);
    compile(
        "Product",
        """
        package my;
        import dev.weft.*;
        public class Product {
          public static Tensor apply(Operations o, Tensor[] in) { return o.multiply(in[0], in[1]); }
        }
        """,
        classes);
    Set<String> drawn = new HashSet<>();
    for (String command : commands()) {
      Object[] words =
          WORD.matcher(command)
              .results()
              .map(word -> word.group(1) == null ? placed(word.group(2)) : word.group(1))
              .skip(1)
              .toArray();
      Weft.run(words).succeeded();
      for (String name : command.split(" ")) {
        if (name.endsWith(".svg")) {
          drawn.add(name);
          assertEquals(
              Files.readString(folder.resolve(name)),
              Files.readString(DOCS.resolve("pictures").resolve(name)),
              "docs/pictures/" + name + " is not what the code draws; draw it there: " + command);
        }
      }
    }
    Set<String> shown = new HashSet<>();
    PICTURE.matcher(page()).results().forEach(picture -> shown.add(picture.group(1)));
    assertTrue(drawn.containsAll(shown), () -> shown + " of which are drawn " + drawn);
    assertEquals(5, drawn.size(), drawn::toString);
  }

  private String placed(String word) {
    return word.endsWith(".svg") || word.equals("classes") ? folder.resolve(word) + "" : word;
  }

  private void compile(String name, String source, Path classes) throws IOException {
    Path file = folder.resolve(name + ".java");
    Files.writeString(file, source);
    assertEquals("", SourceFile.compile(file, classes));
  }

  @Test
  void itsProgramDrawsALoss() throws Exception {
    List<String> bodies =
        FENCE
            .matcher(page())
            .results()
            .map((MatchResult fence) -> fence.group(1) == null ? "" : fence.group(2))
            .filter(body -> body.contains("tape.draw("))
            .toList();
    assertEquals(1, bodies.size());
    Path picture = folder.resolve("loss.svg");
    Path source = folder.resolve("Drawing.java");
    Files.writeString(
        source,
        """
        import dev.weft.*;
        import dev.weft.graph.*;
        import java.nio.file.Path;
        public class Drawing { public static void main(String[] args) throws Exception {
        """
            + bodies.getFirst().replace("\"loss.svg\"", "args[0]")
            + "}}");
    String printed = SourceFile.run(source, folder, picture.toString());
    assertTrue(printed.lines().toList().getLast().matches("loss +Σ +#2 +F32 +10 +1"), printed);
    assertTrue(Files.exists(picture));
  }
}
