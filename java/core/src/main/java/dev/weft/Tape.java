// SPDX-License-Identifier: Apache-2.0
package dev.weft;

import static dev.weft.format.Format.format;

import dev.weft.device.BinaryFunction;
import dev.weft.device.Closing;
import dev.weft.device.Nonlinearity;
import dev.weft.device.Pool;
import dev.weft.device.ReductionFunction;
import dev.weft.device.UnaryFunction;
import dev.weft.op.BiasActivation;
import dev.weft.op.Binary;
import dev.weft.op.Cast;
import dev.weft.op.Concat;
import dev.weft.op.Dropout;
import dev.weft.op.GatherRows;
import dev.weft.op.MatMul;
import dev.weft.op.Operands;
import dev.weft.op.Operation;
import dev.weft.op.Reduction;
import dev.weft.op.Reshape;
import dev.weft.op.Slice;
import dev.weft.op.SoftmaxCrossEntropy;
import dev.weft.op.Transpose;
import dev.weft.op.Unary;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.function.Supplier;

/**
 * Records operations as they run and takes gradients in reverse order. What it makes lives until it
 * is closed. Each method computes its result at once; {@link #backward} adds the gradients of
 * everything that {@link Tensor#requiresGrad} was called on.
 *
 * <p>A gradient is the sum over all uses of a tensor and over all backward passes since {@link
 * Tensor#zeroGrad}. Gradients of intermediate results are given back as soon as they are used,
 * unless {@link #retainGradients} was called.
 *
 * <p>This class is long because it has a method for every operation; how gradients flow stands in
 * {@code Gradients}.
 */
public final class Tape implements AutoCloseable {

  /** What the pass is for. */
  public enum Mode {
    /** Operations are recorded, dropout drops. */
    TRAIN,
    /** Nothing is recorded, dropout passes everything on. */
    INFER
  }

  private final Device device;
  private final Mode mode;
  private final Pool pool;
  private final List<Node> nodes = new ArrayList<>();
  private StepState state;
  private final boolean ownsState;
  private final long seed;
  private final long step;
  private long draws;
  private final Gradients gradients = new Gradients(this);
  private boolean recording;
  private MathMode math = MathMode.STRICT;
  private boolean closed;

  /** A tape for training, whose random draws differ from those of every tape made before it. */
  public Tape(Device device) {
    this(device, null, 0, device.nextTape(), Mode.TRAIN, device.pool());
  }

  /** A tape for training, whose random draws are those of {@code seed}, step 0. */
  public Tape(Device device, long seed) {
    this(device, null, seed, 0, Mode.TRAIN, device.pool());
  }

  /** A tape whose random draws follow {@code state}, which must stay open as long as the tape. */
  public Tape(Device device, StepState state, Mode mode) {
    this(device, state, 0, 0, mode, device.pool());
  }

  /** The same, with its memory from {@code pool}, which is closed with the tape. */
  public Tape(Device device, StepState state, Mode mode, Pool pool) {
    this(device, state, 0, 0, mode, pool);
  }

  private Tape(Device device, StepState state, long seed, long step, Mode mode, Pool pool) {
    if (state != null && state.device() != device) {
      throw new IllegalArgumentException(
          format("a step state on %s does not serve a tape on %s", state.device(), device));
    }
    if (!device.owns(pool)) {
      throw new IllegalArgumentException(
          format("a pool of another device does not serve a tape on %s", device));
    }
    this.device = device;
    this.pool = pool;
    this.state = state;
    this.ownsState = state == null;
    this.seed = seed;
    this.step = step;
    this.mode = mode;
    this.recording = mode == Mode.TRAIN;
  }

  /** A tape that records nothing and drops nothing. */
  public static Tape inference(Device device) {
    return new Tape(device, null, 0, 0, Mode.INFER, device.pool());
  }

  /** The device it computes on. */
  public Device device() {
    return device;
  }

  /** What the pass is for. */
  public Mode mode() {
    return mode;
  }

  /** Says how precise the products of float32 matrices are from now on. Returns this tape. */
  public Tape math(MathMode math) {
    check();
    this.math = math;
    return this;
  }

  /** How precise products are: {@link MathMode#STRICT} until something else was said. */
  public MathMode math() {
    return math;
  }

  /** The recorded operations in the order they ran. */
  public List<Node> nodes() {
    return Collections.unmodifiableList(nodes);
  }

  /** Keeps the gradients of intermediate results until the tape is closed. Returns this tape. */
  public Tape retainGradients() {
    check();
    gradients.retain();
    return this;
  }

  /**
   * Gives results back during the backward pass, as soon as no gradient needs them: training then
   * takes the memory of one batch of activations and little more. What backward started from stays
   * readable, other results do not, and there is no second pass. Returns this tape.
   */
  public Tape releaseResults() {
    check();
    gradients.releaseResults();
    return this;
  }

  /** Runs {@code body} without recording what it does: nothing in it gets a gradient. */
  public <R> R withoutGradient(Supplier<R> body) {
    check();
    boolean before = recording;
    recording = false;
    try {
      return body.get();
    } finally {
      recording = before;
    }
  }

  /**
   * Applies an operation.
   *
   * @throws IllegalArgumentException where inputs do not fit, lie on different devices or are of
   *     other types than {@link Operation#operands} says
   * @throws IllegalStateException where the tape or an input is closed
   */
  public Tensor apply(Operation operation, Tensor... inputs) {
    String name = operation.name();
    check(name, operation.operands(), inputs);
    List<Tensor> list = recording ? List.of(inputs) : withoutGradients(inputs);
    Node node = new Node(this, operation, list);
    Tensor output = operation.forward(node).named(name);
    node.output(output);
    if (output.dtype().isFloating() && list.stream().anyMatch(Tensor::hasGradient)) {
      output.requiresGrad();
      output.markIntermediate();
      nodes.add(node);
    }
    return output;
  }

  /** Returns if something can be applied to inputs of these types, here and now. */
  private void check(String what, Operands operands, Tensor... inputs) {
    check();
    for (int i = 0; i < inputs.length; i++) {
      if (inputs[i] == null) {
        throw new IllegalArgumentException(format("%s: tensor %d is null", what, i));
      }
      inputs[i].address(); // throws where it is closed
      checkDevice(what, inputs[i]);
    }
    operands.check(what, inputs);
  }

  private void checkDevice(String what, Tensor tensor) {
    if (tensor.device() != device) {
      throw new IllegalArgumentException(
          format("%s: %s is not on this tape's device, %s", what, tensor, device));
    }
  }

  /** The same memory without the wish for a gradient, so that an operation prepares none. */
  private static List<Tensor> withoutGradients(Tensor[] inputs) {
    List<Tensor> list = new ArrayList<>();
    for (Tensor input : inputs) {
      list.add(input.hasGradient() ? input.view(0, input.shape()).named(input.name()) : input);
    }
    return list;
  }

  /**
   * Adds the gradient of a scalar to everything it was computed from.
   *
   * @throws IllegalArgumentException where {@code y} is not a scalar or nothing in it has a
   *     gradient
   */
  public void backward(Tensor y) {
    check();
    if (y.elements() != 1) {
      throw new IllegalArgumentException(
          format("backward starts from a scalar; %s has %d elements", y, y.elements()));
    }
    gradients.startFromOne(y, nodes);
    gradients.walk(y, nodes);
  }

  /**
   * Adds the gradient of Σ dy_i y_i to everything that y was computed from.
   *
   * @throws IllegalArgumentException where the shapes, types or devices differ or nothing in {@code
   *     y} has a gradient
   */
  public void backward(Tensor y, Tensor dy) {
    check();
    dy.address(); // throws where it is closed
    checkDevice("backward", dy);
    if (!y.shape().equals(dy.shape()) || y.dtype() != dy.dtype()) {
      throw new IllegalArgumentException(format("a gradient %s does not fit %s", dy, y));
    }
    gradients.copy(dy, gradients.start(y, nodes));
    gradients.walk(y, nodes);
  }

  /** A tensor of this tape, contents undefined: for what no operation makes. */
  public Tensor make(DType dtype, Shape shape) {
    check();
    return Tensor.over(device, dtype, shape, pool.allocate(dtype.bytes(shape)));
  }

  void release(Tensor scratch) {
    pool.release(scratch.block());
  }

  Gradients gradients() {
    return gradients;
  }

  /** The state that random draws follow. */
  public StepState state() {
    if (state == null) {
      check();
      StepState made = new StepState(device, seed);
      try {
        made.set(seed, step, 0, 0);
      } catch (RuntimeException e) {
        Closing.after(e, made::close);
        throw e;
      }
      state = made;
    }
    return state;
  }

  private void check() {
    if (closed) {
      throw new IllegalStateException("the tape on " + device + " is closed");
    }
    device.check();
  }

  private Tensor unary(UnaryFunction function, double alpha, Tensor x) {
    return apply(new Unary(function, alpha), x);
  }

  private Tensor binary(BinaryFunction function, Tensor a, Tensor b) {
    return apply(new Binary(function), a, b);
  }

  /** a + b, broadcasting. */
  public Tensor add(Tensor a, Tensor b) {
    return binary(BinaryFunction.ADD, a, b);
  }

  /** a - b, broadcasting. */
  public Tensor subtract(Tensor a, Tensor b) {
    return binary(BinaryFunction.SUBTRACT, a, b);
  }

  /** a b, element by element, broadcasting. */
  public Tensor multiply(Tensor a, Tensor b) {
    return binary(BinaryFunction.MULTIPLY, a, b);
  }

  /** a / b, element by element, broadcasting. */
  public Tensor divide(Tensor a, Tensor b) {
    return binary(BinaryFunction.DIVIDE, a, b);
  }

  /** The larger of a and b, element by element, broadcasting. */
  public Tensor maximum(Tensor a, Tensor b) {
    return binary(BinaryFunction.MAXIMUM, a, b);
  }

  /** The smaller of a and b, element by element, broadcasting. */
  public Tensor minimum(Tensor a, Tensor b) {
    return binary(BinaryFunction.MINIMUM, a, b);
  }

  /** factor x. */
  public Tensor scale(Tensor x, double factor) {
    return unary(UnaryFunction.SCALE, factor, x);
  }

  /** x + summand. */
  public Tensor shift(Tensor x, double summand) {
    return unary(UnaryFunction.SHIFT, summand, x);
  }

  /** -x. */
  public Tensor negate(Tensor x) {
    return scale(x, -1);
  }

  /** e^x. */
  public Tensor exp(Tensor x) {
    return unary(UnaryFunction.EXP, 0, x);
  }

  /** The natural logarithm. */
  public Tensor log(Tensor x) {
    return unary(UnaryFunction.LOG, 0, x);
  }

  /** x². */
  public Tensor square(Tensor x) {
    return unary(UnaryFunction.SQUARE, 0, x);
  }

  /** √x. */
  public Tensor sqrt(Tensor x) {
    return unary(UnaryFunction.SQRT, 0, x);
  }

  /** x^exponent. */
  public Tensor pow(Tensor x, double exponent) {
    return unary(UnaryFunction.POW, exponent, x);
  }

  /** 1 / x. */
  public Tensor reciprocal(Tensor x) {
    return unary(UnaryFunction.RECIPROCAL, 0, x);
  }

  /** |x|. */
  public Tensor abs(Tensor x) {
    return unary(UnaryFunction.ABS, 0, x);
  }

  /** f(x) for an activation f that needs no setting, or with alpha 0.01 (leaky ReLU) or 1 (ELU). */
  public Tensor activation(Nonlinearity function, Tensor x) {
    return activation(function, function.defaultAlpha(), x);
  }

  /**
   * f(x) with the slope (leaky ReLU) or scale (ELU) {@code alpha}.
   *
   * @throws IllegalArgumentException where f takes no alpha and would ignore this one
   */
  public Tensor activation(Nonlinearity function, double alpha, Tensor x) {
    return apply(new BiasActivation(function, BiasActivation.alpha(function, alpha)), x);
  }

  /** f(x + b) in one pass; x (rows, cols), b (cols). */
  public Tensor biasActivation(Nonlinearity function, Tensor x, Tensor b) {
    return apply(new BiasActivation(function, function.defaultAlpha()), x, b);
  }

  /** 1 / (1 + e^-x). */
  public Tensor sigmoid(Tensor x) {
    return activation(Nonlinearity.SIGMOID, x);
  }

  /** The hyperbolic tangent. */
  public Tensor tanh(Tensor x) {
    return activation(Nonlinearity.TANH, x);
  }

  /** max(0, x). */
  public Tensor relu(Tensor x) {
    return activation(Nonlinearity.RELU, x);
  }

  /**
   * x in another type; x itself where it has that type already. Floating-point values are rounded
   * to the nearest, infinite where one is too large, and to an integer type cut off toward zero. A
   * result of an integer type has no gradient.
   *
   * @throws IllegalArgumentException where an integer type does not hold a value: NaN, or one that
   *     is too large
   * @throws IllegalStateException within {@link Device#record}, unless it is between F32 and BF16:
   *     every other cast goes through host memory
   */
  public Tensor cast(Tensor x, DType dtype) {
    Cast cast = new Cast(dtype);
    check(cast.name(), cast.operands(), x);
    return x.dtype() == dtype ? x : apply(cast, x);
  }

  /** x in the type that sums over it have, {@link DType#wide}: BF16 as F32, others as they are. */
  public Tensor wide(Tensor x) {
    return cast(x, x.dtype().wide());
  }

  /** The matrix product of a (m, k) and b (k, n). */
  public Tensor matmul(Tensor a, Tensor b) {
    return apply(new MatMul(), a, b);
  }

  /** The sum of all elements. */
  public Tensor sum(Tensor x) {
    return apply(new Reduction(ReductionFunction.SUM), x);
  }

  /** Sums over one axis, which goes away. */
  public Tensor sum(Tensor x, int axis) {
    return apply(new Reduction(ReductionFunction.SUM, axis), x);
  }

  /** The mean of all elements. */
  public Tensor mean(Tensor x) {
    return apply(new Reduction(ReductionFunction.MEAN), x);
  }

  /** Means over one axis, which goes away. */
  public Tensor mean(Tensor x, int axis) {
    return apply(new Reduction(ReductionFunction.MEAN, axis), x);
  }

  /** The largest element. */
  public Tensor max(Tensor x) {
    return apply(new Reduction(ReductionFunction.MAX), x);
  }

  /** The largest elements along one axis, which goes away. */
  public Tensor max(Tensor x, int axis) {
    return apply(new Reduction(ReductionFunction.MAX, axis), x);
  }

  /** Σ x_i². */
  public Tensor squaredNorm(Tensor x) {
    return apply(new Reduction(ReductionFunction.SUM_OF_SQUARES), x);
  }

  /** The same elements under another shape; nothing is copied. */
  public Tensor reshape(Tensor x, long... sizes) {
    return apply(new Reshape(Shape.of(sizes)), x);
  }

  /** A matrix with rows and columns exchanged. */
  public Tensor transpose(Tensor x) {
    return apply(new Transpose(), x);
  }

  /** The entries {@code from} up to, not including, {@code to} along one axis. */
  public Tensor slice(Tensor x, int axis, long from, long to) {
    return apply(new Slice(axis, from, to), x);
  }

  /** Tensors one after another along one axis. */
  public Tensor concat(int axis, Tensor... parts) {
    if (parts.length == 0) {
      throw new IllegalArgumentException("concat needs at least one tensor");
    }
    return apply(new Concat(axis), parts);
  }

  /**
   * The rows of {@code source} (n, cols) numbered by the int32 vector {@code index}; NaN where a
   * number is outside 0..n-1.
   */
  public Tensor gather(Tensor source, Tensor index) {
    return apply(new GatherRows(), source, index);
  }

  /** Inverted dropout; in inference mode, or at rate 0, x itself. */
  public Tensor dropout(Tensor x, double rate) {
    Dropout dropout = new Dropout(rate, draws);
    check(dropout.name(), dropout.operands(), x);
    draws++;
    return mode == Mode.INFER || rate == 0 ? x : apply(dropout, x);
  }

  /**
   * The mean cross-entropy of softmax(logits) against class labels (int32); NaN where a label is
   * outside 0..classes-1.
   */
  public Tensor softmaxCrossEntropy(Tensor logits, Tensor labels) {
    return apply(new SoftmaxCrossEntropy(0), logits, labels);
  }

  /**
   * The mean cross-entropy of softmax(logits) against class labels (int32), smoothed.
   *
   * @param smoothing the share of probability that is spread over all classes, in [0, 1)
   */
  public Tensor softmaxCrossEntropy(Tensor logits, Tensor labels, double smoothing) {
    return apply(new SoftmaxCrossEntropy(smoothing), logits, labels);
  }

  /** e^x_c / Σ_j e^x_j along the last axis of a matrix; of BF16 computed in F32, then rounded. */
  public Tensor softmax(Tensor x) {
    Tensor powers = exp(shifted("softmax", x));
    Tensor y = divide(powers, reshape(sum(powers, 1), x.shape().size(0), 1));
    return cast(y, x.dtype());
  }

  /** x_c - log Σ_j e^x_j along the last axis of a matrix; BF16 as in {@link #softmax}. */
  public Tensor logSoftmax(Tensor x) {
    Tensor below = shifted("log_softmax", x);
    Tensor y = subtract(below, reshape(log(sum(exp(below), 1)), x.shape().size(0), 1));
    return cast(y, x.dtype());
  }

  /** x, in its wide type, less each row's largest: softmax is the same, e^x cannot overflow. */
  private Tensor shifted(String what, Tensor x) {
    check(what, Operands.floating("x"), x);
    if (x.shape().rank() != 2) {
      throw new IllegalArgumentException(format("%s needs a matrix, not %s", what, x.shape()));
    }
    Tensor largest = withoutGradient(() -> reshape(max(x, 1), x.shape().size(0), 1));
    return subtract(wide(x), largest);
  }

  /** 1/n Σ (a_i - b_i)², n the number of elements. */
  public Tensor meanSquaredError(Tensor a, Tensor b) {
    checkAlike("mean_squared_error", a, b);
    return scale(sumOfSquares(a, b), 1.0 / Math.max(1, a.elements()));
  }

  /** Σ (a_i - b_i)². */
  public Tensor sumOfSquares(Tensor a, Tensor b) {
    checkAlike("sum_of_squares", a, b);
    return squaredNorm(subtract(a, b));
  }

  private void checkAlike(String what, Tensor a, Tensor b) {
    check(what, Operands.floating("a", "b"), a, b);
    if (!a.shape().equals(b.shape())) {
      throw new IllegalArgumentException(
          format("%s of shapes %s and %s", what, a.shape(), b.shape()));
    }
  }

  /** Gives back everything that this tape made; closing it again does nothing. */
  @Override
  public void close() {
    if (closed) {
      return;
    }
    device.checkMayClose();
    closed = true;
    nodes.clear();
    Closing.all(pool, ownsState ? state : null);
  }
}
