// SPDX-License-Identifier: Apache-2.0
package dev.weft.check;

import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.tngtech.archunit.core.domain.JavaClass;
import dev.weft.DType;
import dev.weft.Device;
import dev.weft.Node;
import dev.weft.Tape;
import dev.weft.Tensor;
import dev.weft.device.Kernel;
import dev.weft.op.Bfloat16Test;
import dev.weft.op.Cast;
import dev.weft.op.KernelTest;
import dev.weft.op.Operation;
import dev.weft.op.OptimizerKernelTest;
import dev.weft.op.RandomKernelTest;
import dev.weft.op.TorchParityTest;
import dev.weft.support.Product;
import dev.weft.support.Selected;
import dev.weft.train.FusedStepTest;
import java.lang.reflect.Method;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every operation has a case, every case is right about itself, and its gradient is checked. */
class OperationCasesTest {
  /** Kernels without a gradient, and the method that tests each. */
  private static final Map<Kernel, Map.Entry<Class<?>, String>> TESTED_ALONE =
      Map.ofEntries(
          alone(Kernel.FILL, KernelTest.class, "fillSetsEveryElement"),
          alone(Kernel.ARGMAX, KernelTest.class, "argmaxTakesTheFirstLargest"),
          alone(Kernel.GATHER_LABELS, KernelTest.class, "labelsFollowTheCursor"),
          alone(Kernel.GATHER_ROWS_U8, KernelTest.class, "bytesAreNormalised"),
          alone(Kernel.ADVANCE_STEP, KernelTest.class, "stepAdvances"),
          alone(Kernel.RANDOM_UNIFORM, RandomKernelTest.class, "uniformFollowsPhilox"),
          alone(Kernel.RANDOM_NORMAL, RandomKernelTest.class, "normalFollowsPhilox"),
          alone(Kernel.F32_TO_BF16, Bfloat16Test.class, "floatsGoToTheNearest"),
          alone(Kernel.BF16_TO_F32, Bfloat16Test.class, "everyPatternIsItsValue"),
          alone(Kernel.SGD, OptimizerKernelTest.class, "sgdAgreesWithPyTorch"),
          alone(Kernel.ADAM, OptimizerKernelTest.class, "adamAgreesWithPyTorch"),
          alone(Kernel.FUSED_PASS, FusedStepTest.class, "twentyStepsWithDropoutAgree"),
          alone(Kernel.FUSED_UPDATE, FusedStepTest.class, "everyRuleAgrees"));

  /** Operations with no finite differences, and the method that tests each. */
  private static final Map<String, String> OPERATIONS_ALONE =
      Map.of(Cast.class.getName(), "gradientsAreCastBack");

  private static Map.Entry<Kernel, Map.Entry<Class<?>, String>> alone(
      Kernel kernel, Class<?> test, String method) {
    return Map.entry(kernel, Map.entry(test, method));
  }

  private static Device cpu;

  @BeforeAll
  static void open() {
    cpu = Device.cpu();
  }

  @AfterAll
  static void close() {
    assertEquals(0, cpu.memory().live());
    cpu.close();
  }

  static Stream<OperationCase> cases() {
    return Selected.cases();
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("cases")
  void gradientAgreesWithFiniteDifferences(OperationCase operation) {
    List<CheckResult> results = new SelfTest(cpu, r -> {}).gradients(List.of(operation));
    assertFalse(results.isEmpty());
    // a place at a kink would pass unchecked: examples keep away from them
    assertAll(results.stream().map(r -> () -> assertEquals(Verdict.OK, r.verdict(), r.toString())));
  }

  @Test
  void everyKernelHasACaseOrATestOfItsOwn() {
    Set<Kernel> covered = EnumSet.noneOf(Kernel.class);
    OperationCases.all().forEach(operation -> covered.addAll(operation.kernels()));
    assertEquals(List.of(), uncovered(covered, TESTED_ALONE.keySet()));
    TESTED_ALONE.forEach(
        (kernel, test) ->
            assertTrue(
                Arrays.stream(test.getKey().getDeclaredMethods())
                    .map(Method::getName)
                    .anyMatch(test.getValue()::equals),
                () -> kernel + ": " + test + " is not there"));
  }

  @Test
  void missingCaseIsNoticed() {
    Set<Kernel> covered =
        OperationCases.all().stream()
            .filter(operation -> !operation.name().startsWith("matmul"))
            .flatMap(operation -> operation.kernels().stream())
            .collect(Collectors.toSet());
    assertEquals(List.of(Kernel.GEMM), uncovered(covered, TESTED_ALONE.keySet()));
  }

  private static List<Kernel> uncovered(Set<Kernel> covered, Set<Kernel> alone) {
    return Stream.of(Kernel.values())
        .filter(kernel -> !covered.contains(kernel) && !alone.contains(kernel))
        .toList();
  }

  @Test
  void everyOperationHasACase() {
    Set<String> covered =
        OperationCases.all().stream()
            .map(operation -> operation.operation().getName())
            .collect(Collectors.toSet());
    List<String> missing =
        Product.classes("dev.weft").stream()
            .filter(type -> type.isAssignableTo(Operation.class) && !type.isInterface())
            .map(JavaClass::getName)
            .filter(name -> !covered.contains(name) && !OPERATIONS_ALONE.containsKey(name))
            .toList();
    assertEquals(List.of(), missing);
    List<String> tests =
        Arrays.stream(Bfloat16Test.class.getDeclaredMethods()).map(Method::getName).toList();
    assertTrue(tests.containsAll(OPERATIONS_ALONE.values()), OPERATIONS_ALONE::toString);
  }

  @Test
  void namesAreUniqueAndEachHasATwinInPyTorch() {
    List<String> names = OperationCases.all().stream().map(OperationCase::name).toList();
    assertEquals(names.size(), Set.copyOf(names).size());
    assertEquals(List.of(), names.stream().filter(n -> !TorchParityTest.hasTwin(n)).toList());
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("cases")
  void caseIsRightAboutItself(OperationCase operation) {
    List<Input> example = operation.examples().get(0);
    List<Tensor> inputs = example.stream().map(i -> i.on(cpu, DType.F32, 1)).toList();
    try (Tape tape = new Tape(cpu)) {
      inputs.stream().filter(t -> t.dtype().isFloating()).forEach(Tensor::requiresGrad);
      operation.function().apply(tape, inputs.toArray(Tensor[]::new));
      assertTrue(
          tape.nodes().stream()
              .map(Node::operation)
              .anyMatch(
                  o ->
                      o.getClass() == operation.operation()
                          && (operation.name().startsWith(o.name()) || tape.nodes().size() > 1)),
          () -> operation + " does not apply " + operation.operation());
    } finally {
      inputs.forEach(Tensor::close);
    }
  }

  @Test
  void unknownNameListsAll() {
    IllegalArgumentException e =
        assertThrows(IllegalArgumentException.class, () -> OperationCases.matching("frobnicate"));
    assertTrue(e.getMessage().contains("'frobnicate'"), e.getMessage());
    assertTrue(e.getMessage().contains("matmul_ta_tb"), e.getMessage());
  }

  @Test
  void largeExamplesCanBeLeftOut() {
    OperationCase relu = OperationCases.matching("bias_activation_relu").get(0);
    assertTrue(relu.examples(100).size() < relu.examples().size());
  }
}
