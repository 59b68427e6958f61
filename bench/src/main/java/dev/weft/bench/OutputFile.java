// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench;

import static dev.weft.format.Format.format;

import dev.weft.io.AtomicFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import picocli.CommandLine;
import picocli.CommandLine.ParameterException;

/** A file that is to be written at the end: that it can be is found out at the start. */
final class OutputFile {
  private OutputFile() {}

  /**
   * Returns where the file can be written, or none is wanted.
   *
   * @throws ParameterException that names the option and says what is in the way
   */
  static void check(CommandLine line, String option, Path given) {
    if (given == null) {
      return;
    }
    Path file = given.toAbsolutePath();
    try {
      Files.createDirectories(file.getParent());
    } catch (IOException e) {
      throw new ParameterException(line, format("%s: no folder for %s", option, file), e);
    }
    try {
      AtomicFile.checkWritable(file);
    } catch (IOException e) {
      throw new ParameterException(line, format("%s: %s", option, e.getMessage()), e);
    }
  }
}
