// SPDX-License-Identifier: Apache-2.0
package dev.weft;

import static dev.weft.format.Format.format;

import dev.weft.device.Arguments;
import dev.weft.device.Closing;
import dev.weft.device.Kernel;
import dev.weft.op.Operands;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.LongStream;

/**
 * Derivatives of whole functions: products of the Jacobian with a vector on either side, Jacobians,
 * Hessians and their products with a vector.
 *
 * {@snippet file="Examples.java" region="derivatives"}
 *
 * <p>A function is given views of its inputs and runs as in training, with the random draws of seed
 * 0, so that dropout drops the same elements each time. All else that it reads counts as constant.
 * Nothing but the result comes of a call: gradients of inputs and parameters stay as they are, and
 * so do buffers.
 *
 * <p>Results belong to the caller, who closes them. They are of the {@link DType#wide} type, those
 * by an input of its own, those of the function's result of that one's; and 0 where the result does
 * not depend on the input.
 *
 * <p>All methods throw {@link IllegalArgumentException} where there are no inputs, one is not of a
 * floating-point type or not on the device of the first, or the function's result was computed on
 * another tape; {@link IllegalStateException} where one is closed; and, but for {@link #vjp},
 * {@link UnsupportedOperationException} where forward mode meets an operation that has no {@link
 * dev.weft.op.Operation#tangent}.
 */
public final class Derivatives {
  private static final long SEED = 0;

  private Derivatives() {}

  /**
   * The product of a vector and the Jacobian, by reverse mode: Σ_i dy_i ∂y_i/∂x for each input x.
   *
   * @param dy of the shape and type of the result y
   * @return one for each input, of its shape
   * @throws IllegalArgumentException with both shapes, where dy does not fit the result
   */
  public static List<Tensor> vjp(TensorFunction function, List<Tensor> inputs, Tensor dy) {
    Device device = check("vjp", inputs);
    try (Tape tape = new Tape(device, SEED)) {
      List<Tensor> variables = variables(inputs);
      Tensor y = apply(function, tape, new Tangents(tape, variables), variables);
      tape.check("vjp", Operands.floating("y", "dy"), y, dy);
      if (!y.shape().equals(dy.shape())) {
        throw new IllegalArgumentException(
            format("vjp: dy %s does not fit the result %s", dy.describe(), y.describe()));
      }
      return results(Shape.of(), inputs, gradients -> backward(tape, y, dy, variables, gradients));
    }
  }

  /**
   * The product of the Jacobian and a vector, by forward mode: Σ ∂y/∂x_j dx_j over the elements of
   * all inputs.
   *
   * @param tangents dx for each input x, of its shape and type
   * @return of the shape of the result y
   * @throws IllegalArgumentException with both shapes, where tangents do not fit the inputs
   */
  public static Tensor jvp(TensorFunction function, List<Tensor> inputs, List<Tensor> tangents) {
    Device device = check("jvp", inputs);
    checkAlike("jvp", inputs, tangents);
    try (Tape tape = Tape.unrecorded(device, SEED)) {
      List<Tensor> variables = variables(inputs);
      Tangents moving = moving(tape, variables, tangents);
      Tensor y = apply(function, tape, moving, variables);
      Tensor dy = moving.of(y);
      return results(
              Shape.of(),
              List.of(y),
              made -> {
                if (dy != null) {
                  Engine.copy(tape.wide(dy), made.getFirst());
                }
              })
          .getFirst();
    }
  }

  /**
   * The Jacobian by one input: ∂y_i/∂x_j for all elements of the result y and of x.
   *
   * @return of the shape of y followed by that of x
   */
  public static Tensor jacobian(TensorFunction function, Tensor x) {
    return jacobian(function, List.of(x)).getFirst();
  }

  /**
   * The Jacobians by several inputs: by reverse mode, a row at a time, where the result has at most
   * as many elements as all inputs together, else by forward mode, a column at a time, for which
   * the function runs once more for each.
   *
   * @return one for each input x, of the shape of the result followed by that of x
   */
  public static List<Tensor> jacobian(TensorFunction function, List<Tensor> inputs) {
    Device device = check("jacobian", inputs);
    Shape rows;
    try (Tape tape = new Tape(device, SEED)) {
      List<Tensor> variables = variables(inputs);
      Tensor y = apply(function, tape, new Tangents(tape, variables), variables);
      rows = y.shape();
      if (y.elements() <= inputs.stream().mapToLong(Tensor::elements).sum()) {
        return results(rows, inputs, jacobians -> byRows(tape, y, variables, jacobians));
      }
    }
    return results(rows, inputs, jacobians -> byColumns(function, inputs, rows, jacobians));
  }

  private static void byRows(Tape tape, Tensor y, List<Tensor> variables, List<Tensor> jacobians) {
    Tensor dy = tape.make(y.dtype(), y.shape());
    for (long row = 0; row < y.elements(); row++) {
      List<Tensor> gradients = new ArrayList<>();
      for (int i = 0; i < variables.size(); i++) {
        Shape shape = variables.get(i).shape();
        gradients.add(jacobians.get(i).view(row * shape.elements(), shape));
      }
      unit(dy, row);
      backward(tape, y, dy, variables, gradients);
    }
  }

  private static void byColumns(
      TensorFunction function, List<Tensor> inputs, Shape rows, List<Tensor> jacobians) {
    for (int i = 0; i < inputs.size(); i++) {
      Tensor jacobian = jacobians.get(i);
      long columns = inputs.get(i).elements();
      for (long column = 0; column < columns; column++) {
        Tensor to = jacobian.view(column, Shape.of());
        try (Tape tape = Tape.unrecorded(jacobian.device(), SEED)) {
          List<Tensor> variables = variables(inputs);
          Tensor x = variables.get(i);
          Tensor dx = tape.make(x.dtype(), x.shape());
          unit(dx, column);
          Tangents moving = new Tangents(tape, variables).set(x, dx);
          Tensor y = apply(function, tape, moving, variables);
          if (!y.shape().equals(rows)) {
            throw new IllegalArgumentException(
                format("jacobian: the function's result was %s and then %s", rows, y.shape()));
          }
          Tensor dy = moving.of(y);
          if (dy != null) {
            Tensor from = tape.cast(dy, to.dtype());
            tape.device()
                .run(
                    Kernel.COPY_ROWS,
                    to.dtype().precision(),
                    new Arguments.CopyRows(
                        from.address(), to.address(), y.elements(), 1, 1, columns, 1, false));
          }
        }
      }
    }
  }

  /** Sets one element to 1, all others to 0. */
  private static void unit(Tensor tensor, long element) {
    tensor.fill(0);
    tensor.view(element, Shape.of()).fill(1);
  }

  /**
   * The product of the Hessian of a function of one number and a vector, by reverse mode over
   * forward mode: Σ ∂²y/∂x∂x_j v_j over the elements of all inputs, at a few times the cost of the
   * gradient.
   *
   * @param vectors v for each input x, of its shape and type
   * @return one for each input, of its shape
   * @throws IllegalArgumentException with both shapes, where vectors do not fit the inputs; or
   *     where the function's result is not one number
   */
  public static List<Tensor> hessianVectorProduct(
      TensorFunction function, List<Tensor> inputs, List<Tensor> vectors) {
    check("hessianVectorProduct", inputs);
    checkAlike("hessianVectorProduct", inputs, vectors);
    return results(
        Shape.of(),
        inputs,
        products -> multiply("hessianVectorProduct", function, inputs, vectors, products));
  }

  /**
   * The Hessian of a function of one number: ∂²y/∂x_i∂x_j for all elements of x, a row at a time,
   * for each of which the function runs once.
   *
   * @return of the shape of x twice
   * @throws IllegalArgumentException where the function's result is not one number
   */
  public static Tensor hessian(TensorFunction function, Tensor x) {
    List<Tensor> inputs = List.of(x);
    Device device = check("hessian", inputs);
    try (Tensor v = device.zeros(x.dtype(), x.shape())) {
      return results(
              x.shape(),
              inputs,
              made -> {
                for (long row = 0; row < x.elements(); row++) {
                  unit(v, row);
                  Tensor to = made.getFirst().view(row * x.elements(), x.shape());
                  multiply("hessian", function, inputs, List.of(v), List.of(to));
                }
              })
          .getFirst();
    }
  }

  private static void multiply(
      String what,
      TensorFunction function,
      List<Tensor> inputs,
      List<Tensor> vectors,
      List<Tensor> products) {
    try (Tape tape = new Tape(inputs.getFirst().device(), SEED)) {
      List<Tensor> variables = variables(inputs);
      Tangents moving = moving(tape, variables, vectors);
      Tensor y = apply(function, tape, moving, variables);
      if (y.elements() != 1) {
        throw new IllegalArgumentException(
            format("%s needs a function of one number, not of %s", what, y.describe()));
      }
      Tensor dy = moving.of(y);
      if (dy != null && dy.hasGradient()) {
        Tensor slope = tape.sum(dy);
        into(variables, products);
        tape.backward(slope);
      }
    }
  }

  /** Applies a function; its result is one of the tape also where it is an input. */
  private static Tensor apply(
      TensorFunction function, Tape tape, Tangents operations, List<Tensor> variables) {
    String what = "the function's result";
    Tensor y = function.apply(operations, variables.toArray(Tensor[]::new));
    tape.check(what, Operands.floating("y"), y);
    tape.checkMadeHere(what, y);
    return operations.reshape(y, y.shape().toArray());
  }

  private static void backward(
      Tape tape, Tensor y, Tensor dy, List<Tensor> variables, List<Tensor> gradients) {
    if (y.hasGradient()) {
      into(variables, gradients);
      tape.backward(y, dy);
    }
  }

  private static void into(List<Tensor> variables, List<Tensor> gradients) {
    for (int i = 0; i < variables.size(); i++) {
      variables.get(i).gradInto(gradients.get(i));
    }
  }

  /** Views of the inputs, each with a gradient of its own. */
  private static List<Tensor> variables(List<Tensor> inputs) {
    return inputs.stream().map(x -> alike(x).requiresGrad()).toList();
  }

  private static Tensor alike(Tensor x) {
    return x.view(0, x.shape()).named(x.name());
  }

  private static Tangents moving(Tape tape, List<Tensor> variables, List<Tensor> tangents) {
    Tangents moving = new Tangents(tape, variables);
    for (int i = 0; i < variables.size(); i++) {
      moving.set(variables.get(i), alike(tangents.get(i)));
    }
    return moving;
  }

  /** Fills tensors of zeros, of the shape of the inputs behind a shape; none stays on failure. */
  private static List<Tensor> results(
      Shape rows, List<Tensor> inputs, Consumer<List<Tensor>> fill) {
    List<Tensor> made = new ArrayList<>();
    try {
      for (Tensor input : inputs) {
        LongStream sizes =
            LongStream.concat(
                LongStream.of(rows.toArray()), LongStream.of(input.shape().toArray()));
        made.add(input.device().zeros(input.dtype().wide(), Shape.of(sizes.toArray())));
      }
      fill.accept(made);
      return Collections.unmodifiableList(made);
    } catch (RuntimeException | Error e) {
      Closing.after(e, () -> Closing.all(made.toArray(Tensor[]::new)));
      throw e;
    }
  }

  private static Device check(String what, List<Tensor> inputs) {
    if (inputs.isEmpty()) {
      throw new IllegalArgumentException(what + " needs a function of at least one input");
    }
    Device device = inputs.getFirst().device();
    for (int i = 0; i < inputs.size(); i++) {
      Tensor input = inputs.get(i);
      input.address(); // throws where it is closed
      if (input.device() != device) {
        throw new IllegalArgumentException(
            format(
                "%s: input %d, %s, is not on the device of input 0, %s",
                what, i, input.describe(), device));
      }
      if (!input.dtype().isFloating()) {
        throw new IllegalArgumentException(
            format(
                "%s: input %d, %s, has no derivative: only floating-point types have; let the"
                    + " function read it without being given it",
                what, i, input.describe()));
      }
    }
    return device;
  }

  private static void checkAlike(String what, List<Tensor> inputs, List<Tensor> vectors) {
    if (vectors.size() != inputs.size()) {
      throw new IllegalArgumentException(
          format(
              "%s by %d inputs needs a vector for each, not %d",
              what, inputs.size(), vectors.size()));
    }
    for (int i = 0; i < inputs.size(); i++) {
      Tensor input = inputs.get(i);
      Tensor vector = vectors.get(i);
      vector.address(); // throws where it is closed
      if (!vector.shape().equals(input.shape())
          || vector.dtype() != input.dtype()
          || vector.device() != input.device()) {
        throw new IllegalArgumentException(
            format(
                "%s: vector %d, %s, does not fit input %d, %s: their shapes, types and devices"
                    + " must agree",
                what, i, vector.describe(), i, input.describe()));
      }
    }
  }
}
