// SPDX-License-Identifier: Apache-2.0
package dev.weft.nn;

import static dev.weft.format.Format.format;

import dev.weft.Inputs;
import dev.weft.Operations;
import dev.weft.RowType;
import dev.weft.Shape;
import dev.weft.Tensor;
import dev.weft.data.Column;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * Σ_p factor_p loss_p, each loss over a range of the outputs, or all: several tasks of one network,
 * whose outputs {@link Concat} or one {@link Linear} layer puts side by side.
 *
 * @param parts what is added up
 */
public record LossSum(List<Part> parts) implements Loss {
  /**
   * A loss and its outputs.
   *
   * @param factor finite
   * @param from the first output
   * @param to behind the last; {@link Integer#MAX_VALUE}, with {@code from} 0, for all outputs
   */
  public record Part(double factor, Loss loss, int from, int to) {
    private boolean isOfAll() {
      return from == 0 && to == Integer.MAX_VALUE;
    }
  }

  /**
   * Checks the parts.
   *
   * @throws IllegalArgumentException where a factor is not finite, a range is none, a loss is a
   *     layer, as {@link HierarchicalSoftmax} is, or the losses are means and sums, or means by
   *     weights: no number of rows then makes a sum of theirs
   */
  public LossSum {
    parts = List.copyOf(parts);
    if (parts.isEmpty()) {
      throw new IllegalArgumentException("a sum of losses has at least one");
    }
    for (Part part : parts) {
      if (!Double.isFinite(part.factor)) {
        throw new IllegalArgumentException(
            format("the factor of %s must be finite, not %s", part.loss.spec(), part.factor));
      }
      if (part.from < 0 || part.to <= part.from) {
        throw new IllegalArgumentException(
            format(
                "%s over the outputs from %d to before %d: that is none",
                part.loss.spec(), part.from, part.to));
      }
      if (part.loss instanceof Model) {
        throw new IllegalArgumentException(
            format(
                "%s is a layer and reads what it is given, not outputs among others: give it alone"
                    + " to loss(...)",
                part.loss.spec()));
      }
      if (part.loss.isWeighted()) {
        throw new IllegalArgumentException(
            format(
                "%s divides by the sum of the weights of rows, which other losses do not: add its"
                    + " sum() to sums",
                part.loss.spec()));
      }
      if (part.loss.weight(2) != parts.getFirst().loss.weight(2)) {
        throw new IllegalArgumentException(
            format(
                "%s and %s cannot be added up, as one is a mean over rows and one a sum",
                parts.getFirst().loss.spec(), part.loss.spec()));
      }
    }
  }

  /** A loss over all outputs, times a factor. */
  public static LossSum of(double factor, Loss loss) {
    return new LossSum(List.of(new Part(factor, loss, 0, Integer.MAX_VALUE)));
  }

  /** A loss over outputs {@code from} to {@code to} (exclusive), times a factor. */
  public static LossSum of(double factor, Loss loss, int from, int to) {
    return new LossSum(List.of(new Part(factor, loss, from, to)));
  }

  /** And one more over all outputs. */
  public LossSum plus(double factor, Loss loss) {
    return plus(new Part(factor, loss, 0, Integer.MAX_VALUE));
  }

  /** And one more over outputs {@code from} to {@code to} (exclusive). */
  public LossSum plus(double factor, Loss loss, int from, int to) {
    return plus(new Part(factor, loss, from, to));
  }

  private LossSum plus(Part part) {
    List<Part> more = new ArrayList<>(parts);
    more.add(part);
    return new LossSum(more);
  }

  /** What a row of a part's outputs is. */
  private static RowType row(Part part, RowType output) {
    if (part.isOfAll()) {
      return output;
    }
    if (output.isIds() || output.shape().rank() != 1 || output.shape().size(0) < part.to) {
      throw new IllegalArgumentException(
          format(
              "%s is over outputs %d to %d, and the network gives %s",
              part.loss.spec(), part.from, part.to - 1, output));
    }
    return output.with(Shape.of(part.to - part.from));
  }

  @Override
  public void check(RowType output, Inputs<RowType> data) {
    parts.forEach(part -> part.loss.check(row(part, output), data));
  }

  @Override
  public void checkValues(RowType output, Function<String, Column> columns) {
    parts.forEach(part -> part.loss.checkValues(row(part, output), columns));
  }

  @Override
  public Map<String, double[]> constants(RowType output) {
    Map<String, double[]> all = new HashMap<>();
    for (Part part : parts) {
      part.loss
          .constants(row(part, output))
          .forEach(
              (name, values) -> {
                double[] other = all.putIfAbsent(name, values);
                if (other != null && !Arrays.equals(other, values)) {
                  throw new IllegalArgumentException(
                      format(
                          "%s and a loss before it have constants called '%s' that differ: give"
                              + " them other names",
                          part.loss.spec(), name));
                }
              });
    }
    return all;
  }

  @Override
  public Tensor apply(Operations operations, Tensor output, Inputs<Tensor> data) {
    return parts.stream()
        .map(
            part -> {
              Tensor own =
                  part.isOfAll() ? output : operations.slice(output, 1, part.from, part.to);
              return operations.scale(part.loss.apply(operations, own, data), part.factor);
            })
        .reduce(operations::add)
        .orElseThrow();
  }

  @Override
  public double weight(long rows) {
    return parts.getFirst().loss.weight(rows);
  }

  @Override
  public String spec() {
    return parts.stream()
        .map(part -> format("%s %s", part.factor, part.loss.spec()))
        .collect(Collectors.joining(" + "));
  }
}
