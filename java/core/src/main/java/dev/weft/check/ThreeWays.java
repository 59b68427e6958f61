// SPDX-License-Identifier: Apache-2.0
package dev.weft.check;

import static dev.weft.format.Format.format;

import dev.weft.DType;
import dev.weft.Device;
import dev.weft.Tape;
import dev.weft.Tensor;
import dev.weft.TensorFunction;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/**
 * A scalar function whose gradient is known in three ways, in float64: by hand, a formula in plain
 * Java; by central differences (f(x + h) - f(x - h)) / 2h; by backpropagation on a tape.
 *
 * @param name the function as text
 * @param formula its gradient as text
 * @param function the function, made of operations
 * @param inputs where the gradients are taken
 * @param byHand the gradient for each input, from the values of all inputs
 * @param seed what the function draws from
 */
public record ThreeWays(
    String name,
    String formula,
    TensorFunction function,
    List<Input> inputs,
    ByHand byHand,
    long seed) {

  /** Two exact ways differ by rounding alone. */
  private static final double ROUNDING = 1e-12;

  /** A central difference is off by h² and by the rounding of f divided by h. */
  private static final double DIFFERENCE = 1e-7;

  private static final double STEP = 0x1p-17; // about the cube root of float64's epsilon

  /** A gradient as a formula. */
  @FunctionalInterface
  public interface ByHand {
    /**
     * The gradient for each input, row-major, from the values of the inputs; of one of integers,
     * which has none, anything.
     */
    double[][] of(double[][] in);
  }

  /**
   * How far the ways are apart: the largest |a - b| / max(|a|, |b|, rms) of all elements, rms that
   * of the input's gradient.
   *
   * @param elements how many elements the gradient has
   * @param handAndDifferences between the formula and the differences
   * @param handAndBackward between the formula and backpropagation
   * @param differencesAndBackward between the differences and backpropagation
   */
  public record Result(
      int elements,
      double handAndDifferences,
      double handAndBackward,
      double differencesAndBackward) {
    /** {@link Verdict#OK} where all three agree, else {@link Verdict#WRONG}. */
    public Verdict verdict() {
      boolean agree =
          handAndBackward <= ROUNDING
              && handAndDifferences <= DIFFERENCE
              && differencesAndBackward <= DIFFERENCE;
      return agree ? Verdict.OK : Verdict.WRONG;
    }
  }

  /** Copies the list. */
  public ThreeWays {
    inputs = List.copyOf(inputs);
  }

  /**
   * Takes the gradients and compares them.
   *
   * @throws IllegalArgumentException where the function is no scalar, or the formula gives another
   *     number of elements than an input has
   */
  public Result compare(Device device) {
    double[][] at =
        IntStream.range(0, inputs.size()).mapToObj(this::values).toArray(double[][]::new);
    double[][] hand = byHand.of(Arrays.stream(at).map(double[]::clone).toArray(double[][]::new));
    double[][] backward = backward(device, at);
    int elements = 0;
    double[] apart = new double[3];
    for (int i = 0; i < at.length; i++) {
      if (!inputs.get(i).hasGradient()) {
        continue;
      }
      if (hand[i].length != at[i].length) {
        throw new IllegalArgumentException(
            format(
                "%s: the formula gives %d elements for input %d, which has %d",
                name, hand[i].length, i, at[i].length));
      }
      double[] differences = differences(device, at, i);
      elements += at[i].length;
      apart[0] = Math.max(apart[0], apart(hand[i], differences));
      apart[1] = Math.max(apart[1], apart(hand[i], backward[i]));
      apart[2] = Math.max(apart[2], apart(differences, backward[i]));
    }
    return new Result(elements, apart[0], apart[1], apart[2]);
  }

  private double[] values(int input) {
    return inputs.get(input).values(seed + input);
  }

  private double[] differences(Device device, double[][] at, int input) {
    double[] slopes = new double[at[input].length];
    for (int i = 0; i < slopes.length; i++) {
      double x = at[input][i];
      double h = Math.scalb(STEP, Math.getExponent(Math.max(1, Math.abs(x))));
      at[input][i] = x + h;
      double above = value(device, at);
      at[input][i] = x - h;
      slopes[i] = (above - value(device, at)) / (2 * h);
      at[input][i] = x;
    }
    return slopes;
  }

  private double value(Device device, double[][] at) {
    return onTape(device, at, (tape, y, tensors) -> y.item());
  }

  private double[][] backward(Device device, double[][] at) {
    return onTape(
        device,
        at,
        (tape, y, tensors) -> {
          tape.backward(y);
          return tensors.stream()
              .map(x -> x.grad() == null ? new double[(int) x.elements()] : x.grad().toDoubles())
              .toArray(double[][]::new);
        });
  }

  private interface Reading<R> {
    R of(Tape tape, Tensor y, List<Tensor> tensors);
  }

  private <R> R onTape(Device device, double[][] at, Reading<R> reading) {
    List<Tensor> tensors = new ArrayList<>();
    try (Tape tape = new Tape(device, seed)) {
      for (int i = 0; i < at.length; i++) {
        boolean real = inputs.get(i).hasGradient();
        Tensor x = device.tensor(real ? DType.F64 : DType.I32, inputs.get(i).shape(), at[i]);
        tensors.add(real ? x.requiresGrad() : x);
      }
      Tensor y = function.apply(tape, tensors.toArray(Tensor[]::new));
      if (y.elements() != 1) {
        throw new IllegalArgumentException(
            format("%s: the gradient of a scalar is compared, not of %s", name, y.shape()));
      }
      return reading.of(tape, y, tensors);
    } finally {
      tensors.forEach(Tensor::close);
    }
  }

  private static double apart(double[] a, double[] b) {
    double rms = Math.sqrt(Arrays.stream(a).map(v -> v * v).average().orElse(0));
    double largest = 0;
    for (int i = 0; i < a.length; i++) {
      double size = Math.max(rms, Math.max(Math.abs(a[i]), Math.abs(b[i])));
      double error = a[i] == b[i] ? 0 : Math.abs(a[i] - b[i]) / size;
      largest = Math.max(largest, Double.isNaN(error) ? Double.POSITIVE_INFINITY : error);
    }
    return largest;
  }
}
