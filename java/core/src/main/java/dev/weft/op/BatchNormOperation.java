// SPDX-License-Identifier: Apache-2.0
package dev.weft.op;

import static dev.weft.format.Format.format;
import static java.util.stream.Collectors.joining;

import dev.weft.DType;
import dev.weft.Engine;
import dev.weft.Node;
import dev.weft.Operations;
import dev.weft.Shape;
import dev.weft.Tensor;
import dev.weft.device.Arguments;
import dev.weft.device.Kernel;
import dev.weft.device.ReductionFunction;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Batch normalisation (Ioffe and Szegedy 2015): every column over all rows.
 *
 * <p>x (..., cols), scale (cols), shift (cols), y as x: with n = (x - mean) rstd, y = scale n +
 * shift and rstd = 1 / √(variance + epsilon); the variance is the mean of the squared differences.
 * Backward: dx = scale rstd (dy - mean(dy) - n mean(dy n)), means over the rows; dscale = Σ dy n
 * and dshift = Σ dy, in an order that the shape alone decides.
 *
 * <p>A running mean and variance, both (cols) of the wide type without gradient, may come with
 * them. In training they move towards those of the batch: running = (1 - momentum) running +
 * momentum batch, the variance of the batch taken with n / (n - 1), n the number of rows, as in
 * PyTorch. In inference they take the place of the batch's, and dx = scale rstd dy.
 *
 * @param epsilon what is added to the variance, positive and finite
 * @param momentum the share of a batch in running values, in [0, 1]
 */
public record BatchNormOperation(double epsilon, double momentum) implements Operation {
  private static final Operands OPERANDS =
      Operands.floating("x", "scale", "shift").andAny("running_mean").andAny("running_variance");
  private static final int RUNNING = 3;

  /** Checks the settings. */
  public BatchNormOperation {
    if (!(epsilon > 0) || Double.isInfinite(epsilon)) {
      throw new IllegalArgumentException(
          format("batch_norm needs a finite epsilon above 0, not %s", epsilon));
    }
    if (!(momentum >= 0 && momentum <= 1)) {
      throw new IllegalArgumentException(
          format("batch_norm needs a momentum in [0, 1], not %s", momentum));
    }
  }

  @Override
  public String name() {
    return "batch_norm";
  }

  @Override
  public Operands operands() {
    return OPERANDS;
  }

  @Override
  public boolean moves(int index) {
    return index >= RUNNING;
  }

  private static boolean isOfBatch(Node node) {
    return node.isTraining() || node.inputs().size() == RUNNING;
  }

  private static void checkRunning(Node node, Shape row) {
    Tensor x = node.input(0);
    DType wide = x.dtype().wide();
    List<Tensor> running = node.inputs().subList(RUNNING, node.inputs().size());
    for (Tensor one : running) {
      if (running.size() != 2
          || !one.shape().equals(row)
          || one.dtype() != wide
          || one.hasGradient()) {
        throw new IllegalArgumentException(
            format(
                "batch_norm of %s takes a running mean and variance %s %s without a gradient, and"
                    + " got %s",
                Engine.describe(x),
                wide,
                row,
                running.stream().map(Engine::describe).collect(joining(", "))));
      }
    }
  }

  @Override
  public Tensor forward(Node node) {
    Tensor x = node.input(0);
    Tensor scale = node.input(1);
    Tensor shift = node.input(2);
    long cols = x.shape().rank() == 0 ? 0 : x.shape().size(-1);
    Shape row = Shape.of(cols);
    if (cols == 0 || !scale.shape().equals(row) || !shift.shape().equals(row)) {
      throw new IllegalArgumentException(
          format(
              "batch_norm needs x [..., width], scale [width] and shift [width], not %s, %s and %s",
              x.shape(), scale.shape(), shift.shape()));
    }
    checkRunning(node, row);
    boolean ofBatch = isOfBatch(node);
    long rows = x.elements() / cols;
    if (ofBatch && rows < 2) {
      throw new IllegalArgumentException(
          format(
              "batch_norm takes mean and variance over the rows of a batch, at least 2, and x of"
                  + " shape %s has %d",
              x.shape(), rows));
    }
    Tensor mean = ofBatch ? node.make(x.dtype().wide(), row) : node.input(RUNNING);
    Tensor variance = ofBatch ? node.make(x.dtype().wide(), row) : node.input(RUNNING + 1);
    if (ofBatch) {
      measure(node, x, mean, variance);
      node.save(mean, variance);
    } else if (node.wants(0) || node.wants(1) || node.wants(2)) {
      node.save(copy(node, mean), copy(node, variance)); // training may move them until backward
    }
    Tensor y = node.make(x.dtype(), x.shape());
    node.run(
        Kernel.BATCH_NORM_FORWARD,
        new Arguments.BatchNormForward(
            Engine.address(x),
            Engine.address(scale),
            Engine.address(shift),
            Engine.address(mean),
            Engine.address(variance),
            Engine.address(y),
            rows,
            cols,
            epsilon));
    return y;
  }

  private static Tensor copy(Node node, Tensor running) {
    Tensor copy = node.make(running.dtype(), running.shape());
    Engine.copy(running, copy);
    return copy;
  }

  /** Finds mean and variance, and moves running ones in training. */
  private void measure(Node node, Tensor x, Tensor mean, Tensor variance) {
    long cols = mean.elements();
    long rows = x.elements() / cols;
    long parts = Reduction.parts(1, rows, cols);
    List<Tensor> moved = node.inputs().subList(RUNNING, node.inputs().size());
    boolean moves = node.isTraining() && !moved.isEmpty();
    Tensor means = node.make(mean.dtype(), Shape.of(parts, cols));
    Tensor squares = node.make(mean.dtype(), Shape.of(parts, cols));
    node.run(
        Kernel.BATCH_NORM_STATISTICS,
        new Arguments.BatchNormStatistics(
            Engine.address(x), Engine.address(means), Engine.address(squares), rows, cols, parts));
    node.run(
        Kernel.BATCH_NORM_FINISH,
        mean.dtype(),
        new Arguments.BatchNormFinish(
            Engine.address(means),
            Engine.address(squares),
            Engine.address(mean),
            Engine.address(variance),
            moves ? Engine.address(moved.get(0)) : 0,
            moves ? Engine.address(moved.get(1)) : 0,
            rows,
            cols,
            parts,
            momentum));
    node.release(means);
    node.release(squares);
    if (moves) {
      moved.forEach(Engine::changed);
    }
  }

  @Override
  public void backward(Node node) {
    Tensor x = node.input(0);
    long cols = x.shape().size(-1);
    long rows = x.elements() / cols;
    long parts = Reduction.parts(1, rows, cols);
    Tensor mean = node.saved(0);
    Tensor variance = node.saved(1);
    DType wide = mean.dtype();
    Tensor dy = node.gradient();
    Tensor sums = node.make(wide, Shape.of(2, parts, cols)); // of dy n, and of dy
    node.run(
        Kernel.BATCH_NORM_SUMS,
        new Arguments.BatchNormSums(
            Engine.address(x),
            Engine.address(mean),
            Engine.address(variance),
            Engine.address(dy),
            Engine.address(sums),
            Engine.address(sums) + wide.bytes(Shape.of(parts, cols)),
            rows,
            cols,
            parts,
            epsilon));
    Tensor totals = sums;
    if (parts > 1) {
      totals = node.make(wide, Shape.of(2, cols));
      Reduction.run(node, sums, totals, 2, parts, cols, ReductionFunction.SUM, 1, false);
      node.release(sums);
    }
    if (isOfBatch(node)) {
      write(node, totals, node.wants(0), true);
    } else {
      if (node.wants(1) || node.wants(2)) {
        write(node, totals, false, true);
      }
      if (node.wants(0)) {
        totals.fill(0); // mean and variance do not move with x
        write(node, totals, true, false);
      }
    }
    node.release(totals);
  }

  /** Writes the gradient of x, those of scale and shift, or all. */
  private void write(Node node, Tensor totals, boolean ofX, boolean ofRest) {
    Tensor x = node.input(0);
    long cols = x.shape().size(-1);
    Tensor mean = node.saved(0);
    Tensor variance = node.saved(1);
    DType wide = mean.dtype();
    Node.Sink dx = ofX ? node.into(0) : null;
    Node.Sink dscale = ofRest && node.wants(1) ? node.into(1, node.input(1).dtype().wide()) : null;
    Node.Sink dshift = ofRest && node.wants(2) ? node.into(2, node.input(2).dtype().wide()) : null;
    node.run(
        Kernel.BATCH_NORM_BACKWARD,
        new Arguments.BatchNormBackward(
            Engine.address(x),
            Engine.address(node.input(1)),
            Engine.address(mean),
            Engine.address(variance),
            Engine.address(node.gradient()),
            Engine.address(totals),
            Engine.address(totals) + wide.bytes(Shape.of(cols)),
            address(dx),
            address(dscale),
            address(dshift),
            x.elements() / cols,
            cols,
            epsilon,
            dx != null && dx.accumulate(),
            dscale != null && dscale.accumulate(),
            dshift != null && dshift.accumulate()));
  }

  @Override
  public Tensor tangent(Operations on, Node node, List<@Nullable Tensor> tangents) {
    return isOfBatch(node)
        ? NormTangent.of(on, node, tangents, 0, epsilon)
        : NormTangent.ofFixed(
            on, node, tangents, node.input(RUNNING), node.input(RUNNING + 1), epsilon);
  }

  private static long address(Node.@Nullable Sink sink) {
    return sink == null ? 0 : Engine.address(sink.tensor());
  }
}
