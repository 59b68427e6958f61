// SPDX-License-Identifier: Apache-2.0
package dev.weft.op;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
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

  private record Sgd(
      double rate, double momentum, double dampening, double decay, boolean nesterov) {
    void step(Device device, DType dtype, Tensor[] t, StepState state) {
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
              t[0].elements(),
              momentum,
              dampening,
              decay,
              nesterov,
              1));
    }
  }

  private record Adam(
      double rate, double beta1, double beta2, double epsilon, double l2, double decay) {
    void step(Device device, DType dtype, Tensor[] t, StepState state) {
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
              t[0].elements(),
              beta1,
              beta2,
              epsilon,
              l2,
              decay,
              1));
    }
  }

  private interface Step {
    void run(Device device, DType dtype, Tensor[] tensors, StepState state);
  }

  /** The values after some steps whose gradients are those of {@link #gradient}. */
  private static double[] train(Device device, DType dtype, double rate, int steps, Step step) {
    try (StepState state = new StepState(device, 0)) {
      Tensor[] tensors = new Tensor[4];
      tensors[0] = Input.randomNormal(N).on(device, dtype, 1);
      for (int i = 1; i < 4; i++) {
        tensors[i] = device.zeros(dtype, Shape.of(N));
      }
      state.set(0, 0, 0, rate);
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
      new Sgd(0.1, 0, 0, 0, false),
      new Sgd(0.1, 0, 0, 0.01, false),
      new Sgd(0.05, 0.9, 0, 0, false),
      new Sgd(0.05, 0.9, 0, 0.02, true),
    };
    try (Device device = place.open()) {
      for (Sgd sgd : settings) {
        SGDOptions options = new SGDOptions(sgd.rate);
        options.momentum().put(sgd.momentum);
        options.weight_decay().put(sgd.decay);
        options.nesterov().put(sgd.nesterov);
        double[] expected = torch(values -> new SGD(values, options));
        agree(device, expected, sgd.rate, sgd::step);
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
      agree(cpu, value, 0.1, new Sgd(0.1, 0.8, 0.8, 0, false)::step);
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
          new Adam(0.01, 0.9, 0.999, 1e-8, 0, 0)::step);
      AdamOptions l2 = new AdamOptions(0.01);
      l2.weight_decay().put(0.1);
      agree(
          device,
          torch(values -> new org.bytedeco.pytorch.Adam(values, l2)),
          0.01,
          new Adam(0.01, 0.9, 0.999, 1e-8, 0.1, 0)::step);
      AdamWOptions decoupled = new AdamWOptions(0.01);
      decoupled.weight_decay().put(0.1);
      agree(
          device,
          torch(values -> new AdamW(values, decoupled)),
          0.01,
          new Adam(0.01, 0.9, 0.999, 1e-8, 0, 0.1)::step);
    }
  }

  /** Another momentum than PyTorch's must be noticed. */
  @Test
  void anotherSettingFails() {
    try (Device cpu = Device.cpu()) {
      double[] expected = train(cpu, DType.F64, 0.05, STEPS, new Sgd(0.05, 0.9, 0, 0, false)::step);
      double[] actual =
          train(cpu, DType.F32, 0.05, STEPS, new Sgd(0.05, 0.9001, 0, 0, false)::step);
      assertTrue(!Comparison.of(expected, actual, DType.F32, 64).passed());
    }
  }

  /** value 1, gradient 2, rate 0.1, momentum 0.9: velocity 2 then 3.8. */
  @OnEachDevice
  void stepsByHand(OnEachDevice.Place place) {
    try (Device device = place.open();
        StepState state = new StepState(device, 0)) {
      state.set(0, 0, 0, 0.1);
      Tensor[] t = {
        device.tensor(new double[] {1}),
        device.tensor(new double[] {2}),
        device.tensor(new double[] {0}),
        device.tensor(new double[] {0})
      };
      Sgd momentum = new Sgd(0.1, 0.9, 0, 0, false);
      momentum.step(device, DType.F64, t, state);
      assertArrayEquals(new double[] {0.8}, t[0].toDoubles(), 1e-15);
      momentum.step(device, DType.F64, t, state);
      assertArrayEquals(new double[] {0.42}, t[0].toDoubles(), 1e-15);
      assertArrayEquals(new double[] {3.8}, t[2].toDoubles(), 1e-15);
      // Adam's first step is the rate times the gradient's sign, but for epsilon
      t[2].fill(0);
      t[0].fill(1);
      new Adam(0.1, 0.9, 0.999, 0, 0, 0).step(device, DType.F64, t, state);
      assertArrayEquals(new double[] {0.9}, t[0].toDoubles(), 1e-15);
    }
  }
}
