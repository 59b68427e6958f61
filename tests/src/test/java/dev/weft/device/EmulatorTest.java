// SPDX-License-Identifier: Apache-2.0
package dev.weft.device;

import static dev.weft.device.EmulatedDriver.ILLEGAL_ADDRESS;
import static dev.weft.device.EmulatedDriver.INVALID_CONTEXT;
import static dev.weft.device.EmulatedDriver.INVALID_VALUE;
import static dev.weft.device.EmulatedDriver.LAUNCH_FAILED;
import static dev.weft.device.EmulatedDriver.NOT_FOUND;
import static dev.weft.device.EmulatedDriver.OUT_OF_MEMORY;
import static dev.weft.device.EmulatedDriver.SUCCESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weft.support.Emulator;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** What the emulator says of memory, launches and contexts, and its switches and counters. */
@ExtendWith(Emulator.class)
class EmulatorTest {
  /** The legacy default stream. */
  private static final MemorySegment LEGACY = MemorySegment.NULL;

  private EmulatedDriver driver;
  private long y;

  @BeforeEach
  void open() {
    driver = new EmulatedDriver();
    y = driver.allocate(4000);
  }

  @AfterEach
  void close() {
    Emulator.reset();
    driver.free(y);
    driver.close();
    assertEquals(0, Emulator.liveBytes());
    assertEquals(0, Emulator.leakedObjects());
  }

  private int fill(long at, long n, int blocks) {
    return driver.launch(driver.stream, "fill_f32", blocks, 128, at, n, 1);
  }

  private static void assertSays(String words) {
    assertTrue(Emulator.lastError().contains(words), Emulator.lastError());
  }

  @Test
  void freshMemoryIsNotANumber() {
    for (float value : driver.read(y, 1000)) {
      assertTrue(Float.isNaN(value));
    }
  }

  @Test
  void exactAllocationEndsWhereItEnds() {
    Emulator.exact();
    long exact = driver.allocate(4000);
    assertEquals(SUCCESS, fill(exact, 1000, 1));
    assertEquals(ILLEGAL_ADDRESS, fill(exact, 1001, 1));
    assertSays("fill_f32");
    assertEquals(SUCCESS, fill(exact, 1000, 1));
    assertEquals(1, driver.read(exact, 1000)[999]);
    driver.free(exact);
  }

  @Test
  void farOutOfBoundsIsSeenAtOnceAndNearAtTheFree() {
    long far = driver.allocate(4000);
    assertEquals(ILLEGAL_ADDRESS, fill(far, 2_000_000, 1954));
    driver.expect(ILLEGAL_ADDRESS, "cuMemFree_v2", far); // it wrote there on its way
    long near = driver.allocate(4000);
    assertEquals(SUCCESS, fill(near, 1003, 1));
    driver.expect(ILLEGAL_ADDRESS, "cuMemFree_v2", near);
  }

  @Test
  void freedMemoryStaysClosed() {
    long freed = driver.allocate(4000);
    driver.free(freed);
    long other = driver.allocate(4000);
    assertEquals(ILLEGAL_ADDRESS, fill(freed, 10, 1));
    assertSays("fill.y");
    driver.expect(INVALID_VALUE, "cuMemFree_v2", freed);
    driver.free(other);
  }

  @Test
  void pointerThatIsNoDeviceMemoryNamesItsField() {
    assertEquals(ILLEGAL_ADDRESS, fill(12345, 10, 1));
    assertSays("fill.y = 0x3039 is not device memory");
    assertEquals(SUCCESS, fill(0, 0, 1)); // null is no pointer to anything
    assertEquals(ILLEGAL_ADDRESS, fill(0, 10, 1)); // until something is read there
    assertEquals(SUCCESS, fill(y + 4000, 0, 1)); // the end of an allocation: an empty slice
  }

  @Test
  void copyOutOfRangeIsRefused() {
    MemorySegment host = driver.arena.allocate(8000, 4);
    driver.expect(INVALID_VALUE, "cuMemcpyHtoD_v2", y, host, 4004L);
    driver.expect(INVALID_VALUE, "cuMemcpyDtoH_v2", host, y + 4, 4000L);
    driver.ok("cuMemcpyHtoD_v2", y, host, 4000L);
  }

  /** Java counts the blocks by its own account of a kernel's work; this is C's. */
  @Test
  void launchHasTheBlocksThatItsWorkTakes() {
    long all = driver.allocate(4 * 2049);
    assertEquals(SUCCESS, fill(all, 2049, 3));
    for (int blocks : new int[] {2, 4}) {
      assertEquals(LAUNCH_FAILED, fill(all, 2049, blocks));
      assertSays(
          "kernel fill_f32: a grid of (%d, 1, 1) blocks for 2049 work items; at 1024 a block"
              .formatted(blocks));
      assertSays("they take (3, 1, 1)");
    }
    assertEquals(LAUNCH_FAILED, fill(all, 2048, 3));
    driver.free(all);
  }

  @Test
  void launchLimitsAreThoseOfAGpu() {
    assertEquals(SUCCESS, fill(y, 10, 1));
    assertEquals(INVALID_VALUE, fill(y, 10, 0));
    assertEquals(
        INVALID_VALUE, driver.launch(driver.stream, "fill_f32", 1, 0, y, 10, 1), "no threads");
    assertEquals(INVALID_VALUE, driver.launch(driver.stream, "fill_f32", 1, 256, y, 10, 1));
    assertSays("256 threads in a block, launch bound 128");
    assertEquals(INVALID_VALUE, driver.launch(driver.stream, "fill_f32", 1, 2048, y, 10, 1));
    assertSays("a block of (2048, 1, 1)");
    assertEquals(NOT_FOUND, driver.lookup("no_such_kernel_f32"));
    MemorySegment function = driver.function("fill_f32");
    MemorySegment none = MemorySegment.NULL;
    MemorySegment parameters = driver.arena.allocate(24, 8);
    int tall = 65536;
    driver.expect(
        INVALID_VALUE,
        "cuLaunchKernel",
        function,
        1,
        tall,
        1,
        128,
        1,
        1,
        0,
        driver.stream,
        parameters,
        none);
    driver.expect(
        INVALID_VALUE,
        "cuLaunchKernel",
        function,
        1,
        1,
        1,
        128,
        1,
        1,
        1 << 20,
        driver.stream,
        parameters,
        none);
    assertSays("dynamic shared memory");
    driver.expect(
        INVALID_VALUE,
        "cuLaunchKernel",
        function,
        1,
        1,
        1,
        128,
        1,
        1,
        0,
        driver.stream,
        none,
        none);
  }

  @Test
  void nthCallFailsOnce() {
    MemorySegment at = driver.arena.allocate(8);
    Emulator.failAllocation(2);
    long first = driver.allocate(16);
    driver.expect(OUT_OF_MEMORY, "cuMemAlloc_v2", at, 16L);
    long third = driver.allocate(16);
    Emulator.failLaunch(2);
    assertEquals(SUCCESS, fill(y, 10, 1));
    assertEquals(LAUNCH_FAILED, fill(y, 10, 1));
    assertEquals(SUCCESS, fill(y, 10, 1));
    Emulator.failCopy(1);
    driver.expect(ILLEGAL_ADDRESS, "cuMemcpyHtoD_v2", y, at, 4L);
    driver.ok("cuMemcpyHtoD_v2", y, at, 4L);
    Emulator.failLaunch(1);
    Emulator.failLaunch(0);
    assertEquals(SUCCESS, fill(y, 10, 1));
    driver.free(first);
    driver.free(third);
  }

  @Test
  void memoryRunsOut() {
    Emulator.totalMemory(1 << 20);
    MemorySegment at = driver.arena.allocate(8);
    driver.expect(OUT_OF_MEMORY, "cuMemAlloc_v2", at, 2L << 20);
    driver.free(driver.allocate(1 << 19));
    Emulator.reset();
    driver.free(driver.allocate(2 << 20));
  }

  @Test
  void doNothingDoesNothing() {
    fill(y, 10, 1);
    long before = Emulator.launches();
    Emulator.doNothing();
    assertEquals(SUCCESS, driver.launch(driver.stream, "fill_f32", 1, 128, y, 10, 7));
    assertEquals(before, Emulator.launches());
    Emulator.reset();
    assertEquals(1, driver.read(y, 1)[0]);
  }

  @Test
  void countersCountWhatIsLive() {
    long bytes = Emulator.liveBytes();
    long allocations = Emulator.liveAllocations();
    long streams = Emulator.liveStreams();
    long events = Emulator.liveEvents();
    long more = driver.allocate(100);
    MemorySegment stream = driver.stream(1);
    MemorySegment event = driver.event();
    assertEquals(bytes + 100, Emulator.liveBytes());
    assertEquals(allocations + 1, Emulator.liveAllocations());
    assertEquals(streams + 1, Emulator.liveStreams());
    assertEquals(events + 1, Emulator.liveEvents());
    driver.free(more);
    driver.ok("cuStreamDestroy_v2", stream);
    driver.ok("cuEventDestroy_v2", event);
    assertEquals(bytes, Emulator.liveBytes());
    assertEquals(streams, Emulator.liveStreams());
    assertEquals(events, Emulator.liveEvents());
  }

  @Test
  void contextThatIsDestroyedReportsWhatWasLeft() {
    MemorySegment at = driver.arena.allocate(8);
    driver.ok("cuCtxCreate_v2", at, 0, 0);
    MemorySegment second = EmulatedDriver.pointer(at);
    driver.allocate(100);
    driver.stream(1);
    driver.event();
    driver.ok("cuCtxDestroy_v2", second);
    assertEquals(1, Emulator.leakedAllocations());
    assertEquals(100, Emulator.leakedBytes());
    assertEquals(2, Emulator.leakedObjects());
    driver.makeCurrent();
    Emulator.reset();
    assertEquals(0, Emulator.leakedAllocations());
  }

  @Test
  void contextsBelongToThreadsAndEnd() throws InterruptedException {
    MemorySegment at = driver.arena.allocate(8);
    driver.ok("cuCtxCreate_v2", at, 0, 0);
    MemorySegment second = EmulatedDriver.pointer(at);
    // the module is of the first context
    assertEquals(INVALID_CONTEXT, fill(y, 10, 1));
    driver.ok("cuCtxDestroy_v2", second);
    assertEquals(SUCCESS, fill(y, 10, 1), "the context before is current again");
    assertTrue(driver.call("cuCtxSetCurrent", second) != SUCCESS);
    int[] result = new int[2];
    Thread thread =
        new Thread(
            () -> {
              result[0] = driver.call("cuMemAlloc_v2", at, 4L);
              driver.makeCurrent();
              result[1] = fill(y, 10, 1);
            });
    thread.start();
    thread.join();
    assertEquals(INVALID_CONTEXT, result[0]);
    assertEquals(SUCCESS, result[1]);
  }

  /** Kernels that fault on many threads, among the JVM's own faults, which are null checks. */
  @Test
  void faultsOfManyThreadsStayApart() throws InterruptedException {
    int rounds = 300;
    List<String> wrong = Collections.synchronizedList(new ArrayList<>());
    driver.function("fill_f32");
    driver.function("probe_null");
    driver.function("probe_returned_before_barrier");
    List<Thread> threads = new ArrayList<>();
    for (int k = 0; k < 4; k++) {
      threads.add(
          new Thread(
              () -> {
                try {
                  work(rounds);
                } catch (Throwable e) {
                  wrong.add(e.toString());
                }
              }));
    }
    threads.forEach(Thread::start);
    for (Thread thread : threads) {
      thread.join();
    }
    assertEquals(List.of(), wrong);
  }

  private void work(int rounds) {
    driver.makeCurrent();
    long mine = driver.allocate(4 * 8192);
    Object[] nothing = new Object[2];
    int caught = 0;
    for (int i = 0; i < rounds; i++) {
      assertEquals(SUCCESS, driver.launch(LEGACY, "fill_f32", 8, 128, mine, 8192, i));
      assertEquals(ILLEGAL_ADDRESS, driver.launch(LEGACY, "probe_null", 1, 32, mine, 1, 0));
      assertEquals(
          LAUNCH_FAILED, driver.launch(LEGACY, "probe_returned_before_barrier", 1, 32, mine, 1, 0));
      try {
        nothing[i % 2].hashCode();
      } catch (NullPointerException expected) {
        caught++;
      }
    }
    assertEquals(rounds, caught);
    assertEquals(rounds - 1, driver.read(mine, 8192)[8191]);
    driver.free(mine);
  }

  @Test
  void onlyOneDeviceIsThere() {
    MemorySegment count = driver.arena.allocate(4);
    driver.ok("cuDeviceGetCount", count);
    assertEquals(1, count.get(JAVA_INT, 0));
    assertFalse(driver.call("cuDeviceGet", count, 1) == SUCCESS);
  }
}
