// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench.peer;

import java.util.List;

/**
 * The number of threads, the same for Weft and its peer: {@code -Dweft.bench.threads}, else all.
 */
public final class Threads {
  private static final String PROPERTY = "weft.bench.threads";

  private Threads() {}

  /** How many there are to be. */
  public static int count() {
    return Integer.getInteger(PROPERTY, Runtime.getRuntime().availableProcessors());
  }

  /** Options of a Java machine that tell both sides; DJL also stays off the network by them. */
  public static List<String> options(int count) {
    return List.of(
        "-D" + PROPERTY + "=" + count,
        "-Dai.djl.pytorch.num_threads=" + count,
        "-Dai.djl.pytorch.num_interop_threads=1",
        "-Dai.djl.offline=true");
  }
}
