// SPDX-License-Identifier: Apache-2.0
package dev.weft.optim;

import dev.weft.Engine;
import dev.weft.Operations;
import dev.weft.RowGradient;
import dev.weft.Shape;
import dev.weft.Tape;
import dev.weft.Tensor;
import dev.weft.device.Arguments;
import dev.weft.device.Kernel;
import dev.weft.device.ReductionFunction;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What a step does to gradients before a rule sees them, and to what the rule takes off after.
 *
 * @param scale of gradients that were summed over batches
 * @param squares partial sums of squares of the gradients, unscaled; null where none are needed
 * @param maxNorm of the scaled gradients
 * @param gradientLimit of each element
 * @param updateLimit of what is taken from each value
 */
record Clipping(
    double scale,
    @Nullable Tensor squares,
    double maxNorm,
    double gradientLimit,
    double updateLimit) {
  private static final double NO_LIMIT = Double.POSITIVE_INFINITY;
  private static final double TINY = 1e-6; // as PyTorch's
  private static final long VALUES_PER_PART = 2048;
  private static final long MOST_PARTS = 512;

  /** Gradients as they are. */
  static final Clipping NONE = of(1);

  /** No clipping. */
  static Clipping of(double scale) {
    return new Clipping(scale, null, 0, NO_LIMIT, NO_LIMIT);
  }

  /**
   * The clipping of parameters that are clipped together; runs, or records, what the norm needs.
   *
   * @param clip null where there is none
   * @param tables those whose rows the pass has used
   */
  static Clipping of(
      @Nullable Clip clip, double scale, Tape tape, Tensor gradients, List<Tensor> tables) {
    if (clip == null || clip.of() == Clip.Of.UPDATE && clip.by() == Clip.By.NORM) {
      return of(scale);
    }
    if (clip.by() == Clip.By.NORM) {
      return new Clipping(scale, squares(tape, gradients, tables), clip.most(), NO_LIMIT, NO_LIMIT);
    }
    boolean gradient = clip.of() == Clip.Of.GRADIENT;
    return new Clipping(
        scale, null, 0, gradient ? clip.most() : NO_LIMIT, gradient ? NO_LIMIT : clip.most());
  }

  /** Partial sums of squares of dense gradients and of those of tables. */
  private static Tensor squares(Tape tape, Tensor gradients, List<Tensor> tables) {
    long parts = parts(gradients.elements());
    long all = parts + tables.stream().mapToLong(each -> parts(rows(each).rows())).sum();
    Tensor squares = tape.make(gradients.dtype(), Shape.of(all)).named("sums of squares");
    reduce(gradients, squares.view(0, Shape.of(parts)), ReductionFunction.SUM_OF_SQUARES);
    long start = parts;
    for (Tensor table : tables) {
      RowGradient rows = rows(table);
      Tensor runs = tape.make(rows.sums().dtype(), Shape.of(rows.rows()));
      var arguments =
          new Arguments.RunSquares(
              Engine.address(rows.sorted()),
              Engine.address(rows.sums()),
              Engine.address(runs),
              rows.rows(),
              rows.cols(),
              table.shape().size(0));
      Engine.run(runs.device(), Kernel.RUN_SQUARES, rows.sums().dtype().precision(), arguments);
      long some = parts(rows.rows());
      reduce(runs, squares.view(start, Shape.of(some)), ReductionFunction.SUM);
      start += some;
    }
    return squares;
  }

  private static RowGradient rows(Tensor table) {
    return Objects.requireNonNull(Engine.rowGradient(table), "the pass used the table");
  }

  private static long parts(long values) {
    return Math.clamp((values + VALUES_PER_PART - 1) / VALUES_PER_PART, 1, MOST_PARTS);
  }

  private static void reduce(Tensor x, Tensor parts, ReductionFunction function) {
    var arguments =
        new Arguments.Reduce(
            Engine.address(x),
            Engine.address(parts),
            1,
            x.elements(),
            1,
            parts.elements(),
            function,
            1,
            false);
    Engine.run(x.device(), Kernel.REDUCE, x.dtype().precision(), arguments);
  }

  /** Scaled and clipped, by operations: for rules that are made of them. */
  Tensor applied(Operations o, Tensor gradients) {
    Tensor g = scale == 1 ? gradients : o.scale(gradients, scale);
    if (squares != null) {
      Tensor norm = o.scale(o.sqrt(o.sum(squares)), scale);
      g = o.multiply(g, shortening(o, norm, maxNorm));
    }
    return Double.isInfinite(gradientLimit) ? g : within(o, g, gradientLimit);
  }

  /** min(1, most / (norm + 1e-6)), NaN where the norm is. */
  private static Tensor shortening(Operations o, Tensor norm, double most) {
    return o.clamp(o.scale(o.reciprocal(o.shift(norm, TINY)), most), 0, 1);
  }

  /** x where it lies in [-limit, limit], else the nearer end; NaN stays. */
  private static Tensor within(Operations o, Tensor x, double limit) {
    return o.clamp(x, -limit, limit);
  }

  /** The values as they are before a rule changes them. */
  static Tensor copyOf(Tape tape, Tensor values) {
    Tensor copy = tape.make(values.dtype(), values.shape());
    Engine.copy(values, copy);
    return copy;
  }

  /** Brings each value to within a distance of what it was. */
  static void cut(Tape o, Tensor values, Tensor before, double limit) {
    o.assign(values, o.add(before, within(o, o.subtract(values, before), limit)));
  }

  /** Brings all values together to within a distance of what they were. */
  static void shorten(Tape o, List<Tensor> values, List<Tensor> before, double most) {
    List<Tensor> changes = new ArrayList<>();
    for (int i = 0; i < values.size(); i++) {
      changes.add(o.subtract(values.get(i), before.get(i)));
    }
    Tensor sum = o.squaredNorm(changes.getFirst());
    for (Tensor change : changes.subList(1, changes.size())) {
      sum = o.add(sum, o.squaredNorm(change));
    }
    Tensor factor = shortening(o, o.sqrt(sum), most);
    for (int i = 0; i < changes.size(); i++) {
      o.assign(values.get(i), o.add(before.get(i), o.multiply(changes.get(i), factor)));
    }
  }
}
