// SPDX-License-Identifier: Apache-2.0
package dev.weft.io;

import java.io.IOException;
import java.nio.file.Path;

/** A file whose content is not what its format asks for: where, and what was expected there. */
public final class FormatException extends IOException {
  private static final long serialVersionUID = 1;

  private final transient Path path;

  /** The byte, counted from 0, at which the file departs from its format. */
  private final long offset;

  /**
   * A file that departs from its format at one byte.
   *
   * @param offset the byte, counted from 0, at which the file departs from its format; for a
   *     compressed file, of its unpacked content
   */
  public FormatException(Path path, long offset, String expected) {
    super(path + ", byte " + offset + ": " + expected);
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
