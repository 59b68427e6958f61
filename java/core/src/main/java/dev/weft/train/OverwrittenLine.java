// SPDX-License-Identifier: Apache-2.0
package dev.weft.train;

import java.io.PrintWriter;
import me.tongfei.progressbar.ProgressBarConsumer;

/** One line of a terminal, written again and again, and empty in the end. */
final class OverwrittenLine implements ProgressBarConsumer {
  private final PrintWriter out;
  private final int width;
  private boolean closed;

  OverwrittenLine(PrintWriter out, int columns) {
    this.out = out;
    // a character in the last column would move some terminals to the next line
    this.width = columns - 1;
  }

  @Override
  public int getMaxRenderedLength() {
    return width;
  }

  @Override
  public synchronized void accept(String line) {
    if (!closed) {
      out.print("\r" + line);
      out.flush();
    }
  }

  @Override
  public void clear() {
    out.print("\r" + " ".repeat(width) + "\r");
    out.flush();
  }

  @Override
  public synchronized void close() {
    if (!closed) {
      clear();
      closed = true;
    }
  }
}
