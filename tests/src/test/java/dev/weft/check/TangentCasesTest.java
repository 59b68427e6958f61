// SPDX-License-Identifier: Apache-2.0
package dev.weft.check;

import static dev.weft.format.Format.format;
import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.tngtech.archunit.core.domain.JavaClass;
import dev.weft.DType;
import dev.weft.Derivatives;
import dev.weft.Device;
import dev.weft.Node;
import dev.weft.Operations;
import dev.weft.Shape;
import dev.weft.Tangents;
import dev.weft.Tape;
import dev.weft.Tensor;
import dev.weft.TensorFunction;
import dev.weft.device.UnaryFunction;
import dev.weft.op.LossReduction;
import dev.weft.op.Operands;
import dev.weft.op.Operation;
import dev.weft.op.RowWeights;
import dev.weft.op.SoftmaxCrossEntropyDistributionOperation;
import dev.weft.op.Unary;
import dev.weft.support.Emulator;
import dev.weft.support.OnEachDevice.Place;
import dev.weft.support.Product;
import dev.weft.support.Selected;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The tangent of every case of every operation: against central differences, against reverse mode,
 * and differentiated once more.
 *
 * <p>This class is long because the checks stand beside the wrong and missing tangents that each of
 * them must notice.
 */
@ExtendWith(Emulator.class)
class TangentCasesTest {
  private static final double STEP = 0x1p-17;
  private static final long SEED = 1;

  static Stream<OperationCase> cases() {
    return Selected.cases();
  }

  /** A case at a place, as a function of those of its inputs that have a gradient. */
  private record At(TensorFunction function, List<Tensor> all, List<Tensor> varying)
      implements AutoCloseable {

    static At of(TensorFunction function, List<Input> example, Device device, DType dtype) {
      List<Tensor> all = new ArrayList<>();
      for (Input input : example) {
        all.add(input.on(device, dtype, SEED + all.size()));
      }
      TensorFunction ofVarying =
          (operations, in) -> {
            Tensor[] inputs = all.toArray(Tensor[]::new);
            int next = 0;
            for (int i = 0; i < inputs.length; i++) {
              inputs[i] = example.get(i).hasGradient() ? in[next++] : inputs[i];
            }
            return function.apply(operations, inputs);
          };
      List<Tensor> varying = new ArrayList<>();
      for (int i = 0; i < example.size(); i++) {
        if (example.get(i).hasGradient()) {
          varying.add(all.get(i));
        }
      }
      return new At(ofVarying, all, varying);
    }

    Device device() {
      return all.getFirst().device();
    }

    /** The function's result, moved by {@code t} along directions. */
    double[] value(List<double[]> directions, double t) {
      List<double[]> before = varying.stream().map(Tensor::toDoubles).toList();
      move(before, directions, t);
      try (Tape tape = new Tape(device(), 0)) {
        return function.apply(tape, varying.toArray(Tensor[]::new)).toDoubles();
      } finally {
        move(before, directions, 0);
      }
    }

    void move(List<double[]> from, List<double[]> directions, double t) {
      for (int i = 0; i < from.size(); i++) {
        double[] x = from.get(i).clone();
        double[] v = directions.get(i);
        Arrays.setAll(x, k -> x[k] + t * v[k]);
        varying.get(i).copyFrom(x);
      }
    }

    List<double[]> directions() {
      SplittableRandom random = new SplittableRandom(SEED);
      return varying.stream().map(x -> random.doubles(x.elements(), -1, 1).toArray()).toList();
    }

    List<Tensor> tensors(List<double[]> values) {
      List<Tensor> tensors = new ArrayList<>();
      for (int i = 0; i < values.size(); i++) {
        Tensor x = varying.get(i);
        tensors.add(device().tensor(x.dtype(), x.shape(), values.get(i)));
      }
      return tensors;
    }

    double[] tangent(List<double[]> directions) {
      List<Tensor> moving = tensors(directions);
      try (Tensor dy = Derivatives.jvp(function, varying, moving)) {
        return dy.toDoubles();
      } finally {
        moving.forEach(Tensor::close);
      }
    }

    @Override
    public void close() {
      all.forEach(Tensor::close);
    }
  }

  /** The largest difference, as a share of the largest value there is. */
  private static double error(double[] expected, double[] actual, double scale) {
    assertEquals(expected.length, actual.length);
    double largest = scale;
    double difference = 0;
    for (int i = 0; i < expected.length; i++) {
      assertTrue(Double.isFinite(actual[i]), () -> Arrays.toString(actual));
      largest = Math.max(largest, Math.abs(expected[i]));
      difference = Math.max(difference, Math.abs(expected[i] - actual[i]));
    }
    return difference / largest;
  }

  private static void assertBelow(double most, double error, String what) {
    assertTrue(error <= most, () -> format("%s: error %s above %s", what, error, most));
  }

  /** dy against (y(x + h v) - y(x - h v)) / 2h. */
  private static void assertDifferences(At at, String what) {
    List<double[]> v = at.directions();
    double[] plus = at.value(v, STEP);
    double[] minus = at.value(v, -STEP);
    double[] numeric = new double[plus.length];
    Arrays.setAll(numeric, i -> (plus[i] - minus[i]) / (2 * STEP));
    double scale = 1e-3 * Math.max(1, Arrays.stream(plus).map(Math::abs).max().orElse(0));
    assertBelow(1e-6, error(numeric, at.tangent(v), scale), what + " against differences");
  }

  /** <dy, J dx> = <Jᵀ dy, dx>. */
  private static void assertReverse(At at, String what) {
    List<double[]> v = at.directions();
    double[] moved = at.tangent(v);
    double[] weights = FunctionResult.weights(moved.length, SEED);
    double forward = 0;
    double size = 1e-300;
    for (int i = 0; i < moved.length; i++) {
      forward += weights[i] * moved[i];
      size += Math.abs(weights[i] * moved[i]);
    }
    double reverse = 0;
    try (Tape tape = new Tape(at.device(), 0);
        Tensor dy =
            at.device()
                .tensor(
                    DType.F64,
                    at.function().apply(tape, at.varying().toArray(Tensor[]::new)).shape(),
                    weights)) {
      List<Tensor> gradients = Derivatives.vjp(at.function(), at.varying(), dy);
      for (int i = 0; i < gradients.size(); i++) {
        double[] gradient = gradients.get(i).toDoubles();
        for (int k = 0; k < gradient.length; k++) {
          reverse += gradient[k] * v.get(i)[k];
          size += Math.abs(gradient[k] * v.get(i)[k]);
        }
      }
      gradients.forEach(Tensor::close);
    }
    assertBelow(1e-10, Math.abs(forward - reverse) / size, what + " against reverse mode");
  }

  /** H v against (∇L(x + h v) - ∇L(x - h v)) / 2h, L = Σ w_i y_i. */
  private static void assertSecond(At at, String what) {
    List<double[]> v = at.directions();
    double[] weights = FunctionResult.weights(at.value(v, 0).length, SEED);
    List<Tensor> moving = at.tensors(v);
    List<Tensor> products = List.of();
    try (Tensor w = at.device().tensor(DType.F64, Shape.of(weights.length), weights)) {
      TensorFunction loss =
          (operations, in) -> {
            Tensor y = at.function().apply(operations, in);
            return operations.sum(operations.multiply(operations.reshape(y, weights.length), w));
          };
      products = Derivatives.hessianVectorProduct(loss, at.varying(), moving);
      List<double[]> plus = gradients(at, loss, v, STEP);
      List<double[]> minus = gradients(at, loss, v, -STEP);
      for (int i = 0; i < plus.size(); i++) {
        double[] up = plus.get(i);
        double[] down = minus.get(i);
        double[] numeric = new double[up.length];
        Arrays.setAll(numeric, k -> (up[k] - down[k]) / (2 * STEP));
        double scale = 1e-3 * Math.max(1, Arrays.stream(up).map(Math::abs).max().orElse(0));
        double error = error(numeric, products.get(i).toDoubles(), scale);
        assertBelow(1e-6, error, what + ", Hessian by input " + i + " against differences");
      }
    } finally {
      moving.forEach(Tensor::close);
      products.forEach(Tensor::close);
    }
  }

  private static List<double[]> gradients(
      At at, TensorFunction loss, List<double[]> directions, double t) {
    List<double[]> before = at.varying().stream().map(Tensor::toDoubles).toList();
    at.move(before, directions, t);
    try (Tensor one = at.device().tensor(DType.F64, Shape.of(), 1)) {
      List<Tensor> gradients = Derivatives.vjp(loss, at.varying(), one);
      List<double[]> values = gradients.stream().map(Tensor::toDoubles).toList();
      gradients.forEach(Tensor::close);
      return values;
    } finally {
      at.move(before, directions, 0);
    }
  }

  /** A check of one place. */
  private interface Check {
    void of(At at, String what);
  }

  private static void check(OperationCase operation, Place place, long most, Check check) {
    try (Device device = place.open()) {
      assertAll(
          operation.examples(most).stream()
              .map(
                  example ->
                      () -> {
                        try (At at = At.of(operation.function(), example, device, DType.F64)) {
                          check.of(at, operation + " of " + OperationCase.shapes(example));
                        }
                      }));
      assertEquals(0, device.memory().live());
    }
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("cases")
  void tangentAgreesWithFiniteDifferences(OperationCase operation) {
    check(operation, Place.CPU, 20_000, TangentCasesTest::assertDifferences);
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("cases")
  void tangentAgreesWithReverseMode(OperationCase operation) {
    check(operation, Place.CPU, Long.MAX_VALUE, TangentCasesTest::assertReverse);
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("cases")
  void tangentAgreesWithReverseModeOnCuda(OperationCase operation) {
    check(operation, Place.EMULATED_CUDA, 200, TangentCasesTest::assertReverse);
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("cases")
  void hessianAgreesWithDifferencesOfGradients(OperationCase operation) {
    check(operation, Place.CPU, 5000, TangentCasesTest::assertSecond);
  }

  /** The types of operations differ where sums over BF16 are F32. */
  @ParameterizedTest(name = "{0}")
  @MethodSource("cases")
  void tangentsOfNarrowTypesAgreeWithThoseOfFloat64(OperationCase operation) {
    for (List<Input> example : operation.examples(200)) {
      assertNarrow(
          operation.function(), example, operation + " of " + OperationCase.shapes(example));
    }
  }

  private static void assertNarrow(TensorFunction function, List<Input> example, String what) {
    double[] expected = tangent(function, example, DType.F64);
    double[] single = tangent(function, example, DType.F32);
    assertBelow(1e-4, error(expected, single, 1e-3), what + " in F32");
    double[] half = tangent(function, example, DType.BF16);
    assertBelow(0.15, error(expected, half, 1e-3), what + " in BF16");
  }

  private static double[] tangent(TensorFunction function, List<Input> example, DType dtype) {
    try (Device device = Device.cpu();
        At at = At.of(function, example, device, dtype)) {
      return at.tangent(at.directions());
    }
  }

  @Test
  void everyOperationHasATangent() {
    List<String> missing =
        Product.classes("dev.weft").stream()
            .filter(type -> type.isAssignableTo(Operation.class) && !type.isInterface())
            .filter(type -> type.tryGetMethod("tangent", TANGENT).isEmpty())
            .map(JavaClass::getName)
            .toList();
    assertEquals(List.of(), missing);
  }

  private static final Class<?>[] TANGENT = {Operations.class, Node.class, List.class};

  /** e^x whose tangent is e^x dx times a factor; none where that is 0. */
  private record Exp(double factor) implements Operation {
    private static final Unary EXP = new Unary(UnaryFunction.EXP, 0);

    @Override
    public String name() {
      return "own_exp";
    }

    @Override
    public Operands operands() {
      return EXP.operands();
    }

    @Override
    public Tensor forward(Node node) {
      return EXP.forward(node);
    }

    @Override
    public void backward(Node node) {
      EXP.backward(node);
    }

    @Override
    public Tensor tangent(Operations on, Node node, List<Tensor> tangents) {
      return factor == 0
          ? Operation.super.tangent(on, node, tangents)
          : on.scale(EXP.tangent(on, node, tangents), factor);
    }
  }

  private static void own(double factor, Check check) {
    TensorFunction function = (operations, in) -> operations.apply(new Exp(factor), in[0]);
    try (Device device = Device.cpu();
        At at = At.of(function, List.of(Input.randomNormal(3)), device, DType.F64)) {
      check.of(at, "own_exp");
    }
  }

  @Test
  void aWrongTangentIsNoticedByEachCheck() {
    List<Check> checks =
        List.of(
            TangentCasesTest::assertDifferences,
            TangentCasesTest::assertReverse,
            TangentCasesTest::assertSecond);
    for (Check check : checks) {
      own(1, check);
      AssertionError e = assertThrows(AssertionError.class, () -> own(1.001, check));
      assertTrue(e.getMessage().startsWith("own_exp"), e.getMessage());
    }
  }

  /** x e^x, whose tangent lacks a term where x is of one type. */
  @Test
  void aWrongTangentOfANarrowTypeIsNoticed() {
    for (DType wrong : List.of(DType.F32, DType.BF16)) {
      TensorFunction function =
          (operations, in) -> {
            Tensor x = in[0];
            Tensor still = operations.withoutGradient(() -> operations.scale(x, 1));
            return operations.multiply(x.dtype() == wrong ? still : x, operations.exp(x));
          };
      List<Input> example = List.of(Input.randomNormal(3));
      AssertionError e =
          assertThrows(AssertionError.class, () -> assertNarrow(function, example, "own"));
      assertTrue(e.getMessage().startsWith("own in " + wrong), e.getMessage());
    }
  }

  @Test
  void anOperationWithoutATangentIsNamed() {
    Exception e =
        assertThrows(
            UnsupportedOperationException.class,
            () -> own(0, (at, what) -> at.tangent(at.directions())));
    assertEquals(
        "own_exp has no tangent, which forward mode and Hessian-vector products need: give its"
            + " class the method tangent of dev.weft.op.Operation",
        e.getMessage());
  }

  @Test
  void aTangentThatDoesNotFitIsRefused() {
    try (Device device = Device.cpu();
        Tape tape = new Tape(device)) {
      Tensor x = device.tensor(DType.F64, Shape.of(2), 1, 2).named("x");
      Tensor three = device.tensor(DType.F64, Shape.of(3), 1, 2, 3).named("three");
      Operation wrong =
          new Operation() {
            @Override
            public String name() {
              return "wrong";
            }

            @Override
            public Operands operands() {
              return Operands.floating("x");
            }

            @Override
            public Tensor forward(Node node) {
              return node.make(node.input(0).dtype(), node.input(0).shape());
            }

            @Override
            public void backward(Node node) {}

            @Override
            public Tensor tangent(Operations on, Node node, List<Tensor> tangents) {
              return three;
            }
          };
      Tangents tangents = new Tangents(tape).set(x, x);
      Exception e = assertThrows(IllegalArgumentException.class, () -> tangents.apply(wrong, x));
      assertEquals(
          "wrong gives a tangent three F64 [3] on cpu for its result wrong F64 [2] on cpu: types"
              + " and shapes must agree",
          e.getMessage());
    }
  }

  @Test
  void whatHasNoGradientMustNotMove() {
    try (Device device = Device.cpu();
        Tape tape = Tape.inference(device)) {
      Tensor x = device.tensor(DType.F64, new double[][] {{1, 2}});
      Tensor q = device.tensor(DType.F64, new double[][] {{0.5, 0.5}}).named("q");
      Tangents tangents = new Tangents(tape).set(q, x);
      Operation loss =
          new SoftmaxCrossEntropyDistributionOperation(
              SoftmaxCrossEntropyDistributionOperation.Kind.CROSS_ENTROPY,
              LossReduction.MEAN,
              RowWeights.EQUAL);
      Exception e = assertThrows(IllegalArgumentException.class, () -> tangents.apply(loss, x, q));
      assertEquals(
          "cross_entropy_of_distributions has no tangent with respect to q F64 [1, 2] on cpu,"
              + " which moves: take its values alone, by withoutGradient",
          e.getMessage());
    }
  }
}
