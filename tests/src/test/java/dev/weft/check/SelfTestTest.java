// SPDX-License-Identifier: Apache-2.0
package dev.weft.check;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weft.DType;
import dev.weft.Device;
import dev.weft.DeviceKind;
import dev.weft.support.Broken;
import dev.weft.support.Broken.Fault;
import dev.weft.support.Emulator;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The self-test reports what it ran, and what is broken fails in it. */
@ExtendWith(Emulator.class)
class SelfTestTest {

  private static OperationCase square(Fault fault) {
    return OperationCase.of(
            "square_" + fault, Broken.class, (tape, in) -> tape.apply(new Broken(fault), in[0]))
        .at(Input.randomNormal(5, 7));
  }

  /** Right on the CPU and wrong on the other device: what a broken kernel looks like. */
  private static OperationCase wrongOnCuda(Fault fault) {
    return OperationCase.of(
            "square_" + fault,
            Broken.class,
            (tape, in) -> {
              boolean cpu = tape.device().kind() == DeviceKind.CPU;
              return tape.apply(new Broken(cpu ? Fault.NONE : fault), in[0]);
            })
        .at(Input.randomNormal(5, 7));
  }

  @ParameterizedTest
  @EnumSource(Fault.class)
  void parityFailsWhereADeviceIsWrong(Fault fault) {
    try (Device cuda = Emulator.device()) {
      List<CheckResult> results = new SelfTest(cuda, r -> {}).parity(List.of(wrongOnCuda(fault)));
      assertEquals(3, results.size());
      for (CheckResult result : results) {
        // bfloat16 does not tell one part in ten thousand, and there the tape does the adding
        boolean unseen = fault == Fault.RESULT || fault == Fault.OVERWRITES;
        boolean right = fault == Fault.NONE || unseen && result.dtype() == DType.BF16;
        assertEquals(right, result.passed(), result::toString);
        assertEquals(right, result.error() <= result.tolerance());
      }
    }
  }

  @ParameterizedTest
  @EnumSource(value = Fault.class, names = "RESULT", mode = EnumSource.Mode.EXCLUDE)
  void gradientCheckFailsWhereTheGradientIsWrong(Fault fault) {
    try (Device cpu = Device.cpu()) {
      List<CheckResult> results = new SelfTest(cpu, r -> {}).gradients(List.of(square(fault)));
      assertEquals(fault == Fault.NONE, results.get(0).passed(), results::toString);
    }
  }

  @Test
  void failingDeviceIsARowAndTheRestGoesOn() {
    try (Device cuda = Emulator.device()) {
      SelfTest test = new SelfTest(cuda, r -> {});
      List<OperationCase> cases = List.of(square(Fault.NONE), square(Fault.NONE));
      Emulator.failLaunch(1);
      List<CheckResult> results = test.parity(cases);
      assertEquals(6, results.size());
      assertFalse(results.get(0).passed());
      assertTrue(results.get(0).detail().contains("CudaException"), results.get(0).detail());
      assertTrue(results.get(5).passed(), results.get(5).detail());
    }
  }

  @Test
  void rowsSayWhatRan() {
    List<CheckResult> heard = new ArrayList<>();
    try (Device cpu = Device.cpu()) {
      List<CheckResult> results =
          new SelfTest(cpu, heard::add)
              .elements(100)
              .parity(OperationCases.matching("bias_activation_relu_with_bias"));
      assertEquals(results, heard);
      CheckResult row = results.get(3);
      assertEquals("bias_activation_relu_with_bias", row.operation());
      assertEquals("[13, 5] [5]", row.shapes());
      assertEquals("cpu", row.device());
      assertEquals(DType.F32, row.dtype());
      assertEquals(CheckResult.Kind.PARITY, row.check());
      assertTrue(row.milliseconds() > 0);
      assertEquals(0, cpu.memory().live());
    }
  }

  @Test
  void comparisonNamesTheWorstElement() {
    double[] expected = {1, 2, 3, 4, 5, 6, 7, 8};
    double[] actual = expected.clone();
    assertTrue(Comparison.of(expected, actual, DType.F64, 1).passed());
    actual[5] *= 1 + 1e-6;
    Comparison worst = Comparison.of(expected, actual, DType.F32, 1);
    assertEquals(5, worst.place());
    assertTrue(worst.passed() ^ worst.error() > worst.tolerance());
    actual[5] *= 1 + 1e-5;
    assertFalse(Comparison.of(expected, actual, DType.F32, 1).passed());
    actual[2] = Double.NaN;
    assertEquals(2, Comparison.of(expected, actual, DType.F32, 1).place());
    assertFalse(Comparison.of(expected, actual, DType.F32, 1).passed());
    assertThrows(
        IllegalArgumentException.class, () -> Comparison.of(expected, new double[7], DType.F32, 1));
  }

  @ParameterizedTest
  @ValueSource(doubles = {Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY, Double.NaN})
  void anElementThatIsNotFiniteHidesNoOther(double special) {
    double[] expected = {1, 2, 3, special, 5, 6, 7, 8};
    double[] actual = expected.clone();
    assertTrue(Comparison.of(expected, actual, DType.F32, 1).passed());
    actual[5] *= 1.01;
    Comparison worst = Comparison.of(expected, actual, DType.F32, 1);
    assertFalse(worst.passed());
    assertEquals(5, worst.place());
    assertEquals(0.01, worst.error(), 1e-9);
    actual[3] = 4;
    assertEquals(3, Comparison.of(expected, actual, DType.F32, 1).place());
    assertFalse(Comparison.of(expected, actual, DType.F32, 1).passed());
  }

  @Test
  void zeroIsNotCloseToSmall() {
    double[] expected = new double[10];
    double[] actual = new double[10];
    assertTrue(Comparison.of(expected, actual, DType.F32, 1).passed());
    actual[3] = 1e-30;
    assertFalse(Comparison.of(expected, actual, DType.F32, 1).passed());
  }
}
