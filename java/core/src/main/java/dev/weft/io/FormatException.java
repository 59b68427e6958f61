// SPDX-License-Identifier: Apache-2.0
package dev.weft.io;

import dev.weft.format.Format;
import java.io.IOException;
import java.nio.file.Path;

/** A file whose content is not what its format asks for: where, and what was expected there. */
public final class FormatException extends IOException {
  private static final long serialVersionUID = 1;
  private static final int LONGEST = 1000; // characters: names in a file may have any length

  private final transient Path path;

  /** The byte, counted from 0, at which the file departs from its format. */
  private final long offset;

  /**
   * A file that departs from its format at one byte.
   *
   * @param offset the byte, counted from 0, at which the file departs from its format; for a
   *     compressed file, of its unpacked content
   * @param expected in words; what they quote of the file may hold anything, and is shown as {@link
   *     Format#shown} does
   */
  public FormatException(Path path, long offset, String expected) {
    super(path + ", byte " + offset + ": " + Format.shown(expected, LONGEST));
    this.path = path;
    this.offset = offset;
  }

  /**
   * The same, where something else found the fault.
   *
   * @param offset as in {@link #FormatException(Path, long, String)}
   * @param cause what found it
   */
  public FormatException(Path path, long offset, String expected, Throwable cause) {
    this(path, offset, expected);
    initCause(cause);
  }

  /** The file; null in an exception that was serialized. */
  public Path path() {
    return path;
  }

  /** The byte, counted from 0, at which the file departs from its format. */
  public long offset() {
    return offset;
  }
}
