// SPDX-License-Identifier: Apache-2.0
package dev.weft.check;

import static dev.weft.check.GradCheck.randomNormal;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weft.Device;
import dev.weft.Tensor;
import dev.weft.check.GradientReport.Measure;
import dev.weft.op.BiasActivation;
import dev.weft.op.Nonlinearity;
import dev.weft.support.Broken;
import dev.weft.support.Broken.Fault;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class GradCheckTest {

  private static GradCheck squareWith(Fault fault) {
    return GradCheck.of((tape, in) -> tape.apply(new Broken(fault), in[0]));
  }

  @Test
  void exampleOfTheDocumentationPasses() {
    GradCheck.of((tape, in) -> tape.sum(tape.tanh(in[0]))).at(randomNormal(5, 7)).assertPasses();
  }

  @Test
  void correctTwinPasses() {
    squareWith(Fault.NONE).at(randomNormal(5, 7)).assertPasses();
  }

  @ParameterizedTest
  @EnumSource(names = {"SIGN", "DROPPED_TERM", "IGNORES_UPSTREAM", "OVERWRITES", "LAST_ELEMENT"})
  void brokenTwinFails(Fault fault) {
    GradientReport report = squareWith(fault).at(randomNormal(5, 7)).check();
    assertFalse(report.passed());
    assertTrue(report.largestError() > 0.1, report::toString);
  }

  /** Sampling twelve of 3000 elements misses one that is wrong; the directions see it. */
  @Test
  void directionFindsWhatTheSampleMisses() {
    GradientReport report =
        squareWith(Fault.LAST_ELEMENT).elements(12).at(randomNormal(3000)).check();
    assertFalse(report.passed());
    GradientReport elements =
        new GradientReport(
            report.tolerance(),
            report.inputs().stream().filter(v -> v.worst().measure() == Measure.ELEMENT).toList());
    assertTrue(elements.inputs().isEmpty(), report::toString);
  }

  @Test
  void missingAccumulationIsNamed() {
    GradientReport.Deviation worst =
        squareWith(Fault.OVERWRITES).at(randomNormal(4)).check().worst().worst();
    assertEquals(Measure.ACCUMULATION, worst.measure());
    assertEquals(2 * worst.analytic(), worst.numeric(), 1e-12);
  }

  @Test
  void failureNamesInputElementAndBothValues() {
    GradCheckFailure failure =
        assertThrows(
            GradCheckFailure.class,
            () ->
                GradCheck.of(
                        (tape, in) ->
                            tape.sum(tape.add(in[0], tape.apply(new Broken(Fault.SIGN), in[1]))))
                    .at(new double[] {1, 2}, new double[] {0.5, 3})
                    .assertPasses());
    String message = failure.getMessage();
    assertTrue(message.contains("input 0 [2]: ok"), message);
    assertTrue(message.contains("input 1 [2]: WRONG, element 1: analytic "), message);
    assertTrue(message.contains("numeric "), message);
  }

  @ParameterizedTest
  @ValueSource(doubles = {0, -1})
  void gradientThatIsNotFiniteFails(double at) {
    // √x at 0 has an infinite derivative and at -1 none
    GradCheck check = GradCheck.of((tape, in) -> tape.sqrt(in[0])).at(new double[] {4, at});
    assertEquals(Double.POSITIVE_INFINITY, check.check().largestError());
    assertThrows(GradCheckFailure.class, check::assertPasses);
  }

  @Test
  void kinkFails() {
    GradCheck abs = GradCheck.of((tape, in) -> tape.abs(in[0]));
    abs.at(new double[] {1, -1}).assertPasses();
    assertFalse(
        GradCheck.of((tape, in) -> tape.relu(in[0])).at(new double[] {0, 1}).check().passed());
  }

  @Test
  void integersGetNoGradientAndAreStillInputs() {
    GradientReport report =
        GradCheck.of((tape, in) -> tape.softmaxCrossEntropy(in[0], in[1]))
            .at(randomNormal(4, 3), Input.integers(3, 4))
            .check();
    assertTrue(report.passed(), report::toString);
    assertEquals(1, report.inputs().size());
  }

  @Test
  void unusedInputHasGradientZero() {
    GradCheck.of((tape, in) -> tape.square(in[0]))
        .at(randomNormal(3), randomNormal(2))
        .assertPasses();
  }

  @Test
  void emptyInputPasses() {
    GradientReport report =
        GradCheck.of((tape, in) -> tape.sum(tape.square(in[0]))).at(randomNormal(0, 3)).check();
    assertTrue(report.passed());
    assertEquals(0, report.largestError());
  }

  @Test
  void inputsAreRequired() {
    assertThrows(
        IllegalStateException.class, () -> GradCheck.of((tape, in) -> tape.sum(in[0])).check());
  }

  @Test
  void tensorsKeepTheirValuesAndNothingLeaks() {
    try (Device device = Device.cpu();
        Tensor x = device.tensor(new double[] {0.5, -2})) {
      long live = device.memory().live();
      GradCheck.of((tape, in) -> tape.exp(in[0])).at(x).on(device).assertPasses();
      assertEquals(live, device.memory().live());
      assertEquals(-2, x.toDoubles()[1]);
    }
  }

  @Test
  void sameSeedGivesTheSameReport() {
    GradCheck check = GradCheck.of((tape, in) -> tape.exp(in[0])).at(randomNormal(9)).seed(3);
    assertEquals(check.check().toString(), check.check().toString());
  }

  /** A composition in which a tensor is used three times, on both sides of an operation too. */
  @Test
  void repeatedUseAddsUp() {
    GradCheck.of(
            (tape, in) -> {
              Tensor h = tape.tanh(tape.matmul(in[0], in[1]));
              return tape.add(tape.multiply(h, h), tape.divide(h, tape.shift(tape.square(h), 1)));
            })
        .at(randomNormal(4, 3), randomNormal(3, 5))
        .assertPasses();
  }

  @Test
  void severalLayersPass() {
    GradCheck.of(
            (tape, in) -> {
              Tensor h =
                  tape.dropout(
                      tape.biasActivation(Nonlinearity.GELU, tape.matmul(in[0], in[1]), in[2]),
                      0.4);
              return tape.softmaxCrossEntropy(tape.matmul(h, in[3]), in[4]);
            })
        .at(
            randomNormal(6, 4),
            randomNormal(4, 8),
            randomNormal(8),
            randomNormal(8, 3),
            Input.integers(3, 6))
        .assertPasses();
  }

  /** An activation that takes the place of its input, where the input is nobody else's. */
  @ParameterizedTest
  @EnumSource(Nonlinearity.class)
  void activationInPlacePasses(Nonlinearity function) {
    BiasActivation inPlace = new BiasActivation(function, 0.3, BiasActivation.Memory.IN_PLACE);
    GradCheck.of((tape, in) -> tape.square(tape.apply(inPlace, tape.matmul(in[0], in[1]), in[2])))
        .at(randomNormal(4, 3), randomNormal(3, 5), randomNormal(5))
        .assertPasses();
  }

  @Test
  void aScalarsReportIsItsOwnGradient() {
    GradientReport report =
        GradCheck.of((tape, in) -> tape.sum(tape.multiply(in[0], in[0])))
            .at(new double[] {3})
            .check();
    assertEquals(6, report.inputs().get(0).worst().analytic(), 1e-6);
    assertEquals(6, report.inputs().get(0).worst().numeric(), 1e-6);
  }
}
