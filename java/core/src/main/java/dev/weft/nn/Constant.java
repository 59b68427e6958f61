// SPDX-License-Identifier: Apache-2.0
package dev.weft.nn;

import static dev.weft.format.Format.format;

import dev.weft.DType;
import dev.weft.Device;
import dev.weft.Shape;
import dev.weft.Tensor;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * Integers that a model reads and nothing changes, such as the paths of a tree. They lie on the
 * device that the network is put on, as long as its parameters do, and follow from the model's
 * {@link Model#settings}, so that no file holds them.
 */
public final class Constant {
  private final String name;
  private final int[] values;
  private @Nullable Tensor tensor;

  /** A vector of int32; the array is not copied. */
  public Constant(String name, int... values) {
    this.name = name;
    this.values = values;
  }

  /**
   * The vector on the device that its network was put on.
   *
   * @throws IllegalStateException where the network is on no device
   */
  public Tensor tensor() {
    if (tensor == null) {
      throw new IllegalStateException(
          format("the constant %s has no memory: put its network on a device first", name));
    }
    return tensor;
  }

  Tensor on(Device device) {
    return device
        .upload(DType.I32, Shape.of(values.length), MemorySegment.ofArray(values))
        .named(name);
  }

  void bind(Tensor memory) {
    tensor = memory;
  }

  /** Takes this memory away, unless it has been given other since. */
  void unbind(Tensor memory) {
    if (tensor == memory) {
      tensor = null;
    }
  }
}
