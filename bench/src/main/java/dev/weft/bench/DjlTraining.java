// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench;

import ai.djl.Device;
import ai.djl.Model;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Activation;
import ai.djl.nn.Block;
import ai.djl.nn.SequentialBlock;
import ai.djl.nn.core.Linear;
import ai.djl.training.DefaultTrainingConfig;
import ai.djl.training.GradientCollector;
import ai.djl.training.Trainer;
import ai.djl.training.loss.Loss;
import ai.djl.training.optimizer.Optimizer;
import ai.djl.training.tracker.Tracker;
import dev.weft.MathMode;
import dev.weft.data.BatchOrder;
import dev.weft.data.Dataset;
import dev.weft.data.LastBatch;
import dev.weft.data.Storage;
import dev.weft.nn.Sequential;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;

/**
 * DJL's side, over its PyTorch engine: its trainer, gradient collector, loss and optimizer. Batches
 * are made beforehand as float arrays, so a step reads no data. Weft's first values and its first
 * epoch's order are taken over.
 */
final class DjlTraining implements TrainingStep {
  private record Batch(NDArray x, NDArray labels) {}

  private final Model model;
  private final Trainer trainer;
  private final List<Batch> batches = new ArrayList<>();
  private int next;

  DjlTraining(MlpShape shape) {
    model = Model.newInstance("mlp", Device.cpu(), "PyTorch");
    model.setBlock(network(shape));
    var optimizer =
        Optimizer.sgd()
            .setLearningRateTracker(Tracker.fixed((float) RATE))
            .optMomentum((float) MOMENTUM)
            .build();
    trainer =
        model.newTrainer(
            new DefaultTrainingConfig(Loss.softmaxCrossEntropyLoss())
                .optOptimizer(optimizer)
                .optDevices(new Device[] {Device.cpu()}));
    trainer.initialize(new Shape(shape.batch(), MlpShape.INPUTS));
    makeBatches(shape, trainer.getManager());
  }

  /** The network with the values that Weft starts from. */
  private static Block network(MlpShape shape) {
    SequentialBlock block = new SequentialBlock();
    try (var device = dev.weft.Device.cpu();
        Sequential values = WeftTraining.network(shape).on(device, MathMode.STRICT, SEED)) {
      List<dev.weft.Parameter> parameters = values.parameters();
      for (int i = 0; i < parameters.size(); i += 2) {
        float[] weight = parameters.get(i).tensor().toFloats();
        long in = parameters.get(i).shape().size(0);
        long out = parameters.get(i).shape().size(1);
        Linear linear = Linear.builder().setUnits(out).build();
        // a weight is (in, out) in Weft and (out, in) here
        linear.setInitializer(
            (manager, wanted, type) -> {
              try (NDArray stored = manager.create(weight, new Shape(in, out))) {
                return stored.transpose().reshape(wanted).duplicate();
              }
            },
            "weight");
        linear.setInitializer((manager, wanted, type) -> manager.zeros(wanted, type), "bias");
        block.add(linear);
        if (i + 2 < parameters.size()) {
          block.add(Activation::relu);
        }
      }
    }
    return block;
  }

  private void makeBatches(MlpShape shape, NDManager manager) {
    Dataset digits = MlpShape.digits();
    MemorySegment pixels = digits.features().as(Storage.FLOAT32).data();
    var order = new BatchOrder(digits.rows(), shape.batch(), LastBatch.KEEP, SEED);
    int[] rows = order.epoch(0).toArray(ValueLayout.JAVA_INT);
    for (int start = 0; start < rows.length; start += shape.batch()) {
      float[] x = new float[shape.batch() * MlpShape.INPUTS];
      int[] labels = new int[shape.batch()];
      for (int r = 0; r < shape.batch(); r++) {
        long from = 4L * MlpShape.INPUTS * rows[start + r];
        int to = r * MlpShape.INPUTS;
        MemorySegment.copy(pixels, ValueLayout.JAVA_FLOAT, from, x, to, MlpShape.INPUTS);
        labels[r] = digits.labels().get(rows[start + r]);
      }
      batches.add(
          new Batch(
              manager.create(x, new Shape(shape.batch(), MlpShape.INPUTS)),
              manager.create(labels, new Shape(shape.batch()))));
    }
  }

  @Override
  public void step() {
    Batch batch = batches.get(next);
    next = (next + 1) % batches.size();
    try (NDManager scope = trainer.getManager().newSubManager()) {
      run(batch, scope);
    }
  }

  @Override
  public double stepAndLoss() {
    Batch batch = batches.get(next);
    next = (next + 1) % batches.size();
    try (NDManager scope = trainer.getManager().newSubManager()) {
      return run(batch, scope).getFloat();
    }
  }

  /** What a step makes belongs to {@code scope}, because what it is made from does for its time. */
  private NDArray run(Batch batch, NDManager scope) {
    scope.tempAttachAll(batch.x(), batch.labels());
    NDArray loss;
    try (GradientCollector collector = trainer.newGradientCollector()) {
      NDList y = trainer.forward(new NDList(batch.x()));
      loss = trainer.getLoss().evaluate(new NDList(batch.labels()), y);
      collector.backward(loss);
    }
    trainer.step();
    return loss;
  }

  @Override
  public void close() {
    trainer.close();
    model.close();
  }
}
