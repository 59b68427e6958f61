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
import java.util.stream.Stream;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.AdamOptions;
import org.bytedeco.pytorch.AdamW;
import org.bytedeco.pytorch.AdamWOptions;
import org.bytedeco.pytorch.Optimizer;
import org.bytedeco.pytorch.SGD;
import org.bytedeco.pytorch.SGDOptions;
import org.bytedeco.pytorch.TensorVector;
import org.junit.jupiter.api.Test;

/**
 * The update rules: by hand, and five steps beside PyTorch's optimizers.
 *
 * <p>This class is long because the formula of every rule, with all that clips and penalises,
 * stands here once more, as the oracle of two kernels of each.
 */
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

  /** Values, gradients, and three memories. */
  private interface Step {
    void run(Device device, DType dtype, Tensor[] tensors, StepState state);
  }

  /**
   * An update rule with its settings.
   *
   * @param memories the numbers of those that it has
   */
  private record Rule(
      Kernel kernel,
      String memories,
      double momentum,
      double decay,
      double epsilon,
      double fade,
      boolean nesterov,
      double l1,
      double l2,
      double weightDecay,
      Clip clip) {

    static Rule of(Kernel kernel, String memories, double momentum, double decay, double epsilon) {
      return new Rule(kernel, memories, momentum, decay, epsilon, 0, false, 0, 0, 0, Clip.NOTHING);
    }

    static Rule sgd(double momentum, double dampening) {
      return of(Kernel.SGD, momentum == 0 ? "" : "1", momentum, dampening, 0);
    }

    static Rule adam() {
      return of(Kernel.ADAM, "12", 0.9, 0.999, 1e-8);
    }

    Rule fading(double other) {
      return new Rule(
          kernel, memories, momentum, decay, epsilon, other, nesterov, l1, l2, weightDecay, clip);
    }

    Rule ahead() {
      return new Rule(
          kernel, memories, momentum, decay, epsilon, fade, true, l1, l2, weightDecay, clip);
    }

    Rule penalties(double newL1, double newL2, double newDecay) {
      return new Rule(
          kernel, memories, momentum, decay, epsilon, fade, nesterov, newL1, newL2, newDecay, clip);
    }

    Rule clip(Clip other) {
      return new Rule(
          kernel, memories, momentum, decay, epsilon, fade, nesterov, l1, l2, weightDecay, other);
    }

    private long address(Tensor[] t, int memory) {
      return memories.contains("" + memory) ? Engine.address(t[1 + memory]) : 0;
    }

    void run(Device device, DType dtype, Tensor[] t, StepState state) {
      Engine.run(
          device,
          kernel,
          dtype.precision(),
          new Arguments.Update(
              Engine.address(t[0]),
              Engine.address(t[1]),
              address(t, 1),
              address(t, 2),
              address(t, 3),
              0,
              Engine.address(state),
              clip.address(),
              t[0].elements(),
              clip.parts(),
              13,
              nesterov,
              momentum,
              decay,
              epsilon,
              fade,
              l1,
              l2,
              weightDecay,
              1,
              clip.scale,
              clip.maxNorm,
              clip.gradientLimit,
              clip.updateLimit));
    }

    /** By the kernel of rows, over all rows of a table. */
    void runRows(Device device, DType dtype, Tensor[] t, StepState state, Tensor rows, long cols) {
      Engine.run(
          device,
          Kernel.valueOf(kernel.name() + "_ROWS"),
          dtype.precision(),
          new Arguments.UpdateRows(
              Engine.address(t[0]),
              address(t, 1),
              address(t, 2),
              address(t, 3),
              0,
              Engine.address(state),
              Engine.address(rows),
              Engine.address(t[1]),
              clip.address(),
              rows.elements(),
              cols,
              rows.elements(),
              clip.parts(),
              13,
              nesterov,
              momentum,
              decay,
              epsilon,
              fade,
              l1,
              l2,
              weightDecay,
              1,
              clip.scale,
              clip.maxNorm,
              clip.gradientLimit,
              clip.updateLimit));
    }

    /** By the formula, in update t of value i, whose memories are m[1] to m[3]. */
    double direction(double g, double[][] m, int i, int t) {
      double b1 = momentum;
      double b2 = decay;
      boolean averages = kernel == Kernel.ADAM || kernel == Kernel.NADAM || kernel == Kernel.LION;
      if (averages && kernel != Kernel.LION) {
        m[1][i] = b1 * m[1][i] + (1 - b1) * g;
      }
      if (kernel == Kernel.ADAGRAD) {
        m[2][i] += g * g;
      } else if (kernel != Kernel.SGD && kernel != Kernel.LION) {
        m[2][i] = b2 * m[2][i] + (1 - b2) * g * g;
      }
      double root = Math.sqrt(m[2][i] / (1 - Math.pow(b2, t))) + epsilon;
      switch (kernel) {
        case SGD -> {
          m[1][i] = b1 * m[1][i] + (1 - b2) * g;
          return b1 == 0 ? g : nesterov ? g + b1 * m[1][i] : m[1][i];
        }
        case ADAM -> {
          m[3][i] = Math.max(m[3][i], m[2][i]);
          double largest = Math.sqrt(m[3][i] / (1 - Math.pow(b2, t))) + epsilon;
          return m[1][i] / (1 - Math.pow(b1, t)) / (memories.contains("3") ? largest : root);
        }
        case NADAM -> {
          double product =
              IntStream.rangeClosed(1, t).mapToDouble(this::grown).reduce(1, (a, b) -> a * b);
          return (g * (1 - grown(t)) / (1 - product)
                  + m[1][i] * grown(t + 1) / (1 - product * grown(t + 1)))
              / root;
        }
        case ADAGRAD -> {
          return g / (Math.sqrt(m[2][i]) + epsilon);
        }
        case RMSPROP -> {
          m[3][i] = b2 * m[3][i] + (1 - b2) * g;
          double mean = memories.contains("3") ? m[3][i] : 0;
          double d = g / (Math.sqrt(m[2][i] - mean * mean) + epsilon);
          m[1][i] = b1 * m[1][i] + d;
          return memories.contains("1") ? m[1][i] : d;
        }
        case ADADELTA -> {
          double d = g * Math.sqrt(m[1][i] + epsilon) / Math.sqrt(m[2][i] + epsilon);
          m[1][i] = b2 * m[1][i] + (1 - b2) * d * d;
          return d;
        }
        case LION -> {
          double d = Math.signum(b1 * m[1][i] + (1 - b1) * g);
          m[1][i] = b2 * m[1][i] + (1 - b2) * g;
          return d;
        }
        default -> throw new IllegalStateException(kernel.toString());
      }
    }

    /** NAdam's momentum of update t. */
    private double grown(int t) {
      return momentum * (1 - 0.5 * Math.pow(0.96, t * fade));
    }

    /** What the rate of update t is of the usual one. */
    double rateShare(int t) {
      return kernel == Kernel.ADAGRAD ? 1 / (1 + (t - 1) * fade) : 1;
    }

    /** What L1 takes at rate 1 and l1 1. */
    double share() {
      return switch (kernel) {
        case SGD -> momentum == 0 ? 1 : (1 - decay) / (1 - momentum);
        case RMSPROP -> memories.contains("1") ? 1 / (1 - momentum) : 1;
        default -> 1;
      };
    }
  }

  /** The values after some steps whose gradients are those of {@link #gradient}. */
  private static double[] train(Device device, DType dtype, double rate, int steps, Step step) {
    try (StepState state = new StepState(device, 0)) {
      Tensor[] tensors = new Tensor[5];
      tensors[0] = Input.randomNormal(N).on(device, dtype, 1);
      for (int i = 1; i < 5; i++) {
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
    Rule[] settings = {
      Rule.sgd(0, 0),
      Rule.sgd(0, 0).penalties(0, 0.01, 0),
      Rule.sgd(0.9, 0),
      Rule.sgd(0.9, 0).ahead().penalties(0, 0.02, 0),
    };
    try (Device device = place.open()) {
      for (Rule sgd : settings) {
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
      agree(cpu, value, 0.1, Rule.sgd(0.8, 0.8)::run);
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
          Rule.adam()::run);
      AdamOptions l2 = new AdamOptions(0.01);
      l2.weight_decay().put(0.1);
      agree(
          device,
          torch(values -> new org.bytedeco.pytorch.Adam(values, l2)),
          0.01,
          Rule.adam().penalties(0, 0.1, 0)::run);
      AdamWOptions decoupled = new AdamWOptions(0.01);
      decoupled.weight_decay().put(0.1);
      agree(
          device,
          torch(values -> new AdamW(values, decoupled)),
          0.01,
          Rule.adam().penalties(0, 0, 0.1)::run);
    }
  }

  /** Another momentum than PyTorch's must be noticed. */
  @Test
  void anotherSettingFails() {
    try (Device cpu = Device.cpu()) {
      double[] expected = train(cpu, DType.F64, 0.05, STEPS, Rule.sgd(0.9, 0)::run);
      double[] actual = train(cpu, DType.F32, 0.05, STEPS, Rule.sgd(0.9001, 0)::run);
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
        device.tensor(DType.F64, new double[] {0}),
        device.tensor(DType.F64, new double[] {0})
      };
      Rule momentum = Rule.sgd(0.9, 0);
      momentum.run(device, DType.F64, t, state);
      assertArrayEquals(new double[] {0.8}, t[0].toDoubles(), 1e-15);
      momentum.run(device, DType.F64, t, state);
      assertArrayEquals(new double[] {0.42}, t[0].toDoubles(), 1e-15);
      assertArrayEquals(new double[] {3.8}, t[2].toDoubles(), 1e-15);
      // Adam's first step is the rate times the gradient's sign, but for epsilon
      t[2].fill(0);
      t[0].fill(1);
      Rule.of(Kernel.ADAM, "12", 0.9, 0.999, 0).run(device, DType.F64, t, state);
      assertArrayEquals(new double[] {0.9}, t[0].toDoubles(), 1e-15);
    }
  }

  /** Each with both decays; without L1 and with it, which brings some values to 0. */
  private static List<Rule> rules() {
    return Stream.of(
            Rule.sgd(0, 0),
            Rule.sgd(0.9, 0.1),
            Rule.sgd(0.9, 0).ahead(),
            Rule.adam(),
            Rule.of(Kernel.ADAM, "123", 0.9, 0.9, 1e-8),
            Rule.of(Kernel.NADAM, "12", 0.9, 0.999, 1e-8).fading(4e-3),
            Rule.of(Kernel.NADAM, "12", 0.9, 0.999, 1e-8).fading(0.7),
            Rule.of(Kernel.ADAGRAD, "2", 0, 0, 1e-10).fading(0.1),
            Rule.of(Kernel.RMSPROP, "2", 0, 0.99, 1e-8),
            Rule.of(Kernel.RMSPROP, "12", 0.5, 0.9, 1e-8),
            Rule.of(Kernel.RMSPROP, "23", 0, 0.9, 1e-8),
            Rule.of(Kernel.RMSPROP, "123", 0.5, 0.9, 1e-8),
            Rule.of(Kernel.ADADELTA, "12", 0, 0.9, 1e-6),
            Rule.of(Kernel.LION, "1", 0.9, 0.99, 0))
        .flatMap(rule -> Stream.of(0.0, 0.3).map(l1 -> rule.penalties(l1, 0.01, 0.02)))
        .toList();
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
              Rule.sgd(0, 0).penalties(3, 0, 0),
              Rule.sgd(0.5, 0).penalties(1.5, 0, 0), // the velocity doubles what it takes
              Rule.adam().penalties(3, 0, 0),
              Rule.of(Kernel.RMSPROP, "12", 0.5, 0.9, 1e-8).penalties(1.5, 0, 0))) {
        Tensor[] t = new Tensor[5];
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

  /**
   * In float32 this momentum is 1, and what L1 would take infinite: without L1 it takes nothing.
   */
  @OnEachDevice
  void aMomentumThatRoundsToOneLeavesNumbers(OnEachDevice.Place place) {
    try (Device device = place.open()) {
      for (Rule rule :
          List.of(Rule.sgd(0.99999999, 0), Rule.of(Kernel.RMSPROP, "12", 0.99999999, 0.9, 1e-8))) {
        for (double[] values : byKernels(device, DType.F32, rule)) {
          Comparison worst = Comparison.of(byFormula(rule, 0), values, DType.F32, roundings(rule));
          assertTrue(worst.passed(), () -> rule + ": " + worst);
        }
      }
    }
  }

  /** The formula of native/abi, for the updates by {@link #gradient}. */
  private static double[] byFormula(Rule rule, double sumOfSquares) {
    Clip clip = rule.clip();
    double norm = clip.scale * Math.sqrt(sumOfSquares);
    double share = clip.squares == null ? 1 : Math.min(1, clip.maxNorm / (norm + 1e-6));
    double[] value = Input.randomNormal(N).values(1);
    double[][] memories = new double[4][N];
    for (int t = 1; t <= STEPS; t++) {
      double[] gradient = gradient(t - 1);
      for (int i = 0; i < N; i++) {
        double g = clamp(clip.scale * share * gradient[i], clip.gradientLimit);
        double direction = rule.direction(g + rule.l2() * value[i], memories, i, t);
        double rate = RATE * rule.rateShare(t);
        double moved =
            value[i] - clamp(rate * (direction + rule.weightDecay() * value[i]), clip.updateLimit);
        double cut = rate * rule.l1() * rule.share();
        value[i] = Math.signum(moved) * Math.max(0, Math.abs(moved) - cut);
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
                  Comparison worst =
                      Comparison.of(byFormula(rule, sum), values, dtype, roundings(rule));
                  assertTrue(worst.passed(), () -> rule + ", " + dtype + ": " + worst);
                }
              }
            }
          }
        }
      }
    }
  }

  /**
   * A quotient by a gradient's own size has that one's relative error, which is large where the
   * gradient and the penalty's nearly cancel.
   */
  private static int roundings(Rule rule) {
    return rule.memories.contains("2") ? 1 << 20 : 64;
  }

  /** Another limit, another norm, another penalty or another decay must be noticed. */
  @Test
  void anotherClippingFails() {
    try (Device cpu = Device.cpu();
        Tensor four = cpu.tensor(DType.F32, Shape.of(1), 4)) {
      Clip clip = new Clip(four, 0.5, 0.5, 0.4, 0.03);
      Rule rule = Rule.sgd(0.9, 0).penalties(0.1, 0.01, 0.02).clip(clip);
      Clip scaled = new Clip(null, 0.5, NONE, 0.4, 0.03);
      double[] expected = byFormula(rule, 4);
      differs(cpu, byFormula(rule.clip(scaled), 0), rule.clip(clip));
      differs(
          cpu, byFormula(rule.clip(scaled), 0), rule.clip(new Clip(null, 0.501, NONE, 0.4, 0.03)));
      differs(cpu, expected, rule.clip(new Clip(four, 0.5, 0.501, 0.4, 0.03)));
      differs(cpu, expected, rule.clip(new Clip(four, 0.5, 0.5, 0.401, 0.03)));
      differs(cpu, expected, rule.clip(new Clip(four, 0.5, 0.5, 0.4, 0.0301)));
      differs(cpu, expected, rule.penalties(0.101, 0.01, 0.02));
      differs(cpu, expected, rule.penalties(0.1, 0.0101, 0.02));
      differs(cpu, expected, rule.penalties(0.1, 0.01, 0.0201));
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

  /** average += weight (value - average). */
  @OnEachDevice
  void averageFollowsItsFormula(OnEachDevice.Place place) {
    try (Device device = place.open()) {
      for (DType dtype : new DType[] {DType.F32, DType.F64}) {
        for (int n : new int[] {1, 7, 1500}) {
          try (Tensor value = device.tensor(dtype, Shape.of(n), gradient(n, 1));
              Tensor average = device.tensor(dtype, Shape.of(n), gradient(n, 2))) {
            double[] x = value.toDoubles();
            double[] mean = average.toDoubles();
            Arrays.setAll(mean, i -> mean[i] + 0.3 * (x[i] - mean[i]));
            Engine.run(
                device,
                Kernel.AVERAGE,
                dtype.precision(),
                new Arguments.Average(Engine.address(value), Engine.address(average), n, 0.3));
            assertArrayEquals(mean, average.toDoubles(), dtype == DType.F32 ? 1e-6 : 1e-15);
          }
        }
      }
    }
  }

  private static double[] gradient(int n, int seed) {
    return Input.randomNormal(n).values(seed);
  }
}
