// SPDX-License-Identifier: Apache-2.0
package dev.weft.optim;

import static dev.weft.format.Format.format;

import dev.weft.Engine;
import dev.weft.Node;
import dev.weft.Parameter;
import dev.weft.Shape;
import dev.weft.Tape;
import dev.weft.Tensor;
import dev.weft.device.ReductionFunction;
import dev.weft.nn.Embedding;
import dev.weft.nn.Model;
import dev.weft.nn.Network;
import dev.weft.nn.ParameterArena;
import dev.weft.nn.TiedLinear;
import dev.weft.nn.WeightNormLinear;
import dev.weft.op.Cast;
import dev.weft.op.Reduction;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;

/**
 * Bounds of the norms of columns: after each update a matrix (in, out) keeps w_j min(1, c / |w_j|)
 * as its column j, the weights into unit j (Srivastava et al. 2014; Keras' {@code MaxNorm(c,
 * axis=0)}).
 */
public final class MaxNorm {
  /** Where no column is bounded. */
  public static final MaxNorm NONE = new MaxNorm();

  private final Map<Parameter, Double> bounds = new LinkedHashMap<>();

  private MaxNorm() {}

  /**
   * Bounds the matrices of a network by pattern, see {@link Network#matching}; each obeys the first
   * that fits it. Vectors, what is frozen and buffers stay as they are.
   *
   * @throws IllegalArgumentException where a pattern fits no matrix that an earlier one does not,
   *     or a matrix whose columns are not the weights into units: the table of an {@link
   *     Embedding}, also where a {@link TiedLinear} layer shares it, or the direction of a {@link
   *     WeightNormLinear} layer
   */
  public MaxNorm(Network network, Map<String, Double> byPattern) {
    Map<Parameter, String> others = new IdentityHashMap<>();
    collect(network, others);
    Map<Parameter, String> seen = new IdentityHashMap<>();
    byPattern.forEach(
        (pattern, bound) -> {
          int before = seen.size();
          for (Parameter each : network.matching(pattern)) {
            if (each.shape().rank() != 2 || each.kind() == Parameter.Kind.BUFFER) {
              continue;
            }
            if (seen.putIfAbsent(each, pattern) != null) {
              continue;
            }
            if (each.kind() == Parameter.Kind.ROWS) {
              throw new IllegalArgumentException(
                  format(
                      "a max-norm of '%s' bounds columns, which the table %s has across all its"
                          + " rows, of which a step changes few: name the matrices that it is for,"
                          + " such as '*.weight'",
                      pattern, network.name(each)));
            }
            if (others.containsKey(each)) {
              throw new IllegalArgumentException(
                  format(
                      "a max-norm of '%s' bounds the weights into each unit, a column of a matrix,"
                          + " and %s %s: name the matrices that it is for, such as '*.weight'",
                      pattern, network.name(each), others.get(each)));
            }
            if (each.isTrained()) {
              bounds.put(each, bound);
            }
          }
          if (seen.size() == before) {
            throw new IllegalArgumentException(
                format(
                    "a max-norm of '%s' fits no matrix that an earlier one of %s does not",
                    pattern, String.join(", ", byPattern.keySet())));
          }
        });
  }

  /** Finds the matrices whose columns are not the weights into units, and what is so of them. */
  private static void collect(Model model, Map<Parameter, String> found) {
    if (model instanceof Embedding embedding) {
      found.put(embedding.table(), "is a table, which has a row for each id");
    } else if (model instanceof WeightNormLinear linear) {
      found.put(linear.parameters().getFirst(), "is a direction, whose norm the layer divides out");
    }
    model.children().values().forEach(child -> collect(child, found));
  }

  /**
   * Returns a bound if it is one.
   *
   * @throws IllegalArgumentException where it is not positive and finite
   */
  public static double check(double bound) {
    if (!(bound > 0) || Double.isInfinite(bound)) {
      throw new IllegalArgumentException(
          format("a max-norm must be positive and finite, not %s", bound));
    }
    return bound;
  }

  /** Runs, or records, what keeps the bounds. */
  void apply(Tape o, ParameterArena arena) {
    bounds.forEach(
        (matrix, bound) -> {
          Tensor values = arena.values(matrix);
          Tensor squares = o.apply(new Reduction(ReductionFunction.SUM_OF_SQUARES, 0), values);
          Tensor one = o.make(values.dtype(), Shape.of());
          one.fill(1);
          // at least 1, so that shorter columns keep each bit; NaN stays
          Tensor excess = o.maximum(o.scale(o.sqrt(squares), 1 / bound), one);
          o.assign(values, o.divide(values, excess));
          if (arena.copy() != null) {
            Tensor copy = Objects.requireNonNull(arena.copy(matrix));
            Cast.run(values.device(), values, new Node.Sink(copy, false));
            Engine.changed(copy);
          }
        });
  }
}
