// SPDX-License-Identifier: Apache-2.0
package dev.weft.device;

/**
 * Recorded calls with a clock between them: the processor's own, or a GPU's events. Does what the
 * {@link Program} of the same calls does, a little slower.
 */
public interface TimedProgram extends AutoCloseable {

  /**
   * Runs all calls, waits for them, and says when each began and ended.
   *
   * @param nanoseconds receives {@link #size} + 1 times since the first call began: at k, call k
   *     began and the one before it had ended
   */
  void run(long[] nanoseconds);

  /** The threads of this machine that computed a run, in the mean; 0 where a GPU did. */
  double threads();

  /** The number of calls. */
  int size();

  @Override
  void close();
}
