// SPDX-License-Identifier: Apache-2.0
package dev.weft;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weft.check.Input;
import dev.weft.device.ChildJvm;
import dev.weft.device.cpu.CpuLibrary;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Isolated;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A CPU device computes on as many threads as it was given. */
@Isolated
class DeviceThreadsTest {

  /** Something that all threads work on. */
  private static double[] work(Device device) {
    try (Tape tape = new Tape(device);
        Tensor x = Input.randomNormal(700, 1300).on(device, DType.F32, 3)) {
      Tensor product = tape.matmul(x, tape.transpose(x));
      return tape.sum(product, 1).toDoubles();
    }
  }

  /** The threads of the process that the pool made. */
  private static long pooled() {
    try (Stream<Path> tasks = Files.list(Path.of("/proc/self/task"))) {
      return tasks.filter(task -> nameOf(task).equals("weft loop")).count();
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

  /** Opens devices, works on them, and says how many threads the pool has made by then. */
  static final class Counting {
    private Counting() {}

    public static void main(String[] arguments) throws InterruptedException {
      CpuLibrary.get().disturb(7);
      say("before");
      try (Device one = Device.cpu(1)) {
        work(one);
        say("one thread");
      }
      try (Device three = Device.cpu(3)) {
        try (Device two = Device.cpu(2)) {
          say("idle");
          work(two);
          say("two threads");
          work(three);
          say("and three");
          work(two);
          say("two again");
        }
        say("one device closed");
      }
      sayTheLast("both closed");
      Device five = Device.cpu(5);
      Thread other = new Thread(() -> work(five.claim()));
      other.start();
      other.join();
      say("another owner");
      five.claim().close();
      sayTheLast("another owner closed");
      try (Device four = Device.cpu(4);
          Tensor x = four.tensor(DType.F32, Shape.of(1 << 20), new double[1 << 20]);
          RecordedProgram program = four.record(() -> x.fill(1))) {
        say("recorded");
        program.run();
        say("run");
      }
      CpuLibrary.get().disturb(0);
      try (Device six = Device.cpu(6)) {
        work(six);
        say("undisturbed");
      }
      sayTheLast("in the end");
    }

    private static void say(String what) {
      System.out.println(what + ": " + pooled());
    }

    /** Threads that have ended are listed a little longer. */
    private static void sayTheLast(String what) throws InterruptedException {
      for (int i = 0; i < 500 && pooled() > 0; i++) {
        Thread.sleep(10);
      }
      say(what);
    }
  }

  /** In a process of its own: threads belong to the process, and end with its last device. */
  @Test
  void devicesShareThreadsThatLiveAsLongAsTheyNeedThem() {
    String said = new ChildJvm(Counting.class).run();
    List<String> counts = said.lines().filter(line -> line.matches("[a-z ]+: \\d+")).toList();
    List<String> expected =
        List.of(
            "before: 0",
            "one thread: 0",
            "idle: 0",
            "two threads: 1",
            "and three: 2",
            "two again: 2",
            "one device closed: 2",
            "both closed: 0",
            "another owner: 4",
            "another owner closed: 0",
            "recorded: 0",
            "run: 3",
            "undisturbed: 5",
            "in the end: 0");
    assertEquals(expected, counts, said);
  }

  @Test
  void theDescriptionNamesTheThreads() {
    try (Device three = Device.cpu(3)) {
      assertTrue(three.description().startsWith("3 threads, "), three::description);
    }
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
