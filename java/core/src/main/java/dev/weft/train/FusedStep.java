// SPDX-License-Identifier: Apache-2.0
package dev.weft.train;

import dev.weft.DType;
import dev.weft.Device;
import dev.weft.DeviceKind;
import dev.weft.Engine;
import dev.weft.Inputs;
import dev.weft.MathMode;
import dev.weft.Shape;
import dev.weft.StepState;
import dev.weft.Tape;
import dev.weft.Tensor;
import dev.weft.data.Dataset;
import dev.weft.device.Arguments;
import dev.weft.device.FusedLoss;
import dev.weft.device.FusedPlan;
import dev.weft.device.FusedRule;
import dev.weft.device.Kernel;
import dev.weft.device.Nonlinearity;
import dev.weft.device.Phase;
import dev.weft.nn.Linear;
import dev.weft.nn.Loss;
import dev.weft.nn.MeanSquaredError;
import dev.weft.nn.SoftmaxCrossEntropy;
import dev.weft.optim.Adam;
import dev.weft.optim.KernelRule;
import dev.weft.optim.Optimizer;
import dev.weft.optim.Penalties;
import dev.weft.optim.RuleCall;
import dev.weft.optim.Sgd;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A training step of a narrow network as two kernels. The first takes a tile of rows through all
 * layers and back while its activations are in cache; the second makes the gradient of each part of
 * a weight matrix and hands it to the optimizer's rule at once, so that gradients are never in
 * memory: {@code ParameterArena.gradients} keeps what it held. Same arithmetic as the step of one
 * kernel for each operation, and the same dropout masks; sums are taken in another order. The idea
 * is that of fully fused networks (Müller et al., "Real-time neural radiance caching for path
 * tracing", 2021).
 */
final class FusedStep implements AutoCloseable {
  private static final int MOST_ROWS = 512; // as far as it was measured
  private static final int MOST_ROWS_ON_GPU = 1024; // at 2048 it takes 1.1 to 1.3 times as long

  private final TrainingRun.Settings training;
  private final Steps.Parts parts;
  private final int layers;
  private final FusedPlan plan;
  private final Tensor table;
  private final RuleCall rule;
  private final Penalties penalties;
  private final @Nullable Tensor first;
  private final @Nullable Tensor second;

  /**
   * Takes the memory that all steps of a run share.
   *
   * @param rows of the largest batch
   */
  FusedStep(TrainingRun.Settings training, Steps.Parts parts, int rows) {
    this.training = training;
    this.parts = parts;
    Tensor values = parts.network().arena().values();
    int bytes = values.dtype().bytes();
    List<FusedPlan.Layer> planned =
        FusedLayers.of(parts.network()).layers().stream()
            .map(layer -> planned(layer, Engine.address(values), bytes))
            .toList();
    this.layers = planned.size();
    this.plan = FusedPlan.of(planned, rows, bytes);
    KernelRule<?> kernels = (KernelRule<?>) training.optimizer(); // or it is an obstacle
    this.rule = kernels.call();
    this.penalties = kernels.penalties();
    Map<String, Tensor> memory = parts.updates().flat();
    this.first = rule.first() == null ? null : memory.get(rule.first());
    this.second = rule.second() == null ? null : memory.get(rule.second());
    Shape shape = Shape.of(plan.table().byteSize());
    this.table = values.device().upload(DType.U8, shape, plan.table()).named("fused layers");
  }

  /**
   * Why a step cannot be fused, as the end of a sentence; null where it can.
   *
   * @param data what is trained on
   */
  static @Nullable String obstacle(TrainingRun.Settings settings, Dataset data) {
    DType dtype = settings.math().dtype();
    if (dtype != DType.F32 && dtype != DType.F64) {
      return "the fused step does not compute in " + dtype;
    }
    Loss loss = settings.loss();
    if (!(loss instanceof SoftmaxCrossEntropy || loss instanceof MeanSquaredError)) {
      return "the fused step knows no " + loss.spec();
    }
    if (loss instanceof SoftmaxCrossEntropy softmax
            && !softmax.equals(
                new SoftmaxCrossEntropy(softmax.smoothing()).against(softmax.target()))
        || loss instanceof MeanSquaredError && loss.isWeighted()) {
      return "the fused step takes the mean over rows that count alike";
    }
    DType targets = BatchData.stored(dtype, data.column(target(loss))).dtype();
    if (loss instanceof MeanSquaredError && targets != dtype) {
      return "the fused step takes no targets of " + targets;
    }
    Optimizer optimizer = settings.optimizer();
    if (settings.columns().inputs().stream()
        .anyMatch(name -> data.column(name).shape().rank() != 1)) {
      return "the fused step takes rows of numbers";
    }
    if (!settings.groups().isEmpty() || !settings.clips().isEmpty()) {
      return "the fused step knows one group of parameters, and does not clip";
    }
    if (!settings.maxNorms().isEmpty()) {
      return "the fused step bounds no norms of weights";
    }
    if (settings.accumulated() > 1) {
      return "the fused step keeps no gradients that could add up over batches";
    }
    if (!settings.metrics().equals(MetricSums.usual(loss))) {
      return "the fused step measures "
          + (MetricSums.usual(loss).isEmpty() ? "the loss alone" : "loss and accuracy alone");
    }
    if (!(optimizer instanceof Sgd || optimizer instanceof Adam)
        || optimizer instanceof Adam adam && adam.divisor() != Adam.Divisor.MEAN_SQUARE) {
      return "the fused step knows no " + optimizer.spec();
    }
    if (((KernelRule<?>) optimizer).penalties().l1() > 0) {
      return "the fused step knows no L1";
    }
    return FusedLayers.of(settings.network()).obstacle();
  }

  private static String target(Loss loss) {
    return loss instanceof SoftmaxCrossEntropy softmax
        ? softmax.target()
        : ((MeanSquaredError) loss).target();
  }

  /**
   * Whether the fused step is the faster one for batches of so many rows, as measured
   * (bench/README.md): on a GPU, and on a CPU with AVX2 or better. In float64 nothing was measured,
   * and it is for checking.
   */
  static boolean isFaster(Device device, DType dtype, int rows) {
    if (dtype != DType.F32) {
      return false;
    }
    return device.kind() == DeviceKind.CPU
        ? rows <= MOST_ROWS && !device.instructionSet().equals("baseline")
        : rows <= MOST_ROWS_ON_GPU;
  }

  private static FusedPlan.Layer planned(FusedLayers.Fused layer, long values, int bytes) {
    Linear linear = layer.linear();
    return new FusedPlan.Layer(
        (Engine.address(linear.weight().tensor()) - values) / bytes,
        linear.bias() == null ? -1 : (Engine.address(linear.bias().tensor()) - values) / bytes,
        linear.in(),
        linear.out(),
        Objects.requireNonNull(Nonlinearity.named(layer.activation().function())),
        layer.activation().alpha(),
        layer.draw(),
        layer.rate());
  }

  /** Runs, or records, a step of {@code rows} rows; the mean loss. */
  Tensor step(Tape tape, StepState state, int rows) {
    Tensor values = parts.network().arena().values();
    DType dtype = values.dtype();
    Device device = tape.device();
    Tensor scratch = tape.make(dtype, Shape.of(plan.elements())).named("fused scratch");
    Tensor losses = tape.make(dtype, Shape.of(rows));
    Tensor hits = tape.make(dtype, Shape.of(rows));
    Tensor mean = tape.make(dtype, Shape.of());
    BatchData.Source features = parts.data().source(Inputs.FEATURES);
    BatchData.Source targets = parts.data().source(target(training.loss()));
    FusedLoss loss =
        training.loss() instanceof SoftmaxCrossEntropy
            ? FusedLoss.SOFTMAX_CROSS_ENTROPY
            : FusedLoss.MEAN_SQUARED_ERROR;
    // the kernels of a GPU compute in float32: four rows a block do not fill a tensor core
    boolean fast = training.math() == MathMode.FAST && device.kind() == DeviceKind.CPU;
    Engine.recorder(device).label(Phase.FUSED, "forward and backward");
    Engine.run(
        device,
        Kernel.FUSED_PASS,
        dtype.precision(),
        new Arguments.FusedPass(
            Engine.address(table),
            Engine.address(values),
            Engine.address(features.tensor()),
            Engine.address(parts.data().order()),
            Engine.address(state),
            Engine.address(targets.tensor()),
            Engine.address(scratch),
            Engine.address(losses),
            Engine.address(hits),
            layers,
            rows,
            features.width(),
            features.rows(),
            features.tensor().dtype() == DType.U8,
            loss,
            features.scale(),
            features.shift(),
            targets.scale(),
            targets.shift(),
            training.loss() instanceof SoftmaxCrossEntropy softmax ? softmax.smoothing() : 0,
            plan.reach(),
            plan.parameters(),
            plan.products(),
            plan.widths(),
            fast));
    state.checkRated();
    Engine.recorder(device).label(Phase.FUSED, "gradients and update");
    Engine.run(
        device,
        Kernel.FUSED_UPDATE,
        dtype.precision(),
        new Arguments.FusedUpdate(
            Engine.address(table),
            Engine.address(values),
            first == null ? 0 : Engine.address(first),
            second == null ? 0 : Engine.address(second),
            Engine.address(state),
            Engine.address(scratch),
            Engine.address(losses),
            Engine.address(hits),
            Engine.address(mean),
            Engine.address(parts.metrics().sums()),
            Engine.ratesAddress(state),
            layers,
            rows,
            plan.tiles(),
            loss,
            rule.kernel() == Kernel.ADAM ? FusedRule.ADAM : FusedRule.SGD,
            rule.nesterov(),
            rule.momentum(),
            rule.decay(),
            rule.epsilon(),
            penalties.l2(),
            penalties.weightDecay(),
            training.loss().weight(rows),
            plan.reach(),
            plan.parameters(),
            plan.widths(),
            Engine.ratesCount(state),
            fast));
    return mean;
  }

  @Override
  public void close() {
    table.close();
  }
}
