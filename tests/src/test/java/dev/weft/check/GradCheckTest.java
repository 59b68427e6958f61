// SPDX-License-Identifier: Apache-2.0
package dev.weft.check;

import static dev.weft.check.GradCheck.randomNormal;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weft.Device;
import dev.weft.Operations;
import dev.weft.Parameter;
import dev.weft.RowType;
import dev.weft.Shape;
import dev.weft.Tensor;
import dev.weft.TensorFunction;
import dev.weft.check.GradientReport.Measure;
import dev.weft.device.Nonlinearity;
import dev.weft.nn.Concat;
import dev.weft.nn.Embedding;
import dev.weft.nn.Flatten;
import dev.weft.nn.Initializers;
import dev.weft.nn.Layer;
import dev.weft.nn.Linear;
import dev.weft.nn.Model;
import dev.weft.nn.Select;
import dev.weft.nn.Sequential;
import dev.weft.op.BiasActivation;
import dev.weft.support.Broken;
import dev.weft.support.Broken.Fault;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
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

  /** x times the square of its weight, one of which has a fault. */
  private record Squares(Parameter weight, Fault ofWeight, Fault ofInput) implements Layer {
    Squares(Fault ofWeight, Fault ofInput) {
      this(new Parameter("weight", Shape.of(7), Initializers.xavierUniform()), ofWeight, ofInput);
    }

    @Override
    public Tensor forward(Operations operations, Tensor x) {
      return operations.multiply(
          operations.apply(new Broken(ofInput), x),
          operations.apply(new Broken(ofWeight), weight.tensor()));
    }

    @Override
    public RowType output(RowType input) {
      return input;
    }

    @Override
    public List<Parameter> parameters() {
      return List.of(weight);
    }
  }

  @Test
  void layersAreCheckedAlone() {
    GradCheck.of(new Squares(Fault.NONE, Fault.NONE), randomNormal(5, 7)).assertPasses();
    GradCheck.of(new Linear(7, 3), randomNormal(5, 7)).assertPasses();
    GradCheck.of(Sequential.of(new Embedding(9, 3), new Flatten()), Input.integers(9, 5, 2))
        .assertPasses();
    Model both = Concat.of(new Select("a"), new Select("b"));
    GradCheck.of(both, Map.of("a", randomNormal(5, 2), "b", randomNormal(5, 3))).assertPasses();
  }

  @ParameterizedTest
  @EnumSource(names = {"SIGN", "DROPPED_TERM", "IGNORES_UPSTREAM", "OVERWRITES", "LAST_ELEMENT"})
  void aLayerWithAWrongGradientFails(Fault fault) {
    for (int wrong : new int[] {0, 1}) {
      Layer layer = wrong == 0 ? new Squares(fault, Fault.NONE) : new Squares(Fault.NONE, fault);
      GradientReport report = GradCheck.of(layer, randomNormal(5, 7)).check();
      assertEquals(Verdict.WRONG, report.inputs().get(wrong).verdict(), report::toString);
      assertEquals(Verdict.OK, report.inputs().get(1 - wrong).verdict(), report::toString);
    }
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

  private interface Values {
    Tensor of(Operations tape, Tensor x);
  }

  /** The values of one function with the gradient of another. */
  private static TensorFunction withGradientOf(Values values, Values gradient) {
    return (tape, in) -> {
      Tensor other = gradient.of(tape, in[0]);
      return tape.add(
          tape.withoutGradient(() -> tape.subtract(values.of(tape, in[0]), other)), other);
    };
  }

  static List<Arguments> kinks() {
    Values leaky = (tape, x) -> tape.leakyRelu(x, 0.01);
    Values max = (tape, x) -> tape.maximum(x, tape.scale(x, -2));
    return List.of(
        Arguments.of("relu", (Values) Operations::relu, 0, 0, 1),
        Arguments.of("leaky relu", leaky, 0.01, 0.01, 1),
        Arguments.of("abs", withSlope(Operations::abs, 1), 1, -1, 1),
        Arguments.of("maximum of ties", withSlope(max, 1), 1, -2, 1),
        Arguments.of("relu beside", (Values) (t, x) -> t.shift(t.relu(x), 1e4), 0, 0, 1));
  }

  private static Values withSlope(Values values, double slope) {
    return (tape, x) ->
        withGradientOf(values, (t, in) -> t.scale(in, slope)).apply(tape, new Tensor[] {x});
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("kinks")
  void aKinkIsSaidWithBothSidesAndPasses(
      String name, Values function, double analytic, double before, double after) {
    GradientReport report =
        GradCheck.of((tape, in) -> tape.add(tape.sum(function.of(tape, in[0])), tape.sum(in[1])))
            .at(new double[] {0}, new double[] {1})
            .check();
    assertEquals(Verdict.ONLY_KINKS, report.verdict(), report::toString);
    GradientReport.Kink kink = report.inputs().get(0).kinks().get(0);
    assertEquals(analytic, kink.analytic(), 1e-6);
    assertEquals(before, kink.before(), 1e-4);
    assertEquals(after, kink.after(), 1e-4);
    assertTrue(report.toString().contains("element 0 may be a kink: analytic"), report::toString);
  }

  @Test
  void kinksPassWhereAnotherElementAgrees() {
    GradCheck relu = GradCheck.of((tape, in) -> tape.relu(in[0]));
    GradientReport some = relu.at(new double[] {0, 1, 0}).check();
    assertEquals(Verdict.KINK, some.verdict(), some::toString);
    assertEquals(2, some.kinks());
    assertEquals(0, some.largestError());
    relu.at(new double[] {0, 1, 0}).assertPasses();
    GradCheckFailure none =
        assertThrows(GradCheckFailure.class, relu.at(new double[] {0, 0})::assertPasses);
    assertTrue(none.getMessage().contains("could not be compared"), none::getMessage);
    assertTrue(none.getMessage().contains("ONLY KINKS"), none::getMessage);
    assertTrue(none.getMessage().contains("check at other values"), none::getMessage);
  }

  /** Zeros that the sample misses would make every direction disagree. */
  @Test
  void aLargeInputFullOfKinksPasses() {
    double[] sparse = new double[600];
    for (int i = 0; i < sparse.length; i += 7) {
      sparse[i] = i - 300.5;
    }
    GradCheck relu = GradCheck.of((tape, in) -> tape.relu(in[0])).elements(20);
    GradientReport report = relu.at(sparse).check();
    assertEquals(Verdict.KINK, report.verdict(), report::toString);
    GradCheck last =
        GradCheck.of(
                (tape, in) ->
                    tape.add(tape.relu(in[0]), tape.apply(new Broken(Fault.LAST_ELEMENT), in[0])))
            .elements(20);
    sparse[599] = 3;
    assertEquals(Verdict.WRONG, last.at(sparse).check().verdict());
  }

  @ParameterizedTest
  @ValueSource(doubles = {7e-6, 1e-6, 1e-8, 1e-9, 1.2e-10, 1e-11})
  void aKinkNearbyHidesNeitherRightNorWrong(double distance) {
    double[] at = {distance, -distance, 1};
    GradCheck.of((tape, in) -> tape.multiply(tape.relu(in[0]), tape.exp(in[0])))
        .at(at)
        .assertPasses();
    GradientReport wrong =
        GradCheck.of(withGradientOf(Operations::relu, (t, x) -> t.scale(t.relu(x), 1.5)))
            .at(new double[] {distance})
            .check();
    assertEquals(Verdict.WRONG, wrong.verdict(), wrong::toString);
  }

  @ParameterizedTest
  @ValueSource(doubles = {1.5, -0.1, 1.00001, -0.00001})
  void aGradientOutsideTheSidesOfAKinkIsWrong(double slope) {
    GradientReport report =
        GradCheck.of(withGradientOf(Operations::relu, (tape, x) -> tape.scale(x, slope)))
            .at(new double[] {0})
            .check();
    assertEquals(Verdict.WRONG, report.verdict(), report::toString);
  }

  /** The differences to the two sides of a curve differ too, but less with every step. */
  @ParameterizedTest
  @ValueSource(doubles = {1.5, 1.00001, 1.000002, 0.999998})
  void aSmoothFunctionHasNoKinks(double factor) {
    for (double at : new double[] {3, 1e-3, -100}) {
      GradientReport report =
          GradCheck.of(
                  withGradientOf(
                      Operations::square, (tape, x) -> tape.scale(tape.square(x), factor)))
              .at(new double[] {at})
              .check();
      assertEquals(Verdict.WRONG, report.verdict(), report::toString);
    }
  }

  /** A difference that rounding hides at a finer step does not make a wrong gradient right. */
  @ParameterizedTest
  @ValueSource(doubles = {0, 1, 1e6})
  void aGradientThatIsLeftOutIsSeenBesideLargeValues(double beside) {
    GradientReport report =
        GradCheck.of(
                (tape, in) -> {
                  Tensor lost = tape.withoutGradient(() -> tape.scale(in[0], 1e-4));
                  Tensor y = tape.add(lost, tape.scale(in[0], 0));
                  return tape.shift(tape.shift(y, beside), -beside);
                })
            .at(new double[] {3})
            .check();
    assertFalse(report.passed(), report::toString);
    assertEquals(0, report.kinks());
  }

  static List<Arguments> undefined() {
    return List.of(
        undefined("log", Operations::log, 0, "result 0 of the function is -Infinity here"),
        undefined("log below 0", Operations::log, -1, "result 0 of the function is NaN here"),
        undefined(
            "reciprocal", Operations::reciprocal, 0, "result 0 of the function is Infinity here"),
        undefined("exp of 800", Operations::exp, 800, "not finite in float64"),
        undefined("sqrt", Operations::sqrt, 0, "NaN where the input is 7.63e-06 less"),
        undefined("pow", (t, x) -> t.pow(x, 0.5), 0, "NaN where the input is 7.63e-06 less"),
        undefined("pow below 0", (t, x) -> t.pow(x, 0.5), -2, "is NaN here"),
        undefined("of NaN", Operations::square, Double.NaN, "is NaN here"),
        undefined("steep", (t, x) -> t.sqrt(t.abs(x)), 0, "the differences grow"));
  }

  private static Arguments undefined(String name, Values values, double at, String words) {
    return Arguments.of(name, values, at, words);
  }

  @ParameterizedTest(name = "{0} at {2}")
  @MethodSource("undefined")
  void whereThereIsNoDerivativeTheReportSaysWhy(
      String name, Values function, double at, String words) {
    GradCheck check =
        GradCheck.of((tape, in) -> function.of(tape, in[0])).at(new double[] {at, at});
    GradientReport report = check.check();
    assertEquals(Verdict.UNDEFINED, report.verdict(), report::toString);
    assertTrue(report.toString().contains(words), report::toString);
    assertEquals(Double.POSITIVE_INFINITY, report.largestError());
    assertThrows(GradCheckFailure.class, check::assertPasses);
  }

  /** √(x²) is finite everywhere; 0/0 in its gradient is a fault of the gradient. */
  @Test
  void aGradientThatIsNotFiniteWhereTheFunctionIsSmoothIsWrong() {
    GradientReport report =
        GradCheck.of((tape, in) -> tape.sqrt(tape.square(in[0]))).at(new double[] {0, 1}).check();
    assertEquals(Verdict.WRONG, report.verdict(), report::toString);
  }

  @Test
  void aFunctionThatDependsOnNothingHasGradientZero() {
    GradCheck.of((tape, in) -> tape.withoutGradient(() -> tape.scale(in[0], 0)))
        .at(randomNormal(3))
        .assertPasses();
    GradientReport detached =
        GradCheck.of((tape, in) -> tape.withoutGradient(() -> tape.square(in[0])))
            .at(randomNormal(3))
            .check();
    assertEquals(Verdict.WRONG, detached.verdict(), detached::toString);
  }

  @Test
  void settingsThatCompareNothingAreRefused() {
    GradCheck check = GradCheck.of((tape, in) -> tape.sqrt(in[0])).at(new double[] {0});
    for (double tolerance : new double[] {Double.POSITIVE_INFINITY, Double.NaN, -1}) {
      assertThrows(IllegalArgumentException.class, () -> check.tolerance(tolerance));
    }
    assertThrows(IllegalArgumentException.class, () -> check.elements(0));
    assertThrows(IllegalStateException.class, check.at(Input.integers(3, 4))::check);
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
                      tape.apply(
                          new BiasActivation(Nonlinearity.GELU, 0),
                          tape.matmul(in[0], in[1]),
                          in[2]),
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
