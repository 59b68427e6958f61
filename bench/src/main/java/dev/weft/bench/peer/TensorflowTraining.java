// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench.peer;

import dev.weft.Device;
import dev.weft.nn.Sequential;
import java.util.ArrayList;
import java.util.List;
import org.tensorflow.Graph;
import org.tensorflow.Operand;
import org.tensorflow.Session;
import org.tensorflow.internal.c_api.presets.tensorflow;
import org.tensorflow.ndarray.Shape;
import org.tensorflow.ndarray.buffer.DataBuffers;
import org.tensorflow.op.Op;
import org.tensorflow.op.Ops;
import org.tensorflow.op.core.Gradients;
import org.tensorflow.op.core.Placeholder;
import org.tensorflow.op.core.Variable;
import org.tensorflow.proto.ConfigProto;
import org.tensorflow.types.TFloat32;
import org.tensorflow.types.TInt32;

/**
 * TensorFlow's side, by its Java API: one graph of forward, backward and update, run in a session.
 * Batches are tensors made beforehand, so a step reads no data. Weft's first values and its first
 * epoch's order are taken over.
 */
final class TensorflowTraining implements TrainingStep {
  private record Batch(TFloat32 x, TInt32 labels) {}

  private final Graph graph = new Graph();
  private final Session session;
  private final List<Batch> batches = new ArrayList<>();
  private final List<Op> initial = new ArrayList<>();
  private final Placeholder<TFloat32> x;
  private final Placeholder<TInt32> labels;
  private final Operand<TFloat32> loss;
  private final Op update;
  private int next;

  /** Why this cannot run there, in a sentence; null where it can. */
  static String missing(Target target) {
    String natives = "/org/tensorflow/internal/c_api/linux-x86_64/libjnitensorflow.so";
    if (tensorflow.class.getResource(natives) == null) {
      return "its native library is not on the class path; ./weft bench steps --peer tensorflow"
          + " fetches it (160 MB from Maven Central).";
    }
    return target == Target.CPU ? null : "its native on Maven Central is for CPUs alone.";
  }

  TensorflowTraining(Mlp mlp) {
    Ops tf = Ops.create(graph);
    x = tf.placeholder(TFloat32.class, Placeholder.shape(Shape.of(mlp.batch(), mlp.inputs())));
    labels = tf.placeholder(TInt32.class, Placeholder.shape(Shape.of(mlp.batch())));
    List<Variable<TFloat32>> parameters = new ArrayList<>();
    Operand<TFloat32> y = forward(tf, mlp, parameters);
    var entropy = tf.nn.sparseSoftmaxCrossEntropyWithLogits(y, labels);
    loss = tf.math.mean(entropy.loss(), tf.constant(0));
    // the loss is a mean, so its gradient is that of a row / rows
    Operand<TFloat32> dy = tf.math.mul(entropy.backprop(), tf.constant(1f / mlp.batch()));
    Gradients gradients = tf.gradients(List.of(y), parameters, Gradients.dx(List.of(dy)));
    List<Op> updates = new ArrayList<>();
    // a weight is read where it lies, so nothing may change before every gradient is there
    List<Op> allGradients = new ArrayList<>();
    gradients.forEach(allGradients::add);
    Ops then = tf.withControlDependencies(allGradients);
    for (int i = 0; i < parameters.size(); i++) {
      Variable<TFloat32> value = parameters.get(i);
      Variable<TFloat32> velocity = tf.variable(value.shape(), TFloat32.class);
      initial.add(tf.assign(velocity, tf.zeros(tf.constant(value.shape()), TFloat32.class)));
      updates.add(
          then.train.applyMomentum(
              value,
              velocity,
              tf.constant((float) RATE),
              gradients.<TFloat32>dy(i),
              tf.constant((float) MOMENTUM)));
    }
    update = tf.withControlDependencies(updates).noOp();
    session =
        new Session(
            graph,
            ConfigProto.newBuilder()
                .setIntraOpParallelismThreads(Threads.count())
                .setInterOpParallelismThreads(1)
                .build());
    initial.forEach(op -> session.runner().addTarget(op).run());
    Batches.each(
        mlp,
        (features, classes) ->
            batches.add(
                new Batch(
                    TFloat32.tensorOf(
                        Shape.of(mlp.batch(), mlp.inputs()), DataBuffers.of(features)),
                    TInt32.tensorOf(Shape.of(mlp.batch()), DataBuffers.of(classes)))));
  }

  /** The network with the values that Weft starts from; its parameters are added to the list. */
  private Operand<TFloat32> forward(Ops tf, Mlp mlp, List<Variable<TFloat32>> parameters) {
    Operand<TFloat32> y = x;
    try (var device = Device.cpu();
        Sequential values = WeftTraining.network(mlp).seed(SEED).on(device)) {
      for (int layer = 1; layer < mlp.widths().size(); layer++) {
        Shape shape = Shape.of(mlp.widths().get(layer - 1), mlp.widths().get(layer));
        float[] weight =
            List.copyOf(values.named().values()).get(2 * layer - 2).tensor().toFloats();
        Variable<TFloat32> w = tf.variable(shape, TFloat32.class);
        Variable<TFloat32> b = tf.variable(Shape.of(mlp.widths().get(layer)), TFloat32.class);
        initial.add(tf.assign(w, tf.constant(shape, DataBuffers.of(weight))));
        initial.add(tf.assign(b, tf.zeros(tf.constant(b.shape()), TFloat32.class)));
        parameters.add(w);
        parameters.add(b);
        y = tf.nn.biasAdd(tf.linalg.matMul(y, w), b);
        y = layer + 1 < mlp.widths().size() ? tf.nn.relu(y) : y;
      }
    }
    return y;
  }

  private Session.Runner next() {
    Batch batch = batches.get(next);
    next = (next + 1) % batches.size();
    return session.runner().feed(x, batch.x()).feed(labels, batch.labels()).addTarget(update);
  }

  @Override
  public void step() {
    next().run().close();
  }

  @Override
  public void finish() {
    // a run of a session returns when it is done
  }

  @Override
  public double stepAndLoss() {
    try (var result = next().fetch(loss).run()) {
      return ((TFloat32) result.get(0)).getFloat();
    }
  }

  @Override
  public void close() {
    for (Batch batch : batches) {
      batch.x().close();
      batch.labels().close();
    }
    session.close();
    graph.close();
  }
}
