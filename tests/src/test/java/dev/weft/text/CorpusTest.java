// SPDX-License-Identifier: Apache-2.0
package dev.weft.text;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_16;
import static java.nio.charset.StandardCharsets.UTF_16LE;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.weft.device.ChildJvm;
import dev.weft.io.FormatException;
import dev.weft.text.TextReader.Letters;
import dev.weft.text.TextReader.Normalization;
import dev.weft.text.TextReader.Spaces;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class CorpusTest {
  private static final TextReader LINES = TextReader.lines();

  @TempDir Path folder;

  private static InputStream stream(String text) {
    return new ByteArrayInputStream(text.getBytes(UTF_8));
  }

  /** The words of a corpus, with a bar behind each sentence. */
  static String words(Corpus corpus) {
    return Arrays.stream(corpus.tokens().toArray(ValueLayout.JAVA_INT))
        .mapToObj(id -> id == Corpus.END ? "|" : corpus.vocabulary().word(id))
        .collect(Collectors.joining(" "));
  }

  private static String read(TextReader reader, String text) throws IOException {
    try (Corpus corpus = reader.read(stream(text))) {
      return words(corpus);
    }
  }

  private static Corpus.Report report(TextReader reader, byte[] text) throws IOException {
    try (Corpus corpus = reader.read(new ByteArrayInputStream(text))) {
      return corpus.report();
    }
  }

  @Test
  void idsFollowFallingCountsAndSentencesEnd() throws IOException {
    try (Corpus corpus = LINES.read(stream("b a c\n\n  \na c c d\n"))) {
      assertEquals(List.of("c", "a", "b", "d"), VocabularyTest.words(corpus.vocabulary()));
      assertEquals(
          "[2, 1, 0, -1, 1, 0, 0, 3, -1]",
          Arrays.toString(corpus.tokens().toArray(ValueLayout.JAVA_INT)));
      assertEquals(9, corpus.size());
      assertEquals(new Corpus.Report(18, 7, 7, 4, 2, 0, 0, 0, 0), corpus.report());
      assertEquals("18 bytes, 7 words of 4 types, 7 kept, 2 sentences", corpus.report().toString());
    }
  }

  @Test
  void aStreamHasNoSentencesAndTheLastWordNeedsNoSpace() throws IOException {
    assertEquals("a b c", read(TextReader.stream(), "a b\nc"));
    assertEquals("a b | c |", read(LINES, "a b\nc"));
  }

  @Test
  void controlCharactersAndTheWhiteSpaceOfUnicodeSeparate() throws IOException {
    String ascii = "a b\tc\rd\u000Be\ff\0g\u0001h\u001Fi";
    assertEquals("a b c d e f g h i |", read(LINES, ascii));
    assertEquals("a\u007Fb |", read(LINES, "a\u007Fb"));
    String unicode = "a\u00A0b\u0085c\u3000d\u2028e\u1680f\u2003g\u202Fh\u205Fi";
    assertEquals("a b c d e f g h i |", read(LINES, unicode));
    assertEquals(unicode + " j |", read(LINES.spaces(Spaces.ASCII), unicode + " j"));
    // no white space: zero width space, word joiner, soft hyphen
    assertEquals("a\u200Bb\u2060c\u00ADd |", read(LINES, "a\u200Bb\u2060c\u00ADd"));
  }

  @Test
  void wordsOfTheTextAreKeptAsWrittenOrLowerCase() throws IOException {
    String text = "Straße ÀB @[`{ LONGERthanEIGHT ΟΔΟΣ İ";
    assertEquals(text + " |", read(LINES, text));
    assertEquals(
        "straße àb @[`{ longerthaneight οδος i\u0307 |",
        read(LINES.letters(Letters.LOWER_CASE), text));
  }

  @Test
  void formsOfUnicodeAreMadeOneWhereThatIsAsked() throws IOException {
    String text = "e\u0301 \u00E9 \uFB01x \uFF12 \u00A8a";
    assertEquals(text + " |", read(LINES, text));
    assertEquals(
        "\u00E9 \u00E9 \uFB01x \uFF12 \u00A8a |",
        read(LINES.normalization(Normalization.NFC), text));
    // U+00A8 is a space with a diaeresis
    assertEquals(
        "\u00E9 \u00E9 fix 2 \u0308a |", read(LINES.normalization(Normalization.NFKC), text));
  }

  @Test
  void rareWordsAreLeftOutAndSentencesOfNothingElse() throws IOException {
    try (Corpus corpus = LINES.minCount(2).read(stream("a b a\nx y\nb z a\n"))) {
      assertEquals("a b a | b a |", words(corpus));
      assertEquals(new Corpus.Report(16, 8, 5, 5, 2, 0, 0, 0, 0), corpus.report());
    }
    assertEquals("b a | a b |", read(LINES.maxVocabulary(2), "b a c\na d b\n"));
    assertEquals(
        "a | a |",
        read(LINES.maxVocabulary(1).minCount(1), "b a c\nd\na b a\n".replace("a b a", "a")));
  }

  @Test
  void aVocabularyIsExtendedByTheWordsOfAText() throws IOException {
    Vocabulary old = Vocabulary.of(List.of("a", "b", "c"), 9, 5, 1);
    TextReader reader = LINES.minCount(2).extending(old);
    try (Corpus corpus = reader.read(stream("y a x x\ny rare x\nrare-too\nc a\n"))) {
      Vocabulary words = corpus.vocabulary();
      assertEquals(List.of("a", "b", "c", "x", "y"), VocabularyTest.words(words));
      assertEquals("[11, 5, 2, 3, 2]", Arrays.toString(words.counts()));
      assertEquals("y a x x | y x | c a |", words(corpus));
      assertEquals(8, corpus.report().kept());
      assertEquals(6, corpus.report().types());
      assertEquals(4, words.id("y"));
    }
    assertEquals("y a x x | y x | c a |", read(reader.countedTypes(4), "y a x x\ny x\nc a\n"));
    assertEquals("y a y |", read(reader.maxVocabulary(4), "y a x x y\n"));
    assertEquals("a |", read(reader.maxVocabulary(2), "y a x x y\n"));
    try (Corpus corpus = reader.read(stream("b d\n"))) {
      assertEquals(List.of("a", "b", "c"), VocabularyTest.words(corpus.vocabulary()));
    }
    assertEquals(
        "the text: none of its 3 words is in the vocabulary of 3 words, and none occurs 2 times,"
            + " the min-count",
        refusal(reader, "d e f\n".getBytes(UTF_8)));
  }

  /** More types than are counted at a time: what is given is kept all the same. */
  @Test
  void wordsThatAreGivenAreNotForgotten() throws IOException {
    Vocabulary old = Vocabulary.of(List.of("a", "b", "c", "d", "e", "f"), 6, 5, 4, 3, 2, 1);
    StringBuilder text = new StringBuilder("a f ");
    for (int i = 0; i < 100; i++) {
      text.append("seldom").append(i).append(" x ");
    }
    TextReader reader = LINES.minCount(50).countedTypes(4).extending(old);
    try (Corpus corpus = reader.read(stream(text.toString()))) {
      assertEquals("abcdefx", String.join("", VocabularyTest.words(corpus.vocabulary())));
      assertEquals(7, corpus.vocabulary().count(0));
      assertTrue(corpus.vocabulary().count(6) > 90);
    }
  }

  @Test
  void aChecksumTellsTextsApart() throws IOException {
    long[] sums = new long[3];
    String[] texts = {"a b\nb a\n", "a b\nb a\n", "b a\na b\n"};
    Vocabulary words = Vocabulary.of(List.of("a", "b"), 2, 2);
    for (int i = 0; i < 3; i++) {
      try (Corpus corpus = LINES.vocabulary(words).read(stream(texts[i]))) {
        sums[i] = corpus.checksum();
      }
    }
    assertEquals(sums[0], sums[1]);
    assertTrue(sums[0] != sums[2]);
  }

  @Test
  void aTextIsReadWithTheVocabularyOfAnother() throws IOException {
    try (Corpus train = LINES.read(stream("a b b longer-than-eight\n"));
        Corpus test =
            LINES.vocabulary(train.vocabulary()).read(stream("a x b\ny\nlonger-than-eight q"))) {
      assertEquals("a b | longer-than-eight |", words(test));
      assertEquals(train.vocabulary(), test.vocabulary());
      assertEquals(new Corpus.Report(27, 6, 3, 3, 2, 0, 0, 0, 0), test.report());
    }
  }

  @Test
  void bytesThatAreNotUtf8AreReplacedAndCounted() throws IOException {
    byte[] text = "né un \u00FF\n".getBytes(ISO_8859_1);
    try (Corpus corpus = LINES.read(new ByteArrayInputStream(text))) {
      assertEquals("n\uFFFD un \uFFFD |", words(corpus));
      assertEquals(2, corpus.report().replaced());
      assertTrue(corpus.report().toString().contains("not UTF-8 in 2 places"));
    }
    // a surrogate, a byte too much, an overlong form, a character without its end
    byte[] broken = {
      (byte) 0xED,
      (byte) 0xA0,
      (byte) 0x80,
      ' ',
      (byte) 0xC0,
      (byte) 0x80,
      ' ',
      (byte) 0xE2,
      (byte) 0x82
    };
    assertEquals(3 + 2 + 1, report(LINES, broken).replaced());
    // what was replaced elsewhere is no fault of this text
    assertEquals(0, report(LINES, "a\uFFFD".getBytes(UTF_8)).replaced());
  }

  @Test
  void aWordThatIsTooLongIsLeftOutWhole() throws IOException {
    String cyrillic = "ж".repeat(100); // 200 bytes
    String text =
        cyrillic + " " + cyrillic + "ж " + "a".repeat(200) + " " + "a".repeat(201) + " b\n";
    try (Corpus corpus = LINES.read(stream(text))) {
      assertEquals(cyrillic + " " + "a".repeat(200) + " b |", words(corpus));
      assertEquals(
          new Corpus.Report(text.getBytes(UTF_8).length, 5, 3, 3, 1, 0, 2, 0, 0), corpus.report());
      assertTrue(corpus.report().toString().contains("2 words too long, left out"));
    }
    assertEquals("12345678 |", read(LINES.longestWord(8), "12345678 123456789 1234567é"));
    // three characters of 3 bytes that NFKC makes longer
    assertEquals("a |", read(LINES.longestWord(9).normalization(Normalization.NFKC), "㌔㌔㌔ a"));
  }

  @Test
  void aByteOrderMarkIsNoPartOfTheText() throws IOException {
    assertEquals("a |", read(LINES, "\uFEFFa"));
    assertEquals("a \uFEFFb |", read(LINES, "a \uFEFFb"));
  }

  private static byte[] gzip(String... members) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    for (String member : members) {
      try (GZIPOutputStream out = new GZIPOutputStream(bytes)) {
        out.write(member.getBytes(UTF_8));
      }
    }
    return bytes.toByteArray();
  }

  @Test
  void gzipIsKnownByItsContent() throws IOException {
    byte[] packed = gzip("a b\n", "c\n");
    Path file = Files.write(folder.resolve("text.txt"), packed);
    try (Corpus corpus = LINES.read(file);
        Corpus streamed = LINES.read(new ByteArrayInputStream(packed))) {
      assertEquals("a b | c |", words(corpus));
      assertEquals("a b | c |", words(streamed));
      assertEquals(6, corpus.report().bytes());
    }
    Files.writeString(file.resolveSibling("plain.gz"), "a b\n");
    try (Corpus corpus = LINES.read(file.resolveSibling("plain.gz"))) {
      assertEquals("a b |", words(corpus));
    }
  }

  @Test
  void aPipeIsReadOnce() throws Exception {
    Path pipe = folder.resolve("pipe");
    int status = new ProcessBuilder("mkfifo", pipe.toString()).start().waitFor();
    assumeTrue(status == 0, "no pipe can be made here");
    Path packed = Files.write(folder.resolve("packed"), gzip("a b\n"));
    new ProcessBuilder("cp", packed.toString(), pipe.toString()).start();
    try (Corpus corpus = LINES.read(pipe)) {
      assertEquals("a b |", words(corpus));
    }
  }

  @Test
  void gzipThatIsCutOrDamagedIsAnErrorThatSaysWhere() throws IOException {
    byte[] packed = gzip("a b c d e f g\n".repeat(100_000));
    Path file = Files.write(folder.resolve("cut"), Arrays.copyOf(packed, packed.length - 9));
    FormatException e = assertThrows(FormatException.class, () -> LINES.read(file));
    assertTrue(
        e.getMessage().matches(file + ", byte [1-9]\\d{5,6}: the text is incomplete.*"),
        e.getMessage());
    packed[packed.length - 6] ^= 0x55; // of the sum over all bytes
    Files.write(file, packed);
    e = assertThrows(FormatException.class, () -> LINES.read(file));
    assertTrue(e.getMessage().contains("the text is damaged"), e.getMessage());
  }

  /** What is said of a text that cannot be read. */
  private String refusal(TextReader reader, byte[] text) throws IOException {
    Path file = Files.write(folder.resolve("text"), text);
    String ofFile = assertThrows(IOException.class, () -> reader.read(file)).getMessage();
    String ofStream =
        assertThrows(IOException.class, () -> reader.read(new ByteArrayInputStream(text)))
            .getMessage();
    assertTrue(ofFile.startsWith(file.toString()), ofFile);
    assertEquals(ofFile.replace(file.toString(), "the text"), ofStream);
    return ofStream;
  }

  @Test
  void binaryDataAreRefused() throws IOException {
    byte[] numbers = new byte[1000];
    Arrays.setAll(new Object[numbers.length], i -> numbers[i] = (byte) (i % 3 == 0 ? i : 0));
    assertTrue(
        refusal(LINES, numbers)
            .startsWith("the text, byte 0: no text in UTF-8: 668 of the first 1,000 bytes are 0"));
    String text = "Текст на русском языке, в котором мало нулей. ".repeat(10);
    assertTrue(refusal(LINES, text.getBytes(UTF_16)).contains("the text is UTF-16, which iconv"));
    assertTrue(refusal(LINES, "plain words".getBytes(UTF_16LE)).contains("bytes are 0"));
    // words that stand between zeros are text
    assertEquals("words between zeros |", read(LINES, "words\0between\0zeros\0"));
  }

  @Test
  void textsWithoutWordsThatCountAreRefused() throws IOException {
    assertEquals("the text: is empty", refusal(LINES, new byte[0]));
    assertEquals(
        "the text: holds no word: its 3 bytes are white space",
        refusal(LINES, " \n\t".getBytes(UTF_8)));
    assertEquals(
        "the text: no word occurs 5 times, the min-count; the most frequent, 'b', occurs 2 times",
        refusal(LINES.minCount(5), "a b b\n".getBytes(UTF_8)));
    Vocabulary vocabulary = Vocabulary.of(List.of("x"), 1);
    assertEquals(
        "the text: none of its 3 words is in the vocabulary of 1 word",
        refusal(LINES.vocabulary(vocabulary), "a b b\n".getBytes(UTF_8)));
    assertEquals(
        "the text: each of its 1 word is longer than 8 bytes: give another longest word",
        refusal(LINES.longestWord(8), "123456789".getBytes(UTF_8)));
    String said = assertThrows(IOException.class, () -> LINES.read(folder)).getMessage();
    assertEquals(folder + ": is a folder, not a text", said);
    assertThrows(IOException.class, () -> LINES.read(folder.resolve("absent")));
  }

  @Test
  void settingsWithoutEffectOrOutOfRangeAreRefused() {
    Vocabulary vocabulary = Vocabulary.of(List.of("x"), 1);
    assertThrows(IllegalArgumentException.class, () -> LINES.minCount(2).vocabulary(vocabulary));
    assertThrows(
        IllegalArgumentException.class, () -> LINES.vocabulary(vocabulary).maxVocabulary(10));
    assertThrows(IllegalArgumentException.class, () -> LINES.longestWord(7));
    String said =
        assertThrows(IllegalArgumentException.class, () -> LINES.minCount(0)).getMessage();
    assertTrue(said.startsWith("the least count must be 1 to "), said);
  }

  /**
   * Of at most 4 types the fifth, e, lets c be forgotten, seen once, also in the ids; c, which
   * comes again and is counted anew, lets all be forgotten that were seen twice at most: e.
   */
  @Test
  void rareTypesAreForgottenWhereThereAreTooMany() throws IOException {
    TextReader reader = LINES.countedTypes(4);
    try (Corpus corpus = reader.read(stream("a b a c\nb d a b\nd d e c\nc\n"))) {
      assertEquals("a b a | b d a b | d d c | c |", words(corpus));
      assertEquals(List.of("a", "b", "d", "c"), VocabularyTest.words(corpus.vocabulary()));
      assertEquals(2, corpus.report().forgotten());
      assertEquals(2, corpus.report().forgottenCount());
      assertEquals(11, corpus.report().kept());
      assertEquals(4, corpus.report().sentences());
      assertTrue(corpus.report().toString().endsWith("2 forgotten, of counts up to 2"));
    }
  }

  @Test
  void theTemporaryFileIsGoneWhenACorpusIsClosedOrCouldNotBeMade() throws IOException {
    Path temporary = Files.createDirectory(folder.resolve("temporary"));
    Corpus corpus = LINES.folder(temporary).read(stream("a b\n"));
    corpus.close();
    corpus.close();
    assertThrows(IllegalStateException.class, () -> corpus.tokens().get(ValueLayout.JAVA_INT, 0));
    assertThrows(IOException.class, () -> LINES.folder(temporary).minCount(2).read(stream("a b")));
    try (Stream<Path> left = Files.list(temporary)) {
      assertEquals(List.of(), left.toList());
    }
    Path absent = folder.resolve("absent");
    String said =
        assertThrows(IOException.class, () -> LINES.folder(absent).read(stream("a"))).getMessage();
    assertEquals(absent + ": no temporary file can be made there (there is no such folder)", said);
  }

  /** In a process that may write files of so many bytes, which a full disk is like. */
  @Test
  void aFullDiskIsAnErrorThatSaysWhatWasNeeded() throws Exception {
    Path temporary = Files.createDirectory(folder.resolve("temporary"));
    Path text = Files.writeString(folder.resolve("text"), "a b c d\n".repeat(500_000));
    Path java = Path.of(System.getProperty("java.home"), "bin", "java");
    Process process =
        new ProcessBuilder(
                "bash",
                "-c",
                "ulimit -f 2000; exec \"$@\"",
                "bash",
                java.toString(),
                "-XX:-UsePerfData",
                "-cp",
                System.getProperty("java.class.path"),
                CorpusMain.class.getName(),
                "read",
                text.toString(),
                temporary.toString())
            .redirectErrorStream(true)
            .start();
    String said = new String(process.getInputStream().readAllBytes(), UTF_8).strip();
    assertEquals(0, process.waitFor(), said);
    assertTrue(
        said.matches(
            "(?s).*FileSystemException: "
                + temporary
                + "/weft-tokens-\\S+: the token ids of a text, 4 bytes a word, cannot be written"
                + " there \\(File too large\\): after 2,\\d{3},\\d{3} bytes, about \\S+ bytes are"
                + " needed; another folder may have more room"),
        said);
    try (Stream<Path> left = Files.list(temporary)) {
      assertEquals(List.of(), left.toList());
    }
  }

  /** In 32 MB of heap: a line of 100 MB, and a word of 100 MB. */
  @ParameterizedTest
  @CsvSource({
    "line, '100,000,005 bytes, 25,000,001 words of 3 types, 25,000,001 kept, 1 sentence'",
    "word, '100,000,005 bytes, 2 words of 1 type, 1 kept, 1 sentence; 1 word too long, left out'"
  })
  void memoryDoesNotGrowWithLinesAndWords(String what, String report) {
    assertEquals(report, new ChildJvm(CorpusMain.class).option("-Xmx32m").run(what).strip());
  }

  @Test
  void wikipediaHasTheWordsThatOthersCount() throws IOException {
    String data = System.getenv("WEFT_DATA");
    assumeTrue(
        data != null && !data.isEmpty(), "WEFT_DATA is not set; it names the folder with corpora/");
    Path text = Path.of(data, "corpora", "enwiki2015-100m.txt.gz");
    try (Corpus corpus = TextReader.stream().minCount(5).read(text)) {
      Corpus.Report report = corpus.report();
      assertEquals(100_000_000, report.bytes());
      assertEquals(16_961_349, report.words());
      assertEquals(220_125, report.types());
      assertEquals(68_213, corpus.vocabulary().size());
      assertEquals(corpus.vocabulary().total(), report.kept());
      assertEquals(report.kept(), corpus.size());
      assertEquals("the", corpus.vocabulary().word(0));
      HuffmanTree tree = HuffmanTree.of(corpus.vocabulary());
      assertEquals(22, HuffmanTreeTest.length(tree, 68_212));
    }
  }
}
