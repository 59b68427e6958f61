// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench.report;

/** Text inside HTML. */
final class Html {
  private Html() {}

  /** The text with what HTML would read as markup written out. */
  static String escape(String text) {
    return text.replace("&", "&amp;")
        .replace("<", "&lt;")
        .replace(">", "&gt;")
        .replace("\"", "&quot;")
        .replace("'", "&#39;");
  }
}
