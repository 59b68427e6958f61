// SPDX-License-Identifier: Apache-2.0
package dev.weft.optim;

import static dev.weft.format.Format.format;

import dev.weft.DType;
import dev.weft.Engine;
import dev.weft.StepState;
import dev.weft.Tensor;
import dev.weft.nn.Network;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A rule that changes parameters by their gradients; its settings, without memory. One of your own
 * says what it remembers and makes {@link #update} of operations:
 *
 * <pre>{@code
 * record SignMomentum(double rate, double decay) implements Optimizer {
 *   public List<String> memory() {
 *     return List.of("momentum");
 *   }
 *
 *   public void update(Update u) {
 *     Operations o = u.operations();
 *     Tensor m = u.memory("momentum");
 *     o.assign(m, o.add(o.scale(m, decay), o.scale(u.gradient(), 1 - decay)));
 *     o.assign(u.values(), o.subtract(u.values(), o.multiply(u.rate(), o.tanh(m))));
 *   }
 * }
 * }</pre>
 *
 * <p>{@link #update} runs once, while a step is recorded, and its operations are replayed in every
 * step. So no value can be read in it ({@link Tensor#item}, {@link Tensor#toFloats}) and no tensor
 * uploaded: the learning rate is {@link Update#rate}, a tensor, and not a number. A constant is a
 * tensor that was made before and given to the optimizer, of the type of {@link Update#values}.
 */
public interface Optimizer {

  /** The learning rate. */
  double rate();

  /**
   * The names of what it remembers of each parameter: tensors of the parameters' shape, at first
   * filled with {@link #beginning}.
   */
  List<String> memory();

  /** What a memory of that name is filled with at first. */
  default double beginning(String memory) {
    return 0;
  }

  /** Runs, or records, one step over some of the parameters. */
  void update(Update update);

  /** Whether it takes tables whose gradient is a list of rows, by {@link Update#rows}. */
  default boolean takesRows() {
    return false;
  }

  /**
   * Whether kernels of its own do all that an {@link Update} asks for: scale and clip the gradient,
   * limit what is taken from a value, write the rounded copy. Else it is done around the rule.
   */
  default boolean isOneKernel() {
    return false;
  }

  /** How it is written in files and on the command line. */
  default String spec() {
    return getClass().getSimpleName();
  }

  /**
   * For a loop by hand: the optimizer at work on a network.
   *
   * @throws IllegalStateException where the network is on no device, or a training run changes it
   */
  default Stepper stepper(Network network) {
    return new Stepper(network, this);
  }

  /**
   * Takes the memory that the rule needs.
   *
   * @param values all parameters, flat, F32 or F64
   * @param gradients their gradients, flat, of the same type
   * @throws IllegalArgumentException where the two do not fit
   */
  default RunningRule start(Tensor values, Tensor gradients) {
    return start(Target.of(values, gradients));
  }

  /**
   * Takes the memory that the rule needs over a target.
   *
   * @throws IllegalArgumentException where its parts do not fit
   */
  default RunningRule start(Target target) {
    return new RunningRule(this, target);
  }

  /**
   * What a rule changes: values with dense gradients, or a table whose gradient is a list of rows,
   * of which only those are changed and what is remembered of them.
   *
   * @param values F32 or F64
   * @param gradients of the same type and size; null for a table
   * @param table what has the table's gradient of rows; null for dense gradients
   * @param copy receives the values rounded to BF16; or null
   * @param rateFactor what the learning rate of the step state is multiplied by
   */
  record Target(
      Tensor values,
      @Nullable Tensor gradients,
      @Nullable Tensor table,
      @Nullable Tensor copy,
      double rateFactor) {
    /** Values and their gradients, at the step state's rate. */
    public static Target of(Tensor values, Tensor gradients) {
      return new Target(values, gradients, null, null, 1);
    }

    /**
     * Checks that a rule can run over it.
     *
     * @throws IllegalArgumentException that says what does not fit
     */
    void check() {
      checkMemory(values, gradients, copy);
      checkNotNegative("a factor of the rate", rateFactor);
      if ((gradients == null) == (table == null)) {
        throw new IllegalArgumentException(
            format(
                "%s needs dense gradients, or a table with rows, one of both",
                Engine.describe(values)));
      }
      if (table != null
          && (!Engine.isGradRows(table)
              || !table.shape().equals(values.shape())
              || table.device() != values.device())) {
        throw new IllegalArgumentException(
            format(
                "%s is no table with a gradient of rows for %s",
                Engine.describe(table), Engine.describe(values)));
      }
    }

    /** Notes that a step changes the values and their copy. */
    void noteStep() {
      Engine.changed(values);
      if (copy != null) {
        Engine.changed(copy);
      }
    }
  }

  /**
   * Returns if a rule can run over this memory: values F32 or F64, gradients of their type, a copy
   * in BF16 of F32 values, all on one device and of as many elements.
   *
   * @throws IllegalArgumentException that says what does not fit
   * @throws IllegalStateException where one of them is closed
   */
  private static void checkMemory(
      Tensor values, @Nullable Tensor gradients, @Nullable Tensor copy) {
    Engine.address(values); // throws where it is closed
    if (!values.dtype().isFloating() || values.dtype() != values.dtype().wide()) {
      throw new IllegalArgumentException(
          format(
              "an optimizer changes values of type F32 or F64, not %s", Engine.describe(values)));
    }
    if (gradients != null) {
      checkBeside(values, "gradients", gradients, values.dtype());
    }
    if (copy != null) {
      if (values.dtype() != DType.F32) {
        throw new IllegalArgumentException(
            format("%s has no copy in BF16: F32 has", Engine.describe(values)));
      }
      checkBeside(values, "copy", copy, DType.BF16);
    }
  }

  private static void checkBeside(Tensor values, String what, Tensor tensor, DType dtype) {
    Engine.address(tensor); // throws where it is closed
    if (tensor.dtype() != dtype
        || tensor.elements() != values.elements()
        || tensor.device() != values.device()) {
      throw new IllegalArgumentException(
          format(
              "the %s, %s, do not fit the values, %s: they must be %s %s on the same device",
              what, Engine.describe(tensor), Engine.describe(values), dtype, values.shape()));
    }
  }

  /**
   * Returns if a step over {@code values} can follow {@code state}.
   *
   * @throws IllegalArgumentException where it lies on another device
   * @throws IllegalStateException where it was given no rate
   */
  static void checkState(Tensor values, StepState state) {
    state.checkRated();
    if (state.device() != values.device()) {
      throw new IllegalArgumentException(
          format("a step state on %s does not serve %s", state.device(), Engine.describe(values)));
    }
  }

  /**
   * Returns the rate if it is one.
   *
   * @throws IllegalArgumentException where it is negative, NaN or infinite
   */
  static double checkRate(double rate) {
    return checkNotNegative("a learning rate", rate);
  }

  /**
   * Returns a setting if it is finite and at least 0.
   *
   * @throws IllegalArgumentException that names it, where it is not
   */
  static double checkNotNegative(String what, double value) {
    if (!(value >= 0) || Double.isInfinite(value)) {
      throw new IllegalArgumentException(
          format("%s must be finite and at least 0, not %s", what, value));
    }
    return value;
  }

  /**
   * Returns a decay if it is one.
   *
   * @throws IllegalArgumentException that names it, where it is outside [0, 1)
   */
  static double checkDecay(String what, double value) {
    if (!(value >= 0 && value < 1)) {
      throw new IllegalArgumentException(format("%s must be in [0, 1), not %s", what, value));
    }
    return value;
  }
}
