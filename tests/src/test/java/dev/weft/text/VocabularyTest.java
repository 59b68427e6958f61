// SPDX-License-Identifier: Apache-2.0
package dev.weft.text;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weft.io.FormatException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class VocabularyTest {
  @TempDir Path folder;

  static List<String> words(Vocabulary vocabulary) {
    return IntStream.range(0, vocabulary.size()).mapToObj(vocabulary::word).toList();
  }

  @Test
  void idsFollowFallingCountsAndThenTheOrderOfWords() {
    Vocabulary vocabulary =
        Vocabulary.of(
            List.of("a", "rare", "often", "b", "morethaneight"), 2, 1, 5_000_000_000L, 2, 3);
    assertEquals(List.of("often", "morethaneight", "a", "b", "rare"), words(vocabulary));
  }

  @Test
  void wordsAreFoundByTheirIdsAndIdsByWords() {
    Vocabulary vocabulary =
        Vocabulary.of(new TreeMap<>(Map.of("être", 7L, "a", 9L, "exactly8", 2L, "morethan8", 2L)));
    assertEquals(List.of("a", "être", "exactly8", "morethan8"), words(vocabulary));
    for (int id = 0; id < 4; id++) {
      assertEquals(id, vocabulary.id(vocabulary.word(id)));
    }
    assertEquals(-1, vocabulary.id("e"));
    assertEquals(-1, vocabulary.id("exactly"));
    assertEquals(-1, vocabulary.id("morethan9"));
    assertEquals(-1, vocabulary.id(""));
    assertEquals(7, vocabulary.count(1));
    assertEquals(20, vocabulary.total());
    assertThrows(IndexOutOfBoundsException.class, () -> vocabulary.word(4));
    assertThrows(IndexOutOfBoundsException.class, () -> vocabulary.count(-1));
  }

  @Test
  void manyWordsKeepTheirCounts() {
    List<String> words = IntStream.range(0, 100_000).mapToObj(i -> "w" + i * 7919L).toList();
    long[] counts = IntStream.range(0, 100_000).mapToLong(i -> 1 + i % 5_000).toArray();
    Vocabulary vocabulary = Vocabulary.of(words, counts);
    for (int i = 0; i < counts.length; i++) {
      int id = vocabulary.id(words.get(i));
      assertEquals(words.get(i), vocabulary.word(id));
      assertEquals(counts[i], vocabulary.count(id));
      assertTrue(id == 0 || vocabulary.count(id) <= vocabulary.count(id - 1));
    }
  }

  @Test
  void filesAreWordAndCountALineBehindWord2vecsEndOfASentence() throws IOException {
    Vocabulary vocabulary = Vocabulary.of(List.of("naïve", "no\u00A0break", "the"), 2, 2, 40);
    Path file = folder.resolve("vocabulary");
    vocabulary.write(file);
    assertEquals("</s> 0\nthe 40\nnaïve 2\nno\u00A0break 2\n", Files.readString(file));
    Vocabulary read = Vocabulary.read(file);
    assertEquals(words(vocabulary), words(read));
    assertEquals(44, read.total());
    assertEquals(1, read.id("naïve"));
  }

  @Test
  void filesOfWordsAloneKeepTheirOrder() throws IOException {
    Path file = Files.writeString(folder.resolve("words"), "b\r\n1984\n</s>\na");
    Vocabulary read = Vocabulary.read(file);
    assertEquals(List.of("b", "1984", "</s>", "a"), words(read));
    assertEquals(0, read.total());
    read.write(file);
    assertEquals("b\n1984\n</s>\na\n", Files.readString(file));
  }

  @Test
  void filesInAnyOrderAreSorted() throws IOException {
    Path file = Files.writeString(folder.resolve("v"), "</s> 3\nb 2\nc\t9\n</s> 2\n");
    assertEquals(List.of("c", "b", "</s>"), words(Vocabulary.read(file)));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "a 3~b~              | 2 | 4  | expected a word and its count, as line 1 has them",
        "a 3~b x~            | 2 | 4  | 'x' is no count of a word",
        "a 3~b -1~           | 2 | 4  | '-1' is no count of a word",
        "a 3~new york 5~     | 2 | 4  | the word 'new york' holds white space",
        "a 3~bb 2~a 1~       | 3 | 9  | the word 'a' is there twice",
        "a~~b~               | 2 | 2  | the word '' is empty",
        "a 3~b 99999999999999999999 | 2 | 4 | is no count of a word",
      })
  void errorsNameFileAndLine(String content, int line, long offset, String what)
      throws IOException {
    Path file = Files.writeString(folder.resolve("v"), content.replace('~', '\n'));
    FormatException e = assertThrows(FormatException.class, () -> Vocabulary.read(file));
    assertTrue(
        e.getMessage().startsWith(file + ", byte " + offset + ": line " + line + ": "),
        e.getMessage());
    assertTrue(e.getMessage().contains(what), e.getMessage());
  }

  @Test
  void filesThatHoldNoWordsAreRefused() throws IOException {
    Path file = Files.writeString(folder.resolve("v"), "</s> 7\n");
    FormatException e = assertThrows(FormatException.class, () -> Vocabulary.read(file));
    assertEquals(file + ", byte 7: the file ends here and holds no word", e.getMessage());
    Files.write(file, "a 2\nb\u00E9 1\n".getBytes(StandardCharsets.ISO_8859_1));
    e = assertThrows(FormatException.class, () -> Vocabulary.read(file));
    assertEquals(file + ", byte 4: line 2: the word is not UTF-8", e.getMessage());
    Files.write(file, new byte[1 << 20]);
    e = assertThrows(FormatException.class, () -> Vocabulary.read(file));
    assertEquals(file + ", byte 0: line 1: is longer than a word and a count", e.getMessage());
  }

  private static void assertRefused(String what, List<String> words, long... counts) {
    IllegalArgumentException e =
        assertThrows(IllegalArgumentException.class, () -> Vocabulary.of(words, counts));
    assertTrue(e.getMessage().contains(what), e.getMessage());
  }

  @Test
  void whatIsNoVocabularyIsRefused() {
    assertRefused("of 0 words with 0 counts", List.of());
    assertRefused("of 1 word with 2 counts", List.of("a"), 1, 2);
    assertRefused("word 1 of a vocabulary, 'a', is there twice", List.of("a", "a"), 1, 2);
    assertRefused("word 0 of a vocabulary, '', is empty", List.of(""), 1);
    assertRefused("has a count of -2", List.of("a"), -2);
    assertRefused("half of a character", List.of("a", "\uD800"), 1, 1);
    assertRefused("'a\tb', holds white space", List.of("a\tb"), 1);
  }
}
