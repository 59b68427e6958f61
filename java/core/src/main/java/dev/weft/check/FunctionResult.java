// SPDX-License-Identifier: Apache-2.0
package dev.weft.check;

import dev.weft.DType;
import dev.weft.Device;
import dev.weft.Tape;
import dev.weft.Tensor;
import dev.weft.TensorFunction;
import dev.weft.device.Bfloat16;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;

/**
 * What a function gives on one device in one precision, on the host.
 *
 * @param y the result
 * @param gradients the gradient of Σ dy_i y_i for each input, null for integers
 * @param accumulated the same after a second pass that found the first one's gradients there
 */
public record FunctionResult(double[] y, List<double[]> gradients, List<double[]> accumulated) {

  /** Runs a function forward and backward, twice. */
  public static FunctionResult of(
      TensorFunction function, List<Input> inputs, Device device, DType dtype, long seed) {
    return of(function, inputs, device, dtype, dtype, seed);
  }

  /** The same in one precision, of inputs that are rounded to another. */
  static FunctionResult of(
      TensorFunction function,
      List<Input> inputs,
      Device device,
      DType dtype,
      DType stored,
      long seed) {
    List<Tensor> tensors = new ArrayList<>();
    try {
      for (int i = 0; i < inputs.size(); i++) {
        Tensor tensor = inputs.get(i).on(device, dtype, stored, seed + i).named("input " + i);
        tensors.add(tensor);
        if (inputs.get(i).hasGradient()) {
          tensor.requiresGrad();
        }
      }
      double[] y = pass(function, tensors, device, seed);
      List<double[]> gradients = gradients(tensors);
      pass(function, tensors, device, seed);
      return new FunctionResult(y, gradients, gradients(tensors));
    } finally {
      tensors.forEach(Tensor::close);
    }
  }

  private static double[] pass(
      TensorFunction function, List<Tensor> inputs, Device device, long seed) {
    try (Tape tape = new Tape(device, seed)) {
      Tensor y = function.apply(tape, inputs.toArray(Tensor[]::new));
      double[] values = y.toDoubles();
      try (Tensor dy = device.tensor(y.dtype(), y.shape(), weights(values.length, seed))) {
        tape.backward(y, dy);
      }
      return values;
    }
  }

  /** The dy of {@link #of}: of both signs, away from 0, exact in bfloat16. */
  public static double[] weights(int count, long seed) {
    SplittableRandom random = new SplittableRandom(~seed);
    double[] dy = new double[count];
    Arrays.setAll(
        dy,
        i -> Bfloat16.round((float) random.nextDouble(0.5, 2)) * (random.nextInt(2) == 0 ? 1 : -1));
    return dy;
  }

  private static List<double[]> gradients(List<Tensor> tensors) {
    List<double[]> found = new ArrayList<>();
    for (Tensor tensor : tensors) {
      found.add(tensor.grad() == null ? null : tensor.grad().toDoubles());
    }
    return found;
  }

  /** One comparison of two evaluations, and what was compared. */
  public record Part(String what, Comparison comparison) {
    /** Such as {@code gradient of input 0, element 3: ...}. */
    @Override
    public String toString() {
      return what + ", " + comparison;
    }
  }

  /** Compares another evaluation of the same function with this one: every part. */
  public List<Part> compare(FunctionResult actual, DType precision, long terms) {
    List<Part> parts = new ArrayList<>();
    parts.add(new Part("result", Comparison.of(y, actual.y, precision, terms)));
    for (int i = 0; i < gradients.size(); i++) {
      if (gradients.get(i) != null) {
        parts.add(
            new Part(
                "gradient of input " + i,
                Comparison.of(gradients.get(i), actual.gradients.get(i), precision, terms)));
        parts.add(
            new Part(
                "accumulated gradient of input " + i,
                Comparison.of(accumulated.get(i), actual.accumulated.get(i), precision, terms)));
      }
    }
    return parts;
  }
}
