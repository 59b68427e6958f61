// SPDX-License-Identifier: Apache-2.0
package dev.weft.cli;

import dev.weft.io.StandardOutput;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.Charset;
import java.util.function.Supplier;

/**
 * Where the command writes.
 *
 * @param out results
 * @param err errors
 * @param kind whether lines may be overwritten
 * @param columns the width of a terminal
 * @param charset what results are written in
 * @param failure why results could not be written; null where they could
 */
public record Screen(
    PrintWriter out,
    PrintWriter err,
    Kind kind,
    int columns,
    Charset charset,
    Supplier<IOException> failure) {
  private static final int USUAL_COLUMNS = 80;

  /** What is at the other end. */
  public enum Kind {
    /** Somebody who watches. */
    TERMINAL,
    /** A file or another program: whole lines, no control characters. */
    PLAIN
  }

  /** The streams of this process. */
  static Screen standard() {
    Charset charset = System.out.charset();
    int columns = StandardOutput.terminalColumns();
    StandardOutput output = StandardOutput.ofProcess();
    return new Screen(
        new PrintWriter(output, true, charset),
        new PrintWriter(System.err, true, System.err.charset()),
        columns > 0 ? Kind.TERMINAL : Kind.PLAIN,
        columns > 0 ? columns : USUAL_COLUMNS,
        charset,
        output::failure);
  }

  /** This one, for a file or another program. */
  Screen plain() {
    return new Screen(out, err, Kind.PLAIN, columns, charset, failure);
  }
}
