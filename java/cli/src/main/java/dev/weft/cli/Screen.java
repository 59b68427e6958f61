// SPDX-License-Identifier: Apache-2.0
package dev.weft.cli;

import dev.weft.io.StandardOutput;
import java.io.IOException;
import java.io.PrintWriter;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
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
  private static final int STANDARD_OUTPUT = 1;
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
    int columns = terminalColumns();
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

  /**
   * The width of the terminal on standard output; 0 where it is none. Java's own Console tells only
   * whether input and output both are one.
   */
  private static int terminalColumns() {
    // struct winsize: rows and columns, 16 bits each; the request differs by system
    boolean linux = System.getProperty("os.name").startsWith("Linux");
    long request = linux ? 0x5413L : 0x40087468L;
    Linker linker = Linker.nativeLinker();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment size = arena.allocate(8);
      int failed =
          (int)
              linker
                  .downcallHandle(
                      linker.defaultLookup().findOrThrow("ioctl"),
                      FunctionDescriptor.of(
                          ValueLayout.JAVA_INT,
                          ValueLayout.JAVA_INT,
                          ValueLayout.JAVA_LONG,
                          ValueLayout.ADDRESS),
                      Linker.Option.firstVariadicArg(2))
                  .invokeExact(STANDARD_OUTPUT, request, size);
      int columns = size.get(ValueLayout.JAVA_SHORT, 2);
      return failed != 0 ? 0 : columns > 0 ? columns : USUAL_COLUMNS;
    } catch (Throwable noTerminal) {
      return 0;
    }
  }
}
