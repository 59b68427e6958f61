// SPDX-License-Identifier: Apache-2.0
package dev.weft.op;

import static org.bytedeco.pytorch.global.torch.*;

import dev.weft.check.Evaluation;
import dev.weft.check.Input;
import dev.weft.support.Philox;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.javacpp.DoublePointer;
import org.bytedeco.javacpp.IntPointer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.LongOptional;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.TensorVector;

/** For each case of an operation, the function of PyTorch that computes the same. */
final class TorchTwins {

  /** A function of PyTorch's tensors. */
  interface Twin {
    Tensor apply(Tensor[] in);
  }

  private static final Map<String, Twin> TWINS = new HashMap<>();

  static {
    activations("", 0.01, 1);
    activations("_with_bias", 0.1, 1.3);
    unary();
    binary();
    reductions("", null);
    reductions("_over_rows", 0L);
    reductions("_over_columns", -1L);
    reductions("_over_the_middle", 1L);
    matrices();
    shapes();
    losses();
    TWINS.put("layer_norm", in -> layerNorm(in[0], in[1], in[2]));
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

  private static void activations(String suffix, double slope, double scale) {
    Map<String, Twin> plain = new HashMap<>();
    plain.put("identity", in -> in[0].mul(s(1)));
    plain.put("sigmoid", in -> sigmoid(in[0]));
    plain.put("tanh", in -> tanh(in[0]));
    plain.put("relu", in -> relu(in[0]));
    plain.put("leaky_relu", in -> leaky_relu(in[0], s(slope)));
    plain.put("elu", in -> elu(in[0], s(scale), s(1), s(1)));
    plain.put("softplus", in -> softplus(in[0], s(1), s(1000)));
    plain.put("gelu", in -> gelu(in[0]));
    plain.put("silu", in -> silu(in[0]));
    plain.forEach(
        (token, twin) ->
            TWINS.put(
                "bias_activation_" + token + suffix,
                suffix.isEmpty() ? twin : in -> twin.apply(new Tensor[] {in[0].add(in[1])})));
  }

  private static void unary() {
    TWINS.put("unary_scale", in -> in[0].mul(s(-1.7)));
    TWINS.put("unary_shift", in -> in[0].add(s(0.3)));
    TWINS.put("unary_exp", in -> exp(in[0]));
    TWINS.put("unary_log", in -> log(in[0]));
    TWINS.put("unary_square", in -> square(in[0]));
    TWINS.put("unary_sqrt", in -> sqrt(in[0]));
    TWINS.put("unary_pow", in -> pow(in[0], s(2.5)));
    TWINS.put("unary_pow_of_negatives", in -> pow(in[0], s(3)));
    TWINS.put("unary_reciprocal", in -> reciprocal(in[0]));
    TWINS.put("unary_abs", in -> abs(in[0]));
  }

  private static void binary() {
    TWINS.put("binary_add", in -> in[0].add(in[1]));
    TWINS.put("binary_subtract", in -> in[0].sub(in[1]));
    TWINS.put("binary_multiply", in -> in[0].mul(in[1]));
    TWINS.put("binary_divide", in -> in[0].div(in[1]));
    TWINS.put("binary_maximum", in -> maximum(in[0], in[1]));
    TWINS.put("binary_minimum", in -> minimum(in[0], in[1]));
  }

  private static void reductions(String suffix, Long axis) {
    TWINS.put("reduce_sum" + suffix, in -> axis == null ? sum(in[0]) : sum(in[0], axis));
    TWINS.put("reduce_mean" + suffix, in -> axis == null ? mean(in[0]) : mean(in[0], axis));
    TWINS.put(
        "reduce_max" + suffix,
        in -> axis == null ? amax(in[0]) : amax(in[0], new long[] {axis}, false));
    TWINS.put(
        "reduce_sum_of_squares" + suffix,
        in -> axis == null ? sum(square(in[0])) : sum(square(in[0]), axis));
  }

  private static void matrices() {
    TWINS.put("matmul", in -> matmul(in[0], in[1]));
    TWINS.put("matmul_ta", in -> matmul(in[0].t(), in[1]));
    TWINS.put("matmul_tb", in -> matmul(in[0], in[1].t()));
    TWINS.put("matmul_ta_tb", in -> matmul(in[0].t(), in[1].t()));
    TWINS.put("transpose", in -> in[0].t());
    TWINS.put("gather_rows", in -> in[0].index_select(0, in[1]));
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
    TWINS.put("mean_squared_error", in -> mse_loss(in[0], in[1]));
    TWINS.put("sum_of_squares", in -> sum(square(in[0].sub(in[1]))));
  }

  private static Tensor crossEntropy(Tensor[] in, double smoothing) {
    long meanOfRows = 1;
    return cross_entropy_loss(
        in[0], in[1].to(ScalarType.Long), new TensorOptional(), meanOfRows, -100, smoothing);
  }

  private static Tensor layerNorm(Tensor x, Tensor scale, Tensor shift) {
    var weight = new TensorOptional(scale);
    return layer_norm(x, new long[] {x.size(1)}, weight, new TensorOptional(shift), 1e-5, false);
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
  static Evaluation evaluate(Twin twin, List<Input> inputs, long seed) {
    try (PointerScope _ = new PointerScope()) {
      Tensor[] in = new Tensor[inputs.size()];
      for (int i = 0; i < in.length; i++) {
        Input input = inputs.get(i);
        double[] values = input.values(seed + i);
        long[] sizes = input.shape().toArray();
        in[i] =
            input.hasGradient()
                ? tensor(values, sizes).requires_grad_(true)
                : integers(values, sizes);
      }
      Tensor y = pass(twin, in, seed);
      List<double[]> gradients = gradients(in, inputs);
      pass(twin, in, seed);
      return new Evaluation(doubles(y), gradients, gradients(in, inputs));
    }
  }

  private static Tensor pass(Twin twin, Tensor[] in, long seed) {
    Tensor y = twin.apply(in);
    double[] dy = Evaluation.weights((int) y.numel(), seed);
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
