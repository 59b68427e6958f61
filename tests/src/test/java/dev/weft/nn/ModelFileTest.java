// SPDX-License-Identifier: Apache-2.0
package dev.weft.nn;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weft.Device;
import dev.weft.MathMode;
import dev.weft.Operations;
import dev.weft.io.Safetensors;
import dev.weft.support.PagePrograms;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What is saved lasts, and what cannot last is refused. */
class ModelFileTest {
  private static final Path MODELS =
      Path.of(System.getProperty("weft.root")).resolve("tests/src/test/resources/models");
  private static final double[][] X = {{0.5, -1, 2}, {-0.25, 0.125, -3}, {0, 0, 0}};

  private static final int[][] IDS = {{0, 1}, {5, 5}, {3, 2}};

  @TempDir private Path folder;

  /** Each line: the file's name, and two outputs for a row. */
  private static Set<String> predicted(String file, Function<Network, double[][]> predict)
      throws IOException {
    Set<String> names = new TreeSet<>();
    List<String> lines = Files.readAllLines(MODELS.resolve(file));
    assertEquals(0, lines.size() % X.length);
    try (Device device = Device.cpu()) {
      for (int line = 0; line < lines.size(); line += X.length) {
        String name = lines.get(line).split(" ")[0];
        names.add(name + ".safetensors");
        MathMode math = name.equals("options") ? MathMode.DOUBLE : MathMode.STRICT;
        try (Network network =
            Network.load(MODELS.resolve(name + ".safetensors")).on(device, math)) {
          double[][] y = predict.apply(network);
          for (int r = 0; r < X.length; r++) {
            String[] wanted = lines.get(line + r).split(" ");
            for (int c = 0; c < 2; c++) {
              assertEquals(Double.parseDouble(wanted[c + 1]), y[r][c], 1e-5, lines.get(line + r));
            }
          }
        }
      }
    }
    return names;
  }

  @Test
  void filesOfEarlierVersionsPredictTheSame() throws IOException {
    Set<String> names = predicted("predictions.txt", network -> network.scores(X));
    names.addAll(predicted("predictions-of-ids.txt", network -> network.scores(IDS)));
    try (Stream<Path> files = Files.list(MODELS)) {
      assertEquals(
          names,
          files
              .map(file -> file.getFileName().toString())
              .filter(file -> file.endsWith(".safetensors"))
              .collect(Collectors.toCollection(TreeSet::new)));
    }
  }

  /** A line for each layer, or for several with the same settings. */
  @Test
  void thePageOfFilesHasEveryLayer() throws IOException {
    Set<String> page =
        PagePrograms.text("model-files.md")
            .lines()
            .dropWhile(line -> !line.startsWith("| layer |"))
            .skip(2)
            .takeWhile(line -> line.startsWith("| "))
            .flatMap(line -> Stream.of(line.split("\\|")[1].strip().split(", ")))
            .map(word -> word.replace("`", ""))
            .collect(Collectors.toCollection(TreeSet::new));
    assertTrue(page.containsAll(Layers.names()), () -> page + " lacks some of " + Layers.names());
    page.removeAll(Layers.names());
    assertEquals(Set.of(), page, "on the page alone");
  }

  private Path write(String network) throws IOException {
    Path file = folder.resolve("network.safetensors");
    Safetensors.write(file, Map.of(), Map.of("network", network));
    return file;
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      quoteCharacter = '`',
      value = {
        "{\"version\":2,\"model\":{}}; written in version 2; this Weft reads up to 1",
        "{\"model\":{}}; written in version null",
        "{\"version\":1}; not the JSON that Weft writes: a part of it is missing",
        "{\"version\":1,\"model\":{\"layer\":\"swish\"}}; unknown layer 'swish': there are"
            + " activation, batch_norm, concat",
        "{\"version\":1,\"model\":{\"layer\":\"dropout\"}}; dropout lacks its setting 'rate'",
        "{\"version\":1,\"model\":{\"layer\":\"dropout\",\"rate\":\"x\"}}; 'rate' \"x\", which is"
            + " not a number",
        "{\"version\":1,\"model\":{\"layer\":\"flatten\",\"axis\":1}}; has settings that nobody"
            + " reads: axis",
        "{\"version\":1,\"model\":{\"layer\":\"residual\"}}; residual needs Layer 'body', and has"
            + " none",
        "{\"version\":1,\"model\":{\"same\":\"3\"}}; does not come before it",
        "{\"version\":1,\"model\":{\"layer\":\"flatten\"},\"frozen\":[\"x\"]}; freezes \"x\", which"
            + " it does not have",
        "{\"version\":1,; not the JSON that Weft writes: End of input",
      })
  void aFileThatNamesNoModelSaysWhy(String network, String words) throws IOException {
    Path file = write(network);
    IOException e = assertThrows(IOException.class, () -> Network.load(file));
    assertTrue(e.getMessage().contains(words), e.getMessage());
    assertTrue(e.getMessage().startsWith(file.toString()), e.getMessage());
  }

  @Test
  void everythingThatDecidesTheResultIsInTheFile() throws IOException {
    Path file = folder.resolve("all.safetensors");
    Embedding embedding =
        new Embedding(5, 4, Initializers.uniform(-0.5, 0.5), Embedding.Gradient.DENSE);
    Sequential network =
        Sequential.of(
            new Select("words"),
            embedding,
            new LayerNorm(4, 0.01),
            Residual.of(new Linear(4, 4, Initializers.normal(0, 0.1), Linear.Bias.WITHOUT)),
            Concat.of(Activation.leakyRelu(0.3), new Dropout(0.25)),
            Parallel.of(new Linear(8, 4), new Linear(8, 4)),
            new TiedLinear(embedding));
    network.freeze("1.*");
    try (Device device = Device.cpu()) {
      network.on(device);
      network.save(file);
      String first = Safetensors.read(file).metadata().get("network");
      Network again = Network.load(file);
      Path copy = folder.resolve("copy.safetensors");
      again.save(copy);
      assertEquals(first, Safetensors.read(copy).metadata().get("network"));
      assertTrue(first.contains("\"initializer\":\"uniform(-0.5,0.5)\""), first);
      assertTrue(first.contains("\"rate\":0.25"), first);
      assertTrue(first.contains("{\"same\":\"1\"}"), first);
      network.close();
    }
  }

  @Test
  void whatCouldNotBeMadeAgainIsNotSaved() throws IOException {
    Path file = folder.resolve("network.safetensors");
    Sequential network = Sequential.of(new Linear(2, 2), Lambda.of("squares", Operations::square));
    try (Device device = Device.cpu()) {
      network.on(device);
      IllegalStateException e = assertThrows(IllegalStateException.class, () -> network.save(file));
      assertTrue(e.getMessage().contains("squares cannot be written to a file"), e.getMessage());
      assertFalse(Files.exists(file));
      network.saveValues(file);
      float[] before = network.named().get("0.weight").tensor().toFloats();
      network.named().get("0.weight").tensor().fill(0);
      network.loadValues(file);
      assertArrayEquals(before, network.named().get("0.weight").tensor().toFloats());
      assertThrows(IOException.class, () -> Network.load(file));
      assertThrows(IOException.class, () -> Sequential.of(new Linear(3, 2)).loadValues(file));
      network.close();
    }
  }

  @Test
  void aNameBelongsToOneClass() {
    IllegalArgumentException e =
        assertThrows(
            IllegalArgumentException.class,
            () -> Layers.register("linear", Lambda.class, settings -> null));
    assertEquals("'linear' is the name of dev.weft.nn.Linear already", e.getMessage());
    e =
        assertThrows(
            IllegalArgumentException.class,
            () -> Layers.register("other", Flatten.class, settings -> new Flatten()));
    assertEquals("dev.weft.nn.Flatten is registered as 'flatten' already", e.getMessage());
  }
}
