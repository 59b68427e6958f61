// SPDX-License-Identifier: Apache-2.0
package dev.weft.report;

import static dev.weft.format.Format.format;

import java.io.IOException;
import java.nio.file.Path;

/**
 * What makes a file of pixels. It stands apart from {@link Pixels}, which cannot even be loaded by
 * a Java without java.desktop.
 */
@FunctionalInterface
interface Drawing {
  /** The file's bytes. */
  byte[] make() throws IOException;

  /** The file, or words about what this machine lacks to draw it. */
  static byte[] drawn(Path path, Drawing drawing) throws IOException {
    if (ModuleLayer.boot().findModule("java.desktop").isEmpty()) {
      throw new IllegalStateException(
          format(
              "%s: this Java draws no pixels, it is without java.desktop, as that of a bundle is;"
                  + " write an .svg, or run Weft from a checkout with a whole JDK",
              path));
    }
    try {
      return drawing.make();
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
