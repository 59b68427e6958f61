// SPDX-License-Identifier: Apache-2.0
package dev.weft.nn;

import static dev.weft.format.Format.format;

import dev.weft.Operations;
import dev.weft.Parameter;
import dev.weft.RowType;
import dev.weft.Shape;
import dev.weft.Tensor;
import dev.weft.op.LayerNormOperation;
import java.util.List;
import java.util.Map;

/**
 * Layer normalisation (Ba, Kiros and Hinton 2016): y = scale (x - mean) / √(variance + epsilon) +
 * shift, mean and variance along the last axis; x (..., width), scale (width), at first 1, shift
 * (width), at first 0, y as x.
 */
public final class LayerNorm implements Layer {
  /** The epsilon where none is given. */
  public static final double EPSILON = 1e-5;

  private final double epsilon;
  private final Parameter scale;
  private final Parameter shift;

  /** Epsilon 1e-5. */
  public LayerNorm(int width) {
    this(width, EPSILON);
  }

  /**
   * Any epsilon.
   *
   * @throws IllegalArgumentException where the width or epsilon is not positive
   */
  public LayerNorm(int width, double epsilon) {
    if (width < 1) {
      throw new IllegalArgumentException(
          format("LayerNorm(%d): the width must be positive", width));
    }
    this.epsilon = new LayerNormOperation(epsilon).epsilon(); // checked
    scale = new Parameter("scale", Shape.of(width), Initializers.ones());
    shift = new Parameter("shift", Shape.of(width), Initializers.zeros());
  }

  @Override
  public Tensor forward(Operations operations, Tensor x) {
    if (x.shape().rank() == 0 || x.shape().size(-1) != width()) {
      throw new IllegalArgumentException(format("%s got x of shape %s", this, x.shape()));
    }
    return operations.layerNorm(x, scale.tensor(), shift.tensor(), epsilon);
  }

  @Override
  public List<Parameter> parameters() {
    return List.of(scale, shift);
  }

  private long width() {
    return scale.shape().size(0);
  }

  @Override
  public RowType output(RowType input) {
    LastAxis.check(this, input, width());
    return input;
  }

  @Override
  public Map<String, Object> settings() {
    return Map.of("width", width(), "epsilon", epsilon);
  }

  @Override
  public String spec() {
    return epsilon == EPSILON
        ? format("layer_norm(%d)", width())
        : format("layer_norm(%d,%s)", width(), epsilon);
  }

  @Override
  public String toString() {
    return format("LayerNorm(%d)", width());
  }
}
