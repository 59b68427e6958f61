// SPDX-License-Identifier: Apache-2.0
package dev.weft.op;

import static dev.weft.format.Format.format;
import static java.util.Locale.ROOT;

import dev.weft.Engine;
import dev.weft.Node;
import dev.weft.Operations;
import dev.weft.Shape;
import dev.weft.Tensor;
import dev.weft.device.Arguments;
import dev.weft.device.Kernel;
import dev.weft.device.ReductionFunction;
import java.util.List;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/**
 * A sum, mean, maximum or sum of squares over one axis, or over everything.
 *
 * <p>x (outer, count, inner) to y (outer, inner); over everything y is a scalar. y has the wide
 * type of x: F32 for BF16. The order of additions is fixed: it depends on the shape alone.
 * Backward: SUM dx = dy; MEAN dx = dy / count; SUM_OF_SQUARES dx = 2 x dy; MAX shares dy equally
 * among the equal largest entries, as PyTorch's amax does.
 *
 * @param function what is computed
 * @param axis over which axis, negative counts from the end; empty for all
 */
public record Reduction(ReductionFunction function, OptionalInt axis) implements Operation {
  private static final Operands OPERANDS = Operands.floating("x");

  /** Entries that one part of a long row covers at least: 4 KiB of float32, a warp's worth. */
  private static final long ROW_PART = 1024;

  /**
   * Blocks that a large GPU works on at once: three on each of the 132 multiprocessors of an H100
   * or H200. One more would run when all others are done.
   */
  private static final long BLOCKS = 396;

  /** Parts of all rows together, at most: a warp takes one, or a block where they are long. */
  private static final long ROW_PARTS = 8 * BLOCKS;

  /** Entries that a block of 32 columns covers at least: 16 KiB of float32, in the first cache. */
  private static final long COLUMN_PART = 4096;

  /** A reduction over everything. */
  public Reduction(ReductionFunction function) {
    this(function, OptionalInt.empty());
  }

  /** A reduction over one axis. */
  public Reduction(ReductionFunction function, int axis) {
    this(function, OptionalInt.of(axis));
  }

  @Override
  public String name() {
    return "reduce_" + function.name().toLowerCase(ROOT);
  }

  private long[] split(Shape shape) {
    if (axis.isEmpty()) {
      return new long[] {1, shape.elements(), 1};
    }
    int at = shape.axis(axis.getAsInt());
    return new long[] {shape.elements(0, at), shape.size(at), shape.elements(at + 1, shape.rank())};
  }

  /** The sizes of x, 1 where it is reduced. */
  private long[] kept(Shape shape) {
    return axis.isEmpty() ? new long[0] : shape.with(axis.getAsInt(), 1).toArray();
  }

  @Override
  public String sign(int inputs) {
    return switch (function) {
      case SUM -> "Σ";
      case SUM_OF_SQUARES -> "Σ x²";
      default -> function.name().toLowerCase(ROOT);
    };
  }

  @Override
  public Operands operands() {
    return OPERANDS;
  }

  @Override
  public Tensor forward(Node node) {
    Tensor x = node.input(0);
    long[] sizes = split(x.shape());
    if (sizes[1] == 0
        && (function == ReductionFunction.MAX || function == ReductionFunction.MEAN)) {
      throw new IllegalArgumentException(
          format("%s over no elements: x has shape %s", name(), x.shape()));
    }
    Shape shape = axis.isEmpty() ? Shape.of() : x.shape().without(axis.getAsInt());
    Tensor y = node.make(x.dtype().wide(), shape);
    run(node, x, y, sizes[0], sizes[1], sizes[2], function, 1, false);
    return y;
  }

  @Override
  public void backward(Node node) {
    if (!node.wants(0)) {
      return;
    }
    Tensor x = node.input(0);
    long[] sizes = split(x.shape());
    Tensor dy = node.gradient();
    Node.Sink dx = node.into(0);
    if (function == ReductionFunction.MAX) {
      var arguments =
          new Arguments.MaxBackward(
              Engine.address(x),
              Engine.address(node.output()),
              Engine.address(dy),
              Engine.address(dx.tensor()),
              sizes[0],
              sizes[1],
              sizes[2],
              dx.accumulate());
      node.run(Kernel.MAX_BACKWARD, arguments);
      return;
    }
    node.run(
        Kernel.REDUCE_BACKWARD,
        new Arguments.ReduceBackward(
            Engine.address(x),
            Engine.address(dy),
            Engine.address(dx.tensor()),
            sizes[0],
            sizes[1],
            sizes[2],
            function,
            1,
            dx.accumulate()));
  }

  @Override
  public Tensor tangent(Operations on, Node node, List<@Nullable Tensor> tangents) {
    Tensor dx = tangents.get(0);
    return switch (function) {
      case SUM, MEAN -> on.apply(this, dx);
      case SUM_OF_SQUARES -> {
        Tensor products = on.multiply(on.wide(node.input(0)), on.wide(dx));
        yield on.scale(on.apply(new Reduction(ReductionFunction.SUM, axis), products), 2);
      }
      case MAX -> {
        Tensor x = on.wide(node.input(0));
        Reduction sum = new Reduction(ReductionFunction.SUM, axis);
        Tensor largest = on.equal(x, on.reshape(node.output(), kept(x.shape())));
        yield on.divide(on.apply(sum, on.multiply(largest, on.wide(dx))), on.apply(sum, largest));
      }
    };
  }

  /**
   * Reduces x (outer, count, inner) to y (outer, inner) of x's wide type, in two stages where count
   * is long.
   */
  static void run(
      Node node,
      Tensor x,
      Tensor y,
      long outer,
      long count,
      long inner,
      ReductionFunction function,
      double scale,
      boolean accumulate) {
    long parts = parts(outer, count, inner);
    if (parts == 1) {
      var whole =
          new Arguments.Reduce(
              Engine.address(x),
              Engine.address(y),
              outer,
              count,
              inner,
              1,
              function,
              scale,
              accumulate);
      node.run(Kernel.REDUCE, x.dtype(), whole);
      return;
    }
    Tensor partial = node.make(y.dtype(), Shape.of(parts, outer, inner));
    // a mean's parts are unequal, so it is a sum until the end
    ReductionFunction first = function == ReductionFunction.MEAN ? ReductionFunction.SUM : function;
    ReductionFunction second =
        function == ReductionFunction.MAX ? ReductionFunction.MAX : ReductionFunction.SUM;
    var inParts =
        new Arguments.Reduce(
            Engine.address(x),
            Engine.address(partial),
            outer,
            count,
            inner,
            parts,
            first,
            1,
            false);
    node.run(Kernel.REDUCE, x.dtype(), inParts);
    var ofParts =
        new Arguments.Reduce(
            Engine.address(partial),
            Engine.address(y),
            1,
            parts,
            outer * inner,
            1,
            second,
            function == ReductionFunction.MEAN ? scale / count : scale,
            accumulate);
    node.run(Kernel.REDUCE, y.dtype(), ofParts);
    node.release(partial);
  }

  /**
   * How many parts the entries are cut into: a function of the shape alone, so that the order of
   * additions is too. More outputs need fewer parts to occupy a device.
   */
  public static long parts(long outer, long count, long inner) {
    long most;
    if (inner == 1) {
      most = Math.min(ROW_PARTS / Math.max(1, outer), count / ROW_PART);
    } else {
      long blocks = Math.max(1, (outer * inner + 31) / 32);
      most = Math.min(BLOCKS, outer * count * inner / COLUMN_PART) / blocks;
    }
    return Math.max(1, Math.min(most, count / 16));
  }
}
