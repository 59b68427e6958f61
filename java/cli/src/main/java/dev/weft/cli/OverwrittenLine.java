// SPDX-License-Identifier: Apache-2.0
package dev.weft.cli;

import me.tongfei.progressbar.ProgressBarConsumer;

/** One line of a terminal, written again and again, and empty in the end. */
final class OverwrittenLine implements ProgressBarConsumer {
  private final Screen screen;
  private final int width;
  private boolean closed;

  OverwrittenLine(Screen screen) {
    this.screen = screen;
    // a character in the last column would move some terminals to the next line
    this.width = screen.columns() - 1;
  }

  @Override
  public int getMaxRenderedLength() {
    return width;
  }

  @Override
  public synchronized void accept(String line) {
    if (!closed) {
      screen.out().print("\r" + line);
      screen.out().flush();
    }
  }

  @Override
  public void clear() {
    screen.out().print("\r" + " ".repeat(width) + "\r");
    screen.out().flush();
  }

  @Override
  public synchronized void close() {
    if (!closed) {
      clear();
      closed = true;
    }
  }
}
