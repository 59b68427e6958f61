// SPDX-License-Identifier: Apache-2.0
package dev.weft.nn;

import static dev.weft.format.Format.format;

import dev.weft.Operations;
import dev.weft.Parameter;
import dev.weft.RowType;
import dev.weft.Shape;
import dev.weft.Tensor;
import dev.weft.op.BatchNormOperation;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Batch normalisation (Ioffe and Szegedy 2015): y = scale (x - mean) / √(variance + epsilon) +
 * shift, mean and variance of each column over all rows; x (..., width), scale (width), at first 1,
 * shift (width), at first 0, y as x.
 *
 * <p>Training takes mean and variance of the batch, which has at least two rows, and moves a
 * running mean, at first 0, and a running variance, at first 1, towards them; inference takes the
 * running ones. They are buffers: saved with the rest, and changed by no optimizer.
 */
public final class BatchNorm implements Layer {
  /** The epsilon where none is given. */
  public static final double EPSILON = 1e-5;

  /** The momentum where none is given. */
  public static final double MOMENTUM = 0.1;

  private final BatchNormOperation operation;
  private final Parameter scale;
  private final Parameter shift;
  private final Parameter runningMean;
  private final Parameter runningVariance;
  private @Nullable BatchStatistics adding; // while passes add up what batches have

  /** Batch norm with epsilon 1e-5 and momentum 0.1. */
  public BatchNorm(int width) {
    this(width, EPSILON, MOMENTUM);
  }

  /**
   * Batch norm with the given epsilon and momentum.
   *
   * @param momentum the share of a batch in the running values: running = (1 - momentum) running +
   *     momentum batch
   * @throws IllegalArgumentException where the width or epsilon is not positive, or the momentum
   *     outside [0, 1]
   */
  public BatchNorm(int width, double epsilon, double momentum) {
    if (width < 1) {
      throw new IllegalArgumentException(
          format("BatchNorm(%d): the width must be positive", width));
    }
    operation = new BatchNormOperation(epsilon, momentum);
    Shape shape = Shape.of(width);
    scale = new Parameter("scale", shape, Initializers.ones());
    shift = new Parameter("shift", shape, Initializers.zeros());
    runningMean = Parameter.buffer("running_mean", shape, Initializers.zeros());
    runningVariance = Parameter.buffer("running_variance", shape, Initializers.ones());
  }

  @Override
  public Tensor forward(Operations operations, Tensor x) {
    if (x.shape().rank() == 0 || x.shape().size(-1) != width()) {
      throw new IllegalArgumentException(format("%s got x of shape %s", this, x.shape()));
    }
    Tensor y =
        operations.apply(
            adding == null ? operation : new BatchNormOperation(operation.epsilon(), 1),
            x,
            scale.tensor(),
            shift.tensor(),
            runningMean.tensor(),
            runningVariance.tensor());
    if (adding != null) {
      adding.add(operations, this);
    }
    return y;
  }

  /** Says whether what batches have is added up from here on, in place of running values. */
  void addTo(@Nullable BatchStatistics statistics) {
    adding = statistics;
  }

  /** Its running mean and variance. */
  List<Parameter> running() {
    return List.of(runningMean, runningVariance);
  }

  @Override
  public List<Parameter> parameters() {
    return List.of(scale, shift, runningMean, runningVariance);
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
    return Map.of(
        "width", width(), "epsilon", operation.epsilon(), "momentum", operation.momentum());
  }

  @Override
  public String spec() {
    double epsilon = operation.epsilon();
    double momentum = operation.momentum();
    if (momentum != MOMENTUM) {
      return format("batch_norm(%d,%s,%s)", width(), epsilon, momentum);
    }
    return epsilon == EPSILON
        ? format("batch_norm(%d)", width())
        : format("batch_norm(%d,%s)", width(), epsilon);
  }

  @Override
  public String toString() {
    return format("BatchNorm(%d)", width());
  }
}
