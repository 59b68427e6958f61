// SPDX-License-Identifier: Apache-2.0
package dev.weft.embed;

import static dev.weft.format.Format.format;

import dev.weft.io.FormatException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The first line of word2vec's files.
 *
 * @param rows words that it promises
 * @param columns numbers of each
 * @param length of the line in bytes, with its newline
 */
record Header(long rows, long columns, int length) {
  private static final int LONGEST = 64;
  private static final Pattern LINE = Pattern.compile("([0-9]{1,18})[ \t]+([0-9]{1,18})[ \t\r]*");

  /** The first line of a file that begins with these bytes; null where that is no header. */
  static @Nullable Header find(byte[] bytes, int limit) {
    for (int end = 0; end < Math.min(limit, LONGEST); end++) {
      if (bytes[end] == '\n') {
        return parse(new String(bytes, 0, end, StandardCharsets.ISO_8859_1), end + 1);
      }
    }
    return null;
  }

  /** The line that was read; null where it is no header. */
  static @Nullable Header parse(TextLines line) {
    return line.length() > LONGEST ? null : parse(line.text(), line.length() + 1);
  }

  private static @Nullable Header parse(String line, int length) {
    Matcher matcher = LINE.matcher(line);
    return matcher.matches()
        ? new Header(Long.parseLong(matcher.group(1)), Long.parseLong(matcher.group(2)), length)
        : null;
  }

  /** Whether a file of so many bytes is too short for rows of such numbers. */
  boolean isTooMuch(long size, int least, int around) {
    return rows > (size - length + 1) / (columns * least + around);
  }

  /**
   * Returns if a file can hold what is promised, so that memory for it may be taken.
   *
   * @param rest bytes after the header
   * @param least bytes that a number takes
   * @param around bytes that a row takes beside its numbers, at least
   */
  void check(Path path, long rest, int least, int around) throws FormatException {
    if (rows < 1
        || columns < 1
        || columns > Integer.MAX_VALUE / 8
        || rows > Integer.MAX_VALUE - 16) {
      throw new FormatException(
          path,
          0,
          format("the header says %d words of %d numbers, which cannot be", rows, columns));
    }
    if (isTooMuch(length + rest, least, around)) {
      throw new FormatException(
          path,
          length + rest,
          format(
              "the header promises %,d words of %d numbers, which take more than the %,d bytes"
                  + " after it: the file is cut short, perhaps by a download, or of another format",
              rows, columns, rest));
    }
  }
}
