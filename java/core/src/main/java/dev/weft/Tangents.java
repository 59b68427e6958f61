// SPDX-License-Identifier: Apache-2.0
package dev.weft;

import static dev.weft.format.Format.format;

import dev.weft.op.Operands;
import dev.weft.op.Operation;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Forward mode: operations on a tape that carry a tangent beside each value. Where the inputs move
 * along their tangents dx_i, a result y moves along dy = Σ_i ∂y/∂x_i dx_i, the product of the
 * Jacobian with dx, which is known as soon as y is. Nothing need be recorded for it, so that it
 * takes the memory of values and tangents alone on a tape for inference.
 *
 * {@snippet file="Examples.java" region="tangents"}
 *
 * <p>Tangents are results of the tape, made of operations that it records: {@link Tape#backward}
 * from one gives second derivatives. {@link Derivatives} does so for whole functions. See Baydin et
 * al., "Automatic differentiation in machine learning: a survey" (JMLR 2018), section 3.1.
 */
public final class Tangents implements Operations {
  private final Tape tape;
  private final @Nullable List<Tensor> variables;
  private final Map<Tensor, Tensor> tangents = new HashMap<>();
  private boolean carrying = true;

  /** Operations on {@code tape} that carry tangents, of none so far. */
  public Tangents(Tape tape) {
    this(tape, null);
  }

  /** Tangents where nothing but the variables changes, and no other tensor gets a gradient. */
  Tangents(Tape tape, @Nullable List<Tensor> variables) {
    this.tape = tape;
    this.variables = variables;
  }

  /**
   * Lets a tensor move along a tangent, in the operations from here on. Returns this.
   *
   * @param dx of the shape, type and device of {@code x}, and open as long as the tape
   * @throws IllegalArgumentException with both shapes, where they do not fit, or {@code x} is not
   *     of a floating-point type
   */
  public Tangents set(Tensor x, Tensor dx) {
    tape.check("tangent", Operands.floating("x", "dx"), x, dx);
    if (!x.shape().equals(dx.shape())) {
      throw new IllegalArgumentException(
          format("a tangent %s does not fit %s", dx.describe(), x.describe()));
    }
    tangents.put(x, dx);
    return this;
  }

  /**
   * How fast a tensor moves: what was {@link #set}, or the tangent of a result, of its shape and
   * type, which lives as long as the tape; null where it does not move.
   */
  public @Nullable Tensor of(Tensor y) {
    return tangents.get(y);
  }

  @Override
  public Tensor apply(Operation operation, Tensor... inputs) {
    Tensor[] given = variables == null ? inputs : varying(operation, variables, inputs);
    Node node = tape.applied(operation, given);
    Tensor y = node.output();
    int passed = Arrays.asList(given).indexOf(y);
    if (passed >= 0) {
      return inputs[passed];
    }
    if (carrying
        && y.dtype().isFloating()
        && Arrays.stream(inputs).anyMatch(tangents::containsKey)) {
      List<@Nullable Tensor> dx = new ArrayList<>();
      for (Tensor input : inputs) {
        dx.add(tangents.get(input));
      }
      Tensor dy = operation.tangent(tape, node, dx);
      if (dy != null) {
        tangents.put(y, stretched(operation, dy, y));
      }
    }
    return y;
  }

  /**
   * The same inputs; of those that are not variables no gradient is wanted, and what the operation
   * moves is a copy.
   */
  private Tensor[] varying(Operation operation, List<Tensor> variables, Tensor[] inputs) {
    Tensor[] given = inputs.clone();
    for (int i = 0; i < given.length; i++) {
      Tensor input = given[i];
      if (input != null && operation.moves(i)) {
        given[i] = tape.make(input.dtype(), input.shape());
        Engine.copy(input, given[i]);
        continue;
      }
      if (input == null || !input.hasGradient() || variables.contains(input)) {
        continue; // a tape says what is wrong with null
      }
      if (!input.isIntermediate()) {
        given[i] = input.view(0, input.shape()).named(input.name());
      } else if (carrying) {
        tape.checkMadeHere(operation.name(), input);
      }
    }
    return given;
  }

  private Tensor stretched(Operation operation, Tensor dy, Tensor y) {
    if (dy.dtype() != y.dtype() || !dy.shape().stretchesTo(y.shape())) {
      throw new IllegalArgumentException(
          format(
              "%s gives a tangent %s for its result %s: types and shapes must agree",
              operation.name(), dy.describe(), y.describe()));
    }
    return dy.shape().equals(y.shape()) ? dy : tape.broadcastTo(dy, y.shape().toArray());
  }

  @Override
  public Device device() {
    return tape.device();
  }

  @Override
  public Tensor full(DType dtype, Shape shape, double value) {
    return tape.full(dtype, shape, value);
  }

  @Override
  public void check(String name, Operands operands, Tensor... inputs) {
    tape.check(name, operands, inputs);
  }

  @Override
  public boolean isTraining() {
    return tape.isTraining();
  }

  @Override
  public void assign(Tensor buffer, Tensor value) {
    if (variables == null) {
      tape.assign(buffer, value);
    }
  }

  @Override
  public <R> R withoutGradient(Supplier<R> body) {
    boolean before = carrying;
    carrying = false;
    try {
      return tape.withoutGradient(body);
    } finally {
      carrying = before;
    }
  }

  @Override
  public Tangents math(MathMode math) {
    tape.math(math);
    return this;
  }
}
