// SPDX-License-Identifier: Apache-2.0
package dev.weft.cli;

import dev.weft.text.Corpus;
import dev.weft.text.TextReader;
import java.io.IOException;
import java.nio.file.Path;
import picocli.CommandLine.Option;

/** How the words of a text are read. */
final class TextOptions {
  @Option(names = "--lower-case", description = "Words become lower-case.")
  private boolean lowerCase;

  @Option(
      names = "--normalization",
      paramLabel = "FORM",
      defaultValue = "none",
      description =
          "The form of Unicode that words are brought to: none, nfc or nfkc. Default:"
              + " ${DEFAULT-VALUE}.")
  private String normalization;

  /** Reads a file or, for {@code -}, standard input: a line is a sentence. */
  Corpus read(String text, TextReader reader) throws IOException {
    TextReader wanted =
        reader.normalization(
            Choice.of("normalization", normalization, TextReader.Normalization.class));
    wanted = lowerCase ? wanted.letters(TextReader.Letters.LOWER_CASE) : wanted;
    return text.equals("-") ? wanted.read(System.in) : wanted.read(Path.of(text));
  }
}
