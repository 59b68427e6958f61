// SPDX-License-Identifier: Apache-2.0
package dev.weft.embed;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.weft.io.FormatException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Files of word vectors are read as an obvious reader reads them, and read back as written. */
class VectorFilesTest {
  @TempDir Path folder;

  /** A row for each word, by a reader that knows only what {@code String.split} does. */
  private static Map<String, float[]> slowText(Path path, boolean header) throws IOException {
    List<String> lines = Files.readAllLines(path);
    Map<String, float[]> rows = new LinkedHashMap<>();
    for (String line : lines.subList(header ? 1 : 0, lines.size())) {
      String[] parts = line.stripTrailing().split(" ");
      float[] row = new float[parts.length - 1];
      for (int i = 0; i < row.length; i++) {
        row[i] = Float.parseFloat(parts[i + 1]);
      }
      rows.putIfAbsent(parts[0], row);
    }
    return rows;
  }

  private static Map<String, float[]> slowBinary(Path path) throws IOException {
    ByteBuffer file = ByteBuffer.wrap(Files.readAllBytes(path)).order(ByteOrder.LITTLE_ENDIAN);
    int count = Integer.parseInt(until(file, ' '));
    int dimension = Integer.parseInt(until(file, '\n'));
    Map<String, float[]> rows = new LinkedHashMap<>();
    for (int i = 0; i < count; i++) {
      String word = until(file, ' ').replaceFirst("^\n", "");
      float[] row = new float[dimension];
      for (int j = 0; j < dimension; j++) {
        row[j] = file.getFloat();
      }
      rows.putIfAbsent(word, row);
    }
    return rows;
  }

  private static String until(ByteBuffer file, char end) {
    int from = file.position();
    while (file.get() != end) {
      // reads on
    }
    return new String(file.array(), from, file.position() - 1 - from, StandardCharsets.UTF_8);
  }

  private static void assertHolds(Map<String, float[]> expected, Vectors vectors) {
    assertEquals(expected.size(), vectors.size());
    int i = 0;
    for (Map.Entry<String, float[]> row : expected.entrySet()) {
      assertEquals(row.getKey(), vectors.word(i));
      assertEquals(i, vectors.indexOf(row.getKey()));
      assertArrayEquals(row.getValue(), vectors.vector(i), row.getKey());
      i++;
    }
  }

  private static Map<String, float[]> rows(Vectors vectors) {
    Map<String, float[]> rows = new LinkedHashMap<>();
    for (int i = 0; i < vectors.size(); i++) {
      rows.put(vectors.word(i), vectors.vector(i));
    }
    return rows;
  }

  private static Path gensim(String name) {
    String data = System.getenv("WEFT_DATA");
    assumeTrue(
        data != null && !data.isEmpty(),
        "WEFT_DATA is not set; it names the folder with model-files/");
    return Path.of(data, "model-files", "gensim", name);
  }

  private Path file(VectorFormat format) {
    return folder.resolve("copy." + format.name());
  }

  private void assertGoesRound(Vectors vectors) throws IOException {
    Map<String, float[]> expected = rows(vectors);
    for (VectorFormat format : VectorFormat.values()) {
      Path copy = file(format);
      vectors.write(copy, format);
      assertEquals(Optional.of(format), VectorFormat.of(copy));
      try (Vectors read = Vectors.open(copy)) {
        assertHolds(expected, read);
        assertEquals(0, read.duplicates());
      }
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "crime-and-punishment.vec",
        "high_precision.kv.txt",
        "lee_fasttext.vec",
        "toy-model.vec",
        "word2vec_pre_kv_c"
      })
  void textOfOthersIsReadAndGoesRound(String name) throws IOException {
    Path path = gensim(name);
    assertEquals(Optional.of(VectorFormat.WORD2VEC_TEXT), VectorFormat.of(path));
    try (Vectors vectors = Vectors.open(path)) {
      assertHolds(slowText(path, true), vectors);
      assertGoesRound(vectors);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"euclidean_vectors.bin", "high_precision.kv.bin"})
  void binaryOfOthersIsReadAndGoesRound(String name) throws IOException {
    Path path = gensim(name);
    try (Vectors vectors = Vectors.open(path)) {
      assertHolds(slowBinary(path), vectors);
      assertGoesRound(vectors);
    }
  }

  /** Its binary holds what float16 rounded. */
  @Test
  void binaryAgreesWithItsTextTwin() throws IOException {
    try (Vectors binary = Vectors.open(gensim("high_precision.kv.bin"));
        Vectors text = Vectors.open(gensim("high_precision.kv.txt"))) {
      assertEquals(List.copyOf(rows(text).keySet()), List.copyOf(rows(binary).keySet()));
      for (int i = 0; i < text.size(); i++) {
        for (int j = 0; j < text.dimension(); j++) {
          float expected = text.vector(i)[j];
          assertEquals(expected, binary.vector(i)[j], Math.abs(expected) / 1024);
        }
      }
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "lee_fasttext.bin",
        "lee_fasttext_new.bin",
        "toy-model.bin",
        "crime-and-punishment.bin"
      })
  void aModelIsNoFileOfVectors(String name) {
    Path path = gensim(name);
    // a model of an old version has no mark
    String said =
        name.equals("lee_fasttext.bin") ? "is not surely that of a format" : "fastText model";
    assertFails(said, () -> Vectors.open(path));
  }

  /** Words and numbers of any bits but NaN's; printed for repetition by the seed in the name. */
  private static Vectors random(long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    int dimension = random.nextInt(3, 40);
    int size = random.nextInt(1, 300);
    String letters = "abcdefghijklmnopqrstuvwxyzäжあ😀.,-'0123456789";
    int[] points = letters.codePoints().toArray();
    List<String> words = new ArrayList<>();
    float[][] rows = new float[size][dimension];
    for (int i = 0; i < size; i++) {
      StringBuilder word = new StringBuilder("w" + i);
      for (int j = random.nextInt(12); j > 0; j--) {
        word.appendCodePoint(points[random.nextInt(points.length)]);
      }
      words.add(word.toString());
      for (int j = 0; j < dimension; j++) {
        float any = Float.intBitsToFloat(random.nextInt());
        rows[i][j] = random.nextBoolean() || Float.isNaN(any) ? (float) random.nextGaussian() : any;
      }
    }
    return Vectors.of(words, rows);
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
  void anyVectorsGoRound(long seed) throws IOException {
    Vectors vectors = random(seed);
    assertGoesRound(vectors);
    assertHolds(slowText(file(VectorFormat.GLOVE), false), vectors);
    assertHolds(slowText(file(VectorFormat.WORD2VEC_TEXT), true), vectors);
    assertHolds(slowBinary(file(VectorFormat.WORD2VEC_BINARY)), vectors);
  }

  /** Any damage is an error of the file, or leaves other vectors; never another exception. */
  @ParameterizedTest
  @EnumSource(VectorFormat.class)
  void damagedFilesAreErrorsOfTheFile(VectorFormat format) throws IOException {
    random(9).write(file(format), format);
    byte[] whole = Files.readAllBytes(file(format));
    int refused = 0;
    for (long seed = 0; seed < 300; seed++) {
      SplittableRandom random = new SplittableRandom(seed);
      byte[] damaged = Arrays.copyOf(whole, random.nextInt(whole.length) + 1);
      if (seed % 3 > 0) {
        damaged = whole.clone();
        for (int i = random.nextInt(1, 4); i > 0; i--) {
          // the head is where it matters
          int at = random.nextInt(seed % 3 == 1 ? Math.min(200, whole.length) : whole.length);
          damaged[at] = (byte) random.nextInt(256);
        }
      }
      Files.write(file(format), damaged);
      try (Vectors vectors = Vectors.open(file(format), format)) {
        assertTrue(vectors.size() >= 0);
      } catch (FormatException e) {
        refused++;
      } catch (RuntimeException | IOException e) {
        throw new AssertionError("seed " + seed, e);
      }
    }
    assertTrue(refused > 50, "refused " + refused);
  }

  private Path write(String name, String content) throws IOException {
    return Files.writeString(folder.resolve(name), content);
  }

  private interface Opening {
    Object open() throws IOException;
  }

  private static void assertFails(String words, Opening opening) {
    String said = assertThrows(FormatException.class, opening::open).getMessage();
    assertTrue(said.contains(words), "'" + words + "' is not in: " + said);
  }

  private void assertTextFails(String words, String content) throws IOException {
    Path path = write("v.txt", content);
    assertFails(words, () -> Vectors.open(path, VectorFormat.WORD2VEC_TEXT));
  }

  @Test
  void textThatIsNotWhatItPromisesNamesTheLine() throws IOException {
    String good = "2 3\na 1.00 2 3\nb 4 5.000000 6.00\n";
    assertEquals(2, Vectors.open(write("v.txt", good)).size());
    assertTextFails("ends after 2 words, and 3 were promised", good.replaceFirst("2", "3"));
    assertTextFails("line 3: the header promises 1 words", good.replaceFirst("2 3", "1 3"));
    assertTextFails("line 2: more than the 2 numbers", good.replaceFirst("2 3", "2 2"));
    assertTextFails(
        "line 2: 4 numbers after a word are expected, and 3", good.replaceFirst("2 3", "2 4"));
    assertTextFails(
        "line 3: 3 numbers after a word are expected, and 2 end it, after 'b'",
        "2 3\na 1.00 2 3\nb 4 5");
    assertTextFails("cut short, perhaps by a download", "2 3\na 1.00 2 3\nb 4 5");
    assertTextFails("line 2: '2x' is no number", good.replace(" 2 ", " 2x "));
    assertTextFails("line 3: '6.O0' is no number", good.replace("6.00", "6.O0"));
    String comma = "2 2\na 1,5 2\nb 3 4\n";
    assertFails("line 2: '1,5' is no number", () -> Vectors.open(write("v.txt", comma)));
    String wide = "2 9\na 1 2,5 3.000000 4.000000 5 6 7 8 9\nb" + " 1.00000000".repeat(9) + "\n";
    assertFails("line 2: '2,5' is no number", () -> Vectors.open(write("v.txt", wide)));
    assertTextFails("a line of two counts", "a 1 2 3\nb 4 5 6\n");
    assertTextFails("line 3: 3 numbers", good.replace("b ", ""));
    assertTextFails("line 3:", good.replace("\nb", "\n\nb"));
    // blank lines at the end, Windows' ends, tabs, and no newline at the end
    for (String fine :
        List.of(good + "\n", good.replace("\n", "\r\n"), good.replace(" ", "\t"), good.strip())) {
      assertEquals(6, Vectors.open(write("v.txt", fine)).vector("b")[2]);
    }
  }

  @Test
  void binaryThatIsNotWhatItPromisesNamesTheByte() throws IOException {
    Path path = file(VectorFormat.WORD2VEC_BINARY);
    Vectors.of(List.of("aa", "bb"), new float[][] {{1, 2, 3, 4}, {5, 6, 7, 8}})
        .write(path, VectorFormat.WORD2VEC_BINARY);
    byte[] good = Files.readAllBytes(path);
    assertEquals(4 + 2 * 20, good.length);
    assertBinaryFails("cut short, perhaps by a download", path, Arrays.copyOf(good, 30));
    assertBinaryFails(
        "promises 2 words of 4 numbers, which take more", path, Arrays.copyOf(good, 20));
    assertBinaryFails("promises 3 words of 4 numbers", path, header(good, "3 4"));
    assertBinaryFails(
        "byte 24: the header promises 1 words of 4 numbers, and 20 bytes follow",
        path,
        header(good, "1 4"));
    assertBinaryFails("word 2 of 2", path, header(good, "2 3"));
    assertBinaryFails("which cannot be", path, header(good, "2 0"));
    assertBinaryFails("which take more than the 40 bytes", path, header(good, "30000000 100"));
    assertBinaryFails("which cannot be", path, header(good, "9999999999 9999999999"));
    byte[] without = new byte[good.length - 2];
    System.arraycopy(good, 0, without, 0, 23);
    System.arraycopy(good, 24, without, 23, 19);
    Files.write(path, without);
    try (Vectors vectors = Vectors.open(path)) {
      assertArrayEquals(new float[] {5, 6, 7, 8}, vectors.vector("bb"));
    }
  }

  private static byte[] header(byte[] file, String header) {
    byte[] line = (header + "\n").getBytes(StandardCharsets.US_ASCII);
    byte[] other = Arrays.copyOf(line, line.length + file.length - 4);
    System.arraycopy(file, 4, other, line.length, file.length - 4);
    return other;
  }

  private static void assertBinaryFails(String words, Path path, byte[] content)
      throws IOException {
    Files.write(path, content);
    assertFails(words, () -> Vectors.open(path, VectorFormat.WORD2VEC_BINARY));
  }

  @Test
  void aFormatTakenForAnotherIsSaid() throws IOException {
    Vectors vectors = random(3);
    for (VectorFormat is : VectorFormat.values()) {
      vectors.write(file(is), is);
      for (VectorFormat asked : VectorFormat.values()) {
        if (is == VectorFormat.GLOVE && asked == VectorFormat.WORD2VEC_TEXT) {
          assertFails("a file without is GloVe text", () -> Vectors.open(file(is), asked));
        } else if (is != asked) {
          assertFails(
              "the content is " + VectorFormat.words(is), () -> Vectors.open(file(is), asked));
        }
      }
    }
    assertFails(
        "compressed",
        () -> Vectors.open(Files.write(folder.resolve("z"), new byte[] {0x1f, (byte) 0x8b, 8, 0})));
    assertFails(
        "a pickle of Python",
        () -> Vectors.open(Files.write(folder.resolve("kv"), new byte[] {(byte) 0x80, 2, 'c'})));
    assertFails("empty", () -> Vectors.open(write("none", "")));
    assertFails("say which", () -> Vectors.open(write("prose", "no vectors here\nat all\n")));
  }

  /** Four bytes may be a float or digits: what was asked for decides. */
  @Test
  void oneNumberThatMayBeTextOrBinaryIsReadAsAsked() throws IOException {
    Path path = write("one", "1 1\na 1.25");
    assertEquals(1.25f, Vectors.open(path, VectorFormat.WORD2VEC_TEXT).vector("a")[0]);
    float bits =
        ByteBuffer.wrap("1.25".getBytes(StandardCharsets.US_ASCII))
            .order(ByteOrder.LITTLE_ENDIAN)
            .getFloat();
    assertEquals(bits, Vectors.open(path, VectorFormat.WORD2VEC_BINARY).vector("a")[0]);
  }

  @Test
  void ofAWordThatComesTwiceTheFirstRowHolds() throws IOException {
    String text = "a 1 2\nb 3 4\na 5 6\nc 7 8\n";
    List<Path> files =
        List.of(
            write("twice.txt", "4 2\n" + text),
            write("twice.glove", text),
            Files.write(folder.resolve("twice.bin"), binary("a", "b", "a", "c")),
            npy("twice", "a\nb\na\nc\n"));
    for (Path path : files) {
      try (Vectors vectors = Vectors.open(path)) {
        assertEquals(3, vectors.size());
        assertEquals(1, vectors.duplicates());
        assertArrayEquals(new float[] {1, 2}, vectors.vector("a"), path.toString());
        assertArrayEquals(new float[] {7, 8}, vectors.vector("c"), path.toString());
        assertEquals("c", vectors.word(2));
        assertGoesRound(vectors);
      }
    }
  }

  /** Rows 1 2, 3 4, 5 6, 7 8. */
  private static byte[] binary(String... words) throws IOException {
    ByteBuffer file = ByteBuffer.allocate(1 << 10).order(ByteOrder.LITTLE_ENDIAN);
    file.put((words.length + " 2\n").getBytes(StandardCharsets.US_ASCII));
    for (int i = 0; i < words.length; i++) {
      file.put((words[i] + " ").getBytes(StandardCharsets.UTF_8));
      file.putFloat(2 * i + 1).putFloat(2 * i + 2).put((byte) '\n');
    }
    return Arrays.copyOf(file.array(), file.position());
  }

  private Path npy(String name, String words) throws IOException {
    Path path = folder.resolve(name + ".npy");
    List<String> four = List.of("1", "2", "3", "4");
    Vectors.of(four, new float[][] {{1, 2}, {3, 4}, {5, 6}, {7, 8}}).write(path, VectorFormat.NPY);
    Files.writeString(folder.resolve(name + ".vocab"), words);
    return path;
  }

  @Test
  void aVocabularyFileHoldsWordsAndPerhapsCounts() throws IOException {
    try (Vectors counted = Vectors.open(npy("counted", "a 9\nb c 7\na 6\nd\t5\n"))) {
      assertEquals(OptionalLong.of(7), counted.count("b c"));
      assertEquals(OptionalLong.of(5), counted.count("d"));
      for (VectorFormat format : List.of(VectorFormat.NPY, VectorFormat.SAFETENSORS)) {
        counted.write(file(format), format);
        try (Vectors read = Vectors.open(file(format))) {
          assertEquals(OptionalLong.of(7), read.count("b c"));
          assertEquals(OptionalLong.of(5), read.count("d"));
        }
      }
    }
    try (Vectors bare = Vectors.open(npy("bare", "a 9\nb 7\nc 6\nd"))) {
      assertEquals(OptionalLong.empty(), bare.count("a 9"));
    }
    Path path = npy("few", "a\nb\nc\n");
    assertFails("3 words for a matrix of 4 rows", () -> Vectors.open(path));
    assertFails("more than 4 words", () -> Vectors.open(npy("many", "a\nb\nc\nd\ne\n")));
    assertFails("word 2 is empty", () -> Vectors.open(npy("empty", "a\n\nc\nd\n")));
    Files.delete(folder.resolve("few.vocab"));
    String said = assertThrows(IOException.class, () -> Vectors.open(path)).toString();
    assertTrue(said.contains("few.vocab"), said);
    Path other = write("other", "a\nb\nc\nd\n");
    assertEquals("d", Vectors.open(path, VectorFormat.NPY, other).word(3));
    assertThrows(
        IllegalArgumentException.class, () -> Vectors.open(path, VectorFormat.GLOVE, other));
  }

  @Test
  void wordsDoNotChangeWithoutTheirMatrix() throws IOException {
    Path path = npy("pair", "a\nb\nc\nd\n");
    byte[] before = Files.readAllBytes(path);
    Arena arena = Arena.ofShared();
    Vectors other = Vectors.of(List.of("e", "f", "g", "h"), arena.allocate(32, 4), 2);
    arena.close(); // the matrix cannot be written
    assertThrows(IllegalStateException.class, () -> other.write(path, VectorFormat.NPY));
    assertArrayEquals(before, Files.readAllBytes(path));
    assertEquals("a\nb\nc\nd\n", Files.readString(folder.resolve("pair.vocab")));
  }

  @Test
  void gloveSplitsFromTheRight() throws IOException {
    String text = ". . . 1 2 3\nat name@domain.com 4 5 6\nthe 7 8 9\nof 1 1 1\na 2 2 2\n";
    try (Vectors vectors = Vectors.open(write("g.txt", text))) {
      assertEquals(3, vectors.dimension());
      assertArrayEquals(new float[] {1, 2, 3}, vectors.vector(". . ."));
      assertArrayEquals(new float[] {4, 5, 6}, vectors.vector("at name@domain.com"));
      vectors.write(file(VectorFormat.NPY), VectorFormat.NPY);
      assertHolds(rows(vectors), Vectors.open(file(VectorFormat.NPY)));
    }
    Path cut = write("cut.txt", "the 7 8 9\nof 1 1 1\na 2 2 2\nb 2 2");
    assertFails("line 4: 3 numbers after a word are expected, and 2", () -> Vectors.open(cut));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "a b",
        "a\tb",
        "a\nb",
        "a\u00A0b",
        "a\u0085b",
        "a\u3000b",
        "a\u2003",
        "\u001Ca",
        ""
      })
  void whiteSpaceThatTextCannotHoldIsRefusedBeforeAnythingIsWritten(String word)
      throws IOException {
    Vectors vectors = Vectors.of(List.of("fine", word), new float[][] {{1, 2, 3}, {4, 5, 6}});
    for (VectorFormat format : VectorFormat.values()) {
      boolean text = format == VectorFormat.WORD2VEC_TEXT || format == VectorFormat.GLOVE;
      boolean binary = format == VectorFormat.WORD2VEC_BINARY && word.contains(" ");
      if (text || binary || word.isEmpty() || word.contains("\n")) {
        String said =
            assertThrows(IllegalArgumentException.class, () -> vectors.write(file(format), format))
                .getMessage();
        assertTrue(said.contains("nothing was written"), said);
        assertTrue(said.contains(word.contains("\u3000") ? "'a\\u3000b'" : "'"), said);
      } else {
        vectors.write(file(format), format);
        assertHolds(rows(vectors), Vectors.open(file(format)));
      }
    }
    try (Stream<Path> left = Files.list(folder)) {
      assertTrue(left.noneMatch(file -> file.toString().endsWith("TEXT")));
    }
  }

  /** word2vec.c cuts words inside a character. */
  @Test
  void wordsThatAreNotUtf8AreCountedAndKept() throws IOException {
    byte[] file = binary("aé1", "aé2", "b", "c");
    // two different halves of a character
    for (int i = 0, seen = 0; i < file.length; i++) {
      if (file[i] == (byte) 0xC3) {
        file[i + 1] = (byte) ('x' + seen++);
      }
    }
    Path path = Files.write(folder.resolve("cut.bin"), file);
    try (Vectors vectors = Vectors.open(path)) {
      assertEquals(2, vectors.notUtf8());
      assertEquals(4, vectors.size());
      assertEquals("a\uFFFDx1", vectors.word(0));
      for (VectorFormat format : VectorFormat.values()) {
        vectors.write(file(format), format);
        assertEquals(2, Vectors.open(file(format)).notUtf8());
      }
    }
    assertEquals(-1, Files.mismatch(path, file(VectorFormat.WORD2VEC_BINARY)));
  }

  /** More numbers than an int counts, and more bytes than an int, over files that take no room. */
  @Test
  void filesBeyondAllIntsAreMapped() throws IOException {
    long dimension = 20_000_000;
    Path path = folder.resolve("sparse.bin");
    try (FileChannel channel =
        FileChannel.open(path, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
      long at = put(channel, 0, "120 " + dimension + "\n");
      for (int i = 0; i < 120; i++) {
        at = put(channel, at, "word" + i + " ") + 4 * dimension;
        put(
            channel,
            at - 4,
            ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN).putFloat(i).flip());
        at = put(channel, at, "\n");
      }
    }
    assertTrue(Files.size(path) > 9_600_000_000L);
    try (Vectors vectors = Vectors.open(path)) {
      assertEquals(120, vectors.size());
      assertEquals(119, vectors.vector("word119")[(int) dimension - 1]);
    }
    Path npy = folder.resolve("sparse.npy");
    int rows = 3_000;
    List<String> lines = new ArrayList<>();
    for (int i = 0; i < rows; i++) {
      lines.add("w" + i);
    }
    Files.write(folder.resolve("sparse.vocab"), lines);
    try (FileChannel channel =
        FileChannel.open(npy, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
      String text = "{'descr': '<f4', 'fortran_order': False, 'shape': (3000, 1000000), }";
      String header =
          "\u0093NUMPY\u0001\u0000v\u0000" + text + " ".repeat(117 - text.length()) + "\n";
      put(channel, 0, ByteBuffer.wrap(header.getBytes(StandardCharsets.ISO_8859_1)));
      long end = 128 + 4L * rows * 1_000_000;
      put(
          channel,
          end - 4,
          ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN).putFloat(7).flip());
    }
    try (Vectors vectors = Vectors.open(npy)) {
      assertEquals(7, vectors.vector("w2999")[999_999]);
      assertEquals(0, vectors.vector("w2147")[0]);
    }
  }

  private static long put(FileChannel channel, long at, String text) throws IOException {
    return put(channel, at, ByteBuffer.wrap(text.getBytes(StandardCharsets.US_ASCII)));
  }

  private static long put(FileChannel channel, long at, ByteBuffer bytes) throws IOException {
    int size = bytes.remaining();
    assertEquals(size, channel.write(bytes, at));
    return at + size;
  }

  /** The way of a trainer: over its own memory, with counts. */
  @Test
  void vectorsOverMemoryAreNotCopied() throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment rows = arena.allocate(4 * 4, 4);
      Vectors vectors = Vectors.of(List.of("a", "b"), new long[] {9, 4}, rows, 2);
      rows.set(Rows.FLOAT, 12, 5);
      assertArrayEquals(new float[] {0, 5}, vectors.vector("b"));
      assertEquals(OptionalLong.of(4), vectors.count("b"));
      assertRefused("'a' comes twice", () -> Vectors.of(List.of("a", "a"), rows, 2));
      assertRefused("of no words", () -> Vectors.of(List.of(), rows.asSlice(0, 0), 2));
      assertRefused("take 24 bytes, got 16", () -> Vectors.of(List.of("a", "b"), rows, 3));
      assertRefused("3 counts for 2", () -> Vectors.of(List.of("a", "b"), new long[3], rows, 2));
      assertGoesRound(vectors);
    }
  }

  private static void assertRefused(String words, org.junit.jupiter.api.function.Executable call) {
    String said = assertThrows(IllegalArgumentException.class, call).getMessage();
    assertTrue(said.contains(words), said);
  }

  @ParameterizedTest
  @EnumSource(VectorFormat.class)
  void closedVectorsSayThatTheyAre(VectorFormat format) throws IOException {
    random(5).write(file(format), format);
    Vectors vectors = Vectors.open(file(format));
    String first = vectors.word(0);
    assertEquals(1, vectors.similarity(first, first), 1e-6);
    vectors.close();
    vectors.close();
    for (org.junit.jupiter.api.function.Executable use :
        List.<org.junit.jupiter.api.function.Executable>of(
            () -> vectors.vector(0),
            () -> vectors.neighbours(first, 2),
            () -> vectors.write(file(format), format))) {
      String said = assertThrows(IllegalStateException.class, use).getMessage();
      assertTrue(said.contains("are closed"), said);
    }
  }

  @Test
  void numbersAreReadAsJavaReadsThem() {
    SplittableRandom random = new SplittableRandom(11);
    List<String> texts =
        new ArrayList<>(
            List.of(
                "0",
                "-0.0",
                "+1",
                ".5",
                "5.",
                "1e10",
                "1E-45",
                "3.4028236e38",
                "1.17549435E-38",
                "16777217",
                "9007199791611905",
                "0.000000000000000000000000000000000000001",
                "1e99",
                "1e-99",
                "123456789012345678901234567890",
                "1.00000005960464477539"));
    for (int i = 0; i < 200_000; i++) {
      float any = Float.intBitsToFloat(random.nextInt());
      if (Float.isFinite(any)) {
        texts.add(Float.toString(any));
        // in the middle of two floats, or close to it
        double middle = ((double) any + Math.nextUp(any)) / 2;
        texts.add(
            i % 2 == 0
                ? Double.toString(middle)
                : String.format(java.util.Locale.ROOT, "%.6f", random.nextGaussian()));
      }
    }
    Decimal decimal = new Decimal();
    for (String text : texts) {
      byte[] bytes = text.getBytes(StandardCharsets.US_ASCII);
      assertTrue(decimal.parse(bytes, 0, bytes.length), text);
      assertEquals(Float.parseFloat(text), decimal.value(), text);
    }
    for (String wrong :
        List.of(
            "",
            "-",
            ".",
            "e5",
            "1e",
            "1e+",
            "1x",
            "0x1p3",
            "1f",
            "1.2.3",
            "--1",
            "nano",
            "infinite")) {
      byte[] bytes = wrong.getBytes(StandardCharsets.US_ASCII);
      assertTrue(!decimal.parse(bytes, 0, bytes.length), wrong);
    }
    byte[] nan = "-nan".getBytes(StandardCharsets.US_ASCII);
    assertTrue(decimal.parse(nan, 0, 4) && Float.isNaN(decimal.value()));
  }

  /** 200,000 words: the last have their own vectors after a round trip. */
  @Test
  void manyWordsKeepTheirVectors() throws IOException {
    int size = 200_000;
    List<String> words = new ArrayList<>();
    float[][] rows = new float[size][3];
    for (int i = 0; i < size; i++) {
      words.add("word" + i);
      rows[i] = new float[] {i, -i, 1};
    }
    Vectors vectors = Vectors.of(words, rows);
    for (VectorFormat format : VectorFormat.values()) {
      vectors.write(file(format), format);
      try (Vectors read = Vectors.open(file(format))) {
        for (int i = 0; i < size; i++) {
          assertArrayEquals(rows[i], read.vector(words.get(i)));
        }
      }
    }
    assertNotEquals(rows[1][0], rows[2][0]);
  }
}
