// SPDX-License-Identifier: Apache-2.0
package dev.weft.check;

import dev.weft.DType;
import dev.weft.Device;
import dev.weft.Shape;
import dev.weft.Tape;
import dev.weft.Tensor;
import dev.weft.check.GradientReport.Deviation;
import dev.weft.check.GradientReport.InputVerdict;
import dev.weft.check.GradientReport.Measure;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;

/** One run of {@link GradCheck}: the inputs on a device, the gradients and the differences. */
final class Differences implements AutoCloseable {
  private static final double STEP = 0x1p-17;
  private static final double NOISE = 1e-4;
  private static final int DIRECTIONS = 3;

  private final GradCheck.Function function;
  private final List<Input> recipes;
  private final Device device;
  private final long seed;
  private final int most;

  /**
   * dy of a scalar: not 1, so that a backward that ignores it is seen; a power of 2 divides out.
   */
  private static final double SCALAR_WEIGHT = 2;

  private final SplittableRandom random;
  private final double[][] at;
  private final Tensor[] inputs;
  private double[] dy;

  Differences(
      GradCheck.Function function, List<Input> recipes, Device device, long seed, int most) {
    this.function = function;
    this.recipes = recipes;
    this.device = device;
    this.seed = seed;
    this.most = most;
    this.random = new SplittableRandom(~seed);
    this.at = new double[recipes.size()][];
    this.inputs = new Tensor[recipes.size()];
    try {
      for (int i = 0; i < inputs.length; i++) {
        at[i] = recipes.get(i).values(seed + i);
        inputs[i] = onDevice(i);
      }
    } catch (RuntimeException e) {
      close();
      throw e;
    }
  }

  private Tensor onDevice(int input) {
    Input recipe = recipes.get(input);
    DType dtype = recipe.hasGradient() ? DType.F64 : DType.I32;
    return device.tensor(dtype, recipe.shape(), at[input]).named("input " + input);
  }

  GradientReport report(double tolerance) {
    double[] y = evaluate();
    dy = new double[y.length];
    Arrays.setAll(
        dy, i -> random.nextInt(2) == 0 ? random.nextDouble(-2, -0.5) : random.nextDouble(0.5, 2));
    if (y.length == 1) {
      dy[0] = SCALAR_WEIGHT;
    }
    double[][] once = gradients(1);
    double[][] twice = gradients(2);
    List<InputVerdict> verdicts = new ArrayList<>();
    for (int i = 0; i < inputs.length; i++) {
      if (recipes.get(i).hasGradient()) {
        verdicts.add(verdict(i, once[i], twice[i], tolerance));
      }
    }
    return new GradientReport(tolerance, verdicts);
  }

  private double[] evaluate() {
    try (Tape tape = new Tape(device, seed)) {
      return function.apply(tape, inputs.clone()).toDoubles();
    }
  }

  /** The gradients of all inputs after a number of backward passes, each over a tape of its own. */
  private double[][] gradients(int passes) {
    Tensor[] leaves = new Tensor[inputs.length];
    for (int i = 0; i < leaves.length; i++) {
      leaves[i] = inputs[i];
      if (recipes.get(i).hasGradient()) {
        leaves[i] = onDevice(i).requiresGrad();
      }
    }
    try {
      for (int pass = 0; pass < passes; pass++) {
        try (Tape tape = new Tape(device, seed)) {
          Tensor y = function.apply(tape, leaves.clone());
          try (Tensor weights = device.tensor(DType.F64, y.shape(), dy)) {
            tape.backward(y, weights);
          }
        }
      }
      double[][] found = new double[leaves.length][];
      for (int i = 0; i < leaves.length; i++) {
        Tensor grad = leaves[i].grad();
        found[i] = grad == null ? new double[at[i].length] : grad.toDoubles();
      }
      return found;
    } finally {
      for (int i = 0; i < leaves.length; i++) {
        if (leaves[i] != inputs[i]) {
          leaves[i].close();
        }
      }
    }
  }

  private InputVerdict verdict(int input, double[] once, double[] twice, double tolerance) {
    double rms = rms(once);
    List<Deviation> found = new ArrayList<>();
    for (int element : sample(once.length)) {
      found.add(element(input, element, once, rms));
    }
    for (int d = 0; once.length > 1 && d < DIRECTIONS; d++) {
      found.add(direction(input, d, once, rms));
    }
    for (int i = 0; i < once.length; i++) {
      found.add(deviation(Measure.ACCUMULATION, i, twice[i] / 2, once[i], rms));
    }
    Deviation worst = null;
    double absolute = 0;
    boolean passed = true;
    for (Deviation each : found) {
      passed &= each.error() <= tolerance;
      absolute = Math.max(absolute, each.absolute());
      worst = worst == null || each.error() > worst.error() ? each : worst;
    }
    return new InputVerdict(input, recipes.get(input).shape(), worst, absolute, passed);
  }

  private int[] sample(int count) {
    return count <= most
        ? IntStream.range(0, count).toArray()
        : random.ints(0, count).distinct().limit(most).sorted().toArray();
  }

  private Deviation element(int input, int element, double[] gradient, double rms) {
    double x = at[input][element];
    double h = step(x);
    double[] plus = evaluateWith(input, element, x + h);
    double[] minus = evaluateWith(input, element, x - h);
    set(input, element, x);
    double width = (x + h) - (x - h);
    return deviation(
        Measure.ELEMENT,
        element,
        gradient[element],
        dot(plus, minus) / width,
        Math.max(rms, NOISE * moved(plus, minus)));
  }

  private Deviation direction(int input, int number, double[] gradient, double rms) {
    double[] x = at[input];
    double[] signs = new double[x.length];
    double[] shifted = new double[x.length];
    // one step for all elements; a power of two, so that x + h and x - h are as good as exact
    double h = step(Arrays.stream(x).map(Math::abs).max().orElse(1));
    Arrays.setAll(signs, i -> random.nextInt(2) == 0 ? 1 : -1);
    Arrays.setAll(shifted, i -> x[i] + h * signs[i]);
    inputs[input].copyFrom(MemorySegment.ofArray(shifted));
    double[] plus = evaluate();
    Arrays.setAll(shifted, i -> x[i] - h * signs[i]);
    inputs[input].copyFrom(MemorySegment.ofArray(shifted));
    double[] minus = evaluate();
    inputs[input].copyFrom(MemorySegment.ofArray(x));
    double analytic = 0;
    for (int i = 0; i < x.length; i++) {
      analytic += signs[i] * gradient[i];
    }
    return deviation(
        Measure.DIRECTION,
        number,
        analytic,
        dot(plus, minus) / (2 * h),
        Math.max(rms, NOISE * moved(plus, minus)));
  }

  private double[] evaluateWith(int input, int element, double value) {
    set(input, element, value);
    return evaluate();
  }

  private void set(int input, int element, double value) {
    inputs[input].view(element, Shape.of(1)).copyFrom(MemorySegment.ofArray(new double[] {value}));
  }

  private static double step(double x) {
    return Double.isFinite(x) ? Math.scalb(STEP, Math.getExponent(Math.max(1, Math.abs(x)))) : STEP;
  }

  private double dot(double[] plus, double[] minus) {
    double sum = 0;
    for (int i = 0; i < dy.length; i++) {
      sum += dy[i] * (plus[i] - minus[i]);
    }
    return sum;
  }

  private double moved(double[] plus, double[] minus) {
    double sum = 0;
    for (int i = 0; i < dy.length; i++) {
      if (plus[i] != minus[i]) {
        sum += Math.abs(dy[i]) * Math.max(Math.abs(plus[i]), Math.abs(minus[i]));
      }
    }
    return sum;
  }

  private static double rms(double[] values) {
    return Math.sqrt(Arrays.stream(values).map(v -> v * v).average().orElse(0));
  }

  /** Compares two gradients of L; of a scalar y it reports those of y. */
  private Deviation deviation(
      Measure measure, long place, double ofL, double expected, double scaleOfL) {
    double unit = dy.length == 1 ? SCALAR_WEIGHT : 1;
    double analytic = ofL / unit;
    double numeric = expected / unit;
    double scale = scaleOfL / unit;
    double difference = Math.abs(analytic - numeric);
    double size = Math.max(Math.max(Math.abs(analytic), Math.abs(numeric)), scale);
    double error = difference == 0 ? 0 : difference / size;
    boolean finite =
        Double.isFinite(analytic) && Double.isFinite(numeric) && Double.isFinite(error);
    return new Deviation(
        measure, place, analytic, numeric, finite ? error : Double.POSITIVE_INFINITY);
  }

  @Override
  public void close() {
    for (Tensor input : inputs) {
      if (input != null) {
        input.close();
      }
    }
  }
}
