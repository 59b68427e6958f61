// SPDX-License-Identifier: Apache-2.0
package dev.weft.io;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * Where a command writes its results. PrintWriter and PrintStream, which commands print by, forget
 * why they could not write; this stream remembers. What comes after a failure is dropped, so that
 * work in progress ends as it would have.
 */
public final class StandardOutput extends OutputStream {
  /** What is at the other end. */
  public enum Reader {
    /** A program that may stop reading, as {@code head} does: that is no failure. */
    PROGRAM,
    /** A file, a terminal or a device. */
    NONE
  }

  private static final int DESCRIPTOR = 1;
  private static final int USUAL_COLUMNS = 80;

  private final OutputStream out;
  private final Reader reader;
  private @Nullable IOException failure;

  /** Writes to {@code out}. */
  public StandardOutput(OutputStream out, Reader reader) {
    this.out = out;
    this.reader = reader;
  }

  /** The standard output of this process. */
  public static StandardOutput ofProcess() {
    return new StandardOutput(new FileOutputStream(FileDescriptor.out), readerOfProcess());
  }

  private static Reader readerOfProcess() {
    try {
      String target = Files.readSymbolicLink(Path.of("/proc/self/fd/1")).toString();
      return target.startsWith("pipe:") || target.startsWith("socket:")
          ? Reader.PROGRAM
          : Reader.NONE;
    } catch (IOException | UnsupportedOperationException noSuchFolder) {
      return Reader.NONE; // then the system's words tell
    }
  }

  /**
   * The width of the terminal on standard output; 0 where it is none. Java's own Console tells only
   * whether input and output both are one.
   */
  public static int terminalColumns() {
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
                  .invokeExact(DESCRIPTOR, request, size);
      int columns = size.get(ValueLayout.JAVA_SHORT, 2);
      return failed != 0 ? 0 : columns > 0 ? columns : USUAL_COLUMNS;
    } catch (Throwable noTerminal) {
      return 0;
    }
  }

  /** Why something was not written; null where all was, or where nobody reads any more. */
  public @Nullable IOException failure() {
    // the words alone would not do: they are in the user's language
    boolean left =
        failure != null && (reader == Reader.PROGRAM || "Broken pipe".equals(failure.getMessage()));
    return failure == null || left ? null : named(failure);
  }

  private static IOException named(IOException failure) {
    var named = new FileSystemException("standard output", null, AtomicFile.reason(failure));
    named.initCause(failure);
    return named;
  }

  @Override
  public void write(int b) {
    write(new byte[] {(byte) b}, 0, 1);
  }

  @Override
  public void write(byte[] bytes, int from, int count) {
    if (failure == null) {
      try {
        out.write(bytes, from, count);
      } catch (IOException e) {
        failure = e;
      }
    }
  }

  @Override
  public void flush() {
    if (failure == null) {
      try {
        out.flush();
      } catch (IOException e) {
        failure = e;
      }
    }
  }
}
