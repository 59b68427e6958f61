// SPDX-License-Identifier: Apache-2.0
package dev.weft.cli;

import dev.weft.io.AtomicFile;
import dev.weft.nn.Sequential;
import dev.weft.report.Plots;
import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;

/** A file that a command writes beside its work: a log, a table, a timeline. */
final class SideFile {
  private SideFile() {}

  /**
   * Finds out before the work that it can be written. An earlier one is replaced; a network that
   * was saved is not.
   *
   * @throws IOException that says what is in the way
   */
  static void check(Path file) throws IOException {
    AtomicFile.checkWritable(file);
    if (Files.exists(file) && isNetwork(file)) {
      throw new FileAlreadyExistsException(
          file.toString(), null, "is a saved network, which would be lost: name another file");
    }
  }

  /**
   * The same for a picture.
   *
   * @throws IllegalArgumentException where its name ends in no form of a picture
   * @throws IllegalStateException where this machine cannot draw that form
   */
  static void checkPicture(Path file) throws IOException {
    Plots.check(file);
    check(file);
  }

  private static boolean isNetwork(Path file) {
    try {
      Sequential.load(file);
      return true;
    } catch (IOException | RuntimeException none) {
      return false;
    }
  }
}
