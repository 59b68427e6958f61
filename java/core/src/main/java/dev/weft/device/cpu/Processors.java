// SPDX-License-Identifier: Apache-2.0
package dev.weft.device.cpu;

import org.jspecify.annotations.Nullable;

/** How many threads compute where nobody says. */
public final class Processors {
  /** The library has no more. */
  public static final int MOST_THREADS = 1024;

  private static final String SETTING = "OMP_NUM_THREADS";

  private Processors() {}

  /**
   * As many as Java sees processors, which heeds quotas of a container and affinity, or as the
   * environment says by {@code OMP_NUM_THREADS}, as schedulers of clusters do for all that
   * computes.
   */
  public static int threads() {
    return Math.min(
        MOST_THREADS, threads(System.getenv(SETTING), Runtime.getRuntime().availableProcessors()));
  }

  /** The same, of a setting, which is heeded where its first number is 1 or more. */
  static int threads(@Nullable String setting, int processors) {
    if (setting == null) {
      return processors;
    }
    try {
      int named = Integer.parseInt(setting.split(",", 2)[0].strip());
      return named < 1 ? processors : named;
    } catch (NumberFormatException e) {
      return processors;
    }
  }
}
