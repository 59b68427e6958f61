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
import dev.weft.Engine;
import dev.weft.Node;
import dev.weft.Tape;
import dev.weft.Tensor;
import dev.weft.device.Arguments;
import dev.weft.device.BagFunction;
import dev.weft.device.BinaryFunction;
import dev.weft.device.Call;
import dev.weft.device.Kernel;
import dev.weft.device.Nonlinearity;
import dev.weft.device.ReductionFunction;
import dev.weft.device.UnaryFunction;
import dev.weft.device.ValueLossFunction;
import dev.weft.embed.Word2VecKernelTest;
import dev.weft.op.Bfloat16Test;
import dev.weft.op.Cast;
import dev.weft.op.KernelTest;
import dev.weft.op.LabelWeights;
import dev.weft.op.LossTest;
import dev.weft.op.NegativeSamples;
import dev.weft.op.OneHot;
import dev.weft.op.Operation;
import dev.weft.op.OptimizerKernelTest;
import dev.weft.op.PathLossTest;
import dev.weft.op.RandomKernelTest;
import dev.weft.op.RowSumsTest;
import dev.weft.op.TopHits;
import dev.weft.op.TopK;
import dev.weft.op.TorchParityTest;
import dev.weft.support.Product;
import dev.weft.support.Selected;
import dev.weft.train.FusedStepTest;
import java.lang.reflect.Method;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.HashSet;
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
import org.junit.platform.commons.support.ReflectionSupport;

/** Every operation has a case, every case is right about itself, and its gradient is checked. */
class OperationCasesTest {
  /** Kernels without a gradient, and the method that tests each. */
  private static final Map<Kernel, Map.Entry<Class<?>, String>> TESTED_ALONE =
      Map.ofEntries(
          alone(Kernel.ARGMAX, KernelTest.class, "argmaxTakesTheFirstLargest"),
          alone(Kernel.TOP_K, KernelTest.class, "topKFollowsTheDefinition"),
          alone(Kernel.ONE_HOT, KernelTest.class, "idsAreRowsOfOneOne"),
          alone(Kernel.TOP_HITS, KernelTest.class, "topHitsFollowTheDefinition"),
          alone(Kernel.LABEL_WEIGHTS, LossTest.class, "weightsFollowLabels"),
          alone(Kernel.GATHER_IDS, KernelTest.class, "idsFollowTheCursor"),
          alone(Kernel.GATHER_ROWS_U8, KernelTest.class, "bytesAreNormalised"),
          alone(Kernel.ADVANCE_STEP, KernelTest.class, "stepAdvances"),
          alone(Kernel.RANDOM_UNIFORM, RandomKernelTest.class, "uniformFollowsPhilox"),
          alone(Kernel.RANDOM_NORMAL, RandomKernelTest.class, "normalFollowsPhilox"),
          alone(
              Kernel.NEGATIVE_SAMPLES, PathLossTest.class, "negativesFollowPhiloxAndTheAliasTable"),
          alone(Kernel.F32_TO_BF16, Bfloat16Test.class, "floatsGoToTheNearest"),
          alone(Kernel.BF16_TO_F32, Bfloat16Test.class, "everyPatternIsItsValue"),
          alone(Kernel.WORD2VEC, Word2VecKernelTest.class, "theKernelDoesWhatItsContractSays"),
          alone(Kernel.SGD, OptimizerKernelTest.class, "sgdAgreesWithPyTorch"),
          alone(Kernel.ADAM, OptimizerKernelTest.class, "adamAgreesWithPyTorch"),
          alone(Kernel.NADAM, OptimizerKernelTest.class, "everySettingFollowsTheFormula"),
          alone(Kernel.ADAGRAD, OptimizerKernelTest.class, "everySettingFollowsTheFormula"),
          alone(Kernel.RMSPROP, OptimizerKernelTest.class, "everySettingFollowsTheFormula"),
          alone(Kernel.ADADELTA, OptimizerKernelTest.class, "everySettingFollowsTheFormula"),
          alone(Kernel.LION, OptimizerKernelTest.class, "everySettingFollowsTheFormula"),
          alone(Kernel.NADAM_ROWS, OptimizerKernelTest.class, "everySettingFollowsTheFormula"),
          alone(Kernel.ADAGRAD_ROWS, OptimizerKernelTest.class, "everySettingFollowsTheFormula"),
          alone(Kernel.RMSPROP_ROWS, OptimizerKernelTest.class, "everySettingFollowsTheFormula"),
          alone(Kernel.ADADELTA_ROWS, OptimizerKernelTest.class, "everySettingFollowsTheFormula"),
          alone(Kernel.LION_ROWS, OptimizerKernelTest.class, "everySettingFollowsTheFormula"),
          alone(Kernel.AVERAGE, OptimizerKernelTest.class, "averageFollowsItsFormula"),
          alone(Kernel.MERGE_CHUNKS, RowSumsTest.class, "idsAreSortedStably"),
          alone(Kernel.RUN_SQUARES, RowSumsTest.class, "squaresOfRunsAreThoseOfTheGradient"),
          alone(Kernel.SGD_ROWS, RowSumsTest.class, "sgdOfRowsIsSgd"),
          alone(Kernel.ADAM_ROWS, RowSumsTest.class, "adamOfRowsIsSparseAdam"),
          alone(Kernel.FUSED_PASS, FusedStepTest.class, "twentyStepsWithDropoutAgree"),
          alone(Kernel.FUSED_UPDATE, FusedStepTest.class, "everyRuleAgrees"));

  /** Operations with no finite differences, and the method that tests each. */
  private static final Map<String, Map.Entry<Class<?>, String>> OPERATIONS_ALONE =
      Map.of(
          Cast.class.getName(), Map.entry(Bfloat16Test.class, "gradientsAreCastBack"),
          NegativeSamples.class.getName(),
              Map.entry(PathLossTest.class, "negativesFollowPhiloxAndTheAliasTable"),
          TopK.class.getName(), Map.entry(KernelTest.class, "topKFollowsTheDefinition"),
          OneHot.class.getName(), Map.entry(KernelTest.class, "idsAreRowsOfOneOne"),
          LabelWeights.class.getName(), Map.entry(LossTest.class, "weightsFollowLabels"),
          TopHits.class.getName(), Map.entry(KernelTest.class, "topHitsFollowTheDefinition"));

  private static Map.Entry<Kernel, Map.Entry<Class<?>, String>> alone(
      Kernel kernel, Class<?> test, String method) {
    return Map.entry(kernel, Map.entry(test, method));
  }

  /** The lists of functions, and where the cases of each stand. */
  private static final Map<Class<? extends Enum<?>>, String> FUNCTION_CASES =
      Map.of(
          Nonlinearity.class, "ElementwiseCases",
          UnaryFunction.class, "ElementwiseCases",
          BinaryFunction.class, "ElementwiseCases",
          ReductionFunction.class, "ReductionCases",
          BagFunction.class, "RowCases",
          ValueLossFunction.class, "LossCases");

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

  private static void requireGradients(List<Input> example, List<Tensor> inputs) {
    for (int i = 0; i < inputs.size(); i++) {
      if (example.get(i).hasGradient()) {
        inputs.get(i).requiresGrad();
      }
    }
  }

  /** What the small examples of cases run, forward and backward. */
  private static List<Call> calls(List<OperationCase> cases) {
    List<Call> calls = new ArrayList<>();
    for (OperationCase operation : cases) {
      for (List<Input> example : operation.examples(100)) {
        List<Tensor> inputs = example.stream().map(i -> i.on(cpu, DType.F32, 1)).toList();
        requireGradients(example, inputs);
        Engine.recorder(cpu).begin();
        try (Tape tape = new Tape(cpu)) {
          Tensor y = operation.function().apply(tape, inputs.toArray(Tensor[]::new));
          tape.backward(y, y);
        } finally {
          calls.addAll(Engine.recorder(cpu).end());
          inputs.forEach(Tensor::close);
        }
      }
    }
    return calls;
  }

  /** The values of enums among a call's arguments. */
  private static List<Object> functions(Arguments arguments) {
    return Stream.of(arguments.getClass().getRecordComponents())
        .filter(field -> field.getType().isEnum())
        .map(field -> ReflectionSupport.invokeMethod(field.getAccessor(), arguments))
        .toList();
  }

  /** The kernels that nothing tests, in a sentence each. */
  private static List<String> untestedKernels(List<Call> calls) {
    Set<Kernel> covered = EnumSet.copyOf(TESTED_ALONE.keySet());
    calls.forEach(call -> covered.add(call.kernel()));
    return Stream.of(Kernel.values())
        .filter(kernel -> !covered.contains(kernel))
        .map(k -> "no case of dev.weft.check.OperationCases runs Kernel." + k + ", and no test")
        .toList();
  }

  /** The functions of the contract's lists that no case runs, in a sentence each. */
  private static List<String> missingFunctions(List<Call> calls) {
    Set<Object> ran = new HashSet<>();
    calls.forEach(call -> ran.addAll(functions(call.arguments())));
    return FUNCTION_CASES.entrySet().stream()
        .flatMap(
            list ->
                Stream.of(list.getKey().getEnumConstants())
                    .filter(function -> !ran.contains(function))
                    .map(
                        function ->
                            "there is no gradient case for %s.%s: dev.weft.check.%s"
                                .formatted(
                                    list.getKey().getSimpleName(), function, list.getValue())))
        .toList();
  }

  @Test
  void everyKernelAndEveryFunctionHasACase() {
    List<Call> calls = calls(OperationCases.all());
    assertEquals(List.of(), untestedKernels(calls));
    assertEquals(List.of(), missingFunctions(calls));
    TESTED_ALONE.forEach(
        (kernel, test) ->
            assertTrue(
                Arrays.stream(test.getKey().getDeclaredMethods())
                    .map(Method::getName)
                    .anyMatch(test.getValue()::equals),
                () -> kernel + ": " + test + " is not there"));
    calls.forEach(
        call ->
            assertFalse(
                TESTED_ALONE.containsKey(call.kernel()),
                () ->
                    "an operation runs " + call.symbol() + ": it is not to stand in TESTED_ALONE"));
  }

  @Test
  void missingCaseIsNoticed() {
    List<Call> calls =
        calls(
            OperationCases.all().stream()
                .filter(o -> !o.name().startsWith("matmul") && !o.name().equals("unary_abs"))
                .toList());
    assertEquals(
        List.of("no case of dev.weft.check.OperationCases runs Kernel.GEMM, and no test"),
        untestedKernels(calls));
    assertEquals(
        List.of("there is no gradient case for UnaryFunction.ABS: dev.weft.check.ElementwiseCases"),
        missingFunctions(calls));
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
    OPERATIONS_ALONE
        .values()
        .forEach(
            test ->
                assertTrue(
                    Arrays.stream(test.getKey().getDeclaredMethods())
                        .anyMatch(method -> method.getName().equals(test.getValue())),
                    test::toString));
  }

  @Test
  void namesAreUniqueAndEachHasATwinInPyTorch() {
    List<String> names = OperationCases.all().stream().map(OperationCase::name).toList();
    assertEquals(names.size(), Set.copyOf(names).size());
    assertEquals(List.of(), twinless(names));
    assertEquals(
        List.of("unary_cbrt has no twin in PyTorch: dev.weft.op.TorchTwins"),
        twinless(List.of("unary_abs", "unary_cbrt")));
  }

  private static List<String> twinless(List<String> names) {
    return names.stream()
        .filter(name -> !TorchParityTest.hasTwin(name))
        .map(name -> name + " has no twin in PyTorch: dev.weft.op.TorchTwins")
        .toList();
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("cases")
  void caseIsRightAboutItself(OperationCase operation) {
    List<Input> example = operation.examples().get(0);
    List<Tensor> inputs = example.stream().map(i -> i.on(cpu, DType.F32, 1)).toList();
    try (Tape tape = new Tape(cpu)) {
      requireGradients(example, inputs);
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
