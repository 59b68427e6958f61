// SPDX-License-Identifier: Apache-2.0
package dev.weft.op;

import static java.lang.Double.NEGATIVE_INFINITY;
import static java.lang.Double.NaN;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.tngtech.archunit.core.domain.JavaClass;
import dev.weft.DType;
import dev.weft.Device;
import dev.weft.Shape;
import dev.weft.Tape;
import dev.weft.Tensor;
import dev.weft.TensorFunction;
import dev.weft.device.BagFunction;
import dev.weft.device.BinaryFunction;
import dev.weft.device.Nonlinearity;
import dev.weft.device.ReductionFunction;
import dev.weft.device.UnaryFunction;
import dev.weft.support.Broken;
import dev.weft.support.OnEachDevice.Place;
import dev.weft.support.Philox;
import dev.weft.support.Product;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.opentest4j.AssertionFailedError;

/** Values and gradients worked out by hand, or to nine digits with a table of functions. */
class HandWorkedTest {

  /** An input with the gradient that it must get. */
  private record In(Shape shape, double[] values, double[] gradient) {}

  /** A function at given inputs: its result, the dy that is fed back, the gradients. */
  private record Example(
      String name, TensorFunction function, List<In> inputs, double[] y, double[] dy) {
    Example in(double[] values, double[] gradient, long... sizes) {
      List<In> more = new ArrayList<>(inputs);
      more.add(new In(Shape.of(sizes), values, gradient));
      return new Example(name, function, more, y, dy);
    }

    Example gives(double... result) {
      return new Example(name, function, inputs, result, dy);
    }

    Example fedBack(double... upstream) {
      return new Example(name, function, inputs, y, upstream);
    }

    @Override
    public String toString() {
      return name;
    }
  }

  private static Example of(String name, TensorFunction function) {
    return new Example(name, function, List.of(), null, null);
  }

  private static double[] v(double... values) {
    return values;
  }

  private static Example activation(Nonlinearity f, double alpha) {
    return of(f.token(), (tape, in) -> tape.apply(new BiasActivation(f, alpha), in[0]))
        .fedBack(1, 10, 100);
  }

  private static Example unary(UnaryFunction f, double alpha) {
    return of(f.name(), (tape, in) -> tape.apply(new Unary(f, alpha), in[0])).fedBack(1, 10);
  }

  private static Example binary(BinaryFunction f) {
    return of(f.name(), (tape, in) -> tape.apply(new Binary(f), in[0], in[1])).fedBack(1, 10, 100);
  }

  private static Example bag(BagFunction function) {
    return of(
        "embedding bag, " + function.token(),
        (tape, in) ->
            tape.apply(
                new EmbeddingBagOperation(function),
                in[0],
                tape.device().tensor(new int[] {2, 0, 2}),
                tape.device().tensor(new int[] {0, 2, 2})));
  }

  private static Example paddedBag(BagFunction function) {
    return of(
        "padded embedding bag, " + function.token(),
        (tape, in) ->
            tape.apply(
                new EmbeddingBagOperation(function),
                in[0],
                tape.device().tensor(DType.I32, Shape.of(3, 3), 2, -1, 0, -1, -1, -1, -1, -1, 2)));
  }

  /** Rows 2 and 0, none, row 2. */
  private static Example sums(Example bags) {
    return bags.in(v(1, 2, 3, 4, 5, 6), v(1, 10, 0, 0, 10001, 100010), 3, 2)
        .gives(6, 8, 0, 0, 5, 6)
        .fedBack(1, 10, 100, 1000, 10000, 100000);
  }

  /** The same. */
  private static Example means(Example bags) {
    return bags.in(v(1, 2, 3, 4, 5, 6), v(0.5, 5, 0, 0, 10000.5, 100005), 3, 2)
        .gives(3, 4, 0, 0, 5, 6)
        .fedBack(1, 10, 100, 1000, 10000, 100000);
  }

  private static Example reduction(Reduction reduction) {
    return of(reduction.toString(), (tape, in) -> tape.apply(reduction, in[0]));
  }

  static Stream<Example> examples() {
    double[] x = v(-1, 0.5, 2);
    double[] m = v(1, 2, 3, 4, 5, 6);
    return Stream.of(
        activation(Nonlinearity.IDENTITY, 0).in(x, v(1, 10, 100), 3).gives(-1, 0.5, 2),
        // σ' = σ (1 - σ)
        activation(Nonlinearity.SIGMOID, 0)
            .in(x, v(0.196611933, 2.350037122, 10.499358540), 3)
            .gives(0.268941421, 0.622459331, 0.880797078),
        activation(Nonlinearity.TANH, 0)
            .in(x, v(0.419974342, 7.864477330, 7.065082485), 3)
            .gives(-0.761594156, 0.462117157, 0.964027580),
        activation(Nonlinearity.RELU, 0).in(x, v(0, 10, 100), 3).gives(0, 0.5, 2),
        activation(Nonlinearity.LEAKY_RELU, 0.1).in(x, v(0.1, 10, 100), 3).gives(-0.1, 0.5, 2),
        activation(Nonlinearity.ELU, 2)
            .in(x, v(0.735758882, 10, 100), 3)
            .gives(-1.264241118, 0.5, 2),
        activation(Nonlinearity.SOFTPLUS, 0)
            .in(x, v(0.268941421, 6.224593312, 88.079707798), 3)
            .gives(0.313261688, 0.974076984, 2.126928011),
        // x Φ(x), Φ(x) + x φ(x)
        activation(Nonlinearity.GELU, 0)
            .in(x, v(-0.083315471, 8.674951246, 108.523180107), 3)
            .gives(-0.158655254, 0.345731231, 1.954499736),
        activation(Nonlinearity.SILU, 0)
            .in(x, v(0.072329488, 7.399611873, 109.078424878), 3)
            .gives(-0.268941421, 0.311229666, 1.761594156),
        of(
                "bias and ReLU",
                (tape, in) -> tape.apply(new BiasActivation(Nonlinearity.RELU, 0), in[0], in[1]))
            .in(v(1, -2, 3, 4), v(1, 0, 0, 1000), 2, 2)
            .in(v(-0.5, -3), v(1, 1000), 2)
            .gives(0.5, 0, 2.5, 1)
            .fedBack(1, 10, 0, 1000),
        unary(UnaryFunction.SCALE, -3).in(v(2, 5), v(-3, -30), 2).gives(-6, -15),
        unary(UnaryFunction.SHIFT, -3).in(v(2, 5), v(1, 10), 2).gives(-1, 2),
        unary(UnaryFunction.EXP, 0).in(v(0, 1), v(1, 27.182818285), 2).gives(1, 2.718281828),
        unary(UnaryFunction.LOG, 0).in(v(1, 4), v(1, 2.5), 2).gives(0, 1.386294361),
        unary(UnaryFunction.SQUARE, 0).in(v(3, -5), v(6, -100), 2).gives(9, 25),
        unary(UnaryFunction.SQRT, 0).in(v(4, 25), v(0.25, 1), 2).gives(2, 5),
        unary(UnaryFunction.POW, 3).in(v(2, -1), v(12, 30), 2).gives(8, -1),
        unary(UnaryFunction.POW, 0).in(v(2, 0), v(0, 0), 2).gives(1, 1),
        unary(UnaryFunction.RECIPROCAL, 0).in(v(2, -4), v(-0.25, -0.625), 2).gives(0.5, -0.25),
        unary(UnaryFunction.ABS, 0).in(v(-2, 0), v(-1, 0), 2).gives(2, 0),
        binary(BinaryFunction.ADD)
            .in(v(1, 2, 3), v(1, 10, 100), 3)
            .in(v(5, 6, 7), v(1, 10, 100), 3)
            .gives(6, 8, 10),
        binary(BinaryFunction.SUBTRACT)
            .in(v(1, 2, 3), v(1, 10, 100), 3)
            .in(v(5), v(-111), 1)
            .gives(-4, -3, -2),
        binary(BinaryFunction.MULTIPLY)
            .in(v(2), v(5 + 60 + 700), 1)
            .in(v(5, 6, 7), v(2, 20, 200), 3)
            .gives(10, 12, 14),
        binary(BinaryFunction.DIVIDE)
            .in(v(1, 2, 3), v(0.5, 2.5, 12.5), 3)
            .in(v(2, 4, 8), v(-0.25, -1.25, -4.6875), 3)
            .gives(0.5, 0.5, 0.375),
        // the tie at 2 is shared
        binary(BinaryFunction.MAXIMUM)
            .in(v(1, 2, 3), v(0, 5, 100), 3)
            .in(v(4, 2, 0), v(1, 5, 0), 3)
            .gives(4, 2, 3),
        binary(BinaryFunction.MINIMUM)
            .in(v(1, 2, 3), v(1, 5, 0), 3)
            .in(v(4, 2, 0), v(0, 5, 100), 3)
            .gives(1, 2, 0),
        of("outer sum", (tape, in) -> tape.add(in[0], in[1]))
            .in(v(1, 2), v(111, 111000), 2, 1)
            .in(v(10, 20, 30), v(1001, 10010, 100100), 3)
            .gives(11, 21, 31, 12, 22, 32)
            .fedBack(1, 10, 100, 1000, 10000, 100000),
        reduction(new Reduction(ReductionFunction.SUM))
            .in(m, v(2, 2, 2, 2, 2, 2), 2, 3)
            .gives(21)
            .fedBack(2),
        reduction(new Reduction(ReductionFunction.SUM, 0))
            .in(m, v(1, 10, 100, 1, 10, 100), 2, 3)
            .gives(5, 7, 9)
            .fedBack(1, 10, 100),
        reduction(new Reduction(ReductionFunction.SUM, 1))
            .in(m, v(1, 10, 1, 10, 1, 10), 1, 3, 2)
            .gives(9, 12)
            .fedBack(1, 10),
        reduction(new Reduction(ReductionFunction.MEAN, -1))
            .in(m, v(1, 1, 1, 10, 10, 10), 2, 3)
            .gives(2, 5)
            .fedBack(3, 30),
        // 7 twice: each gets half
        reduction(new Reduction(ReductionFunction.MAX))
            .in(v(7, 1, 7, 2), v(2, 0, 2, 0), 4)
            .gives(7)
            .fedBack(4),
        reduction(new Reduction(ReductionFunction.SUM_OF_SQUARES))
            .in(v(3, -4), v(18, -24), 2)
            .gives(25)
            .fedBack(3),
        // [1 2; 3 4] [5; 6] = [17; 39]
        of("matrix-vector", (tape, in) -> tape.matmul(in[0], in[1]))
            .in(v(1, 2, 3, 4), v(5, 6, 50, 60), 2, 2)
            .in(v(5, 6), v(31, 42), 2, 1)
            .gives(17, 39)
            .fedBack(1, 10),
        of(
                "aᵀ bᵀ",
                (tape, in) ->
                    tape.apply(
                        new MatMul(MatMul.Form.TRANSPOSED, MatMul.Form.TRANSPOSED), in[0], in[1]))
            .in(v(1, 3, 2, 4), v(5, 50, 6, 60), 2, 2)
            .in(v(5, 6), v(31, 42), 1, 2)
            .gives(17, 39)
            .fedBack(1, 10),
        of("transpose", (tape, in) -> tape.transpose(in[0]))
            .in(m, v(1, 100, 10000, 10, 1000, 100000), 2, 3)
            .gives(1, 4, 2, 5, 3, 6)
            .fedBack(1, 10, 100, 1000, 10000, 100000),
        of("reshape", (tape, in) -> tape.reshape(in[0], 4))
            .in(v(1, 2, 3, 4), v(1, 10, 100, 1000), 2, 2)
            .gives(1, 2, 3, 4)
            .fedBack(1, 10, 100, 1000),
        of("slice", (tape, in) -> tape.slice(in[0], 1, 1, 3))
            .in(m, v(0, 1, 10, 0, 100, 1000), 2, 3)
            .gives(2, 3, 5, 6)
            .fedBack(1, 10, 100, 1000),
        of("concat", (tape, in) -> tape.concat(1, in[0], in[1]))
            .in(v(1, 2), v(1, 1000), 2, 1)
            .in(v(3, 4, 5, 6), v(10, 100, 10000, 100000), 2, 2)
            .gives(1, 3, 4, 2, 5, 6)
            .fedBack(1, 10, 100, 1000, 10000, 100000),
        // row 2 twice, row 1 never
        of("gather", (tape, in) -> tape.gather(in[0], tape.device().tensor(new int[] {2, 0, 2})))
            .in(m, v(100, 1000, 0, 0, 10001, 100010), 3, 2)
            .gives(5, 6, 1, 2, 5, 6)
            .fedBack(1, 10, 100, 1000, 10000, 100000),
        of(
                "gather of a matrix of rows",
                (tape, in) ->
                    tape.gather(in[0], tape.device().tensor(DType.I32, Shape.of(2, 2), 1, 1, 0, 1)))
            .in(v(1, 2), v(100, 1011), 2, 1)
            .gives(2, 2, 1, 2)
            .fedBack(1, 10, 100, 1000),
        sums(bag(BagFunction.SUM)),
        sums(paddedBag(BagFunction.SUM)),
        means(bag(BagFunction.MEAN)),
        means(paddedBag(BagFunction.MEAN)),
        // along a path of 0.9, 0.95, 0.65 and 1 - 0.8: -ln 0.11115; the errors are p - 1, at last p
        of(
                "path loss",
                (tape, in) ->
                    tape.pathLosses(
                        in[0], in[1], tape.device().tensor(DType.I32, Shape.of(1, 4), 0, 2, 4, 7)))
            .in(v(1), v(5.254273592617904), 1, 1)
            .in(
                v(2.1972245773362196, 2.9444389791664394, 0.6190392084062236, 1.3862943611198908),
                v(-1, -0.5, -3.5, 8),
                4,
                1)
            .gives(2.1968746385719315)
            .fedBack(10),
        // softmax(0, ln 3) = (1/4, 3/4); labels 1 and 0; the mean of ln 4/3 and ln 4
        of(
                "softmax cross-entropy",
                (tape, in) ->
                    tape.softmaxCrossEntropy(in[0], tape.device().tensor(new int[] {1, 0})))
            .in(v(0, Math.log(3), 0, Math.log(3)), v(1, -1, -3, 3), 2, 2)
            .gives((Math.log(4.0 / 3) + Math.log(4)) / 2)
            .fedBack(8),
        // mean 2, variance 1, so n = (-0.5, 0.5); g = (2, 40), whose mean is 21, that of g n 9.5
        of("layer norm", (tape, in) -> tape.layerNorm(in[0], in[1], in[2], 3))
            .in(v(1, 3), v(-7.125, 7.125), 1, 2)
            .in(v(2, 4), v(-0.5, 5), 2)
            .in(v(10, 20), v(1, 10), 2)
            .gives(9, 22)
            .fedBack(1, 10),
        // the same mean and variance; the mean of dy is 5.5, that of dy n 2.25
        of("batch norm", (tape, in) -> tape.batchNorm(in[0], in[1], in[2], 3))
            .in(v(1, 3), v(-3.375, 3.375), 2, 1)
            .in(v(2), v(4.5), 1)
            .in(v(5), v(11), 1)
            .gives(4, 6)
            .fedBack(1, 10),
        // the sum of dy y is 7.75, that of dy 11
        of("softmax", (tape, in) -> tape.softmax(in[0]))
            .in(v(0, Math.log(3)), v(-1.6875, 1.6875), 2)
            .gives(0.25, 0.75)
            .fedBack(1, 10),
        of("log softmax of a column", (tape, in) -> tape.logSoftmax(in[0], 0))
            .in(v(0, Math.log(3)), v(-1.75, 1.75), 2, 1)
            .gives(Math.log(0.25), Math.log(0.75))
            .fedBack(1, 10),
        // q = (0.1, 0.9)
        of(
                "smoothed softmax cross-entropy",
                (tape, in) ->
                    tape.apply(
                        new SoftmaxCrossEntropyOperation(0.2),
                        in[0],
                        tape.device().tensor(new int[] {1})))
            .in(v(0, Math.log(3)), v(0.15, -0.15), 1, 2)
            .gives(0.1 * Math.log(4) + 0.9 * Math.log(4.0 / 3))
            .fedBack(1),
        activation(Nonlinearity.HARD_SIGMOID, 0)
            .in(v(-1.5, 9, 0), v(1.0 / 6, 0, 100.0 / 6), 3)
            .gives(0.25, 1, 0.5),
        activation(Nonlinearity.HARD_TANH, 0).in(v(-3, 0.5, 2), v(0, 10, 0), 3).gives(-1, 0.5, 1),
        activation(Nonlinearity.HARD_SWISH, 0)
            .in(v(-4, 1.5, 5), v(0, 10, 100), 3)
            .gives(0, 1.125, 5),
        unary(UnaryFunction.AT_LEAST, 2).in(v(1, 2), v(0, 10), 2).gives(2, 2),
        unary(UnaryFunction.AT_MOST, 2).in(v(2, 3), v(1, 0), 2).gives(2, 2),
        unary(UnaryFunction.ERF, 0)
            .in(v(0, -0.5), v(2 / Math.sqrt(Math.PI), 8.7878257893544476), 2)
            .gives(0, -0.52049987781304654),
        unary(UnaryFunction.NORM_ROOT, 0).in(v(0, 4), v(0, 2.5), 2).gives(0, 2),
        binary(BinaryFunction.GREATER)
            .in(x, v(0, 0, 0), 3)
            .in(v(-1, 0, 3), v(0, 0, 0), 3)
            .gives(0, 1, 0),
        binary(BinaryFunction.GREATER_OR_EQUAL)
            .in(x, v(0, 0, 0), 3)
            .in(v(-1, 0, 3), v(0, 0, 0), 3)
            .gives(1, 1, 0),
        binary(BinaryFunction.EQUAL)
            .in(x, v(0, 0, 0), 3)
            .in(v(-1, 0, 3), v(0, 0, 0), 3)
            .gives(1, 0, 0),
        binary(BinaryFunction.KEEP)
            .in(x, v(1, 0, 100), 3)
            .in(v(-1, 0, 3), v(0, 0, 0), 3)
            .gives(-1, 0, 2),
        binary(BinaryFunction.DROP)
            .in(x, v(0, 10, 0), 3)
            .in(v(-1, 0, 3), v(0, 0, 0), 3)
            .gives(0, 0.5, 0),
        // what is not taken may be anything
        of(
                "where",
                (tape, in) ->
                    tape.where(
                        tape.device().tensor(in[0].dtype(), Shape.of(3), 1, 0, -2), in[0], in[1]))
            .in(v(1, NaN, 3), v(1, 0, 100), 3)
            .in(v(NaN, 5, NEGATIVE_INFINITY), v(0, 10, 0), 3)
            .gives(1, 5, 3)
            .fedBack(1, 10, 100),
        of(
                "masked fill",
                (tape, in) ->
                    tape.maskedFill(
                        in[0],
                        tape.device().tensor(in[0].dtype(), Shape.of(3), 0, 1, 0),
                        NEGATIVE_INFINITY))
            .in(x, v(1, 0, 100), 3)
            .gives(-1, NEGATIVE_INFINITY, 2)
            .fedBack(1, 10, 100),
        of("clamp", (tape, in) -> tape.clamp(in[0], -1, 1))
            .in(v(-2, -1, 0, 1, 2), v(0, 10, 100, 1000, 0), 5)
            .gives(-1, -1, 0, 1, 1)
            .fedBack(1, 10, 100, 1000, 10000),
        of("prelu", (tape, in) -> tape.prelu(in[0], in[1]))
            .in(v(-2, 3, 4, -6), v(0.5, 10, 100, 250), 2, 2)
            .in(v(0.5, 0.25), v(-2, -6000), 2)
            .gives(-1, 3, 4, -1.5)
            .fedBack(1, 10, 100, 1000),
        of("maxout", (tape, in) -> tape.maxout(in[0], 2))
            .in(v(1, 2, 3, 4, 6, 5), v(0, 0, 0, 1, 10, 100), 1, 6)
            .gives(4, 6, 5)
            .fedBack(1, 10, 100),
        of("variance", (tape, in) -> tape.variance(in[0]))
            .in(v(1, 2, 6), v(-4.0 / 3, -2.0 / 3, 2), 3)
            .gives(14.0 / 3)
            .fedBack(1),
        of("variance of a sample", (tape, in) -> tape.sampleVariance(in[0]))
            .in(v(1, 2, 6), v(-2, -1, 3), 3)
            .gives(7)
            .fedBack(1),
        // a row of nothing but 0 has no gradient
        of("norm", (tape, in) -> tape.norm(in[0], 1))
            .in(v(3, 4, 0, 0), v(0.6, 0.8, 0, 0), 2, 2)
            .gives(5, 0)
            .fedBack(1, 10),
        of("log of a sum of powers", (tape, in) -> tape.logSumExp(in[0], -1))
            .in(
                v(Math.log(1), Math.log(3), 1000, 1000, NEGATIVE_INFINITY, 0),
                v(0.25, 0.75, 5, 5, 0, 100),
                3,
                2)
            .gives(Math.log(4), 1000 + Math.log(2), 0)
            .fedBack(1, 10, 100),
        of("permute", (tape, in) -> tape.permute(in[0], 2, 0, 1))
            .in(m, v(1, 1000, 10, 10000, 100, 100000), 3, 1, 2)
            .gives(1, 3, 5, 2, 4, 6)
            .fedBack(1, 10, 100, 1000, 10000, 100000),
        of("broadcast to", (tape, in) -> tape.broadcastTo(in[0], 2, 2, 2))
            .in(v(1, 2), v(110011, 11001100), 2, 1)
            .gives(1, 1, 2, 2, 1, 1, 2, 2)
            .fedBack(1, 10, 100, 1000, 10000, 100000, 1000000, 10000000),
        of("cumulative sum", (tape, in) -> tape.cumulativeSum(in[0], 1))
            .in(m, v(111, 110, 100, 111000, 110000, 100000), 2, 3)
            .gives(1, 3, 6, 4, 9, 15)
            .fedBack(1, 10, 100, 1000, 10000, 100000),
        // one entry twice
        of(
                "gather along",
                (tape, in) ->
                    tape.gatherAlong(
                        in[0], 1, tape.device().tensor(DType.I32, Shape.of(2, 2), 2, 2, 0, 1)))
            .in(m, v(0, 0, 11, 100, 1000, 0), 2, 3)
            .gives(3, 3, 4, 5)
            .fedBack(1, 10, 100, 1000),
        // one entry twice, and a place that is not there
        of(
                "scatter add",
                (tape, in) ->
                    tape.scatterAdd(
                        in[0], 0, tape.device().tensor(DType.I32, Shape.of(3, 1), 1, 2, 1), in[1]))
            .in(v(1, 2), v(1, 10), 2, 1)
            .in(v(10, 100, 1000), v(10, 0, 10), 3, 1)
            .gives(1, 1012)
            .fedBack(1, 10),
        of("products of a batch", (tape, in) -> tape.matmul(in[0], in[1]))
            .in(v(1, 2, 3, 4), v(53, 64, 530, 640), 2, 1, 2)
            .in(v(3, 5, 4, 6), v(31, 310, 42, 420), 2, 2)
            .gives(11, 17, 25, 39)
            .fedBack(1, 10, 10, 100),
        of("mean squared error", (tape, in) -> tape.meanSquaredError(in[0], in[1]))
            .in(v(1, 2), v(-2, 4), 2)
            .in(v(3, -2), v(2, -4), 2)
            .gives(10)
            .fedBack(1),
        // KL(q || softmax(0, ln 3)) with q = (1/2, 1/2)
        of(
                "divergence",
                (tape, in) ->
                    tape.klDivergence(
                        in[0], tape.device().tensor(in[0].dtype(), Shape.of(1, 2), 0.5, 0.5)))
            .in(v(0, Math.log(3)), v(-0.25, 0.25), 1, 2)
            .gives(0.5 * Math.log(2) + 0.5 * Math.log(2.0 / 3))
            .fedBack(1),
        // the label's score is 2: 1.5 + 1 - 2 and 1.5 + 2 - 2 are above 0, 1.5 + 0.25 - 2 is not
        of(
                "multi-class hinge",
                (tape, in) -> tape.multiClassHinge(in[0], tape.device().tensor(new int[] {1}), 1.5))
            .in(v(1, 2, 2, 0.25), v(10, -20, 10, 0), 1, 4)
            .gives(0.5 + 1.5)
            .fedBack(10),
        dropout());
  }

  /**
   * bfloat16 keeps 8 bits: 1 + 2⁻⁸ lies between 1 and 1 + 2⁻⁷ and goes to the even one, 1 + 3 2⁻⁸
   * to 1 + 2⁻⁶. A gradient of 257 becomes 256 on its way.
   */
  @ParameterizedTest
  @EnumSource(Place.class)
  void castsComeOut(Place place) {
    try (Device device = place.open();
        Tape tape = new Tape(device)) {
      Tensor x = device.tensor(DType.F32, Shape.of(3), 1 + 0x1p-8, 1 + 3 * 0x1p-8, -3.25);
      Tensor y = tape.cast(x.requiresGrad(), DType.BF16);
      assertEquals(DType.BF16, y.dtype());
      assertArrayEquals(v(1, 1 + 0x1p-6, -3.25), y.toDoubles());
      tape.backward(y, device.tensor(DType.BF16, Shape.of(3), 1, 257, -2));
      assertArrayEquals(v(1, 256, -2), x.grad().toDoubles());
    }
  }

  /** The mask of seed 6, from the second Philox; the values by hand. */
  private static Example dropout() {
    double[] factors = Philox.dropoutFactors(6, 0, 0, 4, 0.5);
    double[] x = v(1, -2, 3, -4);
    double[] y = new double[4];
    double[] dx = new double[4];
    for (int i = 0; i < 4; i++) {
      y[i] = factors[i] == 0 ? 0 : 2 * x[i];
      dx[i] = factors[i] == 0 ? 0 : 2 * Math.pow(10, i);
    }
    return of("dropout", (tape, in) -> tape.dropout(in[0], 0.5))
        .in(x, dx, 4)
        .gives(y)
        .fedBack(1, 10, 100, 1000);
  }

  static Stream<Arguments> onEachDevice() {
    return Stream.of(Place.values()).flatMap(place -> examples().map(e -> Arguments.of(e, place)));
  }

  @ParameterizedTest(name = "{0} on {1}")
  @MethodSource("onEachDevice")
  void comesOut(Example example, Place place) {
    try (Device device = place.open()) {
      run(example, device, DType.F64, 1e-9);
      run(example, device, DType.F32, 1e-5);
    }
  }

  private static void run(Example example, Device device, DType dtype, double tolerance) {
    Tensor[] in =
        example.inputs.stream()
            .map(i -> device.tensor(dtype, i.shape, i.values).requiresGrad())
            .toArray(Tensor[]::new);
    try (Tape tape = new Tape(device, 6)) {
      Tensor y = example.function.apply(tape, in);
      close("y", example.y, y.toDoubles(), tolerance);
      tape.backward(y, device.tensor(dtype, y.shape(), example.dy));
      for (int i = 0; i < in.length; i++) {
        close("dx " + i, example.inputs.get(i).gradient, in[i].grad().toDoubles(), tolerance);
      }
    }
  }

  private static void close(String what, double[] expected, double[] actual, double tolerance) {
    double size = Arrays.stream(expected).filter(Double::isFinite).map(Math::abs).max().orElse(0);
    assertArrayEquals(expected, actual, tolerance * Math.max(1, size), what);
  }

  /** CastTest, KernelTest, PathLossTest, LossTest. */
  private static final Set<String> ALONE =
      Set.of("Cast", "TopHits", "TopK", "OneHot", "NegativeSamples", "LabelWeights");

  @Test
  void everyOperationIsHere() {
    Set<String> covered = operationsOf(examples());
    List<String> missing =
        Product.classes("dev.weft").stream()
            .filter(type -> type.isAssignableTo(Operation.class) && !type.isInterface())
            .map(JavaClass::getSimpleName)
            .filter(name -> !covered.contains(name) && !ALONE.contains(name))
            .toList();
    assertEquals(List.of(), missing);
  }

  private static Set<String> operationsOf(Stream<Example> examples) {
    try (Device device = Device.cpu();
        Tape tape = new Tape(device)) {
      examples.forEach(
          example ->
              example.function.apply(
                  tape,
                  example.inputs.stream()
                      .map(i -> device.tensor(DType.F64, i.shape, i.values).requiresGrad())
                      .toArray(Tensor[]::new)));
      return tape.nodes().stream()
          .map(node -> node.operation().getClass().getSimpleName())
          .collect(Collectors.toSet());
    }
  }

  /** The check itself must notice a wrong operation. */
  @ParameterizedTest
  @EnumSource(
      value = Broken.Fault.class,
      names = {"NONE", "OVERWRITES"},
      mode = EnumSource.Mode.EXCLUDE)
  void brokenOperationFails(Broken.Fault fault) {
    Example square =
        of("square", (tape, in) -> tape.apply(new Broken(fault), in[0]))
            .in(v(3, -5), v(6, -100), 2)
            .gives(9, 25)
            .fedBack(1, 10);
    try (Device cpu = Device.cpu()) {
      boolean failed = false;
      try {
        run(square, cpu, DType.F64, 1e-9);
      } catch (AssertionFailedError expected) {
        failed = true;
      }
      assertTrue(failed, fault + " went unnoticed");
    }
  }
}
