// SPDX-License-Identifier: Apache-2.0
package dev.weft.text;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import dev.weft.support.Beside;
import dev.weft.text.TextReader.Letters;
import dev.weft.text.TextReader.Normalization;
import dev.weft.text.TextReader.Sentences;
import dev.weft.text.TextReader.Spaces;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.text.Normalizer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Random bytes, read by {@link TextReader} and by String.split and a HashMap. */
@Beside
class CorpusFuzzTest {
  private static final String SPACES =
      "[\\x00-\\x20\\u0085\\u00A0\\u1680\\u2000-\\u200A\\u2028\\u2029\\u202F\\u205F\\u3000]+";

  /** Pieces of texts: characters of all lengths, marks, spaces, and bytes that are no UTF-8. */
  private static final List<byte[]> PIECES = pieces();

  private static List<byte[]> pieces() {
    List<byte[]> pieces = new ArrayList<>();
    String text =
        "a b c D E Z z ab cde abcdefgh ABCDEFGHI abcdefghijklmnop , . 1 é É ß ж Ж Σ ς İ 日 本 ２ ﬁ ¨"
            + " 𝒜 😀 e\u0301 \u0301 \u0308 \u0085 \u00A0 \u3000 \u2003 \u2028 \u200B \uFEFF \uFFFD"
            + " \uAC00 \u1100\u1161";
    for (String each : text.split(" ")) {
      pieces.add(each.getBytes(UTF_8));
    }
    for (String each :
        new String[] {" ", " ", " ", " ", " ", " ", "\n", "\n", "\t", "\r\n", "\u0001"}) {
      pieces.add(each.getBytes(UTF_8));
      pieces.add(each.getBytes(UTF_8));
    }
    for (int value : new int[] {0x80, 0xBF, 0xC0, 0xC2, 0xE0, 0xE2, 0xED, 0xF0, 0xF4, 0xF5, 0xFF}) {
      pieces.add(new byte[] {(byte) value});
    }
    return pieces;
  }

  private static byte[] text(long seed, int length) {
    SplittableRandom random = new SplittableRandom(seed);
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    while (bytes.size() < length) {
      int kind = random.nextInt(8);
      if (kind == 0) {
        bytes.write(random.nextInt(256));
      } else if (kind == 1) {
        bytes.write('a' + random.nextInt(26));
      } else {
        bytes.writeBytes(PIECES.get(random.nextInt(PIECES.size())));
      }
    }
    byte[] text = bytes.toByteArray();
    for (int i = 1; i < text.length; i++) {
      if (text[i - 1] == (byte) 0xED && (text[i] & 0xFF) >= 0xA0) {
        text[i - 1]++; // a surrogate: one U+FFFD in Java, in Unicode's standard one for each byte
      }
    }
    return text;
  }

  private record Expected(
      Map<String, Integer> ids, int[] tokens, long words, long replaced, long tooLong) {}

  private static String form(TextReader settings, String word) {
    Normalizer.Form form =
        switch (settings.normalization()) {
          case NONE -> null;
          case NFC -> Normalizer.Form.NFC;
          case NFKC -> Normalizer.Form.NFKC;
        };
    String formed = form == null ? word : Normalizer.normalize(word, form);
    if (settings.letters() == Letters.LOWER_CASE) {
      formed = formed.toLowerCase(Locale.ROOT);
    }
    return form == null ? formed : Normalizer.normalize(formed, form);
  }

  private static Expected expected(TextReader settings, byte[] bytes) {
    String text = new String(bytes, UTF_8);
    long replaced = text.chars().filter(c -> c == 0xFFFD).count();
    for (int i = 0; i + 2 < bytes.length; i++) {
      if (bytes[i] == (byte) 0xEF && bytes[i + 1] == (byte) 0xBF && bytes[i + 2] == (byte) 0xBD) {
        replaced--;
      }
    }
    if (text.startsWith("\uFEFF")) {
      text = text.substring(1);
    }
    String separators = settings.spaces() == Spaces.UNICODE ? SPACES : "[\\x00-\\x20]+";
    List<List<String>> sentences = new ArrayList<>();
    Map<String, Integer> counts = new LinkedHashMap<>();
    long words = 0;
    long tooLong = 0;
    for (String line : text.split("\n")) {
      List<String> sentence = new ArrayList<>();
      for (String raw : line.split(separators)) {
        boolean fits = raw.getBytes(UTF_8).length <= settings.longestWord();
        for (String word : fits ? form(settings, raw).split(separators) : new String[] {raw}) {
          if (word.isEmpty()) {
            continue;
          }
          words++;
          if (word.getBytes(UTF_8).length > settings.longestWord()) {
            tooLong++;
          } else {
            sentence.add(word);
            counts.merge(word, 1, Integer::sum);
          }
        }
      }
      sentences.add(sentence);
    }
    List<String> kept = new ArrayList<>(counts.keySet());
    kept.removeIf(word -> counts.get(word) < settings.minCount());
    kept.sort(Collections.reverseOrder((a, b) -> Integer.compare(counts.get(a), counts.get(b))));
    kept = kept.subList(0, Math.min(kept.size(), settings.maxVocabulary()));
    Map<String, Integer> ids = new HashMap<>();
    for (String word : kept) {
      ids.put(word, ids.size());
    }
    List<Integer> tokens = new ArrayList<>();
    for (List<String> sentence : sentences) {
      int before = tokens.size();
      sentence.stream().filter(ids::containsKey).map(ids::get).forEach(tokens::add);
      if (settings.sentences() == Sentences.LINES && tokens.size() > before) {
        tokens.add(-1);
      }
    }
    return new Expected(
        ids, tokens.stream().mapToInt(Integer::intValue).toArray(), words, replaced, tooLong);
  }

  static Stream<TextReader> settings() {
    TextReader lines = TextReader.lines();
    TextReader lower = lines.letters(Letters.LOWER_CASE);
    return Stream.of(
        lines,
        TextReader.stream().minCount(3),
        lower.maxVocabulary(50),
        lines.spaces(Spaces.ASCII).longestWord(20),
        lower.longestWord(8).minCount(2),
        lines.normalization(Normalization.NFC),
        lower.normalization(Normalization.NFKC).longestWord(12),
        lower.normalization(Normalization.NFKC).spaces(Spaces.ASCII));
  }

  private static void assertReadAsExpected(TextReader settings, long seed, int length)
      throws IOException {
    byte[] bytes = text(seed, length);
    Expected expected = expected(settings, bytes);
    String repeat = "seed " + seed + ", " + length + " bytes, " + settings;
    if (expected.tokens().length == 0) {
      return;
    }
    try (Corpus corpus = settings.read(new ByteArrayInputStream(bytes))) {
      Map<String, Integer> ids = new HashMap<>();
      for (int id = 0; id < corpus.vocabulary().size(); id++) {
        ids.put(corpus.vocabulary().word(id), id);
      }
      assertEquals(expected.ids(), ids, repeat);
      assertArrayEquals(expected.tokens(), corpus.tokens().toArray(ValueLayout.JAVA_INT), repeat);
      assertEquals(expected.words(), corpus.report().words(), repeat);
      assertEquals(expected.replaced(), corpus.report().replaced(), repeat);
      assertEquals(expected.tooLong(), corpus.report().tooLong(), repeat);
      long ends = Arrays.stream(expected.tokens()).filter(id -> id < 0).count();
      assertEquals(ends, corpus.report().sentences(), repeat);
      assertEquals(expected.tokens().length - ends, corpus.report().kept(), repeat);
    }
  }

  @ParameterizedTest
  @MethodSource("settings")
  void textsAreReadAsTheObviousWayReadsThem(TextReader settings) throws IOException {
    for (int seed = 0; seed < 200; seed += 5) {
      assertReadAsExpected(settings, seed, 1 + 7 * seed);
    }
    // over several blocks of 256 KiB, whose ends fall anywhere
    assertReadAsExpected(settings, 1_000, 600_000);
  }

  @Tag("long")
  @ParameterizedTest
  @MethodSource("settings")
  void manyTextsAreReadAsTheObviousWayReadsThem(TextReader settings) throws IOException {
    for (int seed = 0; seed < 2_000; seed++) {
      assertReadAsExpected(settings, seed, 1 + seed);
    }
    for (int seed = 1_000; seed < 1_010; seed++) {
      assertReadAsExpected(settings, seed, 1_300_000);
    }
  }

  /** The random texts tell these settings apart, so that a setting without effect is noticed. */
  @Test
  void eachSettingMattersToTheseTexts() {
    byte[] text = text(1_000, 20_000);
    List<String> all =
        settings().map(each -> Arrays.toString(expected(each, text).tokens())).distinct().toList();
    assertEquals(settings().count(), all.size());
    assertNotEquals(0, expected(TextReader.lines(), text).replaced());
  }
}
