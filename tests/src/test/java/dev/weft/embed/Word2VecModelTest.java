// SPDX-License-Identifier: Apache-2.0
package dev.weft.embed;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weft.Device;
import dev.weft.io.FormatException;
import dev.weft.io.Safetensors;
import dev.weft.text.Corpus;
import dev.weft.text.HuffmanTree;
import dev.weft.text.TextReader;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class Word2VecModelTest {
  @TempDir Path folder;

  /** Sentences of words that are rarer the higher their number. */
  private static String text(String prefix, int sentences, int words) {
    Random random = new Random(5);
    StringBuilder text = new StringBuilder();
    for (int s = 0; s < sentences; s++) {
      for (int w = 0; w < 9; w++) {
        double rare = random.nextDouble();
        text.append(prefix).append((int) (rare * rare * words)).append(' ');
      }
      text.append('\n');
    }
    return text.toString();
  }

  private static Corpus read(TextReader reader, String text) {
    try {
      return reader.read(new ByteArrayInputStream(text.getBytes(StandardCharsets.UTF_8)));
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  private static Corpus corpus() {
    return read(TextReader.lines(), text("wört", 3000, 40));
  }

  private static Word2Vec form(String name) {
    Word2Vec model = name.startsWith("cbow") ? Word2Vec.cbow() : Word2Vec.skipGram();
    return (name.endsWith("tree")
            ? model.hierarchicalSoftmax()
            : name.endsWith("full") ? model.fullSoftmax() : model)
        .dimension(20)
        .sample(0.01)
        .epochs(3)
        .inOrder();
  }

  private static byte[] bytes(MemorySegment memory) {
    return memory.toArray(ValueLayout.JAVA_BYTE);
  }

  private static void assertSame(Word2VecModel expected, Word2VecModel found) {
    assertEquals(expected.settings(), found.settings());
    assertEquals(expected.vocabulary(), found.vocabulary());
    assertEquals(expected.position(), found.position());
    assertArrayEquals(bytes(expected.input()), bytes(found.input()));
    assertArrayEquals(bytes(expected.output()), bytes(found.output()));
    HuffmanTree tree = expected.tree();
    if (tree != null) {
      HuffmanTree other = found.tree();
      assertNotNull(other);
      assertArrayEquals(tree.offsets(), other.offsets());
      assertArrayEquals(tree.nodes(), other.nodes());
      assertArrayEquals(tree.bits(), other.bits());
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"pairs", "cbow tree", "cbow full"})
  void aFileHoldsAllOfAModel(String name) throws IOException {
    Path file = folder.resolve("model.safetensors");
    try (Device device = Device.cpu();
        Corpus corpus = corpus();
        Word2VecTraining training = form(name).start(device, corpus)) {
      training.step();
      training.step();
      Word2VecModel model = training.model();
      assertEquals(corpus.size(), model.tokens(), "the text is two pieces");
      assertEquals(corpus.size() * 3, model.ofTokens());
      assertEquals(name.endsWith("tree") ? 39 : 40, model.outputs());
      model.save(file);
      Word2VecModel again = Word2VecModel.read(file);
      assertSame(model, again);
      try (Vectors vectors = Vectors.open(file);
          Vectors own = again.vectors()) {
        assertArrayEquals(training.vector("wört3"), vectors.vector("wört3"));
        assertArrayEquals(training.vector("wört3"), own.vector("wört3"));
        assertEquals(corpus.vocabulary().count(3), vectors.count(vectors.word(3)).orElseThrow());
      }
    }
  }

  @Test
  void aModelIsAsItWasWhenItWasTaken() {
    try (Device device = Device.cpu();
        Corpus corpus = corpus();
        Word2VecTraining training = form("pairs").start(device, corpus)) {
      Word2VecModel model = training.model();
      byte[] before = bytes(model.input());
      training.step();
      assertArrayEquals(before, bytes(model.input()));
      assertEquals(0, model.tokens());
    }
  }

  private interface Change {
    void apply(Map<String, Safetensors.Entry> tensors, Map<String, String> metadata);
  }

  private String refused(Change change) throws IOException {
    Path file = folder.resolve("model.safetensors");
    try (Device device = Device.cpu();
        Corpus corpus = corpus();
        Word2VecTraining training = form("cbow tree").start(device, corpus)) {
      training.model().save(file);
    }
    Safetensors.Contents contents = Safetensors.read(file);
    Map<String, Safetensors.Entry> tensors = new LinkedHashMap<>(contents.tensors());
    Map<String, String> metadata = new LinkedHashMap<>(contents.metadata());
    change.apply(tensors, metadata);
    Safetensors.write(file, tensors, metadata);
    String message =
        assertThrows(FormatException.class, () -> Word2VecModel.read(file)).getMessage();
    assertTrue(message.startsWith(file + ", byte 0: "), message);
    return message;
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "format | weft.vectors | say format weft.vectors, expected weft.word2vec",
        "dimension | ten | the setting dimension is 'ten', expected a number",
        "dimension | 30 | tensor vectors is F32 of shape [40, 20], expected F32 of [40, 30]",
        "window | 99 | the window is 99, expected 1 to 64",
        "objective | GUESS | the setting objective is 'GUESS', expected one of [NEGATIVE_SAMPLING,",
        "tokens | -1 | the metadata say tokens -1, expected a whole number",
        "tokens | 999999 | 999,999 tokens are trained, of 3 readings of a text of 30,000",
        "text_tokens | 0 | 0 tokens are trained, of 3 readings of a text of 0",
      })
  void metadataThatAreWrongAreNamed(String key, String value, String expected) throws IOException {
    String message = refused((tensors, metadata) -> metadata.put(key, value));
    assertTrue(message.contains(expected), message);
  }

  @ParameterizedTest
  @ValueSource(strings = {"seed", "text_checksum"})
  void metadataThatAreMissingAreNamed(String key) throws IOException {
    String message = refused((tensors, metadata) -> metadata.remove(key));
    assertTrue(message.contains(key), message);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "vectors",
        "contexts",
        "words",
        "counts",
        "path_offsets",
        "path_nodes",
        "path_bits"
      })
  void tensorsThatAreMissingOrOthersAreNamed(String name) throws IOException {
    assertTrue(
        refused((tensors, metadata) -> tensors.remove(name))
            .endsWith("the tensor " + name + " is not there"));
    Safetensors.Entry other =
        new Safetensors.Entry("U8", new long[] {3}, MemorySegment.ofArray(new byte[] {66, 10, 0}));
    assertTrue(
        refused((tensors, metadata) -> tensors.put(name, other)).contains("model of word2vec"));
  }

  @Test
  void pathsThatAreNoTreeAreRefused() throws IOException {
    String message =
        refused(
            (tensors, metadata) -> {
              Safetensors.Entry nodes = tensors.get("path_nodes");
              int[] numbers = nodes.data().toArray(ValueLayout.JAVA_INT_UNALIGNED);
              numbers[numbers.length - 1] = 99;
              tensors.put(
                  "path_nodes",
                  new Safetensors.Entry("I32", nodes.shape(), MemorySegment.ofArray(numbers)));
            });
    assertTrue(message.contains("the path of word 39 is none in the tree"), message);
  }

  @Test
  void aFileThatIsCutOrNoneIsSaid() throws IOException {
    Path file = folder.resolve("model.safetensors");
    try (Device device = Device.cpu();
        Corpus corpus = corpus();
        Word2VecTraining training = form("pairs").start(device, corpus)) {
      training.model().save(file);
    }
    byte[] all = Files.readAllBytes(file);
    Files.write(file, Arrays.copyOf(all, all.length - 9));
    assertTrue(
        assertThrows(FormatException.class, () -> Word2VecModel.read(file))
            .getMessage()
            .contains("the file is cut short"));
    Files.writeString(file, "no safetensors at all");
    assertThrows(FormatException.class, () -> Word2VecModel.read(file));
  }
}
