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
import dev.weft.optim.Sgd;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** What a step costs in launches: on a GPU each takes a microsecond or two, whatever it does. */
class StepLaunchesTest {

  private static Map<Kernel, Long> launches(Layer... more) {
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
      try (TrainingRun run = trainer.start(Digits.generate(256, 1).train(), null)) {
        return run.full().calls().stream()
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

  @Test
  void anotherLaunchWouldBeSeen() {
    Map<Kernel, Long> dropping = launches(new Dropout(0.5));
    assertEquals(2, dropping.get(Kernel.DROPOUT));
    assertTrue(dropping.values().stream().mapToLong(n -> n).sum() > 22);
  }
}
