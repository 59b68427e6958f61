// SPDX-License-Identifier: Apache-2.0
package dev.weft;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weft.check.Input;
import dev.weft.device.cpu.CpuLibrary;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A CPU device computes on as many threads as it was given. */
class DeviceThreadsTest {

  /** Something that all threads work on. */
  private static double[] work(Device device) {
    try (Tape tape = new Tape(device);
        Tensor x = Input.randomNormal(700, 1300).on(device, DType.F32, 3)) {
      Tensor product = tape.matmul(x, tape.transpose(x));
      return tape.sum(product, 1).toDoubles();
    }
  }

  /** The threads of the process of this name: OpenMP's have that of who they compute for. */
  private static long threadsNamed(String name) {
    try (Stream<Path> tasks = Files.list(Path.of("/proc/self/task"))) {
      return tasks.filter(task -> nameOf(task).equals(name)).count();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static String nameOf(Path task) {
    try {
      return Files.readString(task.resolve("comm")).strip();
    } catch (IOException e) {
      return ""; // it has ended
    }
  }

  /** Threads that are not needed any more end a little later. */
  private static void assertWorksOn(long threads, Device device) {
    String name = Thread.currentThread().getName();
    long seen = -1;
    for (int i = 0; i < 200 && seen != threads; i++) {
      work(device);
      seen = threadsNamed(name);
    }
    assertEquals(threads, seen, device::description);
  }

  /** Runs it in a thread of its own, of that name. */
  private static void in(String name, Runnable body) {
    CompletableFuture<Void> done = new CompletableFuture<>();
    Thread.ofPlatform()
        .name(name)
        .start(
            () -> {
              try {
                body.run();
                done.complete(null);
              } catch (Throwable e) {
                done.completeExceptionally(e);
              }
            });
    done.join();
  }

  @Test
  void devicesOfOneThreadHaveThreadsOfTheirOwn() {
    in(
        "owner",
        () -> {
          try (Device three = Device.cpu(3);
              Device two = Device.cpu(2);
              Device usual = Device.cpu()) {
            for (int turn = 0; turn < 2; turn++) {
              assertWorksOn(3, three);
              assertWorksOn(2, two);
              assertWorksOn(CpuLibrary.get().threads(0), usual);
            }
            assertTrue(three.description().startsWith("3 threads, "), three::description);
          }
        });
  }

  @Test
  void theNumberGoesWithTheDeviceToAnotherOwner() {
    Device device = Device.cpu(5);
    in("second owner", () -> assertWorksOn(5, device.claim()));
    device.claim().close();
  }

  @Test
  void recordedProgramsHaveTheThreadsOfTheirDevice() {
    in(
        "replaying",
        () -> {
          try (Device two = Device.cpu(2);
              Device four = Device.cpu(4);
              Tensor x = four.zeros(DType.F32, Shape.of(1 << 20));
              RecordedProgram program = four.record(() -> x.fill(1))) {
            assertWorksOn(2, two);
            program.run();
            assertEquals(4, threadsNamed("replaying"));
            assertEquals(1, x.toDoubles()[77]);
          }
        });
  }

  @Test
  void resultsDoNotDependOnTheNumber() {
    double[] expected = null;
    for (int threads : List.of(1, 2, 7)) {
      try (Device device = Device.cpu(threads)) {
        double[] found = work(device);
        expected = expected == null ? found : expected;
        assertArrayEquals(expected, found);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {0, -1, 1025})
  void numbersOutOfRangeAreRefused(int threads) {
    IllegalArgumentException e =
        assertThrows(IllegalArgumentException.class, () -> Device.cpu(threads));
    assertEquals("a CPU device computes on 1 to 1024 threads, not " + threads, e.getMessage());
  }
}
