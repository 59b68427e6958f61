// SPDX-License-Identifier: Apache-2.0
package dev.weft;

import static dev.weft.format.Format.format;

import org.jspecify.annotations.Nullable;

/**
 * A tensor that belongs to a model: its name, its shape, how it starts and what training does to
 * it. It has no memory until the network that it belongs to is put on a device.
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

  /** How training treats a parameter. */
  public enum Kind {
    /** Its gradient has its shape. */
    DENSE,
    /** A table (rows, width) whose gradient is those of its rows that were looked up by number. */
    ROWS,
    /**
     * It has no gradient: running statistics and the like, which {@link Operations#assign} sets.
     */
    BUFFER
  }

  private final String name;
  private final Shape shape;
  private final Initializer initializer;
  private final Kind kind;
  private boolean frozen;
  private boolean lost;
  private @Nullable Tensor tensor;

  /** A dense parameter, without memory. */
  public Parameter(String name, Shape shape, Initializer initializer) {
    this(name, shape, initializer, Kind.DENSE);
  }

  private Parameter(String name, Shape shape, Initializer initializer, Kind kind) {
    this.name = name;
    this.shape = shape;
    this.initializer = initializer;
    this.kind = kind;
  }

  /**
   * A table whose gradient is a list of rows.
   *
   * @throws IllegalArgumentException where the shape is no matrix
   */
  public static Parameter rows(String name, Shape shape, Initializer initializer) {
    if (shape.rank() != 2) {
      throw new IllegalArgumentException(
          format("a table has shape (rows, width), and %s has %s", name, shape));
    }
    return new Parameter(name, shape, initializer, Kind.ROWS);
  }

  /** What training does not change, and what is saved with the rest. */
  public static Parameter buffer(String name, Shape shape, Initializer initializer) {
    return new Parameter(name, shape, initializer, Kind.BUFFER);
  }

  /** How training treats it. */
  public Kind kind() {
    return kind;
  }

  /**
   * Says whether training leaves it as it is; heard where its network is put on a device, and where
   * training starts.
   */
  public void freeze(boolean frozen) {
    this.frozen = frozen;
  }

  /** Whether training leaves it as it is although it could have a gradient. */
  public boolean isFrozen() {
    return frozen;
  }

  /** Whether training changes it. */
  public boolean isTrained() {
    return kind != Kind.BUFFER && !frozen;
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

  /** Whether it has memory. */
  boolean isBound() {
    return tensor != null;
  }

  /**
   * Gives it other memory, or null for none; returns what it had, or null.
   *
   * @throws IllegalArgumentException where the memory has another shape
   */
  @Nullable Tensor bind(@Nullable Tensor memory) {
    if (memory != null && !memory.shape().equals(shape)) {
      throw new IllegalArgumentException(
          format("parameter %s %s does not lie in %s", name, shape, memory.describe()));
    }
    Tensor before = tensor;
    tensor = memory;
    lost = false;
    return before;
  }

  /** Whether its memory was closed with the values in it, and it was given no other since. */
  boolean isLost() {
    return lost;
  }

  /** Takes this memory away, unless it has been given other since. */
  void unbind(Tensor memory) {
    if (tensor == memory) {
      tensor = null;
      lost = true;
    }
  }

  @Override
  public String toString() {
    return name + " " + shape;
  }
}
