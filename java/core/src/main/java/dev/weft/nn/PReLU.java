// SPDX-License-Identifier: Apache-2.0
package dev.weft.nn;

import static dev.weft.format.Format.format;

import dev.weft.Operations;
import dev.weft.Parameter;
import dev.weft.RowType;
import dev.weft.Shape;
import dev.weft.Tensor;
import java.util.List;
import java.util.Map;

/**
 * A ReLU whose slope below 0 is learned (He et al. 2015): y = x where x is positive, else slope x;
 * x (..., width), slope (width) or one number, at first 0.25, y as x.
 */
public final class PReLU implements Layer {
  private static final double SLOPE = 0.25;

  private final Parameter slope;

  /** One slope for all columns. */
  public PReLU() {
    this(1);
  }

  /**
   * A slope for each column of the last axis; of a width of 1 one for all.
   *
   * @throws IllegalArgumentException where the width is not positive
   */
  public PReLU(int width) {
    if (width < 1) {
      throw new IllegalArgumentException(format("PReLU(%d): the width must be positive", width));
    }
    slope = new Parameter("slope", Shape.of(width), Initializers.constant(SLOPE));
  }

  /** The slope. */
  public Parameter slope() {
    return slope;
  }

  private long width() {
    return slope.shape().size(0);
  }

  @Override
  public Tensor forward(Operations operations, Tensor x) {
    if (width() > 1 && (x.shape().rank() == 0 || x.shape().size(-1) != width())) {
      throw new IllegalArgumentException(format("%s got x of shape %s", this, x.shape()));
    }
    return operations.prelu(x, slope.tensor());
  }

  @Override
  public List<Parameter> parameters() {
    return List.of(slope);
  }

  @Override
  public RowType output(RowType input) {
    if (width() > 1) {
      LastAxis.check(this, input, width());
    } else {
      LastAxis.checkNumbers(this, input);
    }
    return input;
  }

  @Override
  public Map<String, Object> settings() {
    return Map.of("width", width());
  }

  @Override
  public String spec() {
    return width() == 1 ? "prelu" : format("prelu(%d)", width());
  }

  @Override
  public String toString() {
    return format("PReLU(%d)", width());
  }
}
