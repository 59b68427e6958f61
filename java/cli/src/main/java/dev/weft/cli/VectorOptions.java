// SPDX-License-Identifier: Apache-2.0
package dev.weft.cli;

import static dev.weft.format.Format.count;
import static dev.weft.format.Format.format;

import dev.weft.embed.VectorFormat;
import dev.weft.embed.Vectors;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** A file of word vectors. */
final class VectorOptions {
  @Parameters(
      paramLabel = "VECTORS",
      index = "0",
      description = "A file of word vectors, or a model of word2vec, whose W they are.")
  private Path file;

  @Option(
      names = "--format",
      paramLabel = "FORMAT",
      description = {
        "word2vec_text, word2vec_binary, glove, safetensors or npy. Default: what the content"
            + " shows."
      })
  private @Nullable String format;

  @Option(
      names = "--words",
      paramLabel = "FILE",
      description = {
        "The words of an npy or safetensors file, one a line, perhaps with a count. Default: the"
            + " file of its name that ends in .vocab."
      })
  private @Nullable Path vocabulary;

  /**
   * Opens it, and says on the error stream what was left out.
   *
   * @throws IOException where it cannot be read
   */
  Vectors open(Screen screen) throws IOException {
    VectorFormat known = format == null ? null : named(format);
    if (known == null && vocabulary != null) {
      known = VectorFormat.of(file).orElseThrow(this::unknown);
    }
    Vectors vectors = known == null ? Vectors.open(file) : Vectors.open(file, known, vocabulary);
    PrintWriter err = screen.err();
    if (vectors.duplicates() > 0) {
      err.println(
          format(
              "weft: %s: %s left out, since their words stand before them",
              file, count(vectors.duplicates(), "row")));
    }
    if (vectors.notUtf8() > 0) {
      err.println(
          format(
              "weft: %s: %s not UTF-8, and printed with replacements",
              file, count(vectors.notUtf8(), "word")));
    }
    return vectors;
  }

  private IllegalArgumentException unknown() {
    return new IllegalArgumentException(
        format("%s: its content does not show its format; give --format", file));
  }

  Path file() {
    return file;
  }

  /** The format that a word stands for. */
  static VectorFormat named(String word) {
    return Choice.of("format", word, VectorFormat.class);
  }
}
