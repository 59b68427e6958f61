// SPDX-License-Identifier: Apache-2.0
package dev.weft.embed;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeout;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weft.Device;
import dev.weft.device.ChildJvm;
import dev.weft.io.FormatException;
import dev.weft.text.Corpus;
import dev.weft.text.TextReader;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What users of other libraries of word vectors reported, tried here. */
class EmbeddingReportsTest {
  @TempDir Path folder;

  private static Corpus corpus(TextReader reader, String text) throws IOException {
    return reader.read(new ByteArrayInputStream(text.getBytes(UTF_8)));
  }

  /**
   * gensim #2735, #3405: a sum in float32 stops to grow. Sentences of two words: the mean of the
   * objective tends to the entropy of a word that is given the other one, and never falls below.
   */
  @Test
  void theLossOfTheSixtiethEpochIsStillAMean() throws IOException {
    String[] words = {"a", "b", "c", "d", "e", "f"};
    double[][] both = new double[words.length][words.length];
    Random random = new Random(5);
    StringBuilder text = new StringBuilder();
    int sentences = 20_000;
    for (int s = 0; s < sentences; s++) {
      int i = random.nextInt(words.length);
      int j = random.nextInt(1 + random.nextInt(words.length));
      text.append(words[i]).append(' ').append(words[j]).append('\n');
      both[i][j] += 0.5 / sentences;
      both[j][i] += 0.5 / sentences;
    }
    double entropy = 0;
    for (double[] row : both) {
      double given = Arrays.stream(row).sum();
      for (double each : row) {
        entropy -= each == 0 ? 0 : each * Math.log(each / given);
      }
    }
    List<Double> losses = new ArrayList<>();
    try (Device device = Device.cpu();
        Corpus corpus = corpus(TextReader.lines(), text.toString());
        Word2VecTraining training =
            Word2Vec.skipGram()
                .fullSoftmax()
                .dimension(16)
                .window(1)
                .sample(0)
                .rate(0.05)
                .epochs(60)
                .start(device, corpus)) {
      double sum = 0;
      long before = 0;
      boolean more = true;
      while (more) {
        more = training.step();
        Word2VecTraining.Progress piece = training.progress();
        sum += piece.loss() * (piece.tokens() - before);
        before = piece.tokens();
        if (piece.epoch() > losses.size()) {
          losses.add(sum / corpus.size());
          sum = 0;
        }
      }
    }
    double last = losses.getLast();
    assertTrue(last > entropy - 1e-3 && last < entropy + 0.01, last + ", entropy " + entropy);
    assertEquals(60, losses.stream().distinct().count(), "one loss is like another");
  }

  /** gensim #2881, #388: files of others hold tokens at whose white space readers split. */
  @ParameterizedTest
  @ValueSource(strings = {"a\u00A0b", "a\u0085b", "a\u3000b", "a\tb", "a b", "\u2028"})
  void tokensThatHoldWhiteSpaceAreRead(String word) throws IOException {
    String rows = "the 1 2\n" + word + " 3 4\nof 5 6\nin 7 8\n";
    for (Path path :
        List.of(
            Files.writeString(folder.resolve("v.txt"), "4 2\n" + rows),
            Files.writeString(folder.resolve("v.glove"), rows))) {
      try (Vectors vectors = Vectors.open(path)) {
        assertArrayEquals(new float[] {3, 4}, vectors.vector(word), path.toString());
        assertArrayEquals(new float[] {5, 6}, vectors.vector("of"), path.toString());
        Path copy = folder.resolve("copy");
        assertThrows(IllegalArgumentException.class, () -> vectors.write(copy, VectorFormat.GLOVE));
        assertTrue(Files.notExists(copy));
      }
    }
  }

  /** fastText #63: two lines, of which no word is frequent enough, and training hangs. */
  @Test
  void noWordThatIsFrequentEnoughIsSaidAtOnce() {
    TextReader reader = TextReader.lines().minCount(5);
    String said =
        assertTimeout(
            Duration.ofSeconds(1),
            () ->
                assertThrows(IOException.class, () -> corpus(reader, "one two\nthree two\n"))
                    .getMessage());
    assertTrue(said.contains("no word occurs 5 times, the min-count; the most"), said);
  }

  /** fastText #465: a setting that cannot be aborts the process. */
  @Test
  void afterASettingThatCannotBeTheDeviceGoesOn() throws IOException {
    try (Device device = Device.cpu();
        Corpus one = corpus(TextReader.lines(), "so so\n");
        Corpus text = corpus(TextReader.lines(), "a b a c\nb c a b\n")) {
      long before = device.memory().live();
      assertThrows(IllegalArgumentException.class, () -> Word2Vec.cbow().dimension(-3));
      assertThrows(
          IllegalArgumentException.class, () -> Word2Vec.skipGram().start(device, one).close());
      Word2Vec all = Word2Vec.skipGram().dimension(4).sample(0);
      Word2VecTraining failing = all.rate(1e38).epochs(50).start(device, text);
      String said = assertThrows(IllegalStateException.class, failing::finish).getMessage();
      assertTrue(said.contains("not finite"), said);
      failing.close();
      assertEquals(before, device.memory().live());
      try (Word2VecTraining training = all.start(device, text)) {
        training.finish();
        assertTrue(Float.isFinite(training.vector("a")[0]));
      }
    }
  }

  /** A line of 100 MB, in files that take no room. */
  @ParameterizedTest
  @ValueSource(strings = {"WORD2VEC_TEXT", "GLOVE"})
  void aLineWithoutEndIsRefused(VectorFormat format) throws IOException {
    Path path = folder.resolve("line");
    try (RandomAccessFile file = new RandomAccessFile(path.toFile(), "rw")) {
      file.setLength(100_000_000);
    }
    String said =
        assertThrows(FormatException.class, () -> Vectors.open(path, format)).getMessage();
    assertTrue(said.contains("line 1 has more than 16,777,216 bytes: not text of word"), said);
  }

  /** In a process that may write files of 64 KiB, which a full disk is like. */
  @Test
  void aFullDiskLeavesTheOldFile() throws Exception {
    Path path = Files.writeString(folder.resolve("v.bin"), "old");
    Path java = Path.of(System.getProperty("java.home"), "bin", "java");
    Process process =
        new ProcessBuilder(
                "bash",
                "-c",
                "ulimit -f 64; exec \"$@\"",
                "bash",
                java.toString(),
                "-XX:-UsePerfData",
                "-XX:TieredStopAtLevel=1",
                "-cp",
                System.getProperty("java.class.path"),
                VectorsMain.class.getName(),
                "write",
                path.toString())
            .redirectErrorStream(true)
            .start();
    String said = new String(process.getInputStream().readAllBytes(), UTF_8).strip();
    assertEquals(0, process.waitFor(), said);
    assertTrue(said.endsWith("FileSystemException: " + path + ": File too large"), said);
    assertEquals("old", Files.readString(path));
    try (Stream<Path> left = Files.list(folder)) {
      assertEquals(List.of(path), left.toList());
    }
  }

  /** gensim #2183, #2883: vectors that are mapped become each process's own once they are asked. */
  @Test
  void processesShareTheVectorsThatTheyAsk() throws IOException {
    assertShared(2, 32_000, 2_000);
  }

  @Tag("long")
  @Test
  void fourProcessesShareOneGigabyte() throws IOException {
    assertShared(4, 500_000, 500);
  }

  private void assertShared(int processes, int words, int dimension) throws IOException {
    Path path = sparse(words, dimension);
    List<CompletableFuture<String>> all =
        IntStream.range(0, processes)
            .mapToObj(
                i ->
                    CompletableFuture.supplyAsync(
                        () ->
                            new ChildJvm(VectorsMain.class)
                                .option("-Xmx64m")
                                .run("ask", path.toString())))
            .toList();
    for (CompletableFuture<String> each : all) {
      String said = each.join().strip();
      assertTrue(said.matches("w" + (words - 1) + " \\d+"), said);
      long own = Long.parseLong(said.split(" ")[1]);
      assertTrue(own > 1_000 && own < 100_000, own + " KiB are this process's own");
    }
  }

  /** Rows of zeros but for the first and the last one, which are alike, in a file with holes. */
  private Path sparse(int words, int dimension) throws IOException {
    Path path = folder.resolve("sparse.npy");
    Vectors.of(List.of("w"), new float[1][dimension]).write(path, VectorFormat.NPY);
    String header =
        Files.readString(path, ISO_8859_1)
            .substring(10, 128)
            .replaceFirst("\\(1, .*?\\), }\\s*", "(" + words + ", " + dimension + "), }");
    try (FileChannel channel = FileChannel.open(path, StandardOpenOption.WRITE)) {
      header += " ".repeat(117 - header.length()) + "\n";
      channel.write(ByteBuffer.wrap(header.getBytes(UTF_8)), 10);
      ByteBuffer one = ByteBuffer.wrap(new byte[] {0, 0, (byte) 0x80, 0x3F});
      channel.write(one.duplicate(), 128);
      channel.write(one, 128 + 4L * (words - 1) * dimension);
      channel.write(ByteBuffer.allocate(1), 128 + 4L * words * dimension - 1);
    }
    Files.write(
        folder.resolve("sparse.vocab"),
        (Iterable<String>) IntStream.range(0, words).mapToObj(i -> "w" + i)::iterator);
    return path;
  }

  /** apache/spark #10103: more rows times numbers than an int counts. */
  @Tag("long")
  @Test
  void thirtyMillionWordsAreMapped() throws IOException {
    try (Vectors vectors = Vectors.open(sparse(30_000_000, 100))) {
      assertEquals(30_000_000, vectors.size());
      assertEquals(1, vectors.vector("w29999999")[0]);
      assertEquals("w29999999", vectors.neighbours("w0", 1).getFirst().word());
    }
  }
}
