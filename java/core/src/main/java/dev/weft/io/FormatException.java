// SPDX-License-Identifier: Apache-2.0
package dev.weft.io;

import java.io.IOException;
import java.nio.file.Path;

/** A file whose content is not what its format asks for: where, and what was expected there. */
public final class FormatException extends IOException {
  private static final long serialVersionUID = 1;

  private final transient Path path;
  private final long offset;

  /**
   * @param offset the byte, counted from 0, at which the file departs from its format; for a
   *     compressed file, of its unpacked content
   */
  public FormatException(Path path, long offset, String expected) {
    super(path + ", byte " + offset + ": " + expected);
    this.path = path;
    this.offset = offset;
  }

  public FormatException(Path path, long offset, String expected, Throwable cause) {
    this(path, offset, expected);
    initCause(cause);
  }

  public Path path() {
    return path;
  }

  public long offset() {
    return offset;
  }
}
