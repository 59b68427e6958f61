// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench.embeddings;

import dev.weft.text.Corpus;
import dev.weft.text.TextReader;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.zip.GZIPInputStream;

/**
 * A text that every side can read, unpacked.
 *
 * @param file plain
 * @param words that are trained on
 * @param vocabulary of these words; null for those of the text
 */
record PlainText(Path file, long words, Path vocabulary) {
  private static final int MAGIC = 2;
  private static final int GZIP_FIRST = 0x1f;
  private static final int GZIP_SECOND = 0x8b;

  // a softmax over all words takes as long as there are words
  private static final int SMALL_BYTES = 2_000_000;
  private static final int SMALL_WORDS = 1000;

  /** Unpacks a gzip file into the folder, takes another one as it is, and counts its words. */
  static PlainText of(Path given, Path folder, int minCount) throws IOException {
    Path plain = given;
    try (InputStream bytes = new BufferedInputStream(Files.newInputStream(given))) {
      bytes.mark(MAGIC);
      if (bytes.read() == GZIP_FIRST && bytes.read() == GZIP_SECOND) {
        bytes.reset();
        plain = folder.resolve("text.txt");
        try (InputStream unpacked = new GZIPInputStream(bytes)) {
          Files.copy(unpacked, plain);
        }
      }
    }
    try (Corpus corpus = TextReader.lines().minCount(minCount).read(plain)) {
      if (corpus.report().kept() == 0) {
        throw new IllegalArgumentException(
            given + ": no word is there often enough; give a longer text or a lower --min-count");
      }
      return new PlainText(plain, corpus.report().kept(), null);
    }
  }

  /** Its first words, of which the most frequent are trained. */
  PlainText small(Path folder) throws IOException {
    Path beginning = folder.resolve("beginning.txt");
    try (InputStream bytes = Files.newInputStream(file)) {
      byte[] first = bytes.readNBytes(SMALL_BYTES);
      int end = first.length;
      while (end > 0 && first[end - 1] > ' ' && first.length == SMALL_BYTES) {
        end--; // a word that is cut
      }
      Files.write(beginning, Arrays.copyOf(first, end));
    }
    Path frequent = folder.resolve("frequent.txt");
    TextReader reader = TextReader.lines().maxVocabulary(SMALL_WORDS);
    try (Corpus corpus = reader.read(beginning)) {
      corpus.vocabulary().write(frequent);
      return new PlainText(beginning, corpus.report().kept(), frequent);
    }
  }
}
