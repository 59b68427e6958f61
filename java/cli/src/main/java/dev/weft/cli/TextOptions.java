// SPDX-License-Identifier: Apache-2.0
package dev.weft.cli;

import dev.weft.text.Corpus;
import dev.weft.text.TextReader;
import java.io.IOException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** How the words of a text are read. */
final class TextOptions {
  @Option(names = "--lower-case", description = "Words become lower-case.")
  private boolean lowerCase;

  @Option(
      names = "--normalization",
      paramLabel = "FORM",
      description =
          "The form of Unicode that words are brought to: none, nfc or nfkc. Default: none, or as"
              + " the model's text was read.")
  private @Nullable String normalization;

  /** The same reader with what the options name. */
  TextReader of(TextReader reader) {
    TextReader wanted = lowerCase ? reader.letters(TextReader.Letters.LOWER_CASE) : reader;
    return normalization == null
        ? wanted
        : wanted.normalization(
            Choice.of("normalization", normalization, TextReader.Normalization.class));
  }

  /** Reads a text by a reader with what the options name. */
  Corpus read(String text, TextReader reader) throws IOException {
    return open(text, of(reader));
  }

  /** Reads a file or, for {@code -}, standard input. */
  static Corpus open(String text, TextReader reader) throws IOException {
    return text.equals("-") ? reader.read(System.in) : reader.read(Path.of(text));
  }
}
