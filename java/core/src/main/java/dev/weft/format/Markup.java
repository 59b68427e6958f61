// SPDX-License-Identifier: Apache-2.0
package dev.weft.format;

/** Text inside XML, and how wide it is. */
public final class Markup {
  private Markup() {}

  /** The text with markup written out; what XML cannot hold becomes a replacement character. */
  public static String escape(String text) {
    StringBuilder escaped = new StringBuilder();
    text.codePoints()
        .forEach(
            c -> {
              switch (c) {
                case '&' -> escaped.append("&amp;");
                case '<' -> escaped.append("&lt;");
                case '>' -> escaped.append("&gt;");
                case '"' -> escaped.append("&quot;");
                default -> escaped.appendCodePoint(isHeld(c) ? c : 0xFFFD);
              }
            });
    return escaped.toString();
  }

  private static boolean isHeld(int c) {
    return c >= ' ' && (c < 0xD800 || c > 0xDFFF) && c != 0xFFFE && c != 0xFFFF;
  }

  /** The columns that text takes where every letter is equally wide; Chinese ones take two. */
  public static int columns(String text) {
    return text.codePoints().map(c -> c < 0x1100 ? 1 : 2).sum();
  }
}
