// SPDX-License-Identifier: Apache-2.0
package dev.weft.op;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weft.DType;
import dev.weft.Device;
import dev.weft.Shape;
import dev.weft.check.FunctionResult;
import dev.weft.check.Input;
import dev.weft.check.OperationCase;
import dev.weft.check.OperationCases;
import dev.weft.support.Selected;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Every operation, forward and backward, against PyTorch in float64 on the same inputs. */
public class TorchParityTest {
  static final long SEED = 5;
  private static Device cpu;

  @BeforeAll
  static void open() {
    cpu = Device.cpu();
  }

  @AfterAll
  static void close() {
    cpu.close();
  }

  /** Whether a case can be compared. */
  public static boolean hasTwin(String name) {
    return TorchTwins.of(name) != null;
  }

  static Stream<OperationCase> cases() {
    return Selected.cases();
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("cases")
  void agreesWithPyTorch(OperationCase operation) {
    TorchTwins.Twin twin = TorchTwins.of(operation.name());
    assertNotNull(twin, operation + " has no twin in TorchTwins");
    for (List<Input> example : operation.examples()) {
      FunctionResult expected = TorchTwins.evaluate(twin, example, SEED);
      for (DType dtype : List.of(DType.F32, DType.F64)) {
        String where = "%s %s %s: ".formatted(operation, dtype, OperationCase.shapes(example));
        FunctionResult actual = FunctionResult.of(operation.function(), example, cpu, dtype, SEED);
        for (FunctionResult.Part part : compare(operation, example, expected, actual, dtype)) {
          assertTrue(part.comparison().passed(), () -> where + part);
        }
      }
    }
  }

  /** Rows of nothing but -infinity, of one, of an infinity, of NaN: also their gradients. */
  @ParameterizedTest
  @EnumSource(names = {"F32", "F64"})
  void logSumExpOfInfinitiesIsPyTorchs(DType dtype) {
    double inf = Double.POSITIVE_INFINITY;
    Input x = Input.of(Shape.of(4, 2), -inf, -inf, -inf, 1, inf, 1, Double.NaN, 1);
    List<Input> example = List.of(x);
    FunctionResult expected = TorchTwins.evaluate(in -> in[0].logsumexp(1), example, SEED);
    FunctionResult actual =
        FunctionResult.of((tape, in) -> tape.logSumExp(in[0], 1), example, cpu, dtype, SEED);
    assertArrayEquals(expected.y(), actual.y(), 1e-6);
    assertArrayEquals(expected.gradients().get(0), actual.gradients().get(0), 1e-6);
  }

  private static List<FunctionResult.Part> compare(
      OperationCase operation,
      List<Input> example,
      FunctionResult expected,
      FunctionResult actual,
      DType dtype) {
    List<Shape> shapes = example.stream().map(Input::shape).toList();
    return expected.compare(actual, dtype, Math.max(1, operation.terms().of(shapes)));
  }

  /** The same comparison must notice one element that is off in the sixth digit. */
  @ParameterizedTest
  @EnumSource(names = {"F32", "F64"})
  void onePerturbedElementFails(DType dtype) {
    for (OperationCase operation : OperationCases.all()) {
      List<Input> example = operation.examples().get(0);
      FunctionResult expected = TorchTwins.evaluate(TorchTwins.of(operation.name()), example, SEED);
      FunctionResult actual = FunctionResult.of(operation.function(), example, cpu, dtype, SEED);
      actual.y()[0] += 1e-4 * Math.max(1, Math.abs(actual.y()[0]));
      for (double[] gradient : actual.accumulated()) {
        if (gradient != null && gradient.length > 0) {
          gradient[gradient.length - 1] += 1e-4 * Math.max(1, Math.abs(gradient[0]));
        }
      }
      long failed =
          compare(operation, example, expected, actual, dtype).stream()
              .filter(part -> !part.comparison().passed())
              .count();
      long wanted = 1 + actual.accumulated().stream().filter(g -> g != null).count();
      assertTrue(failed >= wanted, operation + ": only " + failed + " failed");
    }
  }

  /** PyTorch's own value for another function must fail too. */
  @Test
  void anotherFunctionFails() {
    OperationCase operation = OperationCases.matching("bias_activation_gelu").get(0);
    List<Input> example = operation.examples().get(2);
    FunctionResult expected =
        TorchTwins.evaluate(TorchTwins.of("bias_activation_silu"), example, SEED);
    FunctionResult actual = FunctionResult.of(operation.function(), example, cpu, DType.F32, SEED);
    assertTrue(
        compare(operation, example, expected, actual, DType.F32).stream()
            .noneMatch(part -> part.comparison().passed()));
  }
}
