// SPDX-License-Identifier: Apache-2.0
package dev.weft;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What has no derivative is refused in words, and leaves no memory behind. */
class RefusedDerivativesTest {
  private Device device;

  @BeforeEach
  void open() {
    device = Device.cpu();
  }

  @AfterEach
  void close() {
    device.close();
  }

  private Tensor vector(double... values) {
    return device.tensor(DType.F64, values);
  }

  private String refused(Class<? extends RuntimeException> type, Supplier<?> call) {
    long live = device.memory().live();
    String message = assertThrows(type, call::get).getMessage();
    assertEquals(live, device.memory().live(), message);
    return message;
  }

  private String refused(Supplier<?> call) {
    return refused(IllegalArgumentException.class, call);
  }

  @Test
  void whatDoesNotFitIsRefusedInWords() {
    TensorFunction f = (ops, in) -> ops.square(in[0]);
    Tensor x = vector(1, 2).named("x");
    List<Tensor> at = List.of(x);
    Tensor three = vector(1, 2, 3).named("three");
    Tensor ids = device.tensor(new int[] {1, 2}).named("ids");
    assertEquals(
        "vjp: dy three F64 [3] on cpu does not fit the result reshape F64 [2] on cpu",
        refused(() -> Derivatives.vjp(f, at, three)));
    assertEquals(
        "jvp: vector 0, three F64 [3] on cpu, does not fit input 0, x F64 [2] on cpu: their"
            + " shapes, types and devices must agree",
        refused(() -> Derivatives.jvp(f, at, List.of(three))));
    assertEquals(
        "jvp by 1 inputs needs a vector for each, not 2",
        refused(() -> Derivatives.jvp(f, at, List.of(x, x))));
    assertEquals(
        "hessianVectorProduct needs a function of one number, not of reshape F64 [2] on cpu",
        refused(() -> Derivatives.hessianVectorProduct(f, at, at)));
    assertEquals(
        "hessian needs a function of one number, not of reshape F64 [2] on cpu",
        refused(() -> Derivatives.hessian(f, x)));
    assertEquals(
        "jacobian needs a function of at least one input",
        refused(() -> Derivatives.jacobian(f, List.of())));
    assertEquals(
        "jacobian: input 1, ids I32 [2] on cpu, has no derivative: only floating-point types have;"
            + " let the function read it without being given it",
        refused(() -> Derivatives.jacobian(f, List.of(x, ids))));
    try (Device other = Device.cpu()) {
      Tensor there = other.tensor(DType.F64, new double[] {1, 2}).named("there");
      assertEquals(
          "vjp: input 1, there F64 [2] on cpu, is not on the device of input 0, cpu",
          refused(() -> Derivatives.vjp(f, List.of(x, there), x)));
      assertEquals(
          "the function's result: there F64 [2] on cpu is not on this tape's device, cpu",
          refused(() -> Derivatives.jvp((ops, in) -> there, at, at)));
    }
    Tensor closed = vector(1).named("closed");
    closed.close();
    assertEquals(
        "closed F64 [1] on cpu is closed, or the tape that made it is",
        refused(IllegalStateException.class, () -> Derivatives.hessian(f, closed)));
  }

  @Test
  void resultsOfAnotherTapeAreRefused() {
    Tensor x = vector(1, 2).named("x");
    List<Tensor> at = List.of(x);
    try (Tape other = new Tape(device)) {
      TensorFunction whole = (ops, in) -> other.square(in[0]);
      TensorFunction part = (ops, in) -> ops.sum(other.square(in[0]));
      List<Supplier<?>> calls =
          List.of(
              () -> Derivatives.jvp(whole, at, at),
              () -> Derivatives.vjp(whole, at, x),
              () -> Derivatives.jacobian(whole, x),
              () -> Derivatives.jvp(part, at, at),
              () -> Derivatives.hessian(part, x));
      for (Supplier<?> call : calls) {
        String message = assertThrows(IllegalArgumentException.class, call::get).getMessage();
        assertEquals(true, message.contains("was computed on another tape"), message);
      }
    }
  }

  @Test
  void anErrorOfTheFunctionLeavesNoMemoryBehind() {
    Tensor x = vector(1, 2, 3);
    int[] calls = {0};
    TensorFunction tall =
        (ops, in) -> {
          if (calls[0]++ == 2) {
            throw new AssertionError("a user's own");
          }
          return ops.concat(0, in[0], ops.square(in[0]));
        };
    long live = device.memory().live();
    assertThrows(AssertionError.class, () -> Derivatives.jacobian(tall, x));
    assertEquals(live, device.memory().live());
  }

  @Test
  void aResultWhoseShapeChangesIsRefused() {
    AtomicInteger runs = new AtomicInteger();
    Tensor x = vector(1, 2);
    TensorFunction growing =
        (ops, in) -> {
          Tensor[] parts = new Tensor[1 + runs.incrementAndGet()];
          Arrays.fill(parts, in[0]);
          return ops.concat(0, parts);
        };
    assertEquals(
        "jacobian: the function's result was [4] and then [6]",
        refused(() -> Derivatives.jacobian(growing, x)));
  }

  @Test
  void tangentsThatDoNotFitAreRefused() {
    try (Tape tape = new Tape(device)) {
      Tangents tangents = new Tangents(tape);
      Tensor x = vector(1, 2).named("x");
      Tensor three = vector(1, 2, 3).named("three");
      assertEquals(
          "a tangent three F64 [3] on cpu does not fit x F64 [2] on cpu",
          refused(() -> tangents.set(x, three)));
      Tensor ids = device.tensor(new int[] {1}).named("ids");
      assertEquals(
          "tangent: x (ids) I32 [1] is not of a floating-point type; cast it",
          refused(() -> tangents.set(ids, ids)));
      assertNull(tangents.of(x));
    }
  }
}
