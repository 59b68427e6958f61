// SPDX-License-Identifier: Apache-2.0
package dev.weft.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weft.Device;
import dev.weft.Inputs;
import dev.weft.MathMode;
import dev.weft.data.Column;
import dev.weft.data.Dataset;
import dev.weft.nn.Concat;
import dev.weft.nn.EmbeddingBag;
import dev.weft.nn.Linear;
import dev.weft.nn.Select;
import dev.weft.nn.Sequential;
import dev.weft.optim.Adam;
import dev.weft.optim.Optimizer;
import dev.weft.optim.Sgd;
import dev.weft.support.Emulator;
import java.util.Arrays;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Whole training runs on the emulated GPU while it looks at every access: recorded steps, a smaller
 * last batch, evaluation, answers.
 */
@ExtendWith(Emulator.class)
class TrainingAccessesTest {
  private static final int ROWS = 84; // 5 batches of 16 and one of 4
  private static final int WIDTH = 112; // bytes that make whole accesses

  @BeforeEach
  void check() {
    Emulator.check();
    System.setProperty("weft.allocator", "exact");
  }

  @AfterEach
  void uncheck() {
    System.clearProperty("weft.allocator");
  }

  /** Every kernel of a mode; whether data are streamed is a matter of copies, in one of them. */
  static Stream<Arguments> runs() {
    return Stream.of(MathMode.values())
        .flatMap(
            math ->
                Stream.of(Fusion.NEVER, Fusion.ALWAYS)
                    .filter(fusion -> fusion == Fusion.NEVER || math != MathMode.BF16)
                    .flatMap(
                        fusion ->
                            Stream.of(Long.MAX_VALUE, 32 * (WIDTH + 8L))
                                .limit(math == MathMode.STRICT ? 2 : 1)
                                .map(memory -> Arguments.of(math, fusion, memory))));
  }

  private static Dataset bytes() {
    byte[] values = new byte[ROWS * WIDTH];
    new Random(5).nextBytes(values);
    return Dataset.of(Column.ofBytes(values, WIDTH).scaled(1 / 255.0, 0), labels(10));
  }

  private static Column labels(int classes) {
    return Column.ids(IntStream.range(0, ROWS).map(r -> r % classes).toArray(), classes);
  }

  @ParameterizedTest(name = "{0}, fusion {1}, data in {2} bytes")
  @MethodSource("runs")
  void trainingAccessesOnlyWhatItMay(MathMode math, Fusion fusion, long memory) {
    Dataset data = bytes();
    for (Optimizer optimizer : new Optimizer[] {Sgd.rate(0.1).momentum(0.9), Adam.rate(1e-3)}) {
      try (Device device = Emulator.device()) {
        Sequential network =
            Sequential.parse("linear(112,33) relu dropout(0.2) linear(33,20) tanh linear(20,10)");
        History history =
            Trainer.of(network)
                .on(device)
                .optimizer(optimizer)
                .batch(16)
                .math(math)
                .fusion(fusion)
                .dataMemory(memory)
                .fit(data, data, 2);
        assertTrue(Double.isFinite(history.last().test().loss()));
        network.close();
      }
      assertEquals(0, Emulator.liveBytes());
    }
  }

  private static Column words(int most) {
    int[][] rows = new int[ROWS][];
    Arrays.setAll(
        rows, r -> IntStream.range(0, (r * 5 + most) % most).map(i -> r * i % 40).toArray());
    return Column.padded(rows, 40);
  }

  /** A table of which a step takes rows in two places, by padded ids. */
  @ParameterizedTest
  @EnumSource
  void tablesAreAccessedWhereTheyMay(MathMode math) {
    Dataset data =
        Dataset.of(Map.of("title", words(4), "text", words(37), Inputs.TARGETS, labels(3)));
    for (Optimizer optimizer : new Optimizer[] {Sgd.rate(0.1).momentum(0.9), Adam.rate(1e-3)}) {
      EmbeddingBag bag = EmbeddingBag.mean(40, 17);
      try (Device device = Emulator.device();
          Sequential network =
              Sequential.of(
                  Concat.of(
                      Sequential.of(new Select("title"), bag),
                      Sequential.of(new Select("text"), bag)),
                  new Linear(34, 3))) {
        History history =
            Trainer.of(network)
                .on(device)
                .optimizer(optimizer)
                .batch(16)
                .math(math)
                .fit(data, data, 2);
        assertTrue(Double.isFinite(history.last().test().loss()));
      }
      assertEquals(0, Emulator.liveBytes());
    }
  }
}
