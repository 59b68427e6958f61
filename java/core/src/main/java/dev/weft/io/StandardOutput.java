// SPDX-License-Identifier: Apache-2.0
package dev.weft.io;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
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
