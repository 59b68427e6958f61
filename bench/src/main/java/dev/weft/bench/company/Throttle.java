// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench.company;

import static dev.weft.format.Format.format;

import dev.weft.bench.measure.ChildFailedException;
import java.io.IOException;
import java.util.List;

/**
 * Stops a process and lets it go on, in periods of 100 ms: what stands in for a {@link Quota} below
 * one processor where no cgroup can be made. It ends with the process, or before.
 */
final class Throttle implements AutoCloseable {
  private static final double PERIOD = 0.1;
  private static final String LOOP =
      "while sleep $1 && kill -STOP $0; do sleep $2; kill -CONT $0; done 2>/dev/null";

  private final long pid;
  private final Process loop;

  /** Lets the process run for that share of the time. */
  Throttle(long pid, double share) {
    this.pid = pid;
    try {
      loop = new ProcessBuilder(command(pid, share)).start();
    } catch (IOException e) {
      throw new ChildFailedException("cannot start sh", e);
    }
  }

  static List<String> command(long pid, double share) {
    return List.of(
        "sh",
        "-c",
        LOOP,
        Long.toString(pid),
        format("%.3f", share * PERIOD),
        format("%.3f", (1 - share) * PERIOD));
  }

  @Override
  public void close() throws IOException {
    loop.destroyForcibly().onExit().join();
    new ProcessBuilder("kill", "-CONT", Long.toString(pid)).start().onExit().join();
  }
}
