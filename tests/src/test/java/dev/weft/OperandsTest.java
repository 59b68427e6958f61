// SPDX-License-Identifier: Apache-2.0
package dev.weft;

import static dev.weft.format.Format.format;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weft.check.Input;
import dev.weft.check.OperationCase;
import dev.weft.check.OperationCases;
import dev.weft.device.BinaryFunction;
import dev.weft.nn.MeanSquaredError;
import dev.weft.nn.SumOfSquares;
import dev.weft.op.Operands;
import dev.weft.op.Operation;
import java.lang.reflect.Method;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Every operation and every method of {@link Operations}, applied to inputs of every type, of wrong
 * shapes, closed and of another device: the right value, or a refusal that leaves nothing behind.
 * Long, because each method has its row.
 */
class OperandsTest {
  private static final Set<DType> FLOATING = Set.of(DType.F32, DType.F64, DType.BF16);

  private Device device;
  private Device other;

  @BeforeEach
  void open() {
    device = Device.cpu();
    other = Device.cpu();
  }

  @AfterEach
  void close() {
    assertEquals(0, device.memory().live());
    device.close();
    other.close();
  }

  /**
   * Something to apply.
   *
   * @param method its signature, or the case's name
   * @param says what its messages begin with
   * @param roles for each input f (floating, all the same), c (likewise, without a gradient), i
   *     (int32) or * (any type)
   * @param shapes the shapes of its inputs
   * @param wrong shapes of inputs that do not fit; empty where all do
   */
  record Row(
      String method,
      String says,
      String roles,
      TensorFunction function,
      List<Shape> shapes,
      List<Shape> wrong) {

    Row wrong(Shape... shapes) {
      return new Row(method, says, roles, function, this.shapes, List.of(shapes));
    }

    boolean fits(DType... types) {
      DType floating = null;
      for (int i = 0; i < types.length; i++) {
        switch (roles.charAt(i)) {
          case 'f', 'c' -> {
            if (!FLOATING.contains(types[i]) || floating != null && floating != types[i]) {
              return false;
            }
            floating = types[i];
          }
          case 'i' -> {
            if (types[i] != DType.I32) {
              return false;
            }
          }
          default -> {}
        }
      }
      return true;
    }

    /** Types that fit, where floating ones are {@code dtype}. */
    DType[] types(DType dtype) {
      return roles.chars().mapToObj(role -> role == 'i' ? DType.I32 : dtype).toArray(DType[]::new);
    }

    @Override
    public String toString() {
      return method;
    }
  }

  private static Row row(
      String method, String says, String roles, TensorFunction function, Shape... shapes) {
    return new Row(method, says, roles, function, List.of(shapes), List.of());
  }

  private static final Shape M = Shape.of(2, 3);

  private static Row unary(String method, String says, TensorFunction function) {
    return row(method, says, "f", function, M);
  }

  /** A loss of values. */
  private static Row values(String method, String says, String roles, TensorFunction function) {
    return row(method, says, roles, function, M, M).wrong(M, Shape.of(3));
  }

  /** A loss of values, or of distributions, whose rows are weighted. */
  private static Row weighted(String method, String says, String roles, TensorFunction function) {
    return row(method, says, roles, function, M, M, Shape.of(2)).wrong(M, M, Shape.of(3));
  }

  private static Row binary(String name, TensorFunction function) {
    return row(name + "(Tensor,Tensor)", "binary_" + name, "ff", function, M, Shape.of(3))
        .wrong(M, Shape.of(2));
  }

  private static Row comparison(String method, String token, TensorFunction function) {
    return row(method + "(Tensor,Tensor)", "binary_" + token, "ff", function, M, Shape.of(3))
        .wrong(M, Shape.of(2));
  }

  private static Row several(String name, String says, TensorFunction function) {
    return unary(name + "(Tensor,int[])", says, function);
  }

  private static Row bag(String name, String says, TensorFunction function) {
    return row(name + "(Tensor,Tensor)", says, "fi", function, Shape.of(5, 2), Shape.of(3, 4))
        .wrong(Shape.of(5, 2), Shape.of());
  }

  private static Row bagByOffsets(String name, String says, TensorFunction function) {
    String method = name + "(Tensor,Tensor,Tensor)";
    return row(method, says, "fii", function, Shape.of(5, 2), Shape.of(4), Shape.of(1))
        .wrong(Shape.of(5, 2), Shape.of(4), Shape.of(2, 1));
  }

  /** A row for each method of {@link Operations} that takes tensors and gives one. */
  static List<Row> methods() {
    return List.of(
        binary("add", (t, in) -> t.add(in[0], in[1])),
        binary("subtract", (t, in) -> t.subtract(in[0], in[1])),
        binary("multiply", (t, in) -> t.multiply(in[0], in[1])),
        binary("divide", (t, in) -> t.divide(in[0], in[1])),
        binary("maximum", (t, in) -> t.maximum(in[0], in[1])),
        binary("minimum", (t, in) -> t.minimum(in[0], in[1])),
        comparison("greater", "greater", (t, in) -> t.greater(in[0], in[1])),
        comparison("greaterOrEqual", "greater_or_equal", (t, in) -> t.greaterOrEqual(in[0], in[1])),
        comparison("less", "greater", (t, in) -> t.less(in[0], in[1])),
        comparison("lessOrEqual", "greater_or_equal", (t, in) -> t.lessOrEqual(in[0], in[1])),
        comparison("equal", "equal", (t, in) -> t.equal(in[0], in[1])),
        comparison("notEqual", "equal", (t, in) -> t.notEqual(in[0], in[1])),
        unary("not(Tensor)", "unary_scale", (t, in) -> t.not(in[0])),
        row(
                "where(Tensor,Tensor,Tensor)",
                "where",
                "fff",
                (t, in) -> t.where(in[0], in[1], in[2]),
                M,
                Shape.of(3),
                Shape.of())
            .wrong(M, Shape.of(3), Shape.of(2)),
        row(
                "maskedFill(Tensor,Tensor,double)",
                "binary_drop",
                "ff",
                (t, in) -> t.maskedFill(in[0], in[1], 7),
                M,
                Shape.of(3))
            .wrong(M, Shape.of(2)),
        row("prelu(Tensor,Tensor)", "prelu", "ff", (t, in) -> t.prelu(in[0], in[1]), M, Shape.of(3))
            .wrong(M, Shape.of(2)),
        unary("maxout(Tensor,int)", "maxout", (t, in) -> t.maxout(in[0], 3)).wrong(Shape.of(3, 2)),
        unary("clamp(Tensor,double,double)", "unary_at_least", (t, in) -> t.clamp(in[0], 1.5, 2.5)),
        unary("erf(Tensor)", "unary_erf", (t, in) -> t.erf(in[0])),
        unary(
            "hardSigmoid(Tensor)", "bias_activation_hard_sigmoid", (t, in) -> t.hardSigmoid(in[0])),
        unary("hardTanh(Tensor)", "bias_activation_hard_tanh", (t, in) -> t.hardTanh(in[0])),
        unary("hardSwish(Tensor)", "bias_activation_hard_swish", (t, in) -> t.hardSwish(in[0])),
        several("sum", "reduce_sum", (t, in) -> t.sum(in[0], 0, 1)).wrong(Shape.of(2)),
        several("mean", "reduce_mean", (t, in) -> t.mean(in[0], 0, 1)).wrong(Shape.of(2)),
        several("max", "reduce_max", (t, in) -> t.max(in[0], 0, 1)).wrong(Shape.of(2)),
        several("min", "reduce_min", (t, in) -> t.min(in[0], 0, 1)).wrong(Shape.of(2)),
        several("squaredNorm", "reduce_sum_of_squares", (t, in) -> t.squaredNorm(in[0], 0, 1))
            .wrong(Shape.of(2)),
        several("norm", "norm", (t, in) -> t.norm(in[0], 0, 1)).wrong(Shape.of(2)),
        several("variance", "variance", (t, in) -> t.variance(in[0])).wrong(Shape.of(0, 2)),
        several("sampleVariance", "variance", (t, in) -> t.sampleVariance(in[0]))
            .wrong(Shape.of(1, 1)),
        several("logSumExp", "log_sum_exp", (t, in) -> t.logSumExp(in[0], 1)).wrong(Shape.of(2)),
        unary("cumulativeSum(Tensor,int)", "cumulative_sum", (t, in) -> t.cumulativeSum(in[0], 1))
            .wrong(Shape.of(2)),
        unary("argmax(Tensor,int)", "top_k", (t, in) -> t.argmax(in[0], 0)).wrong(Shape.of(0, 2)),
        unary("topK(Tensor,int,int)", "top_k", (t, in) -> t.topK(in[0], 1, 2))
            .wrong(Shape.of(3, 1)),
        unary("transpose(Tensor,int,int)", "permute", (t, in) -> t.transpose(in[0], 0, 1))
            .wrong(Shape.of(2)),
        unary("permute(Tensor,int[])", "permute", (t, in) -> t.permute(in[0], 1, 0))
            .wrong(Shape.of(2)),
        unary(
                "broadcastTo(Tensor,long[])",
                "broadcast_to",
                (t, in) -> t.broadcastTo(in[0], 4, 2, 3))
            .wrong(Shape.of(2, 2)),
        row("stack(int,Tensor[])", "stack", "fff", (t, in) -> t.stack(1, in), M, M, M)
            .wrong(M, M, Shape.of(2, 2)),
        row(
                "gatherAlong(Tensor,int,Tensor)",
                "gather_along",
                "fi",
                (t, in) -> t.gatherAlong(in[0], 0, in[1]),
                Shape.of(5, 2),
                Shape.of(3, 2))
            .wrong(Shape.of(5, 2), Shape.of(3, 3)),
        row(
                "scatterAdd(Tensor,int,Tensor,Tensor)",
                "scatter_add",
                "fif",
                (t, in) -> t.scatterAdd(in[0], 0, in[1], in[2]),
                Shape.of(5, 2),
                Shape.of(3, 2),
                Shape.of(3, 2))
            .wrong(Shape.of(5, 2), Shape.of(3, 3), Shape.of(3, 3)),
        row("oneHot(Tensor,int)", "one_hot", "i", (t, in) -> t.oneHot(in[0], 5), M),
        row(
            "oneHot(Tensor,int,DType)",
            "one_hot",
            "i",
            (t, in) -> t.oneHot(in[0], 5, DType.F64),
            M),
        unary("scale(Tensor,double)", "unary_scale", (t, in) -> t.scale(in[0], 2)),
        unary("shift(Tensor,double)", "unary_shift", (t, in) -> t.shift(in[0], 2)),
        unary("negate(Tensor)", "unary_scale", (t, in) -> t.negate(in[0])),
        unary("exp(Tensor)", "unary_exp", (t, in) -> t.exp(in[0])),
        unary("log(Tensor)", "unary_log", (t, in) -> t.log(in[0])),
        unary("square(Tensor)", "unary_square", (t, in) -> t.square(in[0])),
        unary("sqrt(Tensor)", "unary_sqrt", (t, in) -> t.sqrt(in[0])),
        unary("pow(Tensor,double)", "unary_pow", (t, in) -> t.pow(in[0], 2.5)),
        unary("reciprocal(Tensor)", "unary_reciprocal", (t, in) -> t.reciprocal(in[0])),
        unary("abs(Tensor)", "unary_abs", (t, in) -> t.abs(in[0])),
        unary("sigmoid(Tensor)", "bias_activation_sigmoid", (t, in) -> t.sigmoid(in[0])),
        unary("tanh(Tensor)", "bias_activation_tanh", (t, in) -> t.tanh(in[0])),
        unary("relu(Tensor)", "bias_activation_relu", (t, in) -> t.relu(in[0])),
        unary(
            "leakyRelu(Tensor,double)",
            "bias_activation_leaky_relu",
            (t, in) -> t.leakyRelu(in[0], 0.1)),
        unary("elu(Tensor,double)", "bias_activation_elu", (t, in) -> t.elu(in[0], 2)),
        unary("softplus(Tensor)", "bias_activation_softplus", (t, in) -> t.softplus(in[0])),
        unary("gelu(Tensor)", "bias_activation_gelu", (t, in) -> t.gelu(in[0])),
        unary("silu(Tensor)", "bias_activation_silu", (t, in) -> t.silu(in[0])),
        row(
                "matmul(Tensor,Tensor)",
                "matmul",
                "ff",
                (t, in) -> t.matmul(in[0], in[1]),
                M,
                Shape.of(3, 2))
            .wrong(M, M),
        unary("sum(Tensor,int[])", "reduce_sum", (t, in) -> t.sum(in[0])),
        unary("sum(Tensor,int[])", "reduce_sum", (t, in) -> t.sum(in[0], 1)).wrong(Shape.of(2)),
        unary("mean(Tensor,int[])", "reduce_mean", (t, in) -> t.mean(in[0])).wrong(Shape.of(0, 3)),
        unary("mean(Tensor,int[])", "reduce_mean", (t, in) -> t.mean(in[0], 1)).wrong(Shape.of(2)),
        unary("max(Tensor,int[])", "reduce_max", (t, in) -> t.max(in[0])).wrong(Shape.of(0, 3)),
        unary("max(Tensor,int[])", "reduce_max", (t, in) -> t.max(in[0], 1)).wrong(Shape.of(2)),
        unary(
            "squaredNorm(Tensor,int[])", "reduce_sum_of_squares", (t, in) -> t.squaredNorm(in[0])),
        row("reshape(Tensor,long[])", "reshape", "*", (t, in) -> t.reshape(in[0], 3, 2), M)
            .wrong(Shape.of(5)),
        unary("transpose(Tensor)", "transpose", (t, in) -> t.transpose(in[0])).wrong(Shape.of(3)),
        unary("slice(Tensor,int,long,long)", "slice", (t, in) -> t.slice(in[0], 1, 1, 3))
            .wrong(Shape.of(2, 2)),
        row(
                "concat(int,Tensor[])",
                "concat",
                "fff",
                (t, in) -> t.concat(0, in),
                M,
                Shape.of(1, 3),
                M)
            .wrong(M, M, Shape.of(2, 2)),
        row("gather(Tensor,Tensor)", "gather_rows", "fi", gather(), Shape.of(5, 2), Shape.of(3))
            .wrong(Shape.of(5), Shape.of(3)),
        bag("embeddingBagSum", "embedding_bag_sum", (t, in) -> t.embeddingBagSum(in[0], in[1])),
        bag("embeddingBagMean", "embedding_bag_mean", (t, in) -> t.embeddingBagMean(in[0], in[1])),
        bagByOffsets(
            "embeddingBagSum",
            "embedding_bag_sum",
            (t, in) -> t.embeddingBagSum(in[0], in[1], in[2])),
        bagByOffsets(
            "embeddingBagMean",
            "embedding_bag_mean",
            (t, in) -> t.embeddingBagMean(in[0], in[1], in[2])),
        row(
                "pathLosses(Tensor,Tensor,Tensor)",
                "path_loss",
                "ffi",
                (t, in) -> t.pathLosses(in[0], in[1], in[2]),
                M,
                Shape.of(4, 3),
                Shape.of(2, 3))
            .wrong(M, Shape.of(4, 3), Shape.of(3, 2)),
        row(
                "pathLosses(Tensor,Tensor,Tensor,Tensor,Tensor,int)",
                "path_loss",
                "ffiii",
                (t, in) -> t.pathLosses(in[0], in[1], in[2], in[3], in[4], 5),
                Shape.of(1, 3),
                Shape.of(4, 3),
                Shape.of(5),
                Shape.of(1),
                Shape.of(1))
            .wrong(Shape.of(1, 3), Shape.of(4, 3), Shape.of(5), Shape.of(1), Shape.of(2)),
        row(
                "pathLogProbabilities(Tensor,Tensor,Tensor,Tensor)",
                "path_log_probabilities",
                "ffii",
                (t, in) -> t.pathLogProbabilities(in[0], in[1], in[2], in[3]),
                M,
                Shape.of(4, 3),
                Shape.of(5),
                Shape.of(1))
            .wrong(M, Shape.of(4, 2), Shape.of(5), Shape.of(1)),
        row(
                "negativeSamples(Tensor,Tensor,Tensor,int)",
                "negative_samples",
                "iii",
                (t, in) -> t.negativeSamples(in[0], in[1], in[2], 2),
                Shape.of(2),
                Shape.of(4),
                Shape.of(4))
            .wrong(Shape.of(2), Shape.of(4), Shape.of(3)),
        row(
                "layerNorm(Tensor,Tensor,Tensor,double)",
                "layer_norm",
                "fff",
                (t, in) -> t.layerNorm(in[0], in[1], in[2], 1e-5),
                M,
                Shape.of(3),
                Shape.of(3))
            .wrong(M, Shape.of(3), Shape.of(2)),
        row(
                "batchNorm(Tensor,Tensor,Tensor,double)",
                "batch_norm",
                "fff",
                (t, in) -> t.batchNorm(in[0], in[1], in[2], 1e-5),
                M,
                Shape.of(3),
                Shape.of(3))
            .wrong(M, Shape.of(3), Shape.of(2)),
        unary("dropout(Tensor,double)", "dropout", (t, in) -> t.dropout(in[0], 0.5)),
        unary("dropout(Tensor,double)", "dropout", (t, in) -> t.dropout(in[0], 0)),
        row(
                "softmaxCrossEntropy(Tensor,Tensor)",
                "softmax_cross_entropy",
                "fi",
                (t, in) -> t.softmaxCrossEntropy(in[0], in[1]),
                Shape.of(2, 5),
                Shape.of(2))
            .wrong(Shape.of(2, 5), Shape.of(3)),
        row(
                "softmaxCrossEntropy(Tensor,Tensor,double)",
                "softmax_cross_entropy",
                "fi",
                (t, in) -> t.softmaxCrossEntropy(in[0], in[1], 0.1),
                Shape.of(2, 5),
                Shape.of(2))
            .wrong(Shape.of(2), Shape.of(2)),
        row(
                "softmaxCrossEntropy(Tensor,Tensor,Tensor,double)",
                "softmax_cross_entropy",
                "fic",
                (t, in) -> t.softmaxCrossEntropy(in[0], in[1], in[2], 0.1),
                Shape.of(2, 5),
                Shape.of(2),
                Shape.of(2))
            .wrong(Shape.of(2, 5), Shape.of(2), Shape.of(3)),
        row(
                "crossEntropyOfDistributions(Tensor,Tensor)",
                "cross_entropy_of_distributions",
                "fc",
                (t, in) -> t.crossEntropyOfDistributions(in[0], in[1]),
                M,
                M)
            .wrong(M, Shape.of(2, 2)),
        row(
                "klDivergence(Tensor,Tensor)",
                "kl_divergence",
                "fc",
                (t, in) -> t.klDivergence(in[0], in[1]),
                M,
                Shape.of(3))
            .wrong(M, Shape.of(2)),
        row(
                "multiClassHinge(Tensor,Tensor,double)",
                "multi_class_hinge",
                "fi",
                (t, in) -> t.multiClassHinge(in[0], in[1], 1),
                Shape.of(2, 5),
                Shape.of(2))
            .wrong(Shape.of(2, 5), Shape.of(3)),
        values(
            "meanAbsoluteError(Tensor,Tensor)",
            "mean_absolute_error",
            "ff",
            (t, in) -> t.meanAbsoluteError(in[0], in[1])),
        values("huber(Tensor,Tensor,double)", "huber", "ff", (t, in) -> t.huber(in[0], in[1], 1)),
        values(
            "epsilonInsensitive(Tensor,Tensor,double)",
            "epsilon_insensitive",
            "ff",
            (t, in) -> t.epsilonInsensitive(in[0], in[1], 0)),
        values(
            "binaryCrossEntropy(Tensor,Tensor)",
            "binary_cross_entropy",
            "fc",
            (t, in) -> t.binaryCrossEntropy(in[0], in[1])),
        values("hinge(Tensor,Tensor)", "hinge", "fc", (t, in) -> t.hinge(in[0], in[1])),
        values(
            "squaredHinge(Tensor,Tensor)",
            "squared_hinge",
            "fc",
            (t, in) -> t.squaredHinge(in[0], in[1])),
        weighted(
            "meanSquaredError(Tensor,Tensor,Tensor)",
            "mean_squared_error",
            "ffc",
            (t, in) -> t.meanSquaredError(in[0], in[1], in[2])),
        weighted(
            "meanAbsoluteError(Tensor,Tensor,Tensor)",
            "mean_absolute_error",
            "ffc",
            (t, in) -> t.meanAbsoluteError(in[0], in[1], in[2])),
        weighted(
            "huber(Tensor,Tensor,Tensor,double)",
            "huber",
            "ffc",
            (t, in) -> t.huber(in[0], in[1], in[2], 1)),
        weighted(
            "epsilonInsensitive(Tensor,Tensor,Tensor,double)",
            "epsilon_insensitive",
            "ffc",
            (t, in) -> t.epsilonInsensitive(in[0], in[1], in[2], 0)),
        weighted(
            "binaryCrossEntropy(Tensor,Tensor,Tensor)",
            "binary_cross_entropy",
            "fcc",
            (t, in) -> t.binaryCrossEntropy(in[0], in[1], in[2])),
        weighted(
            "hinge(Tensor,Tensor,Tensor)", "hinge", "fcc", (t, in) -> t.hinge(in[0], in[1], in[2])),
        weighted(
            "squaredHinge(Tensor,Tensor,Tensor)",
            "squared_hinge",
            "fcc",
            (t, in) -> t.squaredHinge(in[0], in[1], in[2])),
        weighted(
            "crossEntropyOfDistributions(Tensor,Tensor,Tensor)",
            "cross_entropy_of_distributions",
            "fcc",
            (t, in) -> t.crossEntropyOfDistributions(in[0], in[1], in[2])),
        weighted(
            "klDivergence(Tensor,Tensor,Tensor)",
            "kl_divergence",
            "fcc",
            (t, in) -> t.klDivergence(in[0], in[1], in[2])),
        row(
                "multiClassHinge(Tensor,Tensor,Tensor,double)",
                "multi_class_hinge",
                "fic",
                (t, in) -> t.multiClassHinge(in[0], in[1], in[2], 1),
                Shape.of(2, 5),
                Shape.of(2),
                Shape.of(2))
            .wrong(Shape.of(2, 5), Shape.of(2), Shape.of(3)),
        row(
                "topHits(Tensor,Tensor,int)",
                "top_hits",
                "fi",
                (t, in) -> t.topHits(in[0], in[1], 2),
                Shape.of(2, 5),
                Shape.of(2))
            .wrong(Shape.of(2, 5), Shape.of(3)),
        unary("softmax(Tensor)", "softmax", (t, in) -> t.softmax(in[0])).wrong(Shape.of()),
        unary("softmax(Tensor,int)", "softmax", (t, in) -> t.softmax(in[0], 0)).wrong(Shape.of()),
        unary("logSoftmax(Tensor)", "log_softmax", (t, in) -> t.logSoftmax(in[0]))
            .wrong(Shape.of()),
        unary("logSoftmax(Tensor,int)", "log_softmax", (t, in) -> t.logSoftmax(in[0], 0))
            .wrong(Shape.of()),
        cast(DType.F32),
        cast(DType.F64),
        cast(DType.BF16),
        cast(DType.U8),
        cast(DType.I32),
        row("wide(Tensor)", "cast", "*", (t, in) -> t.wide(in[0]), M),
        row(
                "meanSquaredError(Tensor,Tensor)",
                "mean_squared_error",
                "ff",
                (t, in) -> t.meanSquaredError(in[0], in[1]),
                M,
                M)
            .wrong(M, Shape.of(3)),
        row(
                "sumOfSquares(Tensor,Tensor)",
                "sum_of_squares",
                "ff",
                (t, in) -> t.sumOfSquares(in[0], in[1]),
                M,
                M)
            .wrong(M, Shape.of(3)));
  }

  private static Row cast(DType dtype) {
    return row("cast(Tensor,DType)", "cast", "*", (t, in) -> t.cast(in[0], dtype), M);
  }

  private static TensorFunction gather() {
    return (t, in) -> t.gather(in[0], in[1]);
  }

  /** What an engine does for the operations, and not an operation. */
  private static final Set<String> ENGINE =
      Set.of(
          "apply(Operation,Tensor[])",
          "assign(Tensor,Tensor)",
          "check(String,Operands,Tensor[])",
          "device()",
          "full(DType,Shape,double)",
          "isTraining()",
          "math(MathMode)",
          "withoutGradient(Supplier)");

  @Test
  void everyMethodOfOperationsHasARow() {
    Set<String> there =
        Arrays.stream(Operations.class.getMethods())
            .filter(Method::isDefault)
            .map(OperandsTest::signature)
            .collect(Collectors.toCollection(TreeSet::new));
    Set<String> rows = new TreeSet<>();
    methods().forEach(row -> rows.add(row.method()));
    assertEquals(there, rows);
  }

  @Test
  void anEngineHasFewMethodsToWriteAndATapeOverridesNoOperation() {
    Set<String> engine =
        Arrays.stream(Operations.class.getMethods())
            .filter(method -> !method.isDefault())
            .map(OperandsTest::signature)
            .collect(Collectors.toSet());
    assertEquals(ENGINE, engine);
    methods().forEach(row -> engine.add(row.method()));
    Set<String> own =
        Arrays.stream(Tape.class.getDeclaredMethods())
            .map(OperandsTest::signature)
            .filter(engine::contains)
            .collect(Collectors.toSet());
    assertEquals(ENGINE, own);
  }

  private static Inputs<Tensor> targets(Tensor targets) {
    return Inputs.of(Map.of(Inputs.TARGETS, targets));
  }

  /** A tape that notes what is applied: code that is given operations needs to know of no tape. */
  private record Noting(Tape tape, Set<String> applied) implements Operations {
    @Override
    public Device device() {
      return tape.device();
    }

    @Override
    public Tensor apply(Operation operation, Tensor... inputs) {
      applied.add(operation.name());
      return tape.apply(operation, inputs);
    }

    @Override
    public Tensor full(DType dtype, Shape shape, double value) {
      return tape.full(dtype, shape, value);
    }

    @Override
    public void check(String name, Operands operands, Tensor... inputs) {
      tape.check(name, operands, inputs);
    }

    @Override
    public boolean isTraining() {
      return tape.isTraining();
    }

    @Override
    public void assign(Tensor buffer, Tensor value) {
      tape.assign(buffer, value);
    }

    @Override
    public <R> R withoutGradient(Supplier<R> body) {
      return tape.withoutGradient(body);
    }

    @Override
    public Operations math(MathMode math) {
      tape.math(math);
      return this;
    }
  }

  /** The names of the operations that a row applies. */
  private Set<String> applied(Row row) {
    Set<String> names = new TreeSet<>();
    List<Tensor> inputs = inputs(device, row, row.shapes(), row.types(DType.F32));
    try (Tape tape = new Tape(device, 1)) {
      apply(row, new Noting(tape, names), inputs);
    } finally {
      inputs.forEach(Tensor::close);
    }
    assertFalse(names.isEmpty(), row::method);
    return names;
  }

  /** The methods that apply an operation which no case does. */
  private Set<String> withoutACase(List<OperationCase> cases) {
    Set<String> covered = new TreeSet<>();
    cases.forEach(operation -> covered.addAll(applied(ofCase(operation))));
    covered.addAll(
        Set.of(
            "cast",
            "top_hits",
            "top_k",
            "one_hot",
            "negative_samples")); // no finite differences: their own tests
    return methods().stream()
        .filter(row -> !covered.containsAll(applied(row)))
        .map(Row::method)
        .collect(Collectors.toCollection(TreeSet::new));
  }

  @Test
  void everyMethodIsMadeOfOperationsThatHaveACase() {
    assertEquals(Set.of(), withoutACase(OperationCases.all()));
  }

  @Test
  void methodsOfAMissingCaseAreNoticed() {
    List<OperationCase> fewer =
        OperationCases.all().stream()
            .filter(
                operation ->
                    !operation
                        .name()
                        .matches("matmul(_of_.*)?|reduce_(max|min).*|maxout|log_sum_exp"))
            .toList();
    assertEquals(
        Set.of(
            "matmul(Tensor,Tensor)",
            "max(Tensor,int[])",
            "min(Tensor,int[])",
            "maxout(Tensor,int)",
            "logSumExp(Tensor,int[])"),
        withoutACase(fewer));
  }

  private static String signature(Method method) {
    return method.getName()
        + Stream.of(method.getParameterTypes())
            .map(Class::getSimpleName)
            .collect(Collectors.joining(",", "(", ")"));
  }

  /** The methods, and every case of every operation at its smallest example. */
  static Stream<Row> rows() {
    return Stream.concat(
        methods().stream(), OperationCases.all().stream().map(OperandsTest::ofCase));
  }

  private static Row ofCase(OperationCase operation) {
    List<Input> example = operation.examples().get(0);
    String roles =
        example.stream()
            .map(in -> in.isIntegers() ? "i" : in.hasGradient() ? "f" : "c")
            .collect(Collectors.joining());
    boolean any = operation.operation() == dev.weft.op.Reshape.class;
    // what its name begins with is the operation's name
    String says =
        operation
            .name()
            .replaceAll(
                "_(with_bias|of_(negatives|axis|batches|vectors|five|last|samples)|by_number|over_|to_"
                    + "(rotate|swap)|along_axis|smoothed|narrow|padded|weighted).*",
                "");
    return row(
        operation.name(),
        says,
        any ? "*" : roles,
        operation.function(),
        example.stream().map(Input::shape).toArray(Shape[]::new));
  }

  private static double[] values(Shape shape, char role) {
    double[] values = new double[(int) shape.elements()];
    if (role == 'i' && values.length == 1) {
      return values; // the only row, the only class
    }
    // 1, 2, 3, which are exact in every type; 1 is a target of each loss
    Arrays.setAll(values, i -> role == 'c' ? 1 : 1 + (i * 2 + shape.rank()) % 3);
    return values;
  }

  private static List<Tensor> inputs(Device device, Row row, List<Shape> shapes, DType... types) {
    List<Tensor> inputs = new ArrayList<>();
    for (int i = 0; i < types.length; i++) {
      inputs.add(
          device.tensor(types[i], shapes.get(i), values(shapes.get(i), row.roles().charAt(i))));
    }
    return inputs;
  }

  private static Tensor apply(Row row, Operations tape, List<Tensor> inputs) {
    return row.function().apply(tape, inputs.toArray(Tensor[]::new));
  }

  private double[] expected(Row row, List<Shape> shapes) {
    List<Tensor> inputs = inputs(device, row, shapes, row.types(DType.F64));
    try (Tape tape = new Tape(device, 1)) {
      return apply(row, tape, inputs).toDoubles();
    } finally {
      inputs.forEach(Tensor::close);
    }
  }

  /** Every combination of types of as many inputs. */
  private static List<DType[]> combinations(int inputs) {
    List<DType[]> all = List.<DType[]>of(new DType[0]);
    for (int i = 0; i < inputs; i++) {
      all =
          all.stream()
              .flatMap(
                  types ->
                      Stream.of(DType.values())
                          .map(
                              type -> {
                                DType[] longer = Arrays.copyOf(types, types.length + 1);
                                longer[types.length] = type;
                                return longer;
                              }))
              .toList();
    }
    return all;
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("rows")
  void eachCombinationOfTypesIsRightOrRefused(Row row) {
    double[] expected = expected(row, row.shapes());
    for (DType[] types : combinations(row.shapes().size())) {
      String where = row + " of " + Arrays.toString(types);
      List<Tensor> inputs = inputs(device, row, row.shapes(), types);
      try (Tape tape = new Tape(device, 1)) {
        if (row.fits(types)) {
          for (int i = 0; i < types.length; i++) {
            if (types[i].isFloating() && row.roles().charAt(i) != 'c') {
              inputs.get(i).requiresGrad();
            }
          }
          Tensor y = apply(row, tape, inputs);
          double error = Arrays.asList(types).contains(DType.BF16) ? 0x1p-6 : 1e-5;
          double[] actual = y.toDoubles();
          for (int i = 0; i < expected.length; i++) {
            assertEquals(expected[i], actual[i], error * (1 + Math.abs(expected[i])), where);
          }
          if (y.hasGradient() && tape.nodes().size() > 0) {
            try (Tensor dy = device.full(y.dtype(), y.shape(), 1)) {
              tape.backward(y, dy);
            }
          }
        } else {
          String message =
              assertRefused(IllegalArgumentException.class, () -> apply(row, tape, inputs));
          assertTrue(message.startsWith(row.says() + ": "), where + ": " + message);
          assertTrue(
              Stream.of(types).anyMatch(type -> message.contains(" " + type + " [")),
              where + ": " + message);
          assertTrue(message.contains("cast "), where + ": " + message);
        }
      } finally {
        inputs.forEach(Tensor::close);
      }
      assertEquals(0, device.memory().live(), where);
    }
  }

  /** Refused, and not one byte more is live. */
  private String assertRefused(Class<? extends RuntimeException> type, Executable body) {
    long live = device.memory().live();
    String message = assertThrows(type, body).getMessage();
    assertEquals(live, device.memory().live(), message);
    return message;
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("rows")
  void closedAndForeignInputsAreRefused(Row row) {
    for (int i = 0; i < row.shapes().size(); i++) {
      DType[] types = row.types(DType.F32);
      List<Tensor> inputs = inputs(device, row, row.shapes(), types);
      Shape shape = row.shapes().get(i);
      try (Tape tape = new Tape(device, 1);
          Tensor foreign = other.tensor(types[i], shape, values(shape, row.roles().charAt(i)))) {
        List<Tensor> mixed = new ArrayList<>(inputs);
        mixed.set(i, foreign);
        String message =
            assertRefused(IllegalArgumentException.class, () -> apply(row, tape, mixed));
        assertTrue(message.startsWith(row.says() + ": "), message);
        assertTrue(message.contains("is not on this tape's device"), message);
        inputs.get(i).close();
        String closed = assertRefused(IllegalStateException.class, () -> apply(row, tape, inputs));
        assertTrue(closed.contains("is closed"), closed);
      } finally {
        inputs.forEach(Tensor::close);
      }
    }
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("rows")
  void inputsOfAnotherTapeAreRefusedWhereTheirGradientWouldBeLost(Row row) {
    if (row.roles().startsWith("i")) {
      return; // ids have no gradient that could be lost
    }
    DType[] types = row.types(DType.F32);
    List<Tensor> inputs = inputs(device, row, row.shapes(), types);
    inputs.get(0).requiresGrad();
    try (Tape first = new Tape(device);
        Tape second = new Tape(device);
        Tape reading = Tape.inference(device)) {
      List<Tensor> mixed = new ArrayList<>(inputs);
      mixed.set(0, first.scale(inputs.get(0), 1));
      String message =
          assertRefused(IllegalArgumentException.class, () -> apply(row, second, mixed));
      assertTrue(message.startsWith(row.says() + ": "), message);
      assertTrue(message.contains("was computed on another tape"), message);
      apply(row, first, mixed);
      apply(row, reading, mixed);
      second.withoutGradient(() -> apply(row, second, mixed));
      mixed.set(0, mixed.get(0).view(0, mixed.get(0).shape()));
      apply(row, second, mixed);
    } finally {
      inputs.forEach(Tensor::close);
    }
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("methods")
  void wrongShapesAreNamed(Row row) {
    if (row.wrong().isEmpty()) {
      return; // takes every shape
    }
    List<Tensor> inputs = inputs(device, row, row.wrong(), row.types(DType.F32));
    try (Tape tape = new Tape(device, 1)) {
      String message =
          assertRefused(IllegalArgumentException.class, () -> apply(row, tape, inputs));
      for (Shape shape : Set.copyOf(row.wrong())) {
        boolean alike = row.roles().equals("fff") && shape.equals(M); // parts that do fit
        assertTrue(alike || message.contains(shape.toString()), message);
      }
    } finally {
      inputs.forEach(Tensor::close);
    }
  }

  @Test
  void typesThatDifferAreNamedAsTheUserKnowsThem() {
    try (Tape tape = new Tape(device);
        Tensor y = device.tensor(new float[] {1, 2, 3});
        Tensor t = device.tensor(new int[] {1, 2, 3});
        Tensor logits = device.zeros(DType.F32, Shape.of(3, 2)).named("logits")) {
      assertSays(
          "binary_add: a F32 [3] and b I32 [3] differ in type; cast one", () -> tape.add(y, t));
      assertSays(
          "binary_add: a I32 [3] and b F32 [3] differ in type; cast one", () -> tape.add(t, y));
      assertSays(
          "unary_square: x I32 [3] is not of a floating-point type; cast it", () -> tape.square(t));
      assertSays(
          "softmax_cross_entropy: labels F32 [3] must be of type I32; cast it",
          () -> tape.softmaxCrossEntropy(logits, y));
      assertSays(
          "matmul: a (logits) F32 [3, 2] and b I32 [3] differ in type; cast one",
          () -> tape.matmul(logits, t));
      assertSays(
          "mean_squared_error: a F32 [3] and b I32 [3] differ in type; cast one",
          () -> tape.meanSquaredError(y, t));
      assertSays(
          "binary_add takes a, b, not 1 tensors",
          () -> tape.apply(new dev.weft.op.Binary(BinaryFunction.ADD), y));
      assertSays("binary_add: tensor 1 is null", () -> tape.add(y, null));
    }
  }

  private static void assertSays(String expected, Executable body) {
    assertEquals(expected, assertThrows(IllegalArgumentException.class, body).getMessage());
  }

  /** What a training loop by hand would do with targets that are ints. */
  @Test
  void lossesRefuseTargetsOfAnotherType() {
    try (Tape tape = new Tape(device);
        Tensor y = device.tensor(DType.BF16, Shape.of(3, 1), 1, 2, 3).requiresGrad();
        Tensor ints = device.tensor(DType.I32, Shape.of(3, 1), 10, 20, 30);
        Tensor floats = device.tensor(DType.F32, Shape.of(3, 1), 2, 4, 6);
        Tensor doubles = device.tensor(DType.F64, Shape.of(3, 1), 2, 4, 6)) {
      for (Tensor target : List.of(ints, doubles)) {
        assertThrows(
            IllegalArgumentException.class,
            () -> new MeanSquaredError().apply(tape, y, targets(target)));
        assertThrows(
            IllegalArgumentException.class,
            () -> new SumOfSquares().apply(tape, y, targets(target)));
      }
      Tensor loss = new SumOfSquares().apply(tape, y, targets(floats));
      assertEquals(14, loss.item());
      tape.backward(loss);
      assertArrayEquals(new double[] {-2, -4, -6}, y.grad().toDoubles());
    }
  }

  @Test
  void softmaxOfBf16HasAValueAndAGradient() {
    try (Tape tape = new Tape(device);
        Tensor x = device.tensor(DType.BF16, Shape.of(1, 3), 1, 2, 3).requiresGrad();
        Tensor exact = device.tensor(new double[][] {{1, 2, 3}}).requiresGrad()) {
      for (boolean log : new boolean[] {false, true}) {
        Tensor narrow = log ? tape.logSoftmax(x) : tape.softmax(x);
        Tensor wide = log ? tape.logSoftmax(exact) : tape.softmax(exact);
        assertEquals(DType.BF16, narrow.dtype());
        assertArrayEquals(wide.toDoubles(), narrow.toDoubles(), 0x1p-7);
        try (Tensor dy = device.tensor(DType.BF16, Shape.of(1, 3), 1, -2, 0.5);
            Tensor same = device.tensor(new double[][] {{1, -2, 0.5}})) {
          tape.backward(narrow, dy);
          tape.backward(wide, same);
        }
        assertArrayEquals(exact.grad().toDoubles(), x.grad().toDoubles(), 0x1p-6);
        x.zeroGrad();
        exact.zeroGrad();
      }
    }
  }

  @Test
  void refusedDropoutLeavesTheNextMaskAsItWas() {
    double[] expected;
    try (Tape tape = new Tape(device, 3);
        Tensor x = device.full(DType.F32, Shape.of(64), 1)) {
      expected = tape.dropout(x, 0.5).toDoubles();
    }
    try (Tape tape = new Tape(device, 3);
        Tensor x = device.full(DType.F32, Shape.of(64), 1);
        Tensor ints = device.zeros(DType.I32, Shape.of(64))) {
      assertThrows(IllegalArgumentException.class, () -> tape.dropout(ints, 0.5));
      assertArrayEquals(expected, tape.dropout(x, 0.5).toDoubles());
      assertFalse(Arrays.equals(expected, tape.dropout(x, 0.5).toDoubles()), format("%s", x));
    }
  }
}
