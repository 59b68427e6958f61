// SPDX-License-Identifier: Apache-2.0
package dev.weft.device;

import static dev.weft.device.Nonlinearity.IDENTITY;
import static dev.weft.device.Nonlinearity.RELU;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weft.bench.kernel.KernelCases;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Bytes and operations of kernel calls, counted by hand. */
class CostTest {
  /** In float32, 4 bytes an element. */
  record Counted(Kernel kernel, Arguments call, long read, long written, double flops) {}

  private static Counted by(Kernel kernel, Arguments call, long read, long written, double flops) {
    return new Counted(kernel, call, read, written, flops);
  }

  private static Arguments gemm(double beta) {
    return Arguments.Gemm.over(2, 3, 5, 5, 3, 3, false, false, 1, beta, false, false, 1, 0, 0, 0);
  }

  private static Arguments forward(Nonlinearity function) {
    return Arguments.BiasActivationForward.over(2, 3, function, 0);
  }

  private static Arguments backward(boolean accumulate) {
    return Arguments.BiasActivationBackward.over(2, 3, RELU, 0, accumulate);
  }

  /** Of a rule over 7 values, with so many operations each. */
  private static Arguments update(int operations) {
    return Arguments.Update.over(7, 4, operations, false, 0.9, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1);
  }

  static Stream<Counted> counted() {
    Arguments gradients = Arguments.BiasActivationGradients.over(2, 3, 1, RELU, 0, true);
    Arguments loss = Arguments.SoftmaxCrossEntropy.over(2, 5, 0, 0.5);
    Arguments momentum = update(4).without("second", "third");
    Arguments adam = update(13).without("third");
    Arguments gather = Arguments.GatherRows.over(2, 3, 9, 1, 0);
    Arguments stretched =
        Arguments.BinaryForward.over(1, 1, 2, 3, 0, 0, 3, 1, 0, 0, 0, 1, BinaryFunction.ADD, 0);
    Arguments columns = Arguments.Reduce.over(1, 4, 3, 1, ReductionFunction.SUM, 1, true);
    return Stream.of(
        // a (2, 5) and b (5, 3) read, c (2, 3) written, 2 * 2 * 3 * 5 operations
        by(Kernel.GEMM, gemm(0), 4 * (10 + 15), 4 * 6, 60),
        by(Kernel.GEMM, gemm(1), 4 * (10 + 15 + 6), 4 * 6, 60),
        // x (2, 3) and b (3) read, y written; an addition and a comparison an element
        by(Kernel.BIAS_ACTIVATION_FORWARD, forward(RELU), 4 * (6 + 3), 4 * 6, 12),
        by(Kernel.BIAS_ACTIVATION_FORWARD, forward(IDENTITY), 4 * (6 + 3), 4 * 6, 6),
        by(Kernel.BIAS_ACTIVATION_BACKWARD, backward(false).without("x", "b"), 4 * 12, 4 * 6, 12),
        by(Kernel.BIAS_ACTIVATION_BACKWARD, backward(true), 4 * (12 + 3 + 6), 4 * 6, 18),
        // the same, and three sums written that add to what was there
        by(
            Kernel.BIAS_ACTIVATION_GRADIENTS,
            gradients.without("x", "b"),
            4 * (12 + 3),
            4 * (6 + 3),
            21),
        // logits (2, 5) and two labels read; two losses, two hits and a gradient (2, 5) written
        by(
            Kernel.SOFTMAX_CROSS_ENTROPY,
            loss.without("weights"),
            4 * 10 + 4 * 2,
            4 * (2 + 2 + 10),
            70),
        // each label's logit is looked for among the five of its row
        by(Kernel.TOP_HITS, Arguments.TopHits.over(2, 5, 3), 4 * 10 + 4 * 2, 4 * 2, 10),
        // value, gradient and velocity read, value and velocity written; of a norm four partial
        // sums
        by(Kernel.SGD, momentum.without("copy", "squares"), 4 * 21, 4 * 14, 28),
        by(Kernel.SGD, momentum.without("copy"), 4 * (21 + 4), 4 * 14, 28),
        by(
            Kernel.SGD,
            update(2).without("first", "second", "third", "copy", "squares"),
            4 * 14,
            4 * 7,
            14),
        by(Kernel.ADAM, adam.without("copy", "squares"), 4 * 28, 4 * 21, 91),
        // five ids and their gradients (5, 3) read, five sums of squares written
        by(Kernel.RUN_SQUARES, Arguments.RunSquares.over(5, 3, 9), 4 * 15 + 4 * 5, 4 * 5, 45),
        // six bytes and two row numbers read, six floats written
        by(Kernel.GATHER_ROWS_U8, gather, 6 + 4 * 2, 4 * 6, 12),
        by(Kernel.GATHER_ROWS, gather, 4 * 6 + 4 * 2, 4 * 6, 12),
        // a (2, 3) and b (3), which is stretched over the rows
        by(Kernel.BINARY_FORWARD, stretched, 4 * (6 + 3), 4 * 6, 6),
        // the columns of (4, 3) added up and added to what is there
        by(Kernel.REDUCE, columns, 4 * (12 + 3), 4 * 3, 12 + 3));
  }

  @ParameterizedTest
  @MethodSource("counted")
  void costIsWhatAHandCounts(Counted by) {
    Cost cost = Cost.of(by.kernel, Precision.F32, by.call);
    assertEquals(new Cost(by.read, by.written, by.flops), cost);
    assertEquals(by.read + by.written, cost.bytes());
    if (by.kernel != Kernel.GATHER_ROWS_U8) {
      assertTrue(Cost.of(by.kernel, Precision.F64, by.call).bytes() > 1.7 * cost.bytes());
    }
  }

  /** A hand that forgets an operand does not agree. */
  @Test
  void aForgottenOperandShows() {
    assertNotEquals(
        new Cost(4 * (10 + 15), 4 * 6, 60), Cost.of(Kernel.GEMM, Precision.F32, gemm(1)));
  }

  @Test
  void costsAddUp() {
    assertEquals(new Cost(5, 7, 9), new Cost(1, 2, 3).plus(new Cost(4, 5, 6)));
    assertEquals(new Cost(1, 2, 3), Cost.NONE.plus(new Cost(1, 2, 3)));
  }

  /** No call is free, or costs something negative; nor is one that is timed. */
  @ParameterizedTest
  @EnumSource(Kernel.class)
  void everyKernelMovesSomething(Kernel kernel) {
    for (var one : KernelCases.of(kernel)) {
      Cost cost = one.cost();
      assertTrue(cost.written() > 0, one + ": " + cost);
      assertTrue(cost.read() >= 0 && cost.flops() >= 0, one + ": " + cost);
    }
  }
}
