// SPDX-License-Identifier: Apache-2.0
package dev.weft.op;

import static dev.weft.format.Format.format;

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
 * Layer normalisation over the last axis (Ba, Kiros and Hinton 2016).
 *
 * <p>x (..., cols), scale (cols), shift (cols), y as x: with n = (x - mean) rstd, the row less its
 * mean and over its standard deviation, y = scale n + shift. rstd = 1 / √(variance + epsilon); the
 * variance is the mean of the squared differences. Backward, with g = scale dy and means over the
 * row: dx = rstd (g - mean(g) - n mean(g n)); dscale = Σ dy n and dshift = Σ dy over all rows, in
 * an order that the shape alone decides.
 *
 * @param epsilon what is added to the variance, positive and finite
 */
public record LayerNormOperation(double epsilon) implements Operation {
  private static final Operands OPERANDS = Operands.floating("x", "scale", "shift");

  /** Parts that rows are cut into at most: two blocks for each multiprocessor of an H200. */
  private static final long PARTS = 264;

  /** Rows and elements of a part at least: its sums are then a small share of what it reads. */
  private static final long PART_ROWS = 8;

  private static final long PART_ELEMENTS = 4096;

  /** Checks the settings. */
  public LayerNormOperation {
    if (!(epsilon > 0) || Double.isInfinite(epsilon)) {
      throw new IllegalArgumentException(
          format("layer_norm needs a finite epsilon above 0, not %s", epsilon));
    }
  }

  @Override
  public String name() {
    return "layer_norm";
  }

  @Override
  public Operands operands() {
    return OPERANDS;
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
              "layer_norm needs x [..., width], scale [width] and shift [width], not %s, %s and %s",
              x.shape(), scale.shape(), shift.shape()));
    }
    long rows = x.elements() / cols;
    Tensor y = node.make(x.dtype(), x.shape());
    Tensor mean = node.make(x.dtype().wide(), Shape.of(rows));
    Tensor rstd = node.make(x.dtype().wide(), Shape.of(rows));
    node.run(
        Kernel.LAYER_NORM_FORWARD,
        new Arguments.LayerNormForward(
            Engine.address(x),
            Engine.address(scale),
            Engine.address(shift),
            Engine.address(y),
            Engine.address(mean),
            Engine.address(rstd),
            rows,
            cols,
            epsilon));
    node.save(mean, rstd);
    return y;
  }

  /** Into how many parts the rows of a matrix are cut whose sums are then added up. */
  public static long parts(long rows, long cols) {
    long most = Math.min(PARTS, Math.min(rows / PART_ROWS, rows * cols / PART_ELEMENTS));
    return Math.max(1, most);
  }

  @Override
  public void backward(Node node) {
    Tensor x = node.input(0);
    long cols = x.shape().size(-1);
    long rows = x.elements() / cols;
    long parts = parts(rows, cols);
    Node.Sink dx = node.wants(0) ? node.into(0) : null;
    Sums dscale = Sums.of(node, 1, parts);
    Sums dshift = Sums.of(node, 2, parts);
    node.run(
        Kernel.LAYER_NORM_BACKWARD,
        new Arguments.LayerNormBackward(
            Engine.address(x),
            Engine.address(node.input(1)),
            Engine.address(node.saved(0)),
            Engine.address(node.saved(1)),
            Engine.address(node.gradient()),
            dx == null ? 0 : Engine.address(dx.tensor()),
            dscale.address(),
            dshift.address(),
            rows,
            cols,
            parts,
            dx != null && dx.accumulate(),
            dscale.accumulate(),
            dshift.accumulate()));
    dscale.finish(node);
    dshift.finish(node);
  }

  @Override
  public Tensor tangent(Operations on, Node node, List<@Nullable Tensor> tangents) {
    return NormTangent.of(on, node, tangents, 1, epsilon);
  }

  /** The gradient of a parameter, or where there are several parts their sums; null if unwanted. */
  private record Sums(@Nullable Tensor parts, Node.@Nullable Sink sink) {
    static Sums of(Node node, int index, long parts) {
      if (!node.wants(index)) {
        return new Sums(null, null);
      }
      Tensor parameter = node.input(index);
      Node.Sink sink = node.into(index, parameter.dtype().wide());
      Tensor sums =
          parts == 1
              ? sink.tensor()
              : node.make(sink.tensor().dtype(), Shape.of(parts, parameter.elements()));
      return new Sums(sums, sink);
    }

    long address() {
      return parts == null ? 0 : Engine.address(parts);
    }

    boolean accumulate() {
      return sink != null && parts == sink.tensor() && sink.accumulate();
    }

    void finish(Node node) {
      if (sink != null && parts != null && parts != sink.tensor()) {
        long count = parts.shape().size(0);
        long cols = parts.shape().size(1);
        Reduction.run(
            node,
            parts,
            sink.tensor(),
            1,
            count,
            cols,
            ReductionFunction.SUM,
            1,
            sink.accumulate());
        node.release(parts);
      }
    }
  }
}
