// SPDX-License-Identifier: Apache-2.0
package dev.weft;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;

import dev.weft.device.Nonlinearity;
import dev.weft.nn.Activation;
import dev.weft.nn.Dropout;
import dev.weft.nn.Linear;
import dev.weft.nn.Sequential;
import dev.weft.op.BatchNormOperation;
import dev.weft.op.BiasActivation;
import dev.weft.support.Emulator;
import dev.weft.support.OnEachDevice;
import dev.weft.support.OnEachDevice.Place;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Jacobians, Hessians and their products, of whole functions, in both modes. */
@ExtendWith(Emulator.class)
class DerivativesTest {
  private Device device;

  @BeforeEach
  void open() {
    device = Device.cpu();
  }

  @AfterEach
  void close() {
    device.close();
  }

  private static Tensor of(Device device, long[] sizes, double... values) {
    return device.tensor(DType.F64, Shape.of(sizes), values);
  }

  private Tensor vector(double... values) {
    return device.tensor(DType.F64, values);
  }

  private static long[] sizes(long... sizes) {
    return sizes;
  }

  /** The values of a result, which is closed. */
  private static double[] values(Tensor result) {
    try (result) {
      return result.toDoubles();
    }
  }

  private static double[] product(double[] a, double[] b, int rows, int inner, int columns) {
    double[] y = new double[rows * columns];
    for (int i = 0; i < rows; i++) {
      for (int j = 0; j < columns; j++) {
        for (int k = 0; k < inner; k++) {
          y[i * columns + j] += a[i * inner + k] * b[k * columns + j];
        }
      }
    }
    return y;
  }

  /** R³ to R⁴. */
  private static Tensor inner(Operations ops, Tensor x) {
    return ops.concat(0, ops.exp(x), ops.reshape(ops.squaredNorm(x), 1));
  }

  /** R⁴ to R². */
  private static Tensor outer(Operations ops, Tensor x) {
    Tensor first = ops.slice(x, 0, 0, 2);
    return ops.multiply(ops.sigmoid(first), ops.slice(x, 0, 2, 4));
  }

  @OnEachDevice
  void jacobianOfAChainIsTheProductOfTheJacobians(Place place) {
    try (Device on = place.open()) {
      Tensor x = of(on, sizes(3), 0.5, -1, 0.25);
      double[] whole = values(Derivatives.jacobian((ops, in) -> outer(ops, inner(ops, in[0])), x));
      double[] first = values(Derivatives.jacobian((ops, in) -> inner(ops, in[0]), x));
      try (Tape tape = Tape.inference(on)) {
        double[] second =
            values(Derivatives.jacobian((ops, in) -> outer(ops, in[0]), inner(tape, x)));
        assertArrayEquals(product(second, first, 2, 4, 3), whole, 1e-14);
      }
      // row 0 of the inner one is e^x0, row 3 is 2x
      assertEquals(Math.exp(0.5), first[0], 1e-15);
      assertArrayEquals(new double[] {1, -2, 0.5}, Arrays.copyOfRange(first, 9, 12), 1e-15);
    }
  }

  /** σ(w0 x0 + w1 x1 + b) of nodes that each do one thing; w0, w1, b, x0, x1 are a vector. */
  private static Tensor elementary(Operations ops, Tensor v) {
    Tensor[] parts = new Tensor[5];
    for (int i = 0; i < 5; i++) {
      parts[i] = ops.slice(v, 0, i, i + 1);
    }
    Tensor first = ops.multiply(parts[0], parts[3]);
    Tensor second = ops.multiply(parts[1], parts[4]);
    Tensor z = ops.add(ops.add(first, second), parts[2]);
    return ops.reciprocal(ops.shift(ops.exp(ops.negate(z)), 1));
  }

  /** The same with the bias and σ as one node. */
  private static Tensor fused(Operations ops, Tensor v) {
    Tensor w = ops.slice(v, 0, 0, 2);
    Tensor z = ops.sum(ops.multiply(w, ops.slice(v, 0, 3, 5)));
    BiasActivation sigmoid = new BiasActivation(Nonlinearity.SIGMOID, 0);
    return ops.apply(sigmoid, ops.reshape(z, 1, 1), ops.slice(v, 0, 2, 3));
  }

  @OnEachDevice
  void sigmoidOfElementaryNodesAgreesWithOneNode(Place place) {
    try (Device on = place.open();
        Tensor v = of(on, sizes(5), 2, -3, -3, -1, -2)) {
      TensorFunction one = (ops, in) -> elementary(ops, in[0]);
      TensorFunction other = (ops, in) -> ops.sum(fused(ops, in[0]));
      double s = 1 / (1 + Math.exp(-1));
      double d = s * (1 - s);
      double[] gradient = {-d, -2 * d, d, 2 * d, -3 * d};
      assertArrayEquals(gradient, values(Derivatives.jacobian(one, v)), 1e-15);
      assertArrayEquals(gradient, values(Derivatives.jacobian(other, v)), 1e-15);
      try (Tensor direction = of(on, sizes(5), 1, 0.5, -1, 2, 0.25)) {
        double along = -d - d - d + 4 * d - 0.75 * d;
        List<Tensor> at = List.of(v);
        List<Tensor> moving = List.of(direction);
        assertEquals(along, values(Derivatives.jvp(one, at, moving))[0], 1e-15);
        assertEquals(along, values(Derivatives.jvp(other, at, moving))[0], 1e-15);
      }
      double[] hessian = values(Derivatives.hessian(one, v));
      assertArrayEquals(hessian, values(Derivatives.hessian(other, v)), 1e-14);
      assertEquals(d * (1 - 2 * s), hessian[2 * 5 + 2], 1e-15); // σ'' by b twice
    }
  }

  @Test
  void gradientOfAScalarIsOneRow() {
    Tensor x = vector(1, 2, 3);
    TensorFunction f = (ops, in) -> ops.reshape(ops.squaredNorm(in[0]), 1);
    try (Tensor row = Derivatives.jacobian(f, x)) {
      assertEquals(Shape.of(1, 3), row.shape());
      assertArrayEquals(new double[] {2, 4, 6}, row.toDoubles());
    }
    try (Tensor gradient = Derivatives.jacobian((ops, in) -> ops.squaredNorm(in[0]), x)) {
      assertEquals(Shape.of(3), gradient.shape());
      assertArrayEquals(new double[] {2, 4, 6}, gradient.toDoubles());
    }
    assertArrayEquals(
        new double[] {2, 4, 6}, values(Derivatives.vjp(f, List.of(x), vector(1)).getFirst()));
  }

  @OnEachDevice
  void jacobianByAMatrix(Place place) {
    try (Device on = place.open();
        Tensor w = of(on, sizes(2, 3), 1, 2, 3, 4, 5, 6);
        Tensor x = of(on, sizes(3, 1), -1, 0.5, 2)) {
      TensorFunction wx = (ops, in) -> ops.matmul(in[0], in[1]);
      List<Tensor> both = Derivatives.jacobian(wx, List.of(w, x));
      assertEquals(Shape.of(2, 1, 2, 3), both.get(0).shape());
      assertEquals(Shape.of(2, 1, 3, 1), both.get(1).shape());
      // ∂(Wx)_i / ∂W_kl = x_l where i = k, and ∂(Wx)_i / ∂x_l = W_il
      assertArrayEquals(
          new double[] {-1, 0.5, 2, 0, 0, 0, 0, 0, 0, -1, 0.5, 2}, values(both.get(0)));
      assertArrayEquals(w.toDoubles(), values(both.get(1)));
    }
  }

  /** Runs of the function that a Jacobian takes. */
  private int runs(TensorFunction function, Tensor x) {
    AtomicInteger runs = new AtomicInteger();
    values(
        Derivatives.jacobian(
            (ops, in) -> {
              runs.incrementAndGet();
              return function.apply(ops, in);
            },
            x));
    return runs.get();
  }

  @Test
  void rowsOrColumnsWhicheverAreFewer() {
    Tensor x = vector(0.5, -1, 2);
    TensorFunction tall = (ops, in) -> ops.concat(0, ops.exp(in[0]), ops.square(in[0]));
    assertEquals(1 + 3, runs(tall, x)); // 6 rows, 3 columns
    assertEquals(1, runs((ops, in) -> ops.exp(in[0]), x)); // as many rows as columns
    double[] expected = new double[18];
    for (int i = 0; i < 3; i++) {
      expected[i * 3 + i] = Math.exp(x.toDoubles()[i]);
      expected[(i + 3) * 3 + i] = 2 * x.toDoubles()[i];
    }
    assertArrayEquals(expected, values(Derivatives.jacobian(tall, x)), 1e-15);
    for (int row = 0; row < 6; row++) {
      double[] unit = new double[6];
      unit[row] = 1;
      assertArrayEquals(
          Arrays.copyOfRange(expected, 3 * row, 3 * row + 3),
          values(Derivatives.vjp(tall, List.of(x), vector(unit)).getFirst()),
          1e-15);
    }
  }

  @OnEachDevice
  void hessianOfAQuadraticForm(Place place) {
    try (Device on = place.open();
        Tensor a = of(on, sizes(2, 2), 1, 2, 5, -3);
        Tensor x = of(on, sizes(2, 1), 0.5, -1);
        Tensor v = of(on, sizes(2, 1), 1, 10)) {
      TensorFunction form =
          (ops, in) -> ops.matmul(ops.transpose(in[0]), ops.matmul(a, in[0])); // xᵀ A x
      try (Tensor hessian = Derivatives.hessian(form, x)) {
        assertEquals(Shape.of(2, 1, 2, 1), hessian.shape());
        assertArrayEquals(new double[] {2, 7, 7, -6}, hessian.toDoubles(), 1e-14); // A + Aᵀ
      }
      Tensor product = Derivatives.hessianVectorProduct(form, List.of(x), List.of(v)).getFirst();
      assertArrayEquals(new double[] {72, -53}, values(product), 1e-13);
    }
  }

  @Test
  void hessianOfSeveralInputsHasTheMixedTerms() {
    // x² y: H = (2y, 2x; 2x, 0)
    TensorFunction f = (ops, in) -> ops.multiply(ops.square(in[0]), in[1]);
    List<Tensor> products =
        Derivatives.hessianVectorProduct(
            f, List.of(vector(3), vector(5)), List.of(vector(1), vector(10)));
    assertEquals(10 + 60, values(products.get(0))[0]);
    assertEquals(6, values(products.get(1))[0]);
  }

  private static Sequential network() {
    return Sequential.of(
        new Linear(3, 5),
        Activation.TANH,
        new Dropout(0.5),
        new Linear(5, 4),
        Activation.RELU,
        new Linear(4, 2));
  }

  /** Bias and activation overwrite the product before them: tangents must not read what is gone. */
  @OnEachDevice
  void wholeNetworkGoesForward(Place place) {
    try (Device on = place.open();
        Sequential network = network();
        Tensor x = of(on, sizes(2, 3), 1, -0.5, 2, 0.25, 1.5, -1);
        Tensor dx = of(on, sizes(2, 3), 1, 2, -1, 0.5, 1, 3);
        Tensor dy = of(on, sizes(2, 2), 1, -2, 0.5, 3)) {
      network.on(on, MathMode.DOUBLE);
      TensorFunction f = (ops, in) -> network.forward(ops, in[0]);
      double[] moved = values(Derivatives.jvp(f, List.of(x), List.of(dx)));
      double[] gradient = values(Derivatives.vjp(f, List.of(x), dy).getFirst());
      assertEquals(dot(dy.toDoubles(), moved), dot(gradient, dx.toDoubles()), 1e-13);
      assertEquals(4, moved.length);
      network
          .named()
          .values()
          .forEach(parameter -> assertNull(parameter.tensor().grad(), parameter.name()));
    }
  }

  private static double dot(double[] a, double[] b) {
    double sum = 0;
    for (int i = 0; i < a.length; i++) {
      sum += a[i] * b[i];
    }
    return sum;
  }

  /** The loss moves along a step of all parameters as their gradients say. */
  @OnEachDevice
  void parametersOfANetworkMove(Place place) {
    try (Device on = place.open();
        Sequential network = network();
        Tape tape = new Tape(on, 3)) {
      network.on(on, MathMode.DOUBLE);
      Tensor x = of(on, sizes(2, 3), 1, -0.5, 2, 0.25, 1.5, -1);
      Tangents tangents = new Tangents(tape);
      for (Parameter parameter : network.named().values()) {
        tangents.set(parameter.tensor(), on.full(DType.F64, parameter.shape(), 0.5));
      }
      Tensor loss = tangents.squaredNorm(network.forward(tangents, x));
      Tensor slope = tangents.of(loss);
      assertNotNull(slope);
      double forward = slope.item();
      tape.backward(loss);
      double reverse = 0;
      for (Parameter parameter : network.named().values()) {
        reverse += 0.5 * Arrays.stream(parameter.tensor().grad().toDoubles()).sum();
      }
      assertEquals(forward, reverse, 1e-13 * Math.abs(forward));
    }
  }

  @Test
  void tangentsNeedNoRecording() {
    try (Tape tape = Tape.inference(device)) {
      Tensor x = vector(2).requiresGrad();
      Tangents tangents = new Tangents(tape).set(x, vector(1));
      Tensor y = tangents.exp(tangents.square(x));
      assertEquals(4 * Math.exp(4), tangents.of(y).item(), 1e-12);
      assertEquals(List.of(), tape.nodes());
      assertNull(tangents.of(tangents.withoutGradient(() -> tangents.square(x))));
      assertNull(tangents.of(vector(1)));
    }
  }

  @Test
  void secondDerivativeComesOfATangent() {
    try (Tape tape = new Tape(device)) {
      Tensor x = vector(2).requiresGrad();
      Tangents tangents = new Tangents(tape).set(x, vector(1));
      Tensor y = tangents.pow(x, 3);
      tape.backward(tangents.of(y));
      assertEquals(12, x.grad().item(), 1e-14); // 6x
    }
  }

  @Test
  void functionsThatPassTheirInputOnOrIgnoreIt() {
    Tensor x = vector(1, 2);
    Tensor v = vector(3, 4);
    TensorFunction identity = (ops, in) -> in[0];
    assertArrayEquals(
        new double[] {3, 4}, values(Derivatives.jvp(identity, List.of(x), List.of(v))));
    assertArrayEquals(new double[] {1, 0, 0, 1}, values(Derivatives.jacobian(identity, x)));
    TensorFunction constant = (ops, in) -> ops.sum(v);
    assertEquals(0, values(Derivatives.jvp(constant, List.of(x), List.of(v)))[0]);
    assertArrayEquals(new double[2], values(Derivatives.jacobian(constant, x)));
    assertArrayEquals(new double[4], values(Derivatives.hessian(constant, x)));
    TensorFunction linear = (ops, in) -> ops.sum(in[0]);
    assertArrayEquals(new double[4], values(Derivatives.hessian(linear, x)));
    TensorFunction detached = (ops, in) -> ops.withoutGradient(() -> ops.square(in[0]));
    assertArrayEquals(new double[4], values(Derivatives.jacobian(detached, x)));
  }

  @Test
  void nothingButTheResultComesOfACall() {
    Tensor x = vector(1, 2).requiresGrad();
    Tensor w = vector(3, 4).requiresGrad();
    Tensor buffer = vector(7, 7);
    TensorFunction f =
        (ops, in) -> {
          ops.assign(buffer, in[0]);
          return ops.sum(ops.square(ops.multiply(w, in[0])));
        };
    long live = device.memory().live();
    assertArrayEquals(new double[] {18, 64}, values(Derivatives.jacobian(f, x)));
    values(Derivatives.jvp(f, List.of(x), List.of(w)));
    values(Derivatives.hessian(f, x));
    assertEquals(live, device.memory().live());
    assertNull(x.grad());
    assertNull(w.grad());
    assertArrayEquals(new double[] {7, 7}, buffer.toDoubles());
  }

  @Test
  void runningValuesStayWhereTheyAre() {
    Tensor mean = vector(5, 5);
    Tensor variance = vector(2, 2);
    Tensor scale = vector(1, 1);
    Tensor x = device.tensor(DType.F64, Shape.of(3, 2), 1, 2, 3, 5, 4, 1);
    TensorFunction norm =
        (ops, in) ->
            ops.squaredNorm(
                ops.apply(new BatchNormOperation(1e-5, 0.5), in[0], scale, scale, mean, variance));
    values(Derivatives.jacobian(norm, x));
    values(Derivatives.jvp(norm, List.of(x), List.of(x)));
    values(Derivatives.hessian(norm, x));
    assertArrayEquals(new double[] {5, 5}, mean.toDoubles());
    assertArrayEquals(new double[] {2, 2}, variance.toDoubles());
  }

  /** Below the end of the slope y is rounded to 1: what a tangent needs is x. */
  @Test
  void hardActivationsSlopeUpToTheirEnd() {
    TensorFunction hardSigmoid = (ops, in) -> ops.hardSigmoid(in[0]);
    TensorFunction hardSwish = (ops, in) -> ops.hardSwish(in[0]);
    for (DType dtype : new DType[] {DType.F32, DType.BF16}) {
      double below = dtype == DType.F32 ? Math.nextDown(3f) : 2.984375;
      Tensor x = device.tensor(dtype, Shape.of(3), below, 3, -below);
      Tensor one = device.tensor(dtype, Shape.of(3), 1, 1, 1);
      double tolerance = 0.01;
      assertArrayEquals(
          new double[] {1.0 / 6, 0, 1.0 / 6},
          values(Derivatives.jvp(hardSigmoid, List.of(x), List.of(one))),
          tolerance);
      assertArrayEquals(
          new double[] {1.5, 1, -0.5},
          values(Derivatives.jvp(hardSwish, List.of(x), List.of(one))),
          tolerance);
    }
  }

  @Test
  void resultsAreOfTheWideTypeOfTheirInput() {
    Tensor x = device.tensor(DType.BF16, Shape.of(2), 1, 2);
    Tensor y = device.tensor(DType.F32, Shape.of(2), 1, 2);
    TensorFunction square = (ops, in) -> ops.square(in[0]);
    assertEquals(DType.F32, Derivatives.jacobian(square, y).dtype());
    assertEquals(DType.F32, Derivatives.jacobian(square, x).dtype());
    assertEquals(DType.F32, Derivatives.jvp(square, List.of(x), List.of(x)).dtype());
    TensorFunction tall = (ops, in) -> ops.concat(0, in[0], ops.square(in[0]));
    assertEquals(DType.F32, Derivatives.jacobian(tall, x).dtype());
    TensorFunction wide = (ops, in) -> tall.apply(ops, new Tensor[] {ops.cast(in[0], DType.F64)});
    assertEquals(DType.F32, Derivatives.jacobian(wide, y).dtype());
    assertEquals(DType.F64, Derivatives.jvp(wide, List.of(y), List.of(y)).dtype());
  }
}
