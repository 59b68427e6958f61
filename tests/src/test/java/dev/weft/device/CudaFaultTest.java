// SPDX-License-Identifier: Apache-2.0
package dev.weft.device;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weft.device.cuda.CudaBackend;
import dev.weft.device.cuda.CudaException;
import dev.weft.support.Emulator;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.function.LongConsumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments.ArgumentSet;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * One call after the other made to fail: a failure is reported, nothing is lost, and the backend
 * works on. And several backends beside each other.
 */
@ExtendWith(Emulator.class)
class CudaFaultTest {
  private static final int N = 64;
  private static final int MOST = 100; // a bound on the calls of one kind that a job makes

  @AfterEach
  void nothingIsLeft() {
    assertEquals(0, Emulator.liveBytes(), "device memory after close");
    assertEquals(0, Emulator.liveStreams(), "streams after close");
    assertEquals(0, Emulator.liveGraphs(), "graphs after close");
    assertEquals(0, Emulator.leakedAllocations(), "allocations that the context took along");
    assertEquals(0, Emulator.leakedObjects(), "objects that the context took along");
  }

  /**
   * Copies, kernels, products and a replayed recording: (x + x) W for x = factor and W = 1, three
   * times.
   */
  private static float[] job(Backend backend, float factor) {
    long x = allocate(backend, 4L * N * N);
    long w = 0;
    long y = 0;
    try {
      w = allocate(backend, 4L * N * N);
      y = allocate(backend, 4L * N * N);
      float[] values = new float[N * N];
      Arrays.fill(values, factor);
      backend.copyIn(MemorySegment.ofArray(values), x);
      Arrays.fill(values, 0);
      backend.run(Kernel.FILL, Precision.F32, new Arguments.Fill(w, N * N, 1));
      long to = y;
      long weights = w;
      // operation 0 is WEFT_SCALE
      Arguments scale = new Arguments.UnaryForward(x, to, N * N, UnaryFunction.SCALE, 2);
      Arguments multiply =
          new Arguments.Gemm(
              to, weights, x, N, N, N, N, N, N, false, false, 1.0 / N, 0, false, false, 1, 0, 0, 0);
      backend.beginRecording();
      Program program;
      try {
        backend.run(Kernel.UNARY_FORWARD, Precision.F32, scale);
        backend.run(Kernel.GEMM, Precision.F32, multiply);
        program = backend.endRecording();
      } catch (RuntimeException e) {
        backend.abandonRecording();
        throw e;
      }
      try (program) {
        for (int i = 0; i < 3; i++) {
          program.run();
        }
        backend.synchronize();
      }
      backend.copyOut(x, MemorySegment.ofArray(values));
      return values;
    } finally {
      for (long address : new long[] {x, w, y}) {
        if (address != 0) {
          backend.free(address);
        }
      }
    }
  }

  private static long allocate(Backend backend, long bytes) {
    long address = backend.allocate(bytes);
    if (address == 0) {
      throw new OutOfDeviceMemoryException("no memory");
    }
    return address;
  }

  private static float[] expected(float factor) {
    float[] values = new float[N * N];
    Arrays.fill(values, 8 * factor);
    return values;
  }

  static Stream<ArgumentSet> kinds() {
    LongConsumer allocation = Emulator::failAllocation;
    LongConsumer launch = Emulator::failLaunch;
    LongConsumer copy = Emulator::failCopy;
    return Stream.of(
        org.junit.jupiter.params.provider.Arguments.argumentSet("allocation", allocation, 3, false),
        org.junit.jupiter.params.provider.Arguments.argumentSet("launch", launch, 7, false),
        org.junit.jupiter.params.provider.Arguments.argumentSet("copy", copy, 2, false),
        org.junit.jupiter.params.provider.Arguments.argumentSet("late launch", launch, 7, true),
        org.junit.jupiter.params.provider.Arguments.argumentSet("late copy", copy, 2, true));
  }

  @ParameterizedTest
  @MethodSource("kinds")
  void anyCallMayFailAndTheBackendWorksOn(LongConsumer fail, int calls, boolean late) {
    try (CudaBackend backend = new CudaBackend(0)) {
      long before = -1;
      int failures = 0;
      for (int n = 1; n <= MOST; n++) {
        if (late) {
          Emulator.deferred();
        }
        fail.accept(n);
        try {
          float[] values = job(backend, n);
          assertArrayEquals(expected(n), values);
          break;
        } catch (DeviceException reported) {
          failures++;
        }
        Emulator.reset();
        assertArrayEquals(expected(1), job(backend, 1), "after failure " + n);
        before = before < 0 ? Emulator.liveBytes() : before;
        assertEquals(before, Emulator.liveBytes(), "after failure " + n);
      }
      assertEquals(calls, failures);
    }
  }

  @Test
  void anyAllocationOfOpeningMayFail() {
    int failures = 0;
    for (int n = 1; n <= MOST; n++) {
      Emulator.failAllocation(n);
      try (CudaBackend backend = new CudaBackend(0)) {
        Emulator.reset();
        assertArrayEquals(expected(1), job(backend, 1));
        break;
      } catch (DeviceException reported) {
        failures++;
        assertEquals(0, Emulator.liveBytes());
        assertEquals(0, Emulator.leakedObjects());
      }
    }
    assertEquals(2, failures); // the workspace of cuBLAS, and the matrices of its first products
  }

  @Test
  void deferredFailureNamesTheLastLaunch() {
    try (CudaBackend backend = new CudaBackend(0)) {
      Emulator.deferred();
      Emulator.failLaunch(1);
      long x = backend.allocate(400);
      backend.run(Kernel.FILL, Precision.F32, new Arguments.Fill(x, 100, 1));
      CudaException failure = assertThrows(CudaException.class, backend::synchronize);
      assertTrue(failure.getMessage().contains("fill_f32"), failure.getMessage());
      assertEquals("cuStreamSynchronize", failure.call());
      assertEquals(EmulatedDriver.LAUNCH_FAILED, failure.code());
    }
  }

  @Test
  void kernelThatLeavesItsMemoryIsReported() {
    try (CudaBackend backend = new CudaBackend(0)) {
      Emulator.exact();
      long x = backend.allocate(400);
      Arguments tooMany = new Arguments.Fill(x, 101, 1);
      CudaException failure =
          assertThrows(CudaException.class, () -> backend.run(Kernel.FILL, Precision.F32, tooMany));
      assertEquals(EmulatedDriver.ILLEGAL_ADDRESS, failure.code());
      assertArrayEquals(expected(2), job(backend, 2));
    }
  }

  @Test
  void nothingDoneIsNoFailure() {
    try (CudaBackend backend = new CudaBackend(0)) {
      long before = Emulator.launches();
      Emulator.doNothing();
      job(backend, 1);
      assertEquals(before, Emulator.launches());
      Emulator.reset();
      assertArrayEquals(expected(1), job(backend, 1));
      assertEquals(7, Emulator.launches());
    }
  }

  @Test
  void backendsBesideEachOther() {
    try (CudaBackend one = new CudaBackend(0);
        CudaBackend two = new CudaBackend(0)) {
      long x = one.allocate(40);
      long y = two.allocate(40);
      one.beginRecording();
      one.run(Kernel.FILL, Precision.F32, new Arguments.Fill(x, 10, 1));
      assertArrayEquals(expected(3), job(two, 3), "while the other records");
      try (Program program = one.endRecording()) {
        two.run(Kernel.FILL, Precision.F32, new Arguments.Fill(y, 10, 2));
        program.run();
        float[] values = new float[10];
        one.copyOut(x, MemorySegment.ofArray(values));
        assertEquals(1, values[9]);
        two.copyOut(y, MemorySegment.ofArray(values));
        assertEquals(2, values[9]);
      }
      assertThrows(DeviceException.class, () -> one.free(y), "the other's memory");
    }
  }

  @Test
  void backendsOfManyThreads() throws InterruptedException {
    Throwable[] failures = new Throwable[3];
    Thread[] threads = new Thread[failures.length];
    for (int t = 0; t < threads.length; t++) {
      int id = t;
      threads[t] =
          new Thread(
              () -> {
                try (CudaBackend backend = new CudaBackend(0)) {
                  for (int i = 1; i <= 20; i++) {
                    assertArrayEquals(expected(id + i), job(backend, id + i));
                  }
                } catch (Throwable e) {
                  failures[id] = e;
                }
              });
      threads[t].start();
    }
    for (Thread thread : threads) {
      thread.join();
    }
    assertArrayEquals(new Throwable[threads.length], failures);
  }

  @Test
  void closingElsewhereEndsARecording() throws InterruptedException {
    CudaBackend backend = new CudaBackend(0);
    long x = backend.allocate(400);
    backend.beginRecording();
    backend.run(Kernel.FILL, Precision.F32, new Arguments.Fill(x, 100, 1));
    Throwable[] failure = new Throwable[1];
    Thread closer =
        new Thread(
            () -> {
              try {
                backend.close();
              } catch (Throwable e) {
                failure[0] = e;
              }
            });
    closer.start();
    closer.join();
    assertEquals(null, failure[0]);
    assertThrows(IllegalStateException.class, () -> backend.allocate(4));
  }
}
