// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench.peer;

import ai.djl.Device;
import ai.djl.Model;
import ai.djl.engine.Engine;
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
import dev.weft.nn.Sequential;
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
  private final boolean cuda;
  private int next;

  /** Why this cannot run there, in a sentence; null where it can. */
  static String missing(Target target) {
    return target == Target.CPU || Engine.getEngine("PyTorch").getGpuCount() > 0
        ? null
        : "its PyTorch native is the one for CPUs; with pytorch-native-cu128 "
            + "(2.5 GB from Maven Central) in its place DJL runs on a GPU too.";
  }

  DjlTraining(Mlp mlp, Target target) {
    Device device = target == Target.CPU ? Device.cpu() : Device.gpu();
    cuda = target == Target.CUDA;
    model = Model.newInstance("mlp", device, "PyTorch");
    model.setBlock(network(mlp));
    var optimizer =
        Optimizer.sgd()
            .setLearningRateTracker(Tracker.fixed((float) RATE))
            .optMomentum((float) MOMENTUM)
            .build();
    trainer =
        model.newTrainer(
            new DefaultTrainingConfig(Loss.softmaxCrossEntropyLoss())
                .optOptimizer(optimizer)
                .optDevices(new Device[] {device}));
    trainer.initialize(new Shape(mlp.batch(), mlp.inputs()));
    NDManager manager = trainer.getManager();
    Batches.each(
        mlp,
        (x, labels) ->
            batches.add(
                new Batch(
                    manager.create(x, new Shape(mlp.batch(), mlp.inputs())),
                    manager.create(labels, new Shape(mlp.batch())))));
  }

  /** The network with the values that Weft starts from. */
  private static Block network(Mlp mlp) {
    SequentialBlock block = new SequentialBlock();
    try (var device = dev.weft.Device.cpu();
        Sequential values = WeftTraining.network(mlp).seed(SEED).on(device)) {
      List<dev.weft.Parameter> parameters = List.copyOf(values.named().values());
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

  @Override
  public void finish() {
    if (cuda) {
      // a value can be read when all that was queued before it is done
      try (NDArray sum = model.getBlock().getParameters().valueAt(0).getArray().sum()) {
        sum.getFloat();
      }
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
