// SPDX-License-Identifier: Apache-2.0
package dev.weft.cli;

/** How far work is: in a terminal one line that is written anew, elsewhere a line each time. */
final class ProgressLine {
  private final Screen screen;
  private int shown; // characters that are to be overwritten

  ProgressLine(Screen screen) {
    this.screen = screen;
  }

  /** Shows a line until the next one. */
  void show(String line) {
    if (screen.kind() == Screen.Kind.PLAIN) {
      screen.out().println(line);
    } else {
      // a character in the last column would move some terminals to the next line
      String cut = line.substring(0, Math.min(line.length(), screen.columns() - 1));
      screen.out().print("\r" + cut + " ".repeat(Math.max(0, shown - cut.length())));
      shown = cut.length();
    }
    screen.out().flush();
  }

  /** Shows a line that stays. */
  void end(String line) {
    clear();
    screen.out().println(line);
    screen.out().flush();
  }

  /** Takes away what does not stay. */
  void clear() {
    if (shown > 0) {
      screen.out().print("\r" + " ".repeat(shown) + "\r");
      screen.out().flush();
      shown = 0;
    }
  }
}
