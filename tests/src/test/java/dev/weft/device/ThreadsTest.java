// SPDX-License-Identifier: Apache-2.0
package dev.weft.device;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import dev.weft.DType;
import dev.weft.Device;
import dev.weft.MathMode;
import dev.weft.Shape;
import dev.weft.Tensor;
import dev.weft.bench.kernel.KernelCase;
import dev.weft.bench.kernel.KernelCases;
import dev.weft.bench.kernel.KernelMemory;
import dev.weft.data.Column;
import dev.weft.data.Dataset;
import dev.weft.data.Digits;
import dev.weft.device.cpu.CpuBackend;
import dev.weft.device.cpu.CpuLibrary;
import dev.weft.nn.Embedding;
import dev.weft.nn.Flatten;
import dev.weft.nn.LayerNorm;
import dev.weft.nn.Linear;
import dev.weft.nn.Sequential;
import dev.weft.optim.Adam;
import dev.weft.optim.Optimizer;
import dev.weft.optim.Sgd;
import dev.weft.train.Fusion;
import dev.weft.train.Trainer;
import dev.weft.train.TrainingRun;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Results on the CPU do not depend, to the bit, on how many threads compute, on which of them comes
 * when, and on who else computes in the process.
 */
class ThreadsTest {
  private static final int STEPS = 4;
  private static final Dataset DIGITS = Digits.generate(200, 3).train();

  /** A training run in all but its device. */
  private record Recipe(
      Supplier<Sequential> network,
      Dataset data,
      Optimizer optimizer,
      MathMode math,
      Fusion fusion) {

    /** The losses of some steps, then all parameters. */
    double[] train(Device opened) {
      try (Device device = opened;
          Sequential made = network.get();
          TrainingRun run =
              Trainer.of(made)
                  .on(device)
                  .optimizer(optimizer)
                  .batch(64)
                  .math(math)
                  .fusion(fusion)
                  .seed(1)
                  .start(data)) {
        double[] losses = new double[STEPS];
        for (int step = 0; step < STEPS; step++) {
          run.step();
          losses[step] = run.loss();
        }
        double[] values = made.arena().values().toDoubles();
        double[] all = Arrays.copyOf(losses, STEPS + values.length);
        System.arraycopy(values, 0, all, STEPS, values.length);
        return all;
      }
    }
  }

  /** Fused and not, with draws, norms, and a table whose gradient is a list of rows. */
  private static List<Recipe> recipes(MathMode math) {
    Supplier<Sequential> plain =
        () -> Sequential.parse("linear(784,128) relu dropout(0.2) linear(128,10)");
    Supplier<Sequential> normed =
        () ->
            Sequential.of(
                new Linear(784, 100), new LayerNorm(100), new Linear(100, 70), new Linear(70, 10));
    Supplier<Sequential> table =
        () -> Sequential.of(new Embedding(50, 64), new Flatten(), new Linear(3 * 64, 50));
    List<Recipe> recipes = new ArrayList<>();
    recipes.add(new Recipe(plain, DIGITS, Adam.rate(1e-3), math, Fusion.NEVER));
    recipes.add(new Recipe(normed, DIGITS, Sgd.rate(0.1).momentum(0.9), math, Fusion.NEVER));
    recipes.add(new Recipe(table, words(), Adam.rate(1e-2), math, Fusion.NEVER));
    if (math != MathMode.BF16) {
      recipes.add(new Recipe(plain, DIGITS, Sgd.rate(0.1).momentum(0.9), math, Fusion.ALWAYS));
      recipes.add(new Recipe(plain, DIGITS, Adam.rate(1e-3), math, Fusion.ALWAYS));
    }
    return recipes;
  }

  private static Dataset words() {
    int[] ids = new int[300];
    Arrays.setAll(ids, i -> i * i % 50);
    Column column = Column.ids(ids, 50);
    return Dataset.of(column.window(3).slice(0, 297), column.slice(3, 300));
  }

  @AfterEach
  void leaveTheThreadsAlone() {
    CpuLibrary.get().disturb(0);
  }

  @ParameterizedTest
  @EnumSource
  void trainingHasTheSameBits(MathMode math) {
    for (Recipe recipe : recipes(math)) {
      double[] expected = recipe.train(Device.cpu(1));
      for (long seed : new long[] {0, 3}) {
        CpuLibrary.get().disturb(seed);
        for (int threads : new int[] {2, 3, 7}) {
          assertArrayEquals(
              expected,
              recipe.train(Device.cpu(threads)),
              () -> threads + " threads, disturbed by " + seed + ": " + recipe);
        }
      }
      CpuLibrary.get().disturb(0);
    }
  }

  @Test
  void otherBitsWouldBeSeen() {
    Recipe one = recipes(MathMode.STRICT).getFirst();
    Adam other = Adam.rate(Math.nextUp(1e-3f));
    Recipe two = new Recipe(one.network(), one.data(), other, one.math(), one.fusion());
    assertFalse(Arrays.equals(one.train(Device.cpu(1)), two.train(Device.cpu(1))));
  }

  /** Every case of every kernel; each loop on all threads that have something to do in it. */
  @Test
  void kernelsHaveTheSameBits() {
    try (CpuBackend one = new CpuBackend(1);
        CpuBackend two = new CpuBackend(2);
        CpuBackend seven = new CpuBackend(7)) {
      CpuLibrary.get().disturb(9);
      for (Kernel kernel : Kernel.values()) {
        for (Precision precision : kernel.precisions()) {
          for (KernelCase each : KernelCases.of(kernel)) {
            List<byte[]> expected = run(each, one, precision);
            for (CpuBackend other : List.of(two, seven)) {
              List<byte[]> found = run(each, other, precision);
              for (int i = 0; i < expected.size(); i++) {
                String where = kernel + " " + precision + " " + each + ", operand " + i;
                assertArrayEquals(expected.get(i), found.get(i), where);
              }
            }
          }
        }
      }
    }
  }

  private static List<byte[]> run(KernelCase each, CpuBackend backend, Precision precision) {
    try (KernelMemory memory = new KernelMemory(backend, precision)) {
      each.run(backend, memory);
      return memory.buffers().stream().map(memory::raw).toList();
    }
  }

  /** Runs both at once, each until it ended. */
  private static void atOnce(ExecutorService threads, Callable<?>... all) throws Exception {
    try (threads) {
      List<Future<?>> running = new ArrayList<>();
      for (Callable<?> each : all) {
        running.add(threads.submit(each));
      }
      for (Future<?> each : running) {
        each.get();
      }
    }
  }

  private static Callable<?> trains(Recipe recipe, double[] expected, int threads) {
    return () -> {
      for (int run = 0; run < 4; run++) {
        assertArrayEquals(expected, recipe.train(Device.cpu(threads)));
      }
      return null;
    };
  }

  @Test
  void trainingInCompanyHasTheSameBits() throws Exception {
    List<Recipe> recipes = recipes(MathMode.STRICT);
    Recipe one = recipes.getFirst();
    Recipe two = recipes.getLast();
    double[] first = one.train(Device.cpu(1));
    double[] second = two.train(Device.cpu(1));
    for (long seed : new long[] {0, 4}) {
      CpuLibrary.get().disturb(seed);
      atOnce(
          Executors.newThreadPerTaskExecutor(Thread.ofPlatform().factory()),
          trains(one, first, 3),
          trains(two, second, 2));
      atOnce(
          Executors.newVirtualThreadPerTaskExecutor(),
          trains(one, first, 2),
          trains(two, second, 3),
          trains(two, second, 4));
    }
  }

  @Test
  void devicesThatComeAndGoLeaveOthersAlone() throws Exception {
    Recipe recipe = recipes(MathMode.STRICT).getFirst();
    double[] expected = recipe.train(Device.cpu(1));
    AtomicBoolean ended = new AtomicBoolean();
    atOnce(
        Executors.newThreadPerTaskExecutor(Thread.ofPlatform().factory()),
        () -> {
          for (int i = 0; i < 100; i++) {
            try (Device device = Device.cpu(1 + i % 4);
                Tensor x = device.full(DType.F32, Shape.of(100_000), i)) {
              double[] expectedValues = new double[100_000];
              Arrays.fill(expectedValues, i);
              assertArrayEquals(expectedValues, x.toDoubles());
            }
          }
          ended.set(true);
          return null;
        },
        () -> {
          do {
            assertArrayEquals(expected, recipe.train(Device.cpu(3)));
          } while (!ended.get());
          return null;
        });
  }
}
