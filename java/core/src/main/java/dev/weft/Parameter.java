// SPDX-License-Identifier: Apache-2.0
package dev.weft;

import static dev.weft.format.Format.format;

/**
 * A tensor that training changes: its name, its shape and how it starts. It has no memory until the
 * network that it belongs to is put on a device.
 */
public final class Parameter {

  /** How a parameter starts. */
  @FunctionalInterface
  public interface Initializer {
    /**
     * Fills a tensor.
     *
     * @param tensor what to fill; its shape is the parameter's
     * @param seed the network's seed
     * @param draw the number of this parameter in the network, so that no two draw the same values
     */
    void fill(Tensor tensor, long seed, long draw);
  }

  private final String name;
  private final Shape shape;
  private final Initializer initializer;
  private Tensor tensor;

  /** A parameter without memory. */
  public Parameter(String name, Shape shape, Initializer initializer) {
    this.name = name;
    this.shape = shape;
    this.initializer = initializer;
  }

  /** Its name within its layer, such as {@code weight}. */
  public String name() {
    return name;
  }

  /** Its sizes. */
  public Shape shape() {
    return shape;
  }

  /** How it starts. */
  public Initializer initializer() {
    return initializer;
  }

  /**
   * Its values on the device that its network was put on; {@link Tensor#grad} is its gradient.
   *
   * @throws IllegalStateException where the network is on no device
   */
  public Tensor tensor() {
    if (tensor == null) {
      throw new IllegalStateException(
          format("parameter %s %s has no memory: put its network on a device first", name, shape));
    }
    return tensor;
  }

  /** Gives it memory in place of what it has. */
  public void bind(Tensor memory) {
    if (!memory.shape().equals(shape)) {
      throw new IllegalArgumentException(
          format("parameter %s %s does not lie in %s", name, shape, memory));
    }
    tensor = memory;
  }

  /** Takes this memory away, unless it has been given other since. */
  public void unbind(Tensor memory) {
    if (tensor == memory) {
      tensor = null;
    }
  }

  @Override
  public String toString() {
    return name + " " + shape;
  }
}
