// SPDX-License-Identifier: Apache-2.0
package dev.weft.op;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weft.DType;
import dev.weft.Device;
import dev.weft.Engine;
import dev.weft.Shape;
import dev.weft.StepState;
import dev.weft.Tensor;
import dev.weft.check.Comparison;
import dev.weft.check.Input;
import dev.weft.device.Arguments;
import dev.weft.device.Kernel;
import dev.weft.support.OnEachDevice;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.AdamOptions;
import org.bytedeco.pytorch.AdamW;
import org.bytedeco.pytorch.AdamWOptions;
import org.bytedeco.pytorch.Optimizer;
import org.bytedeco.pytorch.SGD;
import org.bytedeco.pytorch.SGDOptions;
import org.bytedeco.pytorch.TensorVector;
import org.junit.jupiter.api.Test;

/** The update rules: by hand, and five steps beside PyTorch's optimizers. */
public class OptimizerKernelTest {
  private static final int N = 1500;
  private static final int STEPS = 5;
  private static final double RATE = 0.05;

  private static final double NONE = Double.POSITIVE_INFINITY;

  /**
   * What is done to gradients and to changes, and the partial sums that the norm is of; or null.
   */
  private record Clip(
      Tensor squares, double scale, double maxNorm, double gradientLimit, double updateLimit) {
    private static final Clip NOTHING = new Clip(null, 1, NONE, NONE, NONE);

    long address() {
      return squares == null ? 0 : Engine.address(squares);
    }

    long parts() {
      return squares == null ? 0 : squares.elements();
    }
  }

  private record Sgd(
      double momentum,
      double dampening,
      double l1,
      double l2,
      double decay,
      boolean nesterov,
      Clip clip)
      implements Rule {
    Sgd(double momentum, double dampening, double l2, boolean nesterov) {
      this(momentum, dampening, 0, l2, 0, nesterov, Clip.NOTHING);
    }

    @Override
    public void run(Device device, DType dtype, Tensor[] t, StepState state) {
      Engine.run(
          device,
          Kernel.SGD,
          dtype.precision(),
          new Arguments.Sgd(
              Engine.address(t[0]),
              Engine.address(t[1]),
              momentum == 0 ? 0 : Engine.address(t[2]),
              0,
              Engine.address(state),
              clip.address(),
              t[0].elements(),
              clip.parts(),
              momentum,
              dampening,
              l1,
              l2,
              decay,
              nesterov,
              1,
              clip.scale,
              clip.maxNorm,
              clip.gradientLimit,
              clip.updateLimit));
    }

    @Override
    public void runRows(
        Device device, DType dtype, Tensor[] t, StepState state, Tensor sorted, long cols) {
      Engine.run(
          device,
          Kernel.SGD_ROWS,
          dtype.precision(),
          new Arguments.SgdRows(
              Engine.address(t[0]),
              momentum == 0 ? 0 : Engine.address(t[2]),
              0,
              Engine.address(state),
              Engine.address(sorted),
              Engine.address(t[1]),
              clip.address(),
              sorted.elements(),
              cols,
              sorted.elements(),
              clip.parts(),
              momentum,
              dampening,
              l1,
              l2,
              decay,
              nesterov,
              1,
              clip.scale,
              clip.maxNorm,
              clip.gradientLimit,
              clip.updateLimit));
    }

    @Override
    public double direction(double g, double[] first, double[] second, int i, int t) {
      first[i] = momentum * first[i] + (1 - dampening) * g;
      return nesterov ? g + momentum * first[i] : momentum == 0 ? g : first[i];
    }

    @Override
    public Rule clip(Clip other) {
      return new Sgd(momentum, dampening, l1, l2, decay, nesterov, other);
    }
  }

  private record Adam(
      double beta1, double beta2, double epsilon, double l1, double l2, double decay, Clip clip)
      implements Rule {
    Adam(double l2, double decay) {
      this(0.9, 0.999, 1e-8, 0, l2, decay, Clip.NOTHING);
    }

    @Override
    public void run(Device device, DType dtype, Tensor[] t, StepState state) {
      Engine.run(
          device,
          Kernel.ADAM,
          dtype.precision(),
          new Arguments.Adam(
              Engine.address(t[0]),
              Engine.address(t[1]),
              Engine.address(t[2]),
              Engine.address(t[3]),
              0,
              Engine.address(state),
              clip.address(),
              t[0].elements(),
              clip.parts(),
              beta1,
              beta2,
              epsilon,
              l1,
              l2,
              decay,
              1,
              clip.scale,
              clip.maxNorm,
              clip.gradientLimit,
              clip.updateLimit));
    }

    @Override
    public void runRows(
        Device device, DType dtype, Tensor[] t, StepState state, Tensor sorted, long cols) {
      Engine.run(
          device,
          Kernel.ADAM_ROWS,
          dtype.precision(),
          new Arguments.AdamRows(
              Engine.address(t[0]),
              Engine.address(t[2]),
              Engine.address(t[3]),
              0,
              Engine.address(state),
              Engine.address(sorted),
              Engine.address(t[1]),
              clip.address(),
              sorted.elements(),
              cols,
              sorted.elements(),
              clip.parts(),
              beta1,
              beta2,
              epsilon,
              l1,
              l2,
              decay,
              1,
              clip.scale,
              clip.maxNorm,
              clip.gradientLimit,
              clip.updateLimit));
    }

    @Override
    public double direction(double g, double[] first, double[] second, int i, int t) {
      first[i] = beta1 * first[i] + (1 - beta1) * g;
      second[i] = beta2 * second[i] + (1 - beta2) * g * g;
      double corrected = second[i] / (1 - Math.pow(beta2, t));
      return first[i] / (1 - Math.pow(beta1, t)) / (Math.sqrt(corrected) + epsilon);
    }

    @Override
    public Rule clip(Clip other) {
      return new Adam(beta1, beta2, epsilon, l1, l2, decay, other);
    }
  }

  /** Values, gradients, and two moments. */
  private interface Step {
    void run(Device device, DType dtype, Tensor[] tensors, StepState state);
  }

  /** An update rule with its settings. */
  private interface Rule {
    void run(Device device, DType dtype, Tensor[] tensors, StepState state);

    /** By the kernel of rows, over all rows of a table. */
    void runRows(Device device, DType dtype, Tensor[] t, StepState state, Tensor sorted, long cols);

    /** By the formula, in update t of value i. */
    double direction(double g, double[] first, double[] second, int i, int t);

    double l1();

    double l2();

    double decay();

    Clip clip();

    Rule clip(Clip other);
  }

  /** The values after some steps whose gradients are those of {@link #gradient}. */
  private static double[] train(Device device, DType dtype, double rate, int steps, Step step) {
    try (StepState state = new StepState(device, 0)) {
      Tensor[] tensors = new Tensor[4];
      tensors[0] = Input.randomNormal(N).on(device, dtype, 1);
      for (int i = 1; i < 4; i++) {
        tensors[i] = device.zeros(dtype, Shape.of(N));
      }
      state.set(0, 0, 0, 0, rate);
      for (int i = 0; i < steps; i++) {
        try (Tensor gradient = device.tensor(dtype, Shape.of(N), gradient(i))) {
          tensors[1].close();
          tensors[1] = device.tensor(dtype, Shape.of(N), gradient.toDoubles());
        }
        step.run(device, dtype, tensors, state);
        state.advance(1);
      }
      double[] values = tensors[0].toDoubles();
      for (Tensor tensor : tensors) {
        tensor.close();
      }
      return values;
    }
  }

  private static double[] gradient(int step) {
    return Input.randomNormal(N).values(100 + step);
  }

  private static double[] torch(java.util.function.Function<TensorVector, Optimizer> optimizer) {
    try (PointerScope _ = new PointerScope()) {
      var value = TorchTwins.tensor(Input.randomNormal(N).values(1), N).requires_grad_(true);
      Optimizer steps = optimizer.apply(new TensorVector(value));
      for (int i = 0; i < STEPS; i++) {
        value.mutable_grad().put(TorchTwins.tensor(gradient(i), N));
        steps.step();
      }
      return TorchTwins.doubles(value);
    }
  }

  private static void agree(Device device, double[] expected, double rate, Step step) {
    for (DType dtype : new DType[] {DType.F32, DType.F64}) {
      double[] actual = train(device, dtype, rate, STEPS, step);
      // five steps: the errors of each remain in the value and in the moments
      Comparison worst = Comparison.of(expected, actual, dtype, 64);
      assertTrue(worst.passed(), () -> dtype + " " + worst);
    }
  }

  @OnEachDevice
  void sgdAgreesWithPyTorch(OnEachDevice.Place place) {
    Sgd[] settings = {
      new Sgd(0, 0, 0, false),
      new Sgd(0, 0, 0.01, false),
      new Sgd(0.9, 0, 0, false),
      new Sgd(0.9, 0, 0.02, true),
    };
    try (Device device = place.open()) {
      for (Sgd sgd : settings) {
        SGDOptions options = new SGDOptions(RATE);
        options.momentum().put(sgd.momentum);
        options.weight_decay().put(sgd.l2);
        options.nesterov().put(sgd.nesterov);
        double[] expected = torch(values -> new SGD(values, options));
        agree(device, expected, RATE, sgd::run);
      }
    }
  }

  /** Dampening: PyTorch leaves it out of the first step, so the oracle here is the formula. */
  @Test
  void dampedMomentumIsAMovingAverage() {
    double[] value = Input.randomNormal(N).values(1);
    double[] velocity = new double[N];
    for (int step = 0; step < STEPS; step++) {
      double[] g = gradient(step);
      for (int i = 0; i < N; i++) {
        velocity[i] = 0.8 * velocity[i] + 0.2 * g[i];
        value[i] -= 0.1 * velocity[i];
      }
    }
    try (Device cpu = Device.cpu()) {
      agree(cpu, value, 0.1, new Sgd(0.8, 0.8, 0, false)::run);
    }
  }

  @OnEachDevice
  void adamAgreesWithPyTorch(OnEachDevice.Place place) {
    try (Device device = place.open()) {
      AdamOptions plain = new AdamOptions(0.01);
      agree(
          device,
          torch(values -> new org.bytedeco.pytorch.Adam(values, plain)),
          0.01,
          new Adam(0, 0)::run);
      AdamOptions l2 = new AdamOptions(0.01);
      l2.weight_decay().put(0.1);
      agree(
          device,
          torch(values -> new org.bytedeco.pytorch.Adam(values, l2)),
          0.01,
          new Adam(0.1, 0)::run);
      AdamWOptions decoupled = new AdamWOptions(0.01);
      decoupled.weight_decay().put(0.1);
      agree(device, torch(values -> new AdamW(values, decoupled)), 0.01, new Adam(0, 0.1)::run);
    }
  }

  /** Another momentum than PyTorch's must be noticed. */
  @Test
  void anotherSettingFails() {
    try (Device cpu = Device.cpu()) {
      double[] expected = train(cpu, DType.F64, 0.05, STEPS, new Sgd(0.9, 0, 0, false)::run);
      double[] actual = train(cpu, DType.F32, 0.05, STEPS, new Sgd(0.9001, 0, 0, false)::run);
      assertTrue(!Comparison.of(expected, actual, DType.F32, 64).passed());
    }
  }

  /** value 1, gradient 2, rate 0.1, momentum 0.9: velocity 2 then 3.8. */
  @OnEachDevice
  void stepsByHand(OnEachDevice.Place place) {
    try (Device device = place.open();
        StepState state = new StepState(device, 0)) {
      state.set(0, 0, 0, 0, 0.1);
      Tensor[] t = {
        device.tensor(DType.F64, new double[] {1}),
        device.tensor(DType.F64, new double[] {2}),
        device.tensor(DType.F64, new double[] {0}),
        device.tensor(DType.F64, new double[] {0})
      };
      Sgd momentum = new Sgd(0.9, 0, 0, false);
      momentum.run(device, DType.F64, t, state);
      assertArrayEquals(new double[] {0.8}, t[0].toDoubles(), 1e-15);
      momentum.run(device, DType.F64, t, state);
      assertArrayEquals(new double[] {0.42}, t[0].toDoubles(), 1e-15);
      assertArrayEquals(new double[] {3.8}, t[2].toDoubles(), 1e-15);
      // Adam's first step is the rate times the gradient's sign, but for epsilon
      t[2].fill(0);
      t[0].fill(1);
      new Adam(0.9, 0.999, 0, 0, 0, 0, Clip.NOTHING).run(device, DType.F64, t, state);
      assertArrayEquals(new double[] {0.9}, t[0].toDoubles(), 1e-15);
    }
  }

  /** Each with both decays; without L1 and with it, which brings some values to 0. */
  private static List<Rule> rules() {
    return List.of(
        new Sgd(0, 0, 0, 0.01, 0.02, false, Clip.NOTHING),
        new Sgd(0, 0, 0.3, 0.01, 0.02, false, Clip.NOTHING),
        new Sgd(0.9, 0.1, 0, 0.01, 0.02, false, Clip.NOTHING),
        new Sgd(0.9, 0, 0.3, 0.01, 0.02, true, Clip.NOTHING),
        new Adam(0.9, 0.999, 1e-8, 0, 0.01, 0.02, Clip.NOTHING),
        new Adam(0.9, 0.999, 1e-8, 0.3, 0.01, 0.02, Clip.NOTHING));
  }

  /** rate 0.1, l1 3: what is within 0.3 of 0 becomes 0, what is not comes nearer; NaN stays. */
  @OnEachDevice
  void l1BringsValuesToExactlyZero(OnEachDevice.Place place) {
    double[] before = {0.25, -0.25, 1, -1, Double.NaN, 0};
    double[] after = {0, 0, 0.7, -0.7, Double.NaN, 0};
    try (Device device = place.open();
        StepState state = new StepState(device, 0, 0.1)) {
      for (Rule rule :
          List.of(
              new Sgd(0, 0, 3, 0, 0, false, Clip.NOTHING),
              new Sgd(0.9, 0, 3, 0, 0, false, Clip.NOTHING),
              new Adam(0.9, 0.999, 1e-8, 3, 0, 0, Clip.NOTHING))) {
        Tensor[] t = new Tensor[4];
        Arrays.setAll(t, i -> device.zeros(DType.F64, Shape.of(before.length)));
        t[0].copyFrom(before);
        rule.run(device, DType.F64, t, state);
        double[] values = t[0].toDoubles();
        assertArrayEquals(after, values, 1e-15, rule.toString());
        assertTrue(values[0] == 0 && values[1] == 0, rule.toString());
        Arrays.stream(t).forEach(Tensor::close);
      }
    }
  }

  /** The formula of native/abi, for the updates by {@link #gradient}. */
  private static double[] byFormula(Rule rule, double sumOfSquares) {
    Clip clip = rule.clip();
    double norm = clip.scale * Math.sqrt(sumOfSquares);
    double share = clip.squares == null ? 1 : Math.min(1, clip.maxNorm / (norm + 1e-6));
    double[] value = Input.randomNormal(N).values(1);
    double[] first = new double[N];
    double[] second = new double[N];
    for (int t = 1; t <= STEPS; t++) {
      double[] gradient = gradient(t - 1);
      for (int i = 0; i < N; i++) {
        double g = clamp(clip.scale * share * gradient[i], clip.gradientLimit);
        double direction = rule.direction(g + rule.l2() * value[i], first, second, i, t);
        double moved =
            value[i] - clamp(RATE * (direction + rule.decay() * value[i]), clip.updateLimit);
        value[i] = Math.signum(moved) * Math.max(0, Math.abs(moved) - RATE * rule.l1());
      }
    }
    return value;
  }

  private static double clamp(double x, double limit) {
    return Math.max(-limit, Math.min(limit, x));
  }

  /** By the kernel over an arena, and by that over rows, of packs and of any length. */
  private static List<double[]> byKernels(Device device, DType dtype, Rule rule) {
    try (Tensor rows = device.tensor(IntStream.range(0, N / 20).toArray());
        Tensor odd = device.tensor(IntStream.range(0, N / 15).toArray())) {
      return List.of(
          train(device, dtype, RATE, STEPS, rule::run),
          train(device, dtype, RATE, STEPS, (d, y, t, s) -> rule.runRows(d, y, t, s, rows, 20)),
          train(device, dtype, RATE, STEPS, (d, y, t, s) -> rule.runRows(d, y, t, s, odd, 15)));
    }
  }

  @OnEachDevice
  void everySettingFollowsTheFormula(OnEachDevice.Place place) {
    try (Device device = place.open()) {
      for (DType dtype : new DType[] {DType.F32, DType.F64}) {
        for (int parts : new int[] {1, 7, 1024, 1501}) {
          double[] squares = IntStream.range(0, parts).mapToDouble(p -> (p % 5) / 4.0).toArray();
          squares[parts - 1] = 3; // the last one counts, too
          try (Tensor partial = device.tensor(dtype, Shape.of(parts), squares)) {
            double sum = Arrays.stream(squares).sum();
            for (Clip clip :
                List.of(
                    new Clip(null, 0.25, NONE, NONE, NONE),
                    new Clip(partial, 0.5, 0.3, NONE, NONE),
                    new Clip(partial, 0.5, 1e9, NONE, NONE),
                    new Clip(null, 1, NONE, 0.7, NONE),
                    new Clip(null, 1, NONE, NONE, 0.03),
                    new Clip(partial, 2, 1.5, 0.02, 0.01))) {
              for (Rule plain : rules()) {
                Rule rule = plain.clip(clip);
                for (double[] values : byKernels(device, dtype, rule)) {
                  Comparison worst = Comparison.of(byFormula(rule, sum), values, dtype, 64);
                  assertTrue(worst.passed(), () -> rule + ", " + dtype + ": " + worst);
                }
              }
            }
          }
        }
      }
    }
  }

  /** Another limit, another norm, another penalty or another decay must be noticed. */
  @Test
  void anotherClippingFails() {
    try (Device cpu = Device.cpu();
        Tensor four = cpu.tensor(DType.F32, Shape.of(1), 4)) {
      Clip clip = new Clip(four, 0.5, 0.5, 0.4, 0.03);
      Sgd rule = new Sgd(0.9, 0, 0.1, 0.01, 0.02, false, clip);
      Clip scaled = new Clip(null, 0.5, NONE, 0.4, 0.03);
      double[] expected = byFormula(rule, 4);
      differs(cpu, byFormula(rule.clip(scaled), 0), rule.clip(clip));
      differs(
          cpu, byFormula(rule.clip(scaled), 0), rule.clip(new Clip(null, 0.501, NONE, 0.4, 0.03)));
      differs(cpu, expected, rule.clip(new Clip(four, 0.5, 0.501, 0.4, 0.03)));
      differs(cpu, expected, rule.clip(new Clip(four, 0.5, 0.5, 0.401, 0.03)));
      differs(cpu, expected, rule.clip(new Clip(four, 0.5, 0.5, 0.4, 0.0301)));
      differs(cpu, expected, new Sgd(0.9, 0, 0.101, 0.01, 0.02, false, clip));
      differs(cpu, expected, new Sgd(0.9, 0, 0.1, 0.0101, 0.02, false, clip));
      differs(cpu, expected, new Sgd(0.9, 0, 0.1, 0.01, 0.0201, false, clip));
    }
  }

  private static void differs(Device device, double[] expected, Rule other) {
    double[] values = train(device, DType.F32, RATE, STEPS, other::run);
    assertTrue(!Comparison.of(expected, values, DType.F32, 64).passed(), other::toString);
  }

  @OnEachDevice
  void clippingThatIsNeverReachedChangesNoBit(OnEachDevice.Place place) {
    try (Device device = place.open()) {
      for (DType dtype : new DType[] {DType.F32, DType.F64}) {
        try (Tensor squares = device.full(dtype, Shape.of(33), 0.5)) {
          for (Rule rule : rules()) {
            double[] plain = train(device, dtype, RATE, STEPS, rule::run);
            Rule clipped = rule.clip(new Clip(squares, 1, 100, 1e6, 1e6));
            for (double[] values : byKernels(device, dtype, clipped)) {
              assertArrayEquals(plain, values, rule + ", " + dtype);
            }
          }
        }
      }
    }
  }

  @OnEachDevice
  void aNormThatIsNaNIsSeenInEveryValueAndAGradientThatIsInItsOwn(OnEachDevice.Place place) {
    try (Device device = place.open();
        StepState state = new StepState(device, 0, RATE);
        Tensor squares = device.tensor(DType.F32, Shape.of(3), 1, Double.NaN, 1)) {
      for (Rule plain : rules()) {
        for (Clip clip :
            List.of(new Clip(squares, 1, 1, 0.1, 0.1), new Clip(null, 1, NONE, 0.1, 0.1))) {
          Tensor[] t = {
            device.full(DType.F32, Shape.of(6), 1),
            device.tensor(DType.F32, Shape.of(6), 1, 2, Double.NaN, 4, 5, 6),
            device.zeros(DType.F32, Shape.of(6)),
            device.zeros(DType.F32, Shape.of(6))
          };
          plain.clip(clip).run(device, DType.F32, t, state);
          double[] values = t[0].toDoubles();
          for (int i = 0; i < 6; i++) {
            assertEquals(clip.squares != null || i == 2, Double.isNaN(values[i]), clip.toString());
          }
          Arrays.stream(t).forEach(Tensor::close);
        }
      }
    }
  }
}
