// SPDX-License-Identifier: Apache-2.0
package dev.weft.device;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.reflect.RecordComponent;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Bytes and operations of kernel calls, counted by hand. */
class CostTest {
  private static final long P = 4096; // a pointer that is not null

  private static Arguments by(
      Kernel kernel, dev.weft.device.Arguments call, long read, long written, double flops) {
    return Arguments.argumentSet(kernel + " " + call, kernel, call, read, written, flops);
  }

  private static dev.weft.device.Arguments gemm(double beta) {
    return new dev.weft.device.Arguments.Gemm(
        P, P, P, 2, 3, 5, 5, 3, 3, false, false, 1, beta, false, false);
  }

  private static dev.weft.device.Arguments relu(long x, long b, boolean accumulate) {
    Nonlinearity relu = Nonlinearity.RELU;
    return new dev.weft.device.Arguments.BiasActivationBackward(
        x, b, P, P, P, 2, 3, relu, 0, accumulate);
  }

  /** float32, 4 bytes an element. */
  static Stream<Arguments> counted() {
    Nonlinearity relu = Nonlinearity.RELU;
    Nonlinearity identity = Nonlinearity.IDENTITY;
    return Stream.of(
        // a (2, 5) and b (5, 3) read, c (2, 3) written, 2 * 2 * 3 * 5 operations
        by(Kernel.GEMM, gemm(0), 4 * (10 + 15), 4 * 6, 60),
        by(Kernel.GEMM, gemm(1), 4 * (10 + 15 + 6), 4 * 6, 60),
        // x (2, 3) and b (3) read, y written; an addition and a comparison an element
        by(
            Kernel.BIAS_ACTIVATION_FORWARD,
            new dev.weft.device.Arguments.BiasActivationForward(P, P, P, 2, 3, relu, 0),
            4 * (6 + 3),
            4 * 6,
            12),
        by(
            Kernel.BIAS_ACTIVATION_FORWARD,
            new dev.weft.device.Arguments.BiasActivationForward(P, P, P, 2, 3, identity, 0),
            4 * (6 + 3),
            4 * 6,
            6),
        by(Kernel.BIAS_ACTIVATION_BACKWARD, relu(0, 0, false), 4 * 12, 4 * 6, 12),
        by(Kernel.BIAS_ACTIVATION_BACKWARD, relu(P, P, true), 4 * (12 + 3 + 6), 4 * 6, 18),
        // the same, and three sums written that add to what was there
        by(
            Kernel.BIAS_ACTIVATION_GRADIENTS,
            new dev.weft.device.Arguments.BiasActivationGradients(
                0, 0, P, P, P, P, 2, 3, 1, relu, 0, true),
            4 * (12 + 3),
            4 * (6 + 3),
            21),
        // logits (2, 5) and two labels read; two losses, two hits and a gradient (2, 5) written
        by(
            Kernel.SOFTMAX_CROSS_ENTROPY,
            new dev.weft.device.Arguments.SoftmaxCrossEntropy(P, P, P, P, P, 2, 5, 0, 0.5),
            4 * 10 + 4 * 2,
            4 * (2 + 2 + 10),
            70),
        // value, gradient and velocity read, value and velocity written
        by(
            Kernel.SGD,
            new dev.weft.device.Arguments.Sgd(P, P, P, 0, P, 7, 0.9, 0, 0, false),
            4 * 21,
            4 * 14,
            28),
        by(
            Kernel.SGD,
            new dev.weft.device.Arguments.Sgd(P, P, 0, 0, P, 7, 0, 0, 0, false),
            4 * 14,
            4 * 7,
            14),
        by(
            Kernel.ADAM,
            new dev.weft.device.Arguments.Adam(P, P, P, P, 0, P, 7, 0.9, 0.999, 1e-8, 0, 0),
            4 * 28,
            4 * 21,
            91),
        // six bytes and two row numbers read, six floats written
        by(
            Kernel.GATHER_ROWS_U8,
            new dev.weft.device.Arguments.GatherRows(P, P, P, P, 2, 3, 9, 1, 0),
            6 + 4 * 2,
            4 * 6,
            12),
        by(
            Kernel.GATHER_ROWS,
            new dev.weft.device.Arguments.GatherRows(P, P, P, P, 2, 3, 9, 1, 0),
            4 * 6 + 4 * 2,
            4 * 6,
            12),
        // a (2, 3) and b (3), which is stretched over the rows
        by(
            Kernel.BINARY_FORWARD,
            new dev.weft.device.Arguments.BinaryForward(
                P, P, P, 1, 1, 2, 3, 0, 0, 3, 1, 0, 0, 0, 1, BinaryFunction.ADD),
            4 * (6 + 3),
            4 * 6,
            6),
        // the columns of (4, 3) added up and added to what is there
        by(
            Kernel.REDUCE,
            new dev.weft.device.Arguments.Reduce(P, P, 1, 4, 3, 1, ReductionFunction.SUM, 1, true),
            4 * (12 + 3),
            4 * 3,
            12 + 3));
  }

  @ParameterizedTest
  @MethodSource("counted")
  void costIsWhatAHandCounts(
      Kernel kernel, dev.weft.device.Arguments call, long read, long written, double flops) {
    Cost cost = Cost.of(kernel, Precision.F32, call);
    assertEquals(new Cost(read, written, flops), cost);
    assertEquals(read + written, cost.bytes());
    if (kernel != Kernel.GATHER_ROWS_U8) {
      assertTrue(Cost.of(kernel, Precision.F64, call).bytes() > 1.7 * cost.bytes());
    }
  }

  /** A hand that forgets an operand does not agree. */
  @Test
  void aForgottenOperandShows() {
    assertNotEquals(
        new Cost(4 * (10 + 15), 4 * 6, 60), Cost.of(Kernel.GEMM, Precision.F32, gemm(1)));
  }

  private static Object two(Class<?> type) {
    if (type.isEnum()) {
      return type.getEnumConstants()[0];
    }
    return type == long.class ? (Object) 2L : type == double.class ? (Object) 2.0 : false;
  }

  @Test
  void costsAddUp() {
    assertEquals(new Cost(5, 7, 9), new Cost(1, 2, 3).plus(new Cost(4, 5, 6)));
    assertEquals(new Cost(1, 2, 3), Cost.NONE.plus(new Cost(1, 2, 3)));
  }

  /** Pointers are there, every number is 2: no kernel may be free, or cost something negative. */
  @ParameterizedTest
  @EnumSource(Kernel.class)
  void everyKernelMovesSomething(Kernel kernel) throws ReflectiveOperationException {
    RecordComponent[] fields = kernel.arguments().getRecordComponents();
    Class<?>[] types = Stream.of(fields).map(RecordComponent::getType).toArray(Class[]::new);
    Object[] values = Stream.of(types).map(CostTest::two).toArray();
    var constructor = kernel.arguments().getDeclaredConstructor(types);
    constructor.setAccessible(true);
    Cost cost = Cost.of(kernel, Precision.F32, constructor.newInstance(values));
    assertTrue(cost.written() > 0, cost::toString);
    assertTrue(cost.read() >= 0 && cost.flops() >= 0, cost::toString);
  }
}
