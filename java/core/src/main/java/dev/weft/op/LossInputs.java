// SPDX-License-Identifier: Apache-2.0
package dev.weft.op;

import static dev.weft.format.Format.format;

import dev.weft.DType;
import dev.weft.Engine;
import dev.weft.Node;
import dev.weft.Operations;
import dev.weft.Shape;
import dev.weft.Tensor;
import dev.weft.device.Arguments;
import dev.weft.device.BinaryFunction;
import dev.weft.device.Kernel;
import dev.weft.device.ReductionFunction;
import java.util.Arrays;
import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * What losses share whose gradient comes out of the forward pass: inputs that are not
 * differentiated, what becomes of the losses, the way back.
 */
final class LossInputs {
  private LossInputs() {}

  /**
   * Checks an input that is compared with x, or weighs it.
   *
   * @throws IllegalArgumentException with its type and shape, where they are others, or where it
   *     wants a gradient
   */
  static Tensor check(Node node, int index, String what, Shape shape) {
    Tensor given = node.input(index);
    DType wide = node.input(0).dtype().wide();
    if (!given.shape().equals(shape) || given.dtype() != wide) {
      throw new IllegalArgumentException(
          format(
              "%s: %s %s must be %s %s beside x %s",
              node.operation().name(),
              what,
              Engine.describe(given),
              wide,
              shape,
              node.input(0).shape()));
    }
    checkNoGradient(node, index, what);
    return given;
  }

  /** The weights of rows at a place among the inputs; null where rows have none. */
  static @Nullable Tensor weights(Node node, RowWeights weights, int index, long rows) {
    if (weights == RowWeights.EQUAL) {
      return null;
    }
    if (node.inputs().size() <= index) {
      throw new IllegalArgumentException(
          format("%s needs a weight for each of %d rows", node.operation().name(), rows));
    }
    return check(node, index, "weights", Shape.of(rows));
  }

  /** Addresses and sizes of a loss a row, which the operands of its kernel are made of. */
  record Rows(
      long weights, long losses, long dx, long hits, long rows, long classes, double scale) {}

  /** Runs a kernel that makes a loss of each row of x, with its gradient where that is wanted. */
  static Tensor ofRows(
      Node node,
      Kernel kernel,
      RowWeights given,
      LossReduction reduction,
      Function<Rows, Arguments> arguments) {
    Tensor x = node.input(0);
    long rows = x.shape().size(0);
    Tensor w = weights(node, given, 2, rows);
    Tensor hits = LabelledRows.hits(node, w == null ? 2 : 3);
    Tensor losses = node.make(x.dtype().wide(), Shape.of(rows));
    Tensor dx = node.wants(0) ? node.make(x.dtype(), x.shape()) : null;
    node.run(
        kernel,
        arguments.apply(
            new Rows(
                address(w),
                Engine.address(losses),
                address(dx),
                address(hits),
                rows,
                x.shape().size(1),
                scale(reduction, rows))));
    if (dx != null) {
      node.save(dx);
    }
    return reduced(node, losses, reduction, rows);
  }

  static long address(@Nullable Tensor tensor) {
    return tensor == null ? 0 : Engine.address(tensor);
  }

  /** The factor of a gradient where so many losses are reduced. */
  static double scale(LossReduction reduction, long losses) {
    return reduction == LossReduction.MEAN ? 1.0 / Math.max(1, losses) : 1;
  }

  /** What an operation gives: its losses, or their sum or mean over {@code count}. */
  static Tensor reduced(Node node, Tensor losses, LossReduction reduction, long count) {
    if (reduction == LossReduction.NONE) {
      return losses;
    }
    Tensor y = node.make(losses.dtype(), Shape.of());
    Reduction.run(
        node,
        losses,
        y,
        1,
        losses.elements(),
        1,
        ReductionFunction.SUM,
        scale(reduction, count),
        false);
    node.release(losses);
    return y;
  }

  /** dinput (+)= factor dy dx, dy a number for each of the equal parts of dx that are saved. */
  static void backward(Node node, int index, double factor) {
    Tensor dx = node.saved(0);
    if (node.gradientIsOne() && factor == 1) { // the gradient is what the forward pass has left
      node.adopt(index, node.takeSaved(0));
      return;
    }
    Tensor dy = node.gradient();
    Node.Sink sink = node.into(index, dx.dtype());
    long parts = dy.elements();
    // sink (+)= factor dy dx, dy stretched over a part of dx: the gradient of factor dy/2 Σ dx_i²
    node.run(
        Kernel.REDUCE_BACKWARD,
        dx.dtype(),
        new Arguments.ReduceBackward(
            Engine.address(dx),
            Engine.address(dy),
            Engine.address(sink.tensor()),
            parts,
            parts == 0 ? 0 : dx.elements() / parts,
            1,
            ReductionFunction.SUM_OF_SQUARES,
            0.5 * factor,
            sink.accumulate()));
  }

  /**
   * The tangent of what {@link #reduced} gives.
   *
   * @param moved that of the losses before they are weighted, (rows, ...)
   */
  static Tensor tangent(
      Operations on, Node node, Tensor moved, RowWeights weights, LossReduction reduction) {
    Tensor all = counted(on, node, moved, weights);
    if (weights == RowWeights.GIVEN) {
      all = on.multiply(all, column(on, node, all.shape().rank()));
    }
    return reduction == LossReduction.NONE
        ? all
        : on.scale(on.sum(all), scale(reduction, moved.elements()));
  }

  /**
   * What rows hold that weigh something, and 0 in place of the others, which may hold anything: a
   * product with their weight is NaN where they are, and so is its derivative.
   *
   * @param rows (rows, ...), of the wide type
   */
  static Tensor counted(Operations on, Node node, Tensor rows, RowWeights weights) {
    return weights == RowWeights.EQUAL
        ? rows
        : on.apply(new Binary(BinaryFunction.KEEP, 0), rows, column(on, node, rows.shape().rank()));
  }

  /** The weights of rows, for a product with a tensor of that rank. */
  private static Tensor column(Operations on, Node node, int rank) {
    long[] sizes = new long[rank];
    Arrays.fill(sizes, 1);
    if (rank > 0) {
      sizes[0] = node.input(2).elements();
    }
    return on.reshape(node.input(2), sizes);
  }

  /** Throws as {@link #check} does where an input wants a gradient. */
  static void checkNoGradient(Node node, int index, String what) {
    if (node.wants(index)) {
      throw new IllegalArgumentException(
          format(
              "%s has no gradient with respect to its %s, which want one: take their values alone,"
                  + " by withoutGradient",
              node.operation().name(), what));
    }
  }

  /**
   * Returns if no input from a place on moves, such as labels, which are no function of what is
   * learned.
   *
   * @throws IllegalArgumentException that names one that does
   */
  static void checkStill(Node node, List<@Nullable Tensor> tangents, int from) {
    for (int i = from; i < tangents.size(); i++) {
      if (tangents.get(i) != null) {
        throw new IllegalArgumentException(
            format(
                "%s has no tangent with respect to %s, which moves: take its values alone, by"
                    + " withoutGradient",
                node.operation().name(), Engine.describe(node.input(i))));
      }
    }
  }
}
