// SPDX-License-Identifier: Apache-2.0
package dev.weft.check;

import static dev.weft.format.Format.format;

import dev.weft.Device;
import dev.weft.Inputs;
import dev.weft.Tensor;
import dev.weft.TensorFunction;
import dev.weft.nn.Loss;
import dev.weft.nn.Model;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Compares the gradient of a function with central differences, in float64.
 *
 * {@snippet file="Examples.java" region="gradCheck"}
 *
 * <p>A function whose result y is not a scalar is checked through L = Σ dy_i y_i for random dy, a
 * scalar one through L = 2 y, its gradients halved again in the report. For each input, with h
 * about the cube root of the float64 epsilon, 2⁻¹⁷ max(1, |x|):
 *
 * <ul>
 *   <li>elements: ∂L/∂x_i against (L(x + h e_i) - L(x - h e_i)) / 2h, for all or for a sample;
 *   <li>directions: Σ v_i ∂L/∂x_i against (L(x + h v) - L(x - h v)) / 2h, v of random signs, which
 *       sees every element of a large input;
 *   <li>accumulation: a second backward pass must double the gradient.
 * </ul>
 *
 * <p>The error of analytic a against numeric n is |a - n| / max(|a|, |n|, rms, 10⁻⁴ s): rms is that
 * of the input's gradient, s = Σ |dy_i y_i| over the results that moved, whose rounding n cannot
 * see beyond. NaN and infinity fail. See also Baydin et al., "Automatic differentiation in machine
 * learning: a survey" (JMLR 2018), section 2.1.
 */
public final class GradCheck {

  private final TensorFunction function;
  private final List<Input> inputs;
  private final @Nullable Device device;
  private final double tolerance;
  private final long seed;
  private final int elements;

  private GradCheck(
      TensorFunction function,
      List<Input> inputs,
      @Nullable Device device,
      double tolerance,
      long seed,
      int elements) {
    this.function = function;
    this.inputs = inputs;
    this.device = device;
    this.tolerance = tolerance;
    this.seed = seed;
    this.elements = elements;
  }

  /** A check of {@code function}: tolerance 10⁻⁶, seed 1, at most 64 elements of each input. */
  public static GradCheck of(TensorFunction function) {
    return new GradCheck(function, List.of(), null, 1e-6, 1, 64);
  }

  /**
   * A check of a whole model: of the gradient of its loss by all parameters, which are drawn for
   * this and get back what they had, and by the columns of a batch.
   *
   * @param columns what the model and the loss take: ids by {@link Input#integers}
   */
  public static GradCheck of(Model model, Loss loss, Map<String, Input> columns) {
    return of(new ModelFunction(model, loss, columns));
  }

  /**
   * A check of a model or a layer alone: of the gradients of its output by all parameters, which
   * are drawn for this and get back what they had, and by its input. In the report the parameters
   * come first, in their order.
   *
   * @param features what it is given, (rows, ...): ids by {@link Input#integers}
   */
  public static GradCheck of(Model model, Input features) {
    return of(model, Map.of(Inputs.FEATURES, features));
  }

  /**
   * The same of a model of several inputs.
   *
   * @param columns what it is given, by name
   */
  public static GradCheck of(Model model, Map<String, Input> columns) {
    return of(new ModelFunction(model, null, columns));
  }

  private static GradCheck of(ModelFunction function) {
    return of((TensorFunction) function).at(function.inputs());
  }

  /** An input of values from the standard normal distribution. */
  public static Input randomNormal(long... sizes) {
    return Input.randomNormal(sizes);
  }

  /** At which inputs the gradient is checked. */
  public GradCheck at(Input... inputs) {
    return new GradCheck(function, List.of(inputs), device, tolerance, seed, elements);
  }

  /**
   * At which vectors the gradient is checked.
   *
   * @throws IllegalArgumentException where one is null
   */
  public GradCheck at(double[]... vectors) {
    for (int i = 0; i < vectors.length; i++) {
      if (vectors[i] == null) {
        throw new IllegalArgumentException(format("vector %d is null", i));
      }
    }
    return at(Arrays.stream(vectors).map(Input::of).toArray(Input[]::new));
  }

  /** At which values the gradient is checked; the tensors are read now and not changed. */
  public GradCheck at(Tensor... tensors) {
    return at(Arrays.stream(tensors).map(Input::of).toArray(Input[]::new));
  }

  /** On which device; a CPU device of its own where none is given. */
  public GradCheck on(Device device) {
    return new GradCheck(function, inputs, device, tolerance, seed, elements);
  }

  /**
   * The largest error that passes.
   *
   * @throws IllegalArgumentException where that is negative, infinite or NaN
   */
  public GradCheck tolerance(double tolerance) {
    if (!(tolerance >= 0) || Double.isInfinite(tolerance)) {
      throw new IllegalArgumentException(
          format("the tolerance must be finite and at least 0, not %s", tolerance));
    }
    return new GradCheck(function, inputs, device, tolerance, seed, elements);
  }

  /** The seed of drawn inputs, of dy, of directions and of the tape. */
  public GradCheck seed(long seed) {
    return new GradCheck(function, inputs, device, tolerance, seed, elements);
  }

  /**
   * How many elements of each input are compared at most.
   *
   * @throws IllegalArgumentException where that is less than 1
   */
  public GradCheck elements(int most) {
    if (most < 1) {
      throw new IllegalArgumentException(
          format("a gradient check needs at least 1 element of each input, not %d", most));
    }
    return new GradCheck(function, inputs, device, tolerance, seed, most);
  }

  /**
   * Runs the check.
   *
   * @throws IllegalStateException where no inputs were given, or all of them are integers
   */
  public GradientReport check() {
    if (inputs.isEmpty()) {
      throw new IllegalStateException("a gradient check needs inputs: call at(...) first");
    }
    if (inputs.stream().noneMatch(Input::hasGradient)) {
      throw new IllegalStateException(
          "a gradient check needs an input of floating-point values: integers have no gradient");
    }
    if (device != null) {
      return run(device);
    }
    try (Device cpu = Device.cpu()) {
      return run(cpu);
    }
  }

  private GradientReport run(Device on) {
    try (Differences differences = new Differences(function, inputs, on, seed, elements)) {
      return differences.report(tolerance);
    }
  }

  /**
   * Runs the check.
   *
   * <p>A place that may be a kink fails nothing as long as another element of its input agrees.
   *
   * @throws GradCheckFailure where it fails; the message names input, element, analytic and numeric
   *     value
   */
  public void assertPasses() {
    GradientReport report = check();
    if (!report.passed()) {
      String what =
          report.verdict() == Verdict.WRONG
              ? "the gradient differs from finite differences"
              : "the gradient could not be compared with finite differences";
      throw new GradCheckFailure(format("%s%n%s", what, report));
    }
  }
}
