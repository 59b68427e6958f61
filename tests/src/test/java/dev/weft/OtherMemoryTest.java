// SPDX-License-Identifier: Apache-2.0
package dev.weft;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weft.op.SoftmaxCrossEntropyOperation;
import dev.weft.optim.Adam;
import dev.weft.optim.Optimizer;
import dev.weft.optim.RunningRule;
import dev.weft.optim.Sgd;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

/**
 * Tensors that are no inputs of an operation: gradients, hits, an optimizer's memory, step state.
 * Of another type, size or device, or closed, they are refused and nothing is left behind.
 */
class OtherMemoryTest {
  private Device device;
  private Device other;

  @BeforeEach
  void open() {
    device = Device.cpu();
    other = Device.cpu();
  }

  @AfterEach
  void close() {
    assertEquals(0, device.memory().live());
    device.close();
    other.close();
  }

  /** Refused, and not one byte more is live. */
  private String assertRefused(Class<? extends RuntimeException> type, Executable body) {
    long live = device.memory().live();
    String message = assertThrows(type, body).getMessage();
    assertEquals(live, device.memory().live(), message);
    return message;
  }

  private Tensor closed(long elements) {
    Tensor tensor = device.zeros(DType.F32, Shape.of(elements));
    tensor.close();
    return tensor;
  }

  @Test
  void gradientsOfAnotherTypeShapeOrDeviceAreRefused() {
    try (Tape tape = new Tape(device);
        Tape unknown = new Tape(device);
        Tensor x = device.tensor(new float[] {1, 2}).requiresGrad();
        Tensor doubles = device.tensor(DType.F64, new double[] {1, 1});
        Tensor ints = device.tensor(new int[] {1, 1});
        Tensor short1 = device.tensor(new float[] {1});
        Tensor closed = closed(2);
        Tensor foreign = other.tensor(new float[] {1, 1});
        Tensor dy = device.tensor(new float[] {1, 1})) {
      Tensor y = tape.square(x);
      for (Tensor wrong : List.of(doubles, ints, short1, foreign)) {
        assertRefused(IllegalArgumentException.class, () -> tape.backward(y, wrong));
      }
      assertRefused(IllegalStateException.class, () -> tape.backward(y, closed));
      tape.backward(y, dy);
      double[] gradient = x.grad().toDoubles();
      assertArrayEquals(new double[] {2, 4}, gradient);
      // refused without effect: what the tape knows of its last pass is as it was
      try (Tape keeping = new Tape(device).retainGradients()) {
        Tensor middle = keeping.square(x);
        Tensor end = keeping.sum(middle);
        keeping.backward(end);
        assertRefused(IllegalArgumentException.class, () -> keeping.backward(y, dy));
        assertArrayEquals(new double[] {1, 1}, middle.grad().toDoubles());
      }
      assertRefused(IllegalArgumentException.class, () -> unknown.backward(y, dy));
    }
  }

  @Test
  void gradientsGoOnlyWhereTheyFit() {
    try (Tensor x = device.tensor(DType.BF16, Shape.of(2), 1, 2);
        Tensor ints = device.tensor(new int[] {1, 1});
        Tensor wide = device.tensor(new float[] {1, 1});
        Tensor doubles = device.tensor(DType.F64, new double[] {1, 1});
        Tensor foreign = other.tensor(new float[] {1, 1});
        Tensor closed = closed(2)) {
      for (Tensor wrong : List.of(doubles, ints, foreign)) {
        assertRefused(IllegalArgumentException.class, () -> x.gradInto(wrong));
      }
      assertRefused(IllegalArgumentException.class, () -> ints.gradInto(ints));
      assertRefused(IllegalStateException.class, () -> x.gradInto(closed));
      assertRefused(IllegalStateException.class, () -> closed.gradInto(wide));
      x.gradInto(wide);
    }
  }

  @Test
  void hitsMustFitTheLogits() {
    try (Tape tape = new Tape(device);
        Tensor x = device.zeros(DType.BF16, Shape.of(2, 3));
        Tensor labels = device.tensor(new int[] {0, 1});
        Tensor right = device.tensor(new float[] {7, 7});
        Tensor ints = device.tensor(new int[] {7, 7});
        Tensor narrow = device.zeros(DType.BF16, Shape.of(2));
        Tensor long3 = device.zeros(DType.F32, Shape.of(3));
        Tensor foreign = other.zeros(DType.F32, Shape.of(2));
        Tensor closed = closed(2)) {
      var loss = new SoftmaxCrossEntropyOperation(0);
      for (Tensor wrong : List.of(ints, narrow, long3)) {
        String message =
            assertRefused(IllegalArgumentException.class, () -> tape.apply(loss, x, labels, wrong));
        assertTrue(message.contains("they must be F32 [2]"), message);
      }
      String elsewhere =
          assertRefused(IllegalArgumentException.class, () -> tape.apply(loss, x, labels, foreign));
      assertTrue(elsewhere.contains("is not on this tape's device"), elsewhere);
      assertRefused(IllegalStateException.class, () -> tape.apply(loss, x, labels, closed));
      tape.apply(loss, x, labels, right);
      assertArrayEquals(new double[] {1, 0}, right.toDoubles());
    }
  }

  @Test
  void optimizersRefuseMemoryThatDoesNotFit() {
    try (Tensor values = device.zeros(DType.F32, Shape.of(4));
        Tensor gradients = device.zeros(DType.F32, Shape.of(4));
        Tensor copy = device.zeros(DType.BF16, Shape.of(4));
        Tensor narrow = device.zeros(DType.BF16, Shape.of(4));
        Tensor ints = device.zeros(DType.I32, Shape.of(4));
        Tensor doubles = device.zeros(DType.F64, Shape.of(4));
        Tensor doubles2 = device.zeros(DType.F64, Shape.of(4));
        Tensor fewer = device.zeros(DType.F32, Shape.of(3));
        Tensor foreign = other.zeros(DType.F32, Shape.of(4));
        Tensor closed = closed(4);
        StepState elsewhere = new StepState(other, 1, 0.1)) {
      for (Optimizer rule : List.of(Sgd.rate(1), Sgd.rate(1).momentum(0.9), Adam.rate(1))) {
        for (Tensor wrong : List.of(ints, doubles, fewer, foreign, narrow)) {
          assertRefused(IllegalArgumentException.class, () -> rule.start(values, wrong));
          assertRefused(IllegalArgumentException.class, () -> rule.start(wrong, gradients));
          if (wrong != narrow) {
            assertRefused(
                IllegalArgumentException.class, () -> rule.start(copied(values, gradients, wrong)));
          }
        }
        assertRefused(IllegalArgumentException.class, () -> rule.start(narrow, copy));
        assertRefused(
            IllegalArgumentException.class, () -> rule.start(copied(doubles, doubles2, copy)));
        assertRefused(IllegalStateException.class, () -> rule.start(values, closed));
        assertRefused(IllegalStateException.class, () -> rule.start(closed, gradients));
        try (RunningRule running = rule.start(copied(values, gradients, copy))) {
          assertRefused(IllegalArgumentException.class, () -> running.step(elsewhere));
        }
      }
    }
  }

  private static Optimizer.Target copied(Tensor values, Tensor gradients, Tensor copy) {
    return new Optimizer.Target(values, gradients, null, copy, 1);
  }

  @Test
  void tapesRefuseStateAndMemoryOfAnotherDevice() {
    try (StepState elsewhere = new StepState(other, 1)) {
      String message =
          assertRefused(
              IllegalArgumentException.class,
              () -> new Tape(device, elsewhere, Tape.Mode.TRAIN).close());
      assertTrue(message.contains("step state on cpu"), message);
      assertRefused(
          IllegalArgumentException.class,
          () -> new Tape(device, null, Tape.Mode.TRAIN, other.pool()).close());
    }
  }
}
