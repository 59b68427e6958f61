// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench.peer;

import ai.djl.Device;
import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Activation;
import ai.djl.nn.norm.BatchNorm;
import ai.djl.nn.norm.Dropout;
import ai.djl.nn.norm.LayerNorm;
import ai.djl.training.GradientCollector;
import ai.djl.training.loss.Loss;
import ai.djl.training.optimizer.Optimizer;
import ai.djl.training.tracker.Tracker;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;

/**
 * What DJL computes, over its PyTorch engine, that a kernel of Weft's computes on as large
 * operands. Its result is a new array each time, as it is in a program; those of a loss are the
 * loss and the gradient, as they are of the kernel.
 */
public final class DjlKernel implements AutoCloseable {

  /** From a matrix, another one like it and a label for each row. */
  @FunctionalInterface
  private interface Function {
    NDArray apply(DjlKernel on, NDManager scope);
  }

  private static final Map<String, Function> KERNELS = new HashMap<>();
  private static final Tracker RATE = Tracker.fixed(1e-3f);

  static {
    KERNELS.put("relu_forward", (on, scope) -> Activation.relu(on.x));
    KERNELS.put("gelu_forward", (on, scope) -> Activation.gelu(on.x));
    KERNELS.put("tanh_forward", (on, scope) -> on.x.tanh());
    KERNELS.put("exp_forward", (on, scope) -> on.x.exp());
    KERNELS.put("multiply_forward", (on, scope) -> on.x.mul(on.y));
    KERNELS.put("sum_of_rows", (on, scope) -> on.x.sum(new int[] {1}));
    KERNELS.put("transpose", (on, scope) -> on.x.transpose(1, 0).flatten()); // a view is not moved
    KERNELS.put("softmax_forward", (on, scope) -> on.x.softmax(1));
    KERNELS.put("log_softmax_forward", (on, scope) -> on.x.logSoftmax(1));
    KERNELS.put("dropout", (on, scope) -> Dropout.dropout(on.x, 0.5f, true).singletonOrThrow());
    KERNELS.put("random_normal", (on, scope) -> scope.randomNormal(on.x.getShape()));
    KERNELS.put("random_uniform", (on, scope) -> scope.randomUniform(0, 1, on.x.getShape()));
    KERNELS.put(
        "layer_norm_forward",
        (on, scope) ->
            LayerNorm.layerNorm(on.x, new Shape(on.cols), on.ones, on.zeros, 1e-5f)
                .singletonOrThrow());
    KERNELS.put(
        "batch_norm_forward",
        (on, scope) ->
            BatchNorm.batchNorm(on.x, on.mean, on.variance, on.ones, on.zeros, 1, 0.9f, 1e-5f, true)
                .singletonOrThrow());
    KERNELS.put(
        "softmax_cross_entropy",
        (on, scope) -> on.gradient(Loss.softmaxCrossEntropyLoss(), on.labels));
    KERNELS.put("squared_loss", (on, scope) -> on.gradient(Loss.l2Loss(), on.y));
    KERNELS.put("absolute_loss", (on, scope) -> on.gradient(Loss.l1Loss(), on.y));
    KERNELS.put(
        "logistic_loss", (on, scope) -> on.gradient(Loss.sigmoidBinaryCrossEntropyLoss(), on.y));
    // of its other rules its PyTorch engine has Nesterov's and AdamW alone
    KERNELS.put("sgd_momentum", (on, scope) -> on.stepped(on.momentum));
    KERNELS.put("adam", (on, scope) -> on.stepped(on.adam));
  }

  private final NDManager manager;
  private final Function function;
  // what they remember is made in the first step, and goes with the manager
  private final Optimizer momentum =
      Optimizer.sgd().setLearningRateTracker(RATE).optMomentum(0.9f).build();
  private final Optimizer adam = Optimizer.adam().optLearningRateTracker(RATE).build();
  private final long cols;
  private final NDArray x;
  private final NDArray y;
  private final NDArray labels;
  private final NDArray ones;
  private final NDArray zeros;
  private final NDArray mean;
  private final NDArray variance;

  /** The names of the kernels that it has something beside. */
  public static Set<String> names() {
    return KERNELS.keySet();
  }

  /** What stands beside a kernel on matrices (rows, cols). */
  public DjlKernel(String kernel, long rows, long cols) {
    this.function = KERNELS.get(kernel);
    this.cols = cols;
    manager = Engine.getEngine("PyTorch").newBaseManager(Device.cpu());
    Shape matrix = new Shape(rows, cols);
    Shape row = new Shape(cols);
    x = manager.randomNormal(matrix);
    y = manager.randomUniform(0, 1, matrix);
    labels = manager.randomInteger(0, cols, new Shape(rows), DataType.INT64);
    ones = manager.ones(row);
    zeros = manager.zeros(row);
    mean = manager.zeros(row);
    variance = manager.ones(row);
    if (kernel.endsWith("_loss") || kernel.equals("softmax_cross_entropy")) {
      x.setRequiresGradient(true);
    }
  }

  /** Computes it once. What comes of it belongs to a scope, because its operands do meanwhile. */
  public void run() {
    try (NDManager scope = manager.newSubManager()) {
      scope.tempAttachAll(x, y, labels, ones, zeros, mean, variance);
      function.apply(this, scope);
    }
  }

  /** Values x after a step whose gradient is y. */
  private NDArray stepped(Optimizer optimizer) {
    optimizer.update("x", x, y);
    return x;
  }

  private NDArray gradient(Loss loss, NDArray targets) {
    try (GradientCollector collector = Engine.getEngine("PyTorch").newGradientCollector()) {
      NDArray value = loss.evaluate(new NDList(targets), new NDList(x));
      collector.backward(value);
      return value;
    }
  }

  @Override
  public void close() {
    manager.close();
  }
}
