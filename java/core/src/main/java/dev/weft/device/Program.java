// SPDX-License-Identifier: Apache-2.0
package dev.weft.device;

/**
 * A recorded list of kernel calls, replayed as one: a CUDA graph, or one native call over an array
 * of kernel records. The memory that it reads and writes must outlive it.
 */
public interface Program extends AutoCloseable {

  /** Runs all calls in the order in which they were recorded; allocates nothing. */
  void run();

  /** The number of calls. */
  int size();

  @Override
  void close();
}
