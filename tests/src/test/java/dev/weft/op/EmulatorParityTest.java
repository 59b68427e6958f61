// SPDX-License-Identifier: Apache-2.0
package dev.weft.op;

import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weft.DType;
import dev.weft.Device;
import dev.weft.check.CheckResult;
import dev.weft.check.FunctionResult;
import dev.weft.check.Input;
import dev.weft.check.OperationCase;
import dev.weft.check.OperationCases;
import dev.weft.check.SelfTest;
import dev.weft.support.Emulator;
import dev.weft.support.Selected;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every operation through the whole CUDA path, on the emulator. */
@ExtendWith(Emulator.class)
class EmulatorParityTest {
  private static Device cuda;
  private static Device cpu;

  @BeforeAll
  static void open() {
    cuda = Emulator.device();
    cpu = Device.cpu();
  }

  @AfterAll
  static void close() {
    cpu.close();
    cuda.close();
    assertEquals(0, Emulator.liveBytes());
    assertEquals(0, Emulator.leakedAllocations());
    assertEquals(0, Emulator.leakedObjects());
  }

  static Stream<OperationCase> cases() {
    return Selected.cases();
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("cases")
  void agreesWithTheCpu(OperationCase operation) {
    long before = Emulator.launches();
    SelfTest test = new SelfTest(cuda, r -> {}).elements(20_000);
    List<CheckResult> results = test.parity(List.of(operation));
    assertTrue(Emulator.launches() > before, "nothing ran on the emulator");
    assertPassed(results);
  }

  @Tag("long")
  @ParameterizedTest(name = "{0}")
  @MethodSource("cases")
  void agreesWithTheCpuOnLargeExamples(OperationCase operation) {
    assertPassed(new SelfTest(cuda, r -> {}).parity(List.of(operation)));
  }

  /**
   * Threads in descending order, and work put off as long as CUDA may: a result that changes lacks
   * a barrier or a wait, or is written twice.
   */
  @ParameterizedTest(name = "{0}")
  @MethodSource("cases")
  void orderOfWorkDoesNotChangeABit(OperationCase operation) {
    for (List<Input> example : operation.examples(10_000)) {
      FunctionResult forwards = evaluate(operation, example, cuda);
      Emulator.reverse();
      assertSameBits(forwards, evaluate(operation, example, cuda));
      Emulator.reset();
      Emulator.deferred();
      assertSameBits(forwards, evaluate(operation, example, cuda));
      Emulator.reset();
    }
  }

  private static void assertSameBits(FunctionResult expected, FunctionResult actual) {
    assertArrayEquals(expected.y(), actual.y());
    for (int i = 0; i < expected.gradients().size(); i++) {
      assertArrayEquals(expected.gradients().get(i), actual.gradients().get(i));
      assertArrayEquals(expected.accumulated().get(i), actual.accumulated().get(i));
    }
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("cases")
  void gradientAgreesWithFiniteDifferences(OperationCase operation) {
    assertPassed(new SelfTest(cuda, r -> {}).elements(200).gradients(List.of(operation)));
  }

  private static FunctionResult evaluate(
      OperationCase operation, List<Input> example, Device device) {
    return FunctionResult.of(operation.function(), example, device, DType.F32, 11);
  }

  private static void assertPassed(List<CheckResult> results) {
    assertFalse(results.isEmpty());
    assertAll(results.stream().map(r -> () -> assertTrue(r.passed(), r.toString())));
  }

  @Test
  void dropoutIsTheSameBitForBit() {
    OperationCase dropout = OperationCases.matching("dropout").get(0);
    for (List<Input> example : dropout.examples()) {
      FunctionResult here = evaluate(dropout, example, cpu);
      FunctionResult there = evaluate(dropout, example, cuda);
      assertArrayEquals(here.y(), there.y());
      assertArrayEquals(here.gradients().get(0), there.gradients().get(0));
    }
  }
}
