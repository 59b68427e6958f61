// SPDX-License-Identifier: Apache-2.0
package dev.weft.check;

import static dev.weft.format.Format.format;

import dev.weft.DType;
import dev.weft.Device;
import dev.weft.Shape;
import dev.weft.Tape;
import dev.weft.Tensor;
import dev.weft.TensorFunction;
import dev.weft.check.GradientReport.Deviation;
import dev.weft.check.GradientReport.InputVerdict;
import dev.weft.check.GradientReport.Kink;
import dev.weft.check.GradientReport.Measure;
import dev.weft.check.Slope.Finding;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;

/** One run of {@link GradCheck}: the inputs on a device, the gradients and the differences. */
final class Differences implements AutoCloseable {
  private static final double STEP = 0x1p-17;
  private static final int DIRECTIONS = 3;

  /** Inputs up to this many elements are looked through for kinks where a direction disagrees. */
  private static final int LOOKED_AT = 4096;

  /**
   * dy of a scalar: not 1, so that a backward that ignores it is seen; a power of 2 divides out.
   */
  private static final double SCALAR_WEIGHT = 2;

  private final TensorFunction function;
  private final List<Input> recipes;
  private final Device device;
  private final long seed;
  private final int most;

  private final SplittableRandom random;
  private final double[][] at;
  private final Tensor[] inputs;
  private double[] dy = {};

  @SuppressWarnings("NullAway.Init") // known with the results
  private Slope slope;

  Differences(TensorFunction function, List<Input> recipes, Device device, long seed, int most) {
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
    DType dtype = recipe.isIntegers() ? DType.I32 : DType.F64;
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
    int bad = Slope.notFinite(y);
    slope = new Slope(y, dy, y.length == 1 ? SCALAR_WEIGHT : 1, tolerance);
    double[][] once = bad < 0 ? gradients(1) : new double[0][];
    double[][] twice = bad < 0 ? gradients(2) : new double[0][];
    List<InputVerdict> verdicts = new ArrayList<>();
    for (int i = 0; i < inputs.length; i++) {
      if (recipes.get(i).hasGradient()) {
        verdicts.add(
            bad < 0 ? verdict(i, once[i], twice[i], tolerance) : withoutValue(i, bad, y[bad]));
      }
    }
    return new GradientReport(tolerance, verdicts);
  }

  private InputVerdict withoutValue(int input, int place, double value) {
    Deviation none =
        new Deviation(
            Measure.RESULT,
            place,
            Double.NaN,
            value,
            Double.POSITIVE_INFINITY,
            format(
                "is %s here: it is not defined for these inputs, or not finite in float64", value));
    return new InputVerdict(
        input,
        recipes.get(input).shape(),
        none,
        Double.POSITIVE_INFINITY,
        List.of(),
        Verdict.UNDEFINED);
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
          if (!y.hasGradient()) {
            continue; // constant or detached: the gradient is zero, and compared all the same
          }
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
    List<Kink> kinks = new ArrayList<>();
    // elements that a difference along a direction must not move
    BitSet still = new BitSet();
    BitSet seen = new BitSet();
    boolean compared = once.length == 0;
    for (int element : sample(once.length)) {
      Finding finding = element(input, element, once, rms);
      compared |= finding.agrees(tolerance);
      seen.set(element);
      still.set(element, !finding.plain() && (finding.kink() != null || finding.agrees(tolerance)));
      add(finding, found, kinks);
    }
    for (int d = 0; once.length > 1 && d < DIRECTIONS; d++) {
      double[] signs = new double[once.length];
      Arrays.setAll(signs, i -> random.nextInt(2) == 0 ? 1 : -1);
      Finding finding = direction(input, d, signs, still, once, rms);
      if (!finding.plain() && once.length <= LOOKED_AT && seen.cardinality() < once.length) {
        for (int i = seen.nextClearBit(0); i < once.length; i = seen.nextClearBit(i + 1)) {
          Finding each = element(input, i, once, rms);
          compared |= each.agrees(tolerance);
          seen.set(i);
          if (each.kink() != null) {
            kinks.add(each.kink());
          }
          still.set(i, !each.plain() && (each.kink() != null || each.agrees(tolerance)));
        }
        finding = direction(input, d, signs, still, once, rms);
      }
      add(finding, found, kinks);
    }
    for (int i = 0; i < once.length; i++) {
      // a gradient that is not finite has failed above, and its double says no more
      if (Double.isFinite(once[i])) {
        found.add(slope.deviation(Measure.ACCUMULATION, i, twice[i] / 2, once[i], rms));
      }
    }
    return verdict(input, found, kinks, compared, tolerance);
  }

  private InputVerdict verdict(
      int input, List<Deviation> found, List<Kink> kinks, boolean compared, double tolerance) {
    Deviation worst = null;
    Verdict ofWorst = Verdict.OK;
    double absolute = 0;
    Verdict verdict = kinks.isEmpty() ? Verdict.OK : compared ? Verdict.KINK : Verdict.ONLY_KINKS;
    for (Deviation each : found) {
      Verdict its =
          each.error() <= tolerance
              ? Verdict.OK
              : each.undefined().isEmpty() ? Verdict.WRONG : Verdict.UNDEFINED;
      verdict = its.compareTo(verdict) > 0 ? its : verdict;
      absolute = Math.max(absolute, each.absolute());
      int graver = its.compareTo(ofWorst);
      if (worst == null || graver > 0 || graver == 0 && each.error() > worst.error()) {
        worst = each;
        ofWorst = its;
      }
    }
    return new InputVerdict(
        input, recipes.get(input).shape(), worst, absolute, List.copyOf(kinks), verdict);
  }

  private static void add(Finding finding, List<Deviation> found, List<Kink> kinks) {
    if (finding.deviation() != null) {
      found.add(finding.deviation());
    }
    if (finding.kink() != null) {
      kinks.add(finding.kink());
    }
  }

  private int[] sample(int count) {
    return count <= most
        ? IntStream.range(0, count).toArray()
        : random.ints(0, count).distinct().limit(most).sorted().toArray();
  }

  private Finding element(int input, int element, double[] gradient, double rms) {
    double x = at[input][element];
    Slope.Line line =
        new Slope.Line() {
          @Override
          public double[] at(double t) {
            set(input, element, x + t);
            return evaluate();
          }

          @Override
          public double moved(double t) {
            return x + t - x;
          }
        };
    Finding finding = slope.judge(Measure.ELEMENT, element, gradient[element], line, step(x), rms);
    set(input, element, x);
    return finding;
  }

  private Finding direction(
      int input, int number, double[] signs, BitSet still, double[] gradient, double rms) {
    double[] x = at[input];
    double[] shifted = new double[x.length];
    Slope.Line line =
        new Slope.Line() {
          @Override
          public double[] at(double t) {
            Arrays.setAll(shifted, i -> still.get(i) ? x[i] : x[i] + t * signs[i]);
            inputs[input].copyFrom(MemorySegment.ofArray(shifted));
            return evaluate();
          }

          @Override
          public double moved(double t) {
            return t;
          }
        };
    double analytic = 0;
    for (int i = 0; i < x.length; i++) {
      analytic += still.get(i) ? 0 : signs[i] * gradient[i];
    }
    // one step for all elements; a power of two, so that x + h and x - h are as good as exact
    double h = step(Arrays.stream(x).map(Math::abs).max().orElse(1));
    Finding finding = slope.judge(Measure.DIRECTION, number, analytic, line, h, rms);
    inputs[input].copyFrom(MemorySegment.ofArray(x));
    return finding;
  }

  private void set(int input, int element, double value) {
    inputs[input].view(element, Shape.of(1)).copyFrom(MemorySegment.ofArray(new double[] {value}));
  }

  private static double step(double x) {
    return Double.isFinite(x) ? Math.scalb(STEP, Math.getExponent(Math.max(1, Math.abs(x)))) : STEP;
  }

  private static double rms(double[] values) {
    return Math.sqrt(
        Arrays.stream(values).filter(Double::isFinite).map(v -> v * v).average().orElse(0));
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
