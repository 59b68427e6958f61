// SPDX-License-Identifier: Apache-2.0
package dev.weft.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weft.support.SourceFile;
import java.io.File;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A class that is not Weft's is loaded, made and checked, or it is said why it cannot be. */
class UserClassTest {
  @TempDir private Path folder;
  private Path classes;

  @BeforeEach
  void make() throws IOException {
    classes = Files.createDirectory(folder.resolve("classes"));
    Files.createDirectory(folder.resolve("empty"));
  }

  private void compile(String name, String body) throws IOException {
    Path source = folder.resolve(name + ".java");
    Files.writeString(
        source,
        """
        package my;
        import dev.weft.*;
        import dev.weft.check.*;
        import dev.weft.nn.*;
        import java.util.Map;
        """
            + body);
    assertEquals("", SourceFile.compile(source, classes));
  }

  private Weft.Run check(Object... more) {
    return Weft.run(
        Stream.concat(Stream.of("gradcheck", "-cp", classes, "--class"), Stream.of(more))
            .toArray());
  }

  /** What the user's own code threw has the name of its class, as Java has it. */
  private static void threw(Weft.Run run, String words) {
    assertEquals(Main.FAILURE, run.code());
    assertTrue(run.err().startsWith("weft: " + words), run.err());
    assertEquals(1, run.err().lines().count(), run.err());
  }

  private void compileNet() throws IOException {
    compile(
        "Net",
        """
        public class Net implements Layer {
          private final Linear hidden = new Linear(3, 5);
          private final Linear out = new Linear(5, 2);
          public Map<String, Model> children() { return Map.of("hidden", hidden, "out", out); }
          public Tensor forward(Operations o, Tensor x) {
            return out.forward(o, o.tanh(hidden.forward(o, x)));
          }
          public RowType output(RowType row) { return out.output(hidden.output(row)); }
        }
        """);
  }

  @Test
  void parametersAndInputOfALayerAreChecked() throws IOException {
    compileNet();
    List<String> rows =
        check("my.Net", "--input", "4,3", "--seed", 3).succeeded().out().lines().toList();
    assertEquals(7, rows.size());
    for (String name : List.of("hidden.weight", "hidden.bias", "out.weight", "out.bias", "input")) {
      assertTrue(
          rows.stream().anyMatch(row -> row.startsWith(name + " ") && row.endsWith("  ok")),
          rows::toString);
    }
    assertEquals("the gradient is right", rows.getLast());
    check("my.Net", "--input", "4,7")
        .failed(Main.WRONG_USE, "my.Net, given [4, 7]: Linear(3, 5) got x of shape [4, 7]");
    check("my.Net", "--input", "4,3", "--input", "4,3")
        .failed(Main.WRONG_USE, "a model takes one --input, its features; there are 2");
  }

  @Test
  void aWrongGradientOfAParameterIsSaidByItsName() throws IOException {
    compile(
        "Lost",
        """
        public class Lost implements Layer {
          private final Linear linear = new Linear(3, 2);
          public Map<String, Model> children() { return Map.of("linear", linear); }
          public Tensor forward(Operations o, Tensor x) {
            Tensor y = linear.forward(o, x);
            return o.add(y, o.withoutGradient(() -> o.square(linear.forward(o, x))));
          }
          public RowType output(RowType row) { return linear.output(row); }
        }
        """);
    Weft.Run run = check("my.Lost", "--input", "4,3", "--seed", 3);
    assertEquals(Main.FAILURE, run.code());
    assertTrue(run.out().contains("\nlinear.weight [3, 2]: WRONG, "), run.out());
    assertTrue(run.out().contains("\ninput [4, 3]: WRONG, "), run.out());
  }

  @Test
  void aWrongGradientFails() throws IOException {
    compile(
        "Wrong",
        """
        public class Wrong implements TensorFunction {
          public Tensor apply(Operations o, Tensor[] in) {
            return o.multiply(in[0], o.withoutGradient(() -> o.scale(in[1], 1)));
          }
        }
        """);
    Weft.Run run = check("my.Wrong", "--input", 3, "--input", 3);
    assertEquals(Main.FAILURE, run.code());
    List<String> rows = run.out().lines().toList();
    assertTrue(rows.get(1).startsWith("input 0 ") && rows.get(1).endsWith("  ok"), run.out());
    assertTrue(rows.get(2).startsWith("input 1 ") && rows.get(2).endsWith("  WRONG"), run.out());
    assertTrue(run.out().contains("analytic 0.00000000000, numeric 0."), run.out());
    assertEquals("the gradient could not be confirmed", rows.getLast());
  }

  @Test
  void aClassWithTheMethodAloneIsChecked() throws IOException {
    compile(
        "Product",
        """
        public class Product {
          private Product() {}
          public static Tensor apply(Operations o, Tensor[] in) {
            return o.sum(o.multiply(in[0], o.exp(in[1])));
          }
        }
        """);
    check("my.Product", "--input", 3, "--input", 3).succeeded();
    threw(
        check("my.Product", "--input", 3),
        "my.Product threw java.lang.ArrayIndexOutOfBoundsException: Index 1 out of bounds for"
            + " length 1, at my.Product.apply(Product.java:");
  }

  @Test
  void idsAreLookedUp() throws IOException {
    compile(
        "Table",
        """
        public class Table implements Layer {
          private final Embedding table = new Embedding(9, 2);
          public Map<String, Model> children() { return Map.of("table", table); }
          public Tensor forward(Operations o, Tensor x) { return table.forward(o, x); }
          public RowType output(RowType row) { return table.output(row); }
        }
        """);
    String out = check("my.Table", "--input", "4,3", "--ids", 9).succeeded().out();
    assertTrue(out.contains("\ntable.table "), out);
  }

  /** A bundle has these modules and no more. */
  @Test
  void jarsAreReadByTheJavaOfABundle() throws Exception {
    compileNet();
    Path jar = folder.resolve("net.jar");
    try (OutputStream out = Files.newOutputStream(jar);
        JarOutputStream entries = new JarOutputStream(out)) {
      entries.putNextEntry(new JarEntry("my/Net.class"));
      Files.copy(classes.resolve("my/Net.class"), entries);
      entries.closeEntry();
    }
    ProcessBuilder builder =
        Weft.process(
            Main.class.getName(),
            "gradcheck",
            "--class",
            "my.Net",
            "-cp",
            folder.resolve("empty") + File.pathSeparator + jar,
            "--input",
            "4,3");
    builder.command().add(1, "--limit-modules=java.base,java.logging,jdk.unsupported");
    Process process = builder.redirectErrorStream(true).start();
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertEquals(0, process.waitFor(), said);
    assertTrue(said.endsWith("the gradient is right\n"), said);
  }

  @Test
  void whatCannotBeMadeIsSaid() throws IOException {
    check("my.None", "--input", 3)
        .failed(Main.WRONG_USE, "there is no class my.None in " + classes);
    compile("Other", "public class Other {}");
    check("my.Other", "--input", 3)
        .failed(Main.WRONG_USE, "my.Other is no dev.weft.nn.Model or Layer and no dev.weft.check");
    compile("Open", "public interface Open extends Layer {}");
    check("my.Open", "--input", 3).failed(Main.WRONG_USE, "my.Open is an interface: name a class");
    String method = "public Tensor apply(Operations o, Tensor[] in) { return o.sum(in[0]); }\n";
    compile(
        "Sized", "public class Sized { public Sized(int n) {} Sized(String s) {}" + method + "}");
    check("my.Sized", "--input", 3)
        .failed(
            Main.WRONG_USE,
            "my.Sized has no public constructor without arguments; there is Sized(int), non-public"
                + " Sized(String): add one");
    compile("Hidden", "class Hidden { public Hidden() {}" + method + "}");
    check("my.Hidden", "--input", 3).failed(Main.WRONG_USE, "my.Hidden is not public");
    compile(
        "Throwing",
        "public class Throwing { public Throwing() { int[] a = {}; a[3] = 1; }" + method + "}");
    threw(
        check("my.Throwing", "--input", 3),
        "the constructor of my.Throwing threw java.lang.ArrayIndexOutOfBoundsException: Index 3 out"
            + " of bounds for length 0, at my.Throwing.<init>(Throwing.java:");
    compile(
        "Needing",
        "public class Needing { Needed n = new Needed(); public Needing() {}"
            + method
            + "} class Needed {}");
    Files.delete(classes.resolve("my/Needed.class"));
    check("my.Needing", "--input", 3)
        .failed(Main.FAILURE, "my.Needing needs the class my.Needed, which is not in " + classes);
    compile(
        "Static", "public class Static { static { Object o = null; o.hashCode(); }" + method + "}");
    threw(
        check("my.Static", "--input", 3),
        "a static initializer of my.Static threw java.lang.NullPointerException: ");
    Path absent = folder.resolve("absent.jar");
    Weft.run("gradcheck", "--class", "A", "-cp", absent, "--input", 3)
        .failed(Main.FAILURE, absent + ": there is no such file");
  }

  @Test
  void optionsWithoutEffectAreRefused() {
    Weft.run("gradcheck", "--class", "A").failed(Main.WRONG_USE, "--class A needs -cp PATH");
    Weft.run("gradcheck", "--class", "A", "-cp", ".").failed(Main.WRONG_USE, "needs --input SIZES");
    Weft.run("gradcheck", "-cp", ".").failed(Main.WRONG_USE, "-cp is for --class NAME: leave it");
    Weft.run("gradcheck", "--three-ways", "--seed", 1).failed(Main.WRONG_USE, "--seed is for");
    Weft.run("gradcheck", "--three-ways", "--only", "a").failed(Main.WRONG_USE, "--only is about");
    Weft.run("gradcheck", "--class", "A", "--three-ways").failed(Main.WRONG_USE, "leave --three");
    check("A", "--input", "4,x").failed(Main.WRONG_USE, "--input 4,x: sizes are whole numbers");
    check("A", "--input", "0").failed(Main.WRONG_USE, "--input 0: sizes are whole numbers above 0");
    check("A", "--input", "4", "--ids", 0).failed(Main.WRONG_USE, "--ids must be at least 1");
  }

  @Test
  void threeWaysAreATableWithTheFormulasByHand() {
    List<String> lines = Weft.run("gradcheck", "--three-ways").succeeded().out().lines().toList();
    assertTrue(
        lines.contains(
            "                                                                               (z, z,"
                + " x + y)"),
        lines::toString);
    assertTrue(lines.getLast().matches("(\\d+) of \\1 gradients agree in three ways"));
  }
}
