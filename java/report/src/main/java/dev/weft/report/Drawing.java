// SPDX-License-Identifier: Apache-2.0
package dev.weft.report;

import static dev.weft.format.Format.format;

import java.nio.file.Path;

/**
 * What a machine needs for pictures in pixels. It stands apart from {@link Pixels}, which cannot
 * even be loaded by a Java without java.desktop.
 */
final class Drawing {
  private Drawing() {}

  /**
   * Returns if a file of pixels can be drawn here.
   *
   * @throws IllegalStateException that says what this machine lacks
   */
  static void check(Path path) {
    if (ModuleLayer.boot().findModule("java.desktop").isEmpty()) {
      throw new IllegalStateException(
          format(
              "%s: this Java draws no pixels, it is without java.desktop, as that of a bundle is;"
                  + " write an .svg, or run Weft from a checkout with a whole JDK",
              path));
    }
    try {
      Pixels.layOutText();
    } catch (LinkageError
        | InternalError
        | RuntimeException e) { // which of them, Java's version says
      throw new IllegalStateException(
          format(
              "%s: this machine has nothing to draw text with (%s); write an .svg, or install"
                  + " fonts: apt-get install fontconfig fonts-dejavu-core",
              path, e),
          e);
    }
  }
}
