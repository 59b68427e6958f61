// SPDX-License-Identifier: Apache-2.0
package dev.weft.train;

import dev.weft.Engine;
import dev.weft.Parameter;
import dev.weft.Tensor;
import dev.weft.device.Closing;
import dev.weft.nn.ParameterArena;
import java.util.LinkedHashMap;
import java.util.Map;

/** A second copy of a network's values and buffers on the device: those of its best epoch. */
final class BestValues implements AutoCloseable {
  private final ParameterArena arena;
  private final Map<Tensor, Tensor> copies = new LinkedHashMap<>();
  private boolean there;

  /** Takes the memory. */
  BestValues(ParameterArena arena) {
    this.arena = arena;
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
    there = true;
  }

  /** Gives the network what was kept; nothing where that was nothing. */
  void restore() {
    if (there) {
      copies.forEach((values, copy) -> Engine.copy(copy, values));
      arena.updateCopy();
    }
  }

  @Override
  public void close() {
    Closing.all(copies.values().toArray(Tensor[]::new));
  }
}
