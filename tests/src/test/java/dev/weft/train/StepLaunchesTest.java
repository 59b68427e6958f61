// SPDX-License-Identifier: Apache-2.0
package dev.weft.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weft.Device;
import dev.weft.data.Digits;
import dev.weft.device.Call;
import dev.weft.device.Kernel;
import dev.weft.nn.Activation;
import dev.weft.nn.Dropout;
import dev.weft.nn.Layer;
import dev.weft.nn.Linear;
import dev.weft.nn.Sequential;
import dev.weft.optim.Clip;
import dev.weft.optim.Schedule;
import dev.weft.optim.Sgd;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** What a step costs in launches: on a GPU each takes a microsecond or two, whatever it does. */
class StepLaunchesTest {

  private static Map<Kernel, Long> launches(Layer... more) {
    return launches(UnaryOperator.identity(), more);
  }

  private static Map<Kernel, Long> launches(UnaryOperator<Trainer> told, Layer... more) {
    List<Layer> layers =
        new ArrayList<>(
            List.of(new Linear(784, 512), Activation.RELU, new Linear(512, 512), Activation.RELU));
    layers.addAll(List.of(more));
    layers.add(new Linear(512, 10));
    try (Device device = Device.cpu()) {
      Trainer trainer =
          Trainer.of(Sequential.of(layers.toArray(Layer[]::new)))
              .on(device)
              .optimizer(Sgd.rate(0.1).momentum(0.9))
              .batch(128);
      try (TrainingRun run = told.apply(trainer).start(Digits.generate(512, 1).train())) {
        // the last of those that make an update
        return run.step(run.settings().accumulated() - 1).calls().stream()
            .collect(Collectors.groupingBy(Call::kernel, TreeMap::new, Collectors.counting()));
      }
    }
  }

  @Test
  void aStepLaunchesNoKernelThatAnotherCouldHaveBeen() {
    Map<Kernel, Long> expected =
        new TreeMap<>(
            Map.of(
                Kernel.GATHER_ROWS_U8, 1L,
                Kernel.GATHER_IDS, 1L,
                Kernel.GEMM, 8L, // three forward, two for each layer backward but one for the first
                Kernel.BIAS_ACTIVATION_FORWARD, 3L,
                Kernel.SOFTMAX_CROSS_ENTROPY, 1L,
                Kernel.BIAS_ACTIVATION_GRADIENTS, 2L,
                Kernel.REDUCE, 3L, // mean of the losses, sum of the hits, bias of the last layer
                Kernel.COPY_ROWS, 1L, // sum of the losses
                Kernel.SGD, 1L,
                Kernel.ADVANCE_STEP, 1L));
    assertEquals(expected, launches());
  }

  /** The norm is one kernel, each accuracy beyond the loss's own is one; all else is in others. */
  @Test
  void aScheduleClippingAccumulationAndThreeMetricsAreThreeLaunches() {
    Map<Kernel, Long> plain = launches();
    Map<Kernel, Long> all =
        launches(
            trainer ->
                trainer
                    .schedule(Schedule.cosine(5).warmUp(10))
                    .clip(Clip.norm(1))
                    .accumulate(2)
                    .metrics(new Accuracy(), Accuracy.top(3), Accuracy.top(5)));
    Map<Kernel, Long> expected = new TreeMap<>(plain);
    expected.merge(Kernel.REDUCE, 1L, Long::sum);
    expected.put(Kernel.TOP_HITS, 2L);
    assertEquals(expected, all);
  }

  @Test
  void anotherLaunchWouldBeSeen() {
    Map<Kernel, Long> dropping = launches(new Dropout(0.5));
    assertEquals(2, dropping.get(Kernel.DROPOUT));
    assertTrue(dropping.values().stream().mapToLong(n -> n).sum() > 22);
  }
}
