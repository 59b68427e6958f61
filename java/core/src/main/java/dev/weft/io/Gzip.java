// SPDX-License-Identifier: Apache-2.0
package dev.weft.io;

import static dev.weft.format.Format.format;

import java.io.EOFException;
import java.io.IOException;

/** What is said of gzip data, wherever they are read. */
public final class Gzip {
  private Gzip() {}

  /**
   * A sentence on data that end too early or are wrong, at a byte that is named beside it.
   *
   * @param what "the file", "the text"
   */
  public static String damage(String what, IOException e) {
    String why =
        e instanceof EOFException
            ? format("%s is incomplete: its gzip data end here", what)
            : format(
                "%s is damaged: its gzip data cannot be unpacked here (%s)", what, e.getMessage());
    return why + ", at this byte of what they hold; download it again";
  }
}
