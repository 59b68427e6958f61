// SPDX-License-Identifier: Apache-2.0
package dev.weft.train;

import dev.weft.Engine;
import dev.weft.Parameter;
import dev.weft.Tensor;
import dev.weft.device.Closing;
import dev.weft.nn.ParameterArena;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A second copy of a network's values and buffers on the device: those of its best epoch, averaged
 * where an average is taken.
 */
final class BestValues implements AutoCloseable {
  private final ParameterArena arena;
  private final @Nullable AveragedValues average;
  private final Map<Tensor, Tensor> copies = new LinkedHashMap<>();
  private long count; // of the average
  private boolean there;

  /** Takes the memory. */
  BestValues(ParameterArena arena, @Nullable AveragedValues average) {
    this.arena = arena;
    this.average = average;
    try {
      copy(arena.values());
      for (Parameter buffer : arena.layout().buffers()) {
        copy(arena.values(buffer));
      }
    } catch (RuntimeException e) {
      Closing.after(e, this::close);
      throw e;
    }
  }

  private void copy(Tensor values) {
    Tensor copy = values.device().allocate(values.dtype(), values.shape());
    copies.put(values, copy.named("best " + values.name()));
  }

  /** Keeps what the network has. */
  void keep() {
    copies.forEach(Engine::copy);
    count = average == null ? 0 : average.count();
    there = true;
  }

  /** Gives the network what was kept; nothing where that was nothing. */
  void restore() {
    if (there) {
      copies.forEach((values, copy) -> Engine.copy(copy, values));
      arena.updateCopy();
      if (average != null) {
        average.count(count);
      }
    }
  }

  @Override
  public void close() {
    Closing.all(copies.values().toArray(Tensor[]::new));
  }
}
