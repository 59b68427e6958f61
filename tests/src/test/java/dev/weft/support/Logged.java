// SPDX-License-Identifier: Apache-2.0
package dev.weft.support;

import java.util.ArrayList;
import java.util.List;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;

/** What Weft logs until this is closed, each line as {@code LEVEL text}. */
public final class Logged implements AutoCloseable {
  private static final Logger WEFT = Logger.getLogger("dev.weft");

  private final List<String> lines = new ArrayList<>();
  private final Handler handler =
      new Handler() {
        @Override
        public void publish(LogRecord line) {
          lines.add(line.getLevel() + " " + line.getMessage());
        }

        @Override
        public void flush() {}

        @Override
        public void close() {}
      };

  /** Begins to listen. */
  public Logged() {
    WEFT.addHandler(handler);
  }

  /** The lines so far. */
  public List<String> lines() {
    return List.copyOf(lines);
  }

  @Override
  public void close() {
    WEFT.removeHandler(handler);
  }
}
