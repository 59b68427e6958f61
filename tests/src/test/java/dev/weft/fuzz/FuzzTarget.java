// SPDX-License-Identifier: Apache-2.0
package dev.weft.fuzz;

import com.sun.management.ThreadMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;

/**
 * What Jazzer calls with bytes of its own: the first chooses a {@link Reader}, the others are the
 * file. Whatever a reader does but read it, or refuse it in words, is an error.
 */
public final class FuzzTarget {
  /** The name of the only reader, where others are not to be tried. */
  static final String ONLY = "weft.fuzz.reader";

  /** The folder of the files that are read. */
  static final String FOLDER = "weft.fuzz.folder";

  /** Bytes of the heap that reading may take, beside {@link #EACH} for each byte of the file. */
  private static final long MOST = 4 << 20;

  private static final long EACH = 1000;
  private static final int LONGEST = 1500; // characters of a message
  private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

  private FuzzTarget() {}

  /** Jazzer's entry. */
  public static void fuzzerTestOneInput(byte[] input) {
    if (input.length > 0) {
      String only = System.getProperty(ONLY, "");
      Reader reader =
          only.isEmpty()
              ? Reader.values()[(input[0] & 0xFF) % Reader.values().length]
              : Reader.valueOf(only);
      read(reader, Arrays.copyOfRange(input, 1, input.length), Path.of(System.getProperty(FOLDER)));
    }
  }

  /** What Jazzer is given of a file for a reader. */
  static byte[] input(Reader reader, byte[] content) {
    byte[] input = new byte[1 + content.length];
    input[0] = (byte) reader.ordinal();
    System.arraycopy(content, 0, input, 1, content.length);
    return input;
  }

  /**
   * Has a file read.
   *
   * @return why it was refused; empty where it was read
   * @throws AssertionError where it was refused in words that do not help, or took more memory than
   *     a file of its size may
   */
  static String read(Reader reader, byte[] content, Path folder) {
    long most = MOST + EACH * content.length;
    long[] taken = new long[1];
    String said = read(reader, content, folder, taken);
    if (taken[0] > most) {
      // once more: the first time it may be for classes
      said = read(reader, content, folder, taken);
    }
    if (taken[0] > most) {
      throw new AssertionError(
          reader + ": " + taken[0] + " bytes of memory for a file of " + content.length);
    }
    return said;
  }

  private static String read(Reader reader, byte[] content, Path folder, long[] taken) {
    Path file = folder.resolve(reader.name() + ".file");
    long before = THREADS.getCurrentThreadAllocatedBytes();
    String refused = "";
    try {
      Files.write(file, content);
      reader.read(file);
    } catch (IOException e) {
      refused = checked(e.getMessage(), folder);
    }
    taken[0] = THREADS.getCurrentThreadAllocatedBytes() - before;
    return refused;
  }

  /** A message that names the file, and says on a line what is wrong. */
  static String checked(String message, Path folder) {
    String start = folder + "/";
    boolean named = message != null && message.startsWith(start) && message.contains(": ");
    if (!named || message.length() > LONGEST || message.chars().anyMatch(Character::isISOControl)) {
      throw new AssertionError("a message that does not help: " + message);
    }
    return message;
  }
}
