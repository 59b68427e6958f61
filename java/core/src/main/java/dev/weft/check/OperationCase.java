// SPDX-License-Identifier: Apache-2.0
package dev.weft.check;

import dev.weft.Shape;
import dev.weft.TensorFunction;
import dev.weft.op.Operation;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/**
 * One variant of one differentiable operation, with all that is needed to check and to time it;
 * what it costs, its kernel calls know. Every check of the library is a loop over {@link
 * OperationCases#all}.
 *
 * @param name its name, the operation's own first: {@code bias_activation_relu}
 * @param operation the class that its function applies
 * @param function what is checked
 * @param examples where: each a list of inputs
 * @param terms the length of the longest sum in forward or backward, which rounding grows with
 * @param tolerance the largest error of a gradient check that passes
 */
public record OperationCase(
    String name,
    Class<? extends Operation> operation,
    TensorFunction function,
    List<List<Input>> examples,
    Terms terms,
    double tolerance) {

  /** The length of the longest sum for inputs of given shapes. */
  @FunctionalInterface
  public interface Terms {
    /** The length. */
    long of(List<Shape> inputs);
  }

  /** A case without examples, whose sums have one term. */
  static OperationCase of(
      String name, Class<? extends Operation> operation, TensorFunction function) {
    return new OperationCase(name, operation, function, List.of(), inputs -> 1, 1e-6);
  }

  /** This case at one more place. */
  OperationCase at(Input... inputs) {
    List<List<Input>> more = new ArrayList<>(examples);
    more.add(List.of(inputs));
    return new OperationCase(name, operation, function, List.copyOf(more), terms, tolerance);
  }

  /** This case with sums of a given length. */
  OperationCase summing(Terms terms) {
    return new OperationCase(name, operation, function, examples, terms, tolerance);
  }

  /** The examples whose inputs have together at most {@code most} elements. */
  public List<List<Input>> examples(long most) {
    return examples.stream().filter(inputs -> elements(inputs) <= most).toList();
  }

  /** The number of elements of all inputs of an example. */
  public static long elements(List<Input> example) {
    return example.stream().mapToLong(input -> input.shape().elements()).sum();
  }

  /** The shapes of an example, such as {@code [13, 5] [5]}. */
  public static String shapes(List<Input> example) {
    return example.stream().map(Input::toString).collect(Collectors.joining(" "));
  }

  /** The gradient check of one example: of all elements where they are few, else of a sample. */
  public GradCheck gradient(List<Input> example) {
    return GradCheck.of(function)
        .at(example.toArray(Input[]::new))
        .tolerance(tolerance)
        .elements(elements(example) <= 100 ? 100 : 12);
  }

  @Override
  public String toString() {
    return name;
  }
}
