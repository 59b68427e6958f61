// SPDX-License-Identifier: Apache-2.0
package dev.weft.train;

import dev.weft.device.Closing;
import dev.weft.optim.Updates;
import org.jspecify.annotations.Nullable;

/** What training keeps beside a network's memory, with which it is closed. */
final class Kept implements AutoCloseable {
  private final Updates updates;
  private @Nullable AveragedValues average;

  Kept(Updates updates, @Nullable AveragedValues average) {
    this.updates = updates;
    this.average = average;
  }

  /** The optimizer's memory. */
  Updates updates() {
    return updates;
  }

  /** The average of the weights; null where none is taken. */
  @Nullable AveragedValues average() {
    return average;
  }

  /** Keeps another average, or none; the one before stays open. */
  void average(@Nullable AveragedValues other) {
    average = other;
  }

  /** Whether its memory was given back. */
  boolean isClosed() {
    return updates.isClosed();
  }

  /** Whether something is lost where this is closed. */
  boolean remembers() {
    return updates.remembers() || average != null;
  }

  @Override
  public void close() {
    Closing.all(updates, average);
  }
}
