// SPDX-License-Identifier: Apache-2.0
package dev.weft;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weft.device.Nonlinearity;
import dev.weft.nn.Linear;
import dev.weft.nn.ParameterArena;
import dev.weft.nn.Sequential;
import dev.weft.op.BiasActivation;
import dev.weft.optim.Adam;
import dev.weft.optim.Optimizer;
import dev.weft.optim.RunningRule;
import dev.weft.optim.Sgd;
import dev.weft.support.OnEachDevice;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

class TapeTest {
  private Device device;
  private Tape tape;

  @BeforeEach
  void open() {
    device = Device.cpu();
    tape = new Tape(device);
  }

  @AfterEach
  void close() {
    tape.close();
    device.close();
  }

  private Tensor leaf(double... values) {
    return device.tensor(DType.F64, values).requiresGrad();
  }

  private Tensor zeros(long... sizes) {
    return device.zeros(DType.F64, Shape.of(sizes));
  }

  @OnEachDevice
  void exampleOfTheDocumentation(OnEachDevice.Place place) {
    try (Device on = place.open();
        Tape own = new Tape(on)) {
      Tensor w = on.tensor(DType.F64, new double[] {3, 1}).requiresGrad();
      Tensor loss = own.sum(own.square(w));
      own.backward(loss);
      assertArrayEquals(new double[] {6, 2}, w.grad().toDoubles());
    }
  }

  @Test
  void gradientsAddUpOverUsesAndPasses() {
    Tensor x = leaf(2, 5);
    Tensor loss = tape.sum(tape.add(tape.multiply(x, x), tape.add(x, x)));
    tape.backward(loss);
    assertArrayEquals(new double[] {6, 12}, x.grad().toDoubles());
    tape.backward(loss);
    assertArrayEquals(new double[] {12, 24}, x.grad().toDoubles());
    x.zeroGrad();
    assertNull(x.grad());
    tape.backward(loss);
    assertArrayEquals(new double[] {6, 12}, x.grad().toDoubles());
  }

  /** An intermediate result that many operations read, some of which change gradients in place. */
  @Test
  void sharedIntermediateGetsEveryContribution() {
    Tensor x = leaf(0.5);
    Tensor h = tape.scale(x, 2);
    Tensor sum =
        tape.add(
            tape.add(tape.tanh(h), tape.reshape(h, 1)),
            tape.add(tape.square(h), tape.concat(0, tape.slice(h, 0, 0, 1))));
    Tensor twice = tape.add(sum, tape.apply(new BiasActivation(Nonlinearity.IDENTITY, 0), h));
    tape.backward(tape.sum(twice));
    double t = Math.tanh(1);
    assertEquals(2 * ((1 - t * t) + 1 + 2 + 1 + 1), x.grad().item(), 1e-14);
  }

  @Test
  void bothSidesOfOneOperation() {
    Tensor x = leaf(3);
    tape.backward(tape.divide(x, x));
    assertEquals(0, x.grad().item());
    x.zeroGrad();
    tape.backward(tape.subtract(tape.scale(x, 5), x));
    assertEquals(4, x.grad().item());
    Tensor m = device.tensor(DType.F64, new double[][] {{1, 2}, {3, 4}}).requiresGrad();
    tape.backward(tape.sum(tape.matmul(m, m)));
    assertArrayEquals(new double[] {7, 11, 9, 13}, m.grad().toDoubles());
    Tensor c = leaf(1, 2);
    tape.backward(tape.sum(tape.square(tape.concat(0, c, c))));
    assertArrayEquals(new double[] {4, 8}, c.grad().toDoubles());
  }

  @Test
  void upstreamGradientIsWeighted() {
    Tensor x = leaf(1, 2, 3);
    tape.backward(tape.square(x), device.tensor(DType.F64, new double[] {1, 0, -1}));
    assertArrayEquals(new double[] {2, 0, -6}, x.grad().toDoubles());
  }

  @Test
  void nothingIsRecordedWithoutGradient() {
    Tensor x = leaf(1, 2);
    Tensor y = tape.withoutGradient(() -> tape.sum(tape.square(x)));
    assertFalse(y.hasGradient());
    assertEquals(0, tape.nodes().size());
    assertEquals(5, y.item());
    tape.backward(tape.sum(tape.add(tape.square(x), tape.withoutGradient(() -> tape.square(x)))));
    assertArrayEquals(new double[] {2, 4}, x.grad().toDoubles());
  }

  @Test
  void constantsAreNotRecorded() {
    tape.square(device.tensor(DType.F64, new double[] {1}));
    assertEquals(0, tape.nodes().size());
    tape.square(leaf(1));
    assertEquals(1, tape.nodes().size());
    assertEquals("unary_square", tape.nodes().get(0).operation().name());
  }

  @Test
  void gradientsOfIntermediatesAreKeptOnRequest() {
    Tensor x = leaf(3);
    Tensor square = tape.square(x);
    tape.backward(tape.scale(square, 5));
    assertNull(square.grad());
    try (Tape keeping = new Tape(device).retainGradients()) {
      x.zeroGrad();
      Tensor kept = keeping.square(x);
      Tensor relu = keeping.relu(kept);
      keeping.backward(keeping.scale(relu, 5));
      assertEquals(5, kept.grad().item());
      assertEquals(5, relu.grad().item());
      assertEquals(30, x.grad().item());
    }
  }

  @Test
  void backwardNeedsAScalarThatDependsOnSomething() {
    Tensor x = leaf(1, 2).named("x");
    assertSays(() -> tape.backward(tape.square(x)), "scalar", "[2]");
    Tensor constant = tape.sum(device.tensor(DType.F64, new double[] {1}));
    assertSays(() -> tape.backward(constant), "requires a gradient");
    assertSays(
        () -> tape.backward(tape.square(x), device.tensor(DType.F64, new double[] {1})),
        "[1]",
        "[2]");
  }

  @Test
  void closedTapeSaysSo() {
    Tensor y = tape.square(leaf(1)).named("squared");
    tape.close();
    tape.close();
    IllegalStateException closed = assertThrows(IllegalStateException.class, () -> tape.square(y));
    assertTrue(closed.getMessage().contains("the tape on cpu is closed"), closed.getMessage());
    assertThrows(IllegalStateException.class, () -> tape.backward(y));
    IllegalStateException gone = assertThrows(IllegalStateException.class, y::item);
    assertTrue(gone.getMessage().contains("squared"), gone.getMessage());
  }

  private static void assertSays(Executable body, String... parts) {
    String message = assertThrows(IllegalArgumentException.class, body).getMessage();
    for (String part : parts) {
      assertTrue(message.contains(part), () -> "'" + part + "' is not in: " + message);
    }
  }

  @Test
  void shapesThatDoNotFitAreNamed() {
    assertSays(() -> tape.add(zeros(2, 3), zeros(4, 3)), "[2, 3]", "[4, 3]");
    assertSays(() -> tape.matmul(zeros(2, 3), zeros(4, 3)), "[2, 3]", "[4, 3]");
    assertSays(() -> tape.matmul(zeros(3), zeros(2, 4)), "[3]", "[2, 4]");
    assertSays(
        () -> tape.matmul(zeros(2, 3, 4), zeros(3, 4, 5)), "[2, 3, 4]", "[3, 4, 5]", "2 and 3");
    assertSays(() -> tape.sum(zeros(2, 3), 1, -1), "axis 1", "[2, 3]", "named twice");
    assertSays(() -> tape.permute(zeros(2, 3), 1, 1), "[2, 3]", "each of its axes once", "[1, 1]");
    assertSays(() -> tape.topK(zeros(2, 3), 0, 3), "3 largest", "axis 0", "[2, 3]");
    assertSays(() -> tape.clamp(zeros(2), 3, 1), "3.0", "1.0");
    assertSays(() -> tape.max(zeros(2, 0, 3), 1, 2), "no elements", "[2, 0, 3]");
    assertSays(
        () -> tape.apply(new BiasActivation(Nonlinearity.RELU, 0), zeros(2, 3), zeros(2)),
        "[2]",
        "[2, 3]",
        "[3]");
    assertSays(() -> tape.reshape(zeros(2, 3), 4, 2), "[2, 3]", "[4, 2]", "6", "8");
    assertSays(() -> tape.slice(zeros(2, 3), 1, 2, 4), "2..4", "axis 1", "[2, 3]");
    assertSays(() -> tape.slice(zeros(2, 3), 2, 0, 1), "axis 2", "[2, 3]");
    assertSays(() -> tape.concat(0, zeros(2, 3), zeros(2, 4)), "[2, 3]", "[2, 4]");
    assertSays(() -> tape.transpose(zeros(4)), "[4]");
    assertSays(() -> tape.sumOfSquares(zeros(2), zeros(3)), "[2]", "[3]");
    assertSays(() -> tape.max(zeros(0, 3)), "[0, 3]");
    assertSays(() -> tape.mean(zeros(0)), "[0]");
    assertSays(() -> tape.gather(zeros(3), device.tensor(new int[] {0})), "[3]");
    Tensor labels = device.tensor(new int[] {0, 1});
    assertSays(() -> tape.softmaxCrossEntropy(zeros(3, 2), labels), "[3, 2]", "[2]");
    assertSays(() -> tape.softmaxCrossEntropy(zeros(0, 2), device.tensor(new int[0])), "[0, 2]");
    assertSays(() -> tape.square(labels), "I32");
    assertSays(
        () -> tape.add(zeros(2), device.zeros(DType.F32, Shape.of(2))), "F64 [2]", "F32 [2]");
  }

  private static void assertBackwardRefused(Tape tape, Tensor y, String... words) {
    String message = assertThrows(IllegalStateException.class, () -> tape.backward(y)).getMessage();
    for (String word : words) {
      assertTrue(message.contains(word), message);
    }
  }

  @Test
  void whatWasChangedSinceForwardHasNoGradient() {
    Tensor batches = device.tensor(DType.F64, new double[] {1, 2, 3, 4});
    Tensor x = batches.view(2, Shape.of(2)).named("x");
    Tensor w = leaf(5, 6).named("w");
    Tensor before = tape.sum(tape.multiply(x, w));
    Tensor apart = tape.sum(tape.square(w));
    x.copyFrom(new double[] {7, 8});
    assertBackwardRefused(tape, before, "binary_multiply", "x F64 [2]", "was changed");
    assertNull(w.grad());
    tape.backward(apart); // does not reach x
    assertArrayEquals(new double[] {10, 12}, w.grad().toDoubles());
    w.zeroGrad();
    Tensor after = tape.sum(tape.multiply(x, w)); // the same tape, with x as it is now
    tape.backward(after);
    assertArrayEquals(new double[] {7, 8}, w.grad().toDoubles());
    x.copyFrom(new double[] {9, 9});
    assertBackwardRefused(tape, after, "binary_multiply");
    batches.fill(1); // of which x is a view
    Tensor y = tape.exp(tape.multiply(x, w));
    batches.fill(1);
    assertBackwardRefused(tape, tape.sum(y), "x F64 [2]");
  }

  @Test
  void aResultThatWasChangedHasNoGradient() {
    Tensor x = leaf(1, 2);
    Tensor y = tape.exp(x);
    y.fill(3);
    assertBackwardRefused(tape, tape.sum(y), "unary_exp F64 [2]", "was changed");
  }

  @Test
  void anOptimizersStepBetweenForwardAndBackwardIsRefused() {
    for (MathMode math : List.of(MathMode.STRICT, MathMode.BF16)) {
      try (var network = Sequential.of(new Linear(2, 3)).on(device, math);
          var state = new StepState(device, 1);
          var momentum = start(Sgd.rate(0.1), network);
          var adam = start(Adam.rate(0.1), network)) {
        Tensor x = device.full(math.dtype(), Shape.of(4, 2), 1);
        state.set(1, 0, 0, 0, 0.1);
        for (RunningRule each : List.of(momentum, adam)) {
          Tensor loss = tape.sum(network.forward(tape, x));
          tape.backward(loss);
          network.arena().fillMissingGradients();
          each.step(state);
          assertBackwardRefused(tape, loss, "was changed");
          tape.backward(tape.sum(network.forward(tape, x)));
        }
      }
    }
  }

  private static RunningRule start(Optimizer rule, Sequential network) {
    ParameterArena arena = network.arena();
    return rule.start(
        new Optimizer.Target(arena.values(), arena.gradients(), null, arena.copy(), 1));
  }

  @Test
  void settingsOutsideTheirRangeAreRefused() {
    assertSays(() -> tape.dropout(zeros(2), 1), "[0, 1)", "1.0");
    assertSays(() -> tape.dropout(zeros(2), Double.NaN), "NaN");
    assertSays(() -> tape.elu(zeros(2), -1), "elu", "-1.0");
    assertSays(() -> new dev.weft.op.SoftmaxCrossEntropyOperation(1), "smoothing");
  }

  @Test
  void deepBroadcastWorksWhereAxesMerge() {
    Tensor a = device.full(DType.F64, Shape.of(2, 3, 4, 5, 6, 7), 1);
    Tensor b = device.full(DType.F64, Shape.of(5, 1, 7), 2).requiresGrad();
    Tensor y = tape.multiply(a, b);
    assertEquals(Shape.of(2, 3, 4, 5, 6, 7), y.shape());
    tape.backward(tape.sum(y));
    for (double g : b.grad().toDoubles()) {
      assertEquals(2 * 3 * 4 * 6, g);
    }
    assertEquals(
        Shape.of(2, 2, 3, 4, 5), tape.add(zeros(2, 1, 3, 1, 5), zeros(1, 2, 1, 4, 1)).shape());
    assertSays(
        () -> tape.add(zeros(2, 1, 3, 1, 5, 1), zeros(1, 2, 1, 4, 1, 6)),
        "[2, 2, 3, 4, 5, 6]",
        "5 axes");
  }

  @OnEachDevice
  void stepsLeaveNothingBehind(OnEachDevice.Place place) {
    try (Device on = place.open()) {
      try (Tensor w = on.full(DType.F32, Shape.of(20, 10), 0.1).requiresGrad();
          Tensor x = on.full(DType.F32, Shape.of(16, 20), 0.5);
          Tensor labels = on.zeros(DType.I32, Shape.of(16))) {
        long live = -1;
        for (int step = 0; step < 20; step++) {
          try (Tape own = new Tape(on, step)) {
            Tensor h = own.dropout(own.relu(own.matmul(x, w)), 0.5);
            own.backward(own.softmaxCrossEntropy(h, labels));
          }
          assertTrue(live < 0 || live == on.memory().live());
          live = on.memory().live();
        }
        assertNotNull(w.grad());
      }
      assertEquals(0, on.memory().live());
    }
  }
}
