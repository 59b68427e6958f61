// SPDX-License-Identifier: Apache-2.0
package dev.weft.op;

import static org.bytedeco.pytorch.global.torch.*;

import dev.weft.check.FunctionResult;
import dev.weft.check.Input;
import dev.weft.device.BinaryFunction;
import dev.weft.device.Nonlinearity;
import dev.weft.device.ReductionFunction;
import dev.weft.device.UnaryFunction;
import dev.weft.device.ValueLossFunction;
import dev.weft.support.Philox;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.LongStream;
import org.bytedeco.javacpp.DoublePointer;
import org.bytedeco.javacpp.IntPointer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.LongOptional;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.ScalarOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/** For each case of an operation, the function of PyTorch that computes the same. */
final class TorchTwins {

  /** A function of PyTorch's tensors. */
  interface Twin {
    Tensor apply(Tensor[] in);
  }

  private static final Map<String, Twin> TWINS = new HashMap<>();

  // the alphas of the cases
  private static final double WITH_BIAS = 1.3;

  // reductions of losses
  private static final long EACH = 0;
  private static final long MEAN = 1;
  private static final long SUM = 2;
  private static final double UNARY = -1.7;

  static {
    for (Nonlinearity f : Nonlinearity.values()) {
      String name = "bias_activation_" + f.token();
      TWINS.put(name, in -> activation(f, f.defaultAlpha(), in[0]));
      TWINS.put(name + "_with_bias", in -> activation(f, WITH_BIAS, in[0].add(in[1])));
    }
    for (UnaryFunction f : UnaryFunction.values()) {
      TWINS.put("unary_" + f.token(), in -> unary(f, UNARY, in[0]));
    }
    TWINS.put("unary_pow_of_negatives", in -> unary(UnaryFunction.POW, 3, in[0]));
    for (BinaryFunction f : BinaryFunction.values()) {
      TWINS.put("binary_" + f.token(), in -> binary(f, in[0], in[1]));
    }
    for (ReductionFunction f : ReductionFunction.values()) {
      String name = "reduce_" + f.token();
      TWINS.put(name, in -> reduction(f, in[0].flatten(), 0));
      TWINS.put(name + "_over_rows", in -> reduction(f, in[0], 0));
      TWINS.put(name + "_over_columns", in -> reduction(f, in[0], -1));
      TWINS.put(name + "_over_the_middle", in -> reduction(f, in[0], 1));
      TWINS.put(name + "_over_both_sides", in -> reduction(f, in[0], 0, -1));
    }
    reductions();
    along();
    TWINS.put("binary_multiply_of_five_axes", in -> in[0].mul(in[1]));
    TWINS.put("where", in -> where(in[0].gt(s(0)), in[1], in[2]).add(in[0].mul(s(0)).sum()));
    TWINS.put("prelu", in -> where(in[0].gt(s(0)), in[0], in[0].mul(in[1])));
    TWINS.put(
        "maxout",
        in -> {
          long[] sizes = in[0].sizes().vec().get();
          long width = sizes[sizes.length - 1] / 3;
          long[] parted = Arrays.copyOf(sizes, sizes.length + 1);
          parted[sizes.length - 1] = 3;
          parted[sizes.length] = width;
          return amax(in[0].reshape(parted), new long[] {-2}, false);
        });
    matrices();
    shapes();
    losses();
    TWINS.put("layer_norm", in -> layerNorm(in, 1e-5));
    TWINS.put("layer_norm_narrow", in -> layerNorm(in, 0.1));
    TWINS.put("batch_norm", in -> batchNorm(in, 1e-5));
    TWINS.put("batch_norm_narrow", in -> batchNorm(in, 0.1));
    Map.of("", -1, "_over_rows", 0, "_over_the_middle", 1)
        .forEach(
            (suffix, axis) -> {
              TWINS.put("softmax" + suffix, in -> softmax(in[0], axis));
              TWINS.put("log_softmax" + suffix, in -> log_softmax(in[0], axis));
            });
    TWINS.put("dropout", in -> in[0].mul(dropoutFactors(in[0])));
  }

  private TorchTwins() {}

  /** The twin of a case; null where there is none. */
  static Twin of(String name) {
    return TWINS.get(name);
  }

  private static Scalar s(double value) {
    return new Scalar(value);
  }

  private static Tensor activation(Nonlinearity function, double alpha, Tensor x) {
    return switch (function) {
      case IDENTITY -> x.mul(s(1));
      case SIGMOID -> sigmoid(x);
      case TANH -> tanh(x);
      case RELU -> relu(x);
      case LEAKY_RELU -> leaky_relu(x, s(alpha));
      case ELU -> elu(x, s(alpha), s(1), s(1));
      case SOFTPLUS -> softplus(x, s(1), s(1000));
      case GELU -> gelu(x);
      case SILU -> silu(x);
      case HARD_SIGMOID ->
          clamp(x.div(s(6)).add(s(0.5)), new ScalarOptional(s(0)), new ScalarOptional(s(1)));
      case HARD_TANH -> hardtanh(x, s(-1), s(1));
      case HARD_SWISH -> hardswish(x);
    };
  }

  private static Tensor unary(UnaryFunction function, double alpha, Tensor x) {
    return switch (function) {
      case SCALE -> x.mul(s(alpha));
      case SHIFT -> x.add(s(alpha));
      case EXP -> exp(x);
      case LOG -> log(x);
      case SQUARE -> square(x);
      case SQRT -> sqrt(x);
      case POW -> pow(x, s(alpha));
      case RECIPROCAL -> reciprocal(x);
      case ABS -> abs(x);
      case AT_LEAST -> clamp_min(x, s(alpha));
      case AT_MOST -> clamp_max(x, s(alpha));
      case ERF -> erf(x);
      case NORM_ROOT -> sqrt(x);
    };
  }

  private static Tensor binary(BinaryFunction function, Tensor a, Tensor b) {
    return switch (function) {
      case ADD -> a.add(b);
      case SUBTRACT -> a.sub(b);
      case MULTIPLY -> a.mul(b);
      case DIVIDE -> a.div(b);
      case MAXIMUM -> maximum(a, b);
      case MINIMUM -> minimum(a, b);
      case GREATER -> a.gt(b).to(ScalarType.Double).add(a.add(b).mul(s(0)));
      case GREATER_OR_EQUAL -> a.ge(b).to(ScalarType.Double).add(a.add(b).mul(s(0)));
      case EQUAL -> a.gt(s(0)).eq(b.gt(s(0))).to(ScalarType.Double).add(a.add(b).mul(s(0)));
      case KEEP -> where(b.gt(s(0)), a, zeros_like(a)).add(b.mul(s(0)));
      case DROP -> where(b.le(s(0)), a, zeros_like(a)).add(b.mul(s(0)));
    };
  }

  private static Tensor reduction(ReductionFunction function, Tensor x, long... axes) {
    return switch (function) {
      case SUM -> sum(x, axes);
      case MEAN -> mean(x, axes);
      case MAX -> amax(x, axes, false);
      case SUM_OF_SQUARES -> sum(square(x), axes);
    };
  }

  private static void reductions() {
    long[] sides = {0, -1};
    TWINS.put("reduce_min", in -> amin(in[0], sides, false));
    TWINS.put("variance", in -> var(in[0], sides, false, false));
    TWINS.put("variance_of_samples", in -> var(in[0], sides, true, false));
    TWINS.put("norm", in -> sqrt(sum(square(in[0]), sides)));
    TWINS.put("log_sum_exp", in -> logsumexp(in[0], sides));
    for (int axis = 0; axis < 3; axis++) {
      int at = axis;
      TWINS.put("cumulative_sum_of_axis_" + axis, in -> cumsum(in[0], at));
    }
  }

  private static void along() {
    TWINS.put(
        "permute_to_rotate",
        in -> {
          long rank = in[0].dim();
          return in[0].permute(LongStream.range(0, rank).map(i -> (i + 1) % rank).toArray());
        });
    TWINS.put("permute_to_swap", in -> in[0].transpose(0, Math.min(1, in[0].dim() - 1)));
    TWINS.put("permute_of_last_two", in -> in[0].transpose(-2, -1));
    TWINS.put(
        "broadcast_to",
        in -> {
          long[] own = in[0].sizes().vec().get();
          long[] sizes = new long[own.length + 1];
          sizes[0] = 2;
          for (int i = 0; i < own.length; i++) {
            sizes[i + 1] = own[i] == 1 ? 3 : own[i];
          }
          return in[0].expand(sizes);
        });
    TWINS.put("stack", in -> stack(new TensorVector(in[0], in[1], in[0]), -1));
    TWINS.put(
        "gather_along", in -> torch.gather(in[0], axis(in[0], in[1]), in[1].to(ScalarType.Long)));
    TWINS.put(
        "scatter_add",
        in -> in[0].scatter_add(axis(in[0], in[1]), in[1].to(ScalarType.Long), in[2]));
  }

  /** The first axis whose size is another in the index. */
  private static long axis(Tensor x, Tensor index) {
    return LongStream.range(0, x.dim())
        .filter(i -> x.size(i) != index.size(i))
        .findFirst()
        .orElse(0);
  }

  private static void matrices() {
    TWINS.put("matmul", in -> matmul(in[0], in[1]));
    TWINS.put("matmul_ta", in -> matmul(in[0].transpose(-2, -1), in[1]));
    TWINS.put("matmul_tb", in -> matmul(in[0], in[1].transpose(-2, -1)));
    TWINS.put("matmul_ta_tb", in -> matmul(in[0].transpose(-2, -1), in[1].transpose(-2, -1)));
    for (String form : List.of("matmul", "matmul_ta", "matmul_tb", "matmul_ta_tb")) {
      TWINS.put(form + "_of_batches", TWINS.get(form));
    }
    TWINS.put("matmul_of_vectors", in -> matmul(in[0], in[1]));
    TWINS.put("transpose", in -> in[0].t());
    TWINS.put("gather_rows", in -> embedding(in[0], in[1]));
    TWINS.put("embedding_bag_sum", in -> embeddingBag(in[0], in[1], in[2], 0));
    TWINS.put("embedding_bag_mean", in -> embeddingBag(in[0], in[1], in[2], 1));
    TWINS.put("embedding_bag_sum_padded", in -> paddedBag(in[0], in[1], 0));
    TWINS.put("embedding_bag_mean_padded", in -> paddedBag(in[0], in[1], 1));
  }

  private static void shapes() {
    for (int axis = 0; axis < 3; axis++) {
      int at = axis;
      TWINS.put(
          "slice_of_axis_" + axis,
          in -> {
            long size = in[0].size(at);
            return slice(
                in[0], at, new LongOptional(size / 3), new LongOptional((2 * size + 2) / 3), 1);
          });
      TWINS.put("concat_along_axis_" + axis, in -> cat(new TensorVector(in), at));
    }
    TWINS.put("reshape", in -> in[0].reshape(in[0].size(1), in[0].size(0)));
  }

  private static void losses() {
    TWINS.put("softmax_cross_entropy", in -> crossEntropy(in, 0));
    TWINS.put("softmax_cross_entropy_smoothed", in -> crossEntropy(in, 0.1));
    TWINS.put("path_loss", in -> pathLosses(in[0], in[1], in[2]));
    TWINS.put("path_loss_by_number", TorchTwins::pathLossesByNumber);
    for (ValueLossFunction f : ValueLossFunction.values()) {
      TWINS.put(ValueLossOperation.name(f, LossReduction.MEAN), in -> valueLoss(f, in));
    }
    TWINS.put("sum_of_squares", in -> square(in[0].sub(in[1])).sum());
    TWINS.put(
        "binary_cross_entropy_weighted",
        in ->
            binary_cross_entropy_with_logits(
                in[0],
                in[1],
                new TensorOptional(in[2].unsqueeze(1)),
                new TensorOptional(in[3]),
                EACH));
    TWINS.put(
        "huber_weighted",
        in -> huber_loss(in[0], in[1], EACH, 0.75).mul(in[2].unsqueeze(1)).mean());
    TWINS.put(
        "softmax_cross_entropy_weighted",
        in -> {
          Tensor labels = in[1].to(ScalarType.Long);
          return cross_entropy_loss(in[0], labels, new TensorOptional(), EACH, -100, 0.1)
              .mul(in[2]);
        });
    TWINS.put("cross_entropy_of_distributions", in -> distribution(in, false));
    TWINS.put("kl_divergence", in -> distribution(in, true));
    TWINS.put(
        "cross_entropy_of_distributions_weighted",
        in -> {
          Tensor q = in[1].expand(in[0].sizes().vec().get());
          return cross_entropy_loss(in[0], q, new TensorOptional(), EACH, -100, 0).mul(in[2]);
        });
    TWINS.put("multi_class_hinge", in -> multiClassHinge(in, 1.125, MEAN));
    TWINS.put("multi_class_hinge_weighted", in -> multiClassHinge(in, 0.625, EACH).mul(in[2]));
  }

  private static Tensor crossEntropy(Tensor[] in, double smoothing) {
    return cross_entropy_loss(
        in[0], in[1].to(ScalarType.Long), new TensorOptional(), MEAN, -100, smoothing);
  }

  private static Tensor valueLoss(ValueLossFunction function, Tensor[] in) {
    Tensor x = in[0];
    return switch (function) {
      case SQUARED -> mse_loss(x, in[1]);
      case ABSOLUTE -> l1_loss(x, in[1]);
      case HUBER -> huber_loss(x, in[1]);
      case LOGISTIC ->
          binary_cross_entropy_with_logits(
              x, in[1], new TensorOptional(), new TensorOptional(), SUM);
      case HINGE -> relu(below(x, in[1])).sum();
      case SQUARED_HINGE -> square(relu(below(x, in[1]))).sum();
      case EPSILON_INSENSITIVE -> relu(x.sub(in[1]).abs().sub(s(0.1))).mean();
    };
  }

  /** 1 - t x. */
  private static Tensor below(Tensor x, Tensor t) {
    return t.mul(x).neg().add(s(1));
  }

  private static Tensor distribution(Tensor[] in, boolean divergence) {
    return divergence
        ? kl_div(log_softmax(in[0], 1), in[1], SUM, false).div(s(in[0].size(0)))
        : cross_entropy_loss(in[0], in[1], new TensorOptional(), MEAN, -100, 0);
  }

  private static Tensor multiClassHinge(Tensor[] in, double margin, long reduction) {
    Tensor labels = in[1].to(ScalarType.Long);
    return multi_margin_loss(in[0], labels, s(1), s(margin), new TensorOptional(), reduction)
        .mul(s(in[0].size(1)));
  }

  private static Tensor pathLosses(Tensor x, Tensor table, Tensor steps) {
    Tensor there = steps.ge(new Scalar(0));
    Tensor known = steps.clamp_min(new Scalar(0)).to(ScalarType.Long);
    Tensor branch = known.remainder(new Scalar(2));
    Tensor rows = embedding(table, known.sub(branch).div(new Scalar(2)).to(ScalarType.Long));
    Tensor scores = rows.mul(x.unsqueeze(1)).sum(-1);
    return softplus(scores.mul(branch.mul(new Scalar(2)).sub(new Scalar(1)))).mul(there).sum(-1);
  }

  private static Tensor pathLossesByNumber(Tensor[] in) {
    double[] steps = doubles(in[2]);
    double[] offsets = doubles(in[3]);
    double[] numbers = doubles(in[4]);
    double[] own = new double[numbers.length * steps.length];
    Arrays.fill(own, -1);
    for (int i = 0; i < numbers.length; i++) {
      int path = (int) numbers[i];
      int begin = (int) offsets[path];
      int end = path + 1 == offsets.length ? steps.length : (int) offsets[path + 1];
      System.arraycopy(steps, begin, own, i * steps.length, end - begin);
    }
    return pathLosses(in[0], in[1], integers(own, numbers.length, steps.length));
  }

  private static Tensor embeddingBag(Tensor table, Tensor ids, Tensor offsets, long mode) {
    return embedding_bag(table, ids, offsets, false, mode, false, new TensorOptional(), false)
        .get0();
  }

  /** PyTorch's padding is a row of the table, which ours has not. */
  private static Tensor paddedBag(Tensor table, Tensor ids, long mode) {
    long padding = table.size(0);
    long length = ids.size(-1);
    long bags = ids.numel() / Math.max(1, length);
    if (length == 0) {
      return embedding(table, ids).sum(-2);
    }
    Tensor whole =
        cat(new TensorVector(table, zeros(new long[] {1, table.size(1)}, table.options())));
    Tensor there = where(ids.ge(new Scalar(0)), ids, full_like(ids, new Scalar(padding)));
    Tensor offsets =
        arange(new Scalar(0), new Scalar(bags * length), new Scalar(length), ids.options());
    long[] shape = ids.sizes().vec().get();
    shape[shape.length - 1] = table.size(1);
    return embedding_bag(
            whole,
            there.flatten(),
            offsets,
            false,
            mode,
            false,
            new TensorOptional(),
            false,
            new LongOptional(padding))
        .get0()
        .reshape(shape);
  }

  private static Tensor layerNorm(Tensor[] in, double epsilon) {
    var scale = new TensorOptional(in[1]);
    var shift = new TensorOptional(in[2]);
    return layer_norm(in[0], new long[] {in[0].size(1)}, scale, shift, epsilon, false);
  }

  private static Tensor batchNorm(Tensor[] in, double epsilon) {
    var none = new TensorOptional();
    return batch_norm(
        in[0],
        new TensorOptional(in[1]),
        new TensorOptional(in[2]),
        none,
        none,
        true,
        0.1,
        epsilon,
        false);
  }

  /** The mask as an argument, from a second Philox: PyTorch has another generator. */
  private static Tensor dropoutFactors(Tensor x) {
    double[] factors = Philox.dropoutFactors(TorchParityTest.SEED, 0, 0, (int) x.numel(), 0.3);
    return tensor(factors, x.sizes().vec().get());
  }

  /** A float64 tensor of given values. */
  static Tensor tensor(double[] values, long... sizes) {
    TensorOptions options = new TensorOptions(ScalarType.Double);
    return values.length == 0
        ? zeros(sizes, options)
        : from_blob(new DoublePointer(values), sizes, options).clone();
  }

  private static Tensor integers(double[] values, long... sizes) {
    int[] ints = new int[values.length];
    for (int i = 0; i < ints.length; i++) {
      ints[i] = (int) values[i];
    }
    TensorOptions options = new TensorOptions(ScalarType.Int);
    return ints.length == 0
        ? zeros(sizes, options)
        : from_blob(new IntPointer(ints), sizes, options).clone();
  }

  /** The elements of a tensor, row-major, as float64. */
  static double[] doubles(Tensor tensor) {
    Tensor dense = tensor.detach().to(ScalarType.Double).contiguous();
    double[] values = new double[Math.toIntExact(dense.numel())];
    if (values.length > 0) {
      dense.data_ptr_double().get(values);
    }
    return values;
  }

  /** What PyTorch gives for the same inputs and the same dy, in float64. */
  static FunctionResult evaluate(Twin twin, List<Input> inputs, long seed) {
    try (PointerScope _ = new PointerScope()) {
      Tensor[] in = new Tensor[inputs.size()];
      for (int i = 0; i < in.length; i++) {
        Input input = inputs.get(i);
        double[] values = input.values(seed + i);
        long[] sizes = input.shape().toArray();
        in[i] =
            input.isIntegers()
                ? integers(values, sizes)
                : tensor(values, sizes).requires_grad_(input.hasGradient());
      }
      Tensor y = pass(twin, in, seed);
      List<double[]> gradients = gradients(in, inputs);
      pass(twin, in, seed);
      return new FunctionResult(doubles(y), gradients, gradients(in, inputs));
    }
  }

  private static Tensor pass(Twin twin, Tensor[] in, long seed) {
    Tensor y = twin.apply(in);
    double[] dy = FunctionResult.weights((int) y.numel(), seed);
    sum(y.mul(tensor(dy, y.sizes().vec().get()))).backward();
    return y;
  }

  private static List<double[]> gradients(Tensor[] in, List<Input> inputs) {
    List<double[]> found = new ArrayList<>();
    for (int i = 0; i < in.length; i++) {
      found.add(inputs.get(i).hasGradient() ? doubles(in[i].grad()) : null);
    }
    return found;
  }
}
