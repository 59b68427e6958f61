// SPDX-License-Identifier: Apache-2.0
package dev.weft.cli;

import static dev.weft.format.Format.format;

import dev.weft.embed.Vectors;
import dev.weft.embed.Word2VecModel;
import picocli.CommandLine.Option;

/** Which of a model's two matrices are its word vectors. */
final class ExportOption {
  @Option(
      names = "--export",
      paramLabel = "W|C|W+C",
      defaultValue = "W",
      description =
          "Of a model: W, the vectors of words; C, those by which they are told from the words"
              + " around; W+C, the sums. Default: ${DEFAULT-VALUE}.")
  private String matrix;

  /** Whether it is W, which a file of vectors has, too. */
  boolean isInput() {
    return matrix.equals("W");
  }

  /** W, C or W+C. */
  String matrix() {
    return matrix;
  }

  /**
   * The matrix must be one that the model has for its words.
   *
   * @param hierarchical whether the objective is a hierarchical softmax
   */
  void check(boolean hierarchical) {
    if (!matrix.matches("W|C|W\\+C")) {
      throw new IllegalArgumentException(format("--export is W, C or W+C, not %s", matrix));
    }
    if (hierarchical && !isInput()) {
      throw new IllegalArgumentException(
          format(
              "--export %s: with a hierarchical softmax the rows of C are the inner nodes of its"
                  + " tree, not words; export W",
              matrix));
    }
  }

  Vectors of(Word2VecModel model) {
    check(model.tree() != null);
    return isInput() ? model.vectors() : matrix.equals("C") ? model.contextVectors() : model.sum();
  }
}
