// SPDX-License-Identifier: Apache-2.0
package dev.weft.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weft.Device;
import dev.weft.MathMode;
import dev.weft.data.Digits;
import dev.weft.data.Split;
import dev.weft.nn.Sequential;
import dev.weft.optim.Adam;
import dev.weft.optim.Optimizer;
import dev.weft.optim.Sgd;
import dev.weft.support.Emulator;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Whole training runs on the emulated GPU while it looks at every access: recorded steps, a smaller
 * last batch, evaluation, answers.
 */
@ExtendWith(Emulator.class)
class TrainingAccessesTest {
  private static final int ROWS = 84; // 5 batches of 16 and one of 4

  @BeforeEach
  void check() {
    Emulator.check();
    System.setProperty("weft.allocator", "exact");
  }

  @AfterEach
  void uncheck() {
    System.clearProperty("weft.allocator");
  }

  static Stream<Arguments> runs() {
    return Stream.of(MathMode.values())
        .flatMap(
            math ->
                Stream.of(Fusion.NEVER, Fusion.ALWAYS)
                    .filter(fusion -> fusion == Fusion.NEVER || math != MathMode.BF16)
                    .flatMap(
                        fusion ->
                            Stream.of(Long.MAX_VALUE, 32 * 800L)
                                .map(memory -> Arguments.of(math, fusion, memory))));
  }

  @ParameterizedTest(name = "{0}, fusion {1}, data in {2} bytes")
  @MethodSource("runs")
  void trainingAccessesOnlyWhatItMay(MathMode math, Fusion fusion, long memory) {
    Split digits = Digits.generate(ROWS, 5);
    for (Optimizer optimizer : new Optimizer[] {Sgd.rate(0.1).momentum(0.9), Adam.rate(1e-3)}) {
      try (Device device = Emulator.device()) {
        Sequential network =
            Sequential.parse("linear(784,33) relu dropout(0.2) linear(33,20) tanh linear(20,10)");
        History history =
            Trainer.of(network)
                .on(device)
                .optimizer(optimizer)
                .batch(16)
                .math(math)
                .fusion(fusion)
                .dataMemory(memory)
                .fit(digits.train(), digits.test(), Epochs.of(2));
        assertTrue(Double.isFinite(history.last().test().loss()));
        network.close();
      }
      assertEquals(0, Emulator.liveBytes());
    }
  }
}
