// SPDX-License-Identifier: Apache-2.0
package dev.weft.device;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weft.bench.kernel.KernelMemory;
import dev.weft.device.cuda.CudaBackend;
import dev.weft.device.cuda.CudaException;
import dev.weft.support.Emulator;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.function.Executable;

/** The CUDA backend over the emulator: JCuda, launches, graphs, cuBLAS calls, faults, lifetimes. */
@ExtendWith(Emulator.class)
class CudaBackendTest {
  private CudaBackend cuda;

  @BeforeEach
  void open() {
    cuda = new CudaBackend(0);
  }

  @AfterEach
  void close() {
    cuda.close();
    assertEquals(0, Emulator.liveBytes(), "device memory after close");
    assertEquals(0, Emulator.leakedAllocations(), "allocations that the context took along");
    assertEquals(
        0, Emulator.leakedObjects(), "streams, graphs, modules that the context took along");
  }

  @Test
  void programReplaysWhatWasRecordedAndRecordingRunsNothing() {
    KernelMemory memory = new KernelMemory(cuda, Precision.F32);
    long x = memory.zeros(1000);
    cuda.beginRecording();
    cuda.run(Kernel.FILL, Precision.F32, new Arguments.Fill(x, 1000, 1));
    cuda.run(
        Kernel.UNARY_FORWARD,
        Precision.F32,
        new Arguments.UnaryForward(x, x, 1000, UnaryFunction.SCALE, 3));
    long later = cuda.allocate(4000); // a tape may need memory while it records
    assertNotEquals(0, later);
    cuda.run(Kernel.FILL, Precision.F32, new Arguments.Fill(later, 0, 9));
    try (Program program = cuda.endRecording()) {
      assertEquals(2, program.size());
      assertEquals(0, memory.read(x, 1)[0]);
      program.run();
      assertEquals(3, memory.read(x, 1000)[999]);
      cuda.run(Kernel.FILL, Precision.F32, new Arguments.Fill(x, 1000, 5));
      program.run();
      assertEquals(3, memory.read(x, 1000)[0]);
    }
  }

  @Test
  void emptyRecordingIsAProgramThatDoesNothing() {
    cuda.beginRecording();
    try (Program program = cuda.endRecording()) {
      assertEquals(0, program.size());
      program.run();
    }
  }

  @Test
  void abandonedRecordingIsForgotten() {
    KernelMemory memory = new KernelMemory(cuda, Precision.F32);
    long x = memory.zeros(10);
    cuda.beginRecording();
    cuda.run(Kernel.FILL, Precision.F32, new Arguments.Fill(x, 10, 1));
    cuda.abandonRecording();
    cuda.abandonRecording();
    assertEquals(0, memory.read(x, 10)[0]);
    assertThrows(IllegalStateException.class, cuda::endRecording);
  }

  @Test
  void timingIsRefusedWhileRecordingWhichGoesOn() {
    KernelMemory memory = new KernelMemory(cuda, Precision.F32);
    long x = memory.zeros(1000);
    cuda.beginRecording();
    cuda.run(Kernel.FILL, Precision.F32, new Arguments.Fill(x, 1000, 1));
    assertThrows(IllegalStateException.class, () -> cuda.timed(List.of()));
    cuda.run(
        Kernel.UNARY_FORWARD,
        Precision.F32,
        new Arguments.UnaryForward(x, x, 1000, UnaryFunction.SCALE, 3));
    try (Program program = cuda.endRecording()) {
      assertEquals(2, program.size());
      program.run();
      assertEquals(3, memory.read(x, 1000)[999]);
    }
  }

  @Test
  void copiesAreRefusedWhileRecording() {
    long x = cuda.allocate(64);
    cuda.beginRecording();
    MemorySegment heap = MemorySegment.ofArray(new byte[64]);
    assertThrows(IllegalStateException.class, () -> cuda.copyIn(heap, x));
    assertThrows(IllegalStateException.class, () -> cuda.copyOut(x, heap));
    assertThrows(IllegalStateException.class, cuda::beginRecording);
    cuda.abandonRecording();
  }

  @Test
  void heapAndNativeMemoryCopyBothWays() {
    int bytes = (9 << 20) + 5; // several pieces of the page-locked stage, and a rest
    byte[] source = new byte[bytes];
    IntStream.range(0, bytes).forEach(i -> source[i] = (byte) (i * 31 + (i >> 13)));
    long x = cuda.allocate(bytes);
    cuda.copyIn(MemorySegment.ofArray(source), x);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment out = arena.allocate(bytes);
      cuda.copyOut(x, out);
      assertEquals(-1, out.mismatch(MemorySegment.ofArray(source)));
      out.fill((byte) 7);
      cuda.copyIn(out, x);
    }
    byte[] back = new byte[bytes];
    cuda.copyOut(x, MemorySegment.ofArray(back));
    byte[] sevens = new byte[bytes];
    Arrays.fill(sevens, (byte) 7);
    assertArrayEquals(sevens, back);
  }

  @Test
  void hostMemoryThatIsGoneOrAnotherThreadsIsRefused() throws InterruptedException {
    long x = cuda.allocate(64);
    MemorySegment gone;
    try (Arena arena = Arena.ofConfined()) {
      gone = arena.allocate(64);
    }
    refused(IllegalStateException.class, "closed", gone, x);
    MemorySegment[] foreign = new MemorySegment[1];
    CountDownLatch made = new CountDownLatch(1);
    CountDownLatch used = new CountDownLatch(1);
    Thread owner =
        Thread.ofPlatform()
            .start(
                () -> {
                  try (Arena arena = Arena.ofConfined()) {
                    foreign[0] = arena.allocate(64);
                    made.countDown();
                    used.await();
                  } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                  }
                });
    made.await();
    try {
      refused(WrongThreadException.class, "another thread", foreign[0], x);
    } finally {
      used.countDown();
      owner.join();
    }
    try (Arena arena = Arena.ofShared()) {
      MemorySegment shared = arena.allocate(64);
      cuda.copyIn(shared, x);
      cuda.copyOut(x, shared);
    }
  }

  private void refused(
      Class<? extends RuntimeException> type, String word, MemorySegment host, long address) {
    for (Executable copy :
        List.<Executable>of(() -> cuda.copyIn(host, address), () -> cuda.copyOut(address, host))) {
      RuntimeException refusal = assertThrows(type, copy);
      assertTrue(refusal.getMessage().contains(word), refusal.getMessage());
    }
  }

  @Test
  void productOverNothingScales() {
    for (Precision precision : Precision.values()) {
      KernelMemory memory = new KernelMemory(cuda, precision);
      long c = memory.signed(12, 1);
      double[] before = memory.read(c, 12);
      // 3 rows of 2 in a matrix of row stride 4
      cuda.run(Kernel.GEMM, precision, gemm(0, 0, c, 3, 2, 0, 4, 2));
      double[] after = memory.read(c, 12);
      for (int i = 0; i < 12; i++) {
        assertEquals(i % 4 < 2 ? 2 * before[i] : before[i], after[i], 1e-6);
      }
      cuda.run(Kernel.GEMM, precision, gemm(0, 0, c, 3, 4, 0, 4, 0));
      assertArrayEquals(new double[12], memory.read(c, 12));
    }
  }

  private static Arguments gemm(
      long a, long b, long c, long m, long n, long k, long ldc, double beta) {
    return new Arguments.Gemm(
        a, b, c, m, n, k, Math.max(1, k), n, ldc, false, false, 1, beta, false, false, 1, 0, 0, 0);
  }

  @Test
  void memoryThatIsNotThereIsZero() {
    Emulator.failAllocation(1);
    assertEquals(0, cuda.allocate(1 << 20));
    long address = cuda.allocate(1 << 20);
    assertNotEquals(0, address);
    assertEquals(0, cuda.allocate(1L << 50));
    cuda.free(address);
    assertThrows(DeviceException.class, () -> cuda.free(address));
  }

  @Test
  void failedLaunchNamesKernelAndShape() {
    long x = cuda.allocate(4096 * 4);
    Emulator.failLaunch(1);
    CudaException failure =
        assertThrows(
            CudaException.class,
            () -> cuda.run(Kernel.FILL, Precision.F32, new Arguments.Fill(x, 4096, 1)));
    String message = failure.getMessage();
    assertTrue(message.startsWith("cuda:0: cuLaunchKernel of fill_f32, 4 blocks"), message);
    assertEquals("cuLaunchKernel", failure.call());
    cuda.run(Kernel.FILL, Precision.F32, new Arguments.Fill(x, 4096, 1));
  }

  @Test
  void failedRecordingReportsTheFirstCause() {
    long x = cuda.allocate(400);
    Arguments fill = new Arguments.Fill(x, 100, 1);
    cuda.beginRecording();
    cuda.run(Kernel.FILL, Precision.F32, fill);
    // cuBLAS refuses rows that overlap
    Arguments overlapping = gemm(x, x, x + 64, 4, 4, 4, 1, 0);
    CudaException first =
        assertThrows(CudaException.class, () -> cuda.run(Kernel.GEMM, Precision.F32, overlapping));
    CudaException failure = assertThrows(CudaException.class, cuda::endRecording);
    assertEquals(first, failure.getCause());
    assertTrue(failure.getMessage().contains("call 2"), failure.getMessage());
    assertTrue(failure.getMessage().contains("cublasGemmEx"), failure.getMessage());
    cuda.beginRecording();
    cuda.run(Kernel.FILL, Precision.F32, fill);
    cuda.endRecording().run();
  }

  @Test
  void failedReplayNamesTheProgram() {
    long x = cuda.allocate(400);
    cuda.beginRecording();
    cuda.run(Kernel.FILL, Precision.F32, new Arguments.Fill(x, 100, 1));
    cuda.run(Kernel.FILL, Precision.F32, new Arguments.Fill(x, 100, 2));
    Program program = cuda.endRecording();
    Emulator.failLaunch(2);
    CudaException failure =
        assertThrows(
            CudaException.class,
            () -> {
              program.run();
              cuda.synchronize();
            });
    assertTrue(failure.getMessage().contains("of 2 calls"), failure.getMessage());
    program.run();
    cuda.synchronize();
  }

  @Test
  void failedCopyIsReported() {
    long x = cuda.allocate(400);
    Emulator.failCopy(1);
    MemorySegment heap = MemorySegment.ofArray(new float[100]);
    assertThrows(CudaException.class, () -> cuda.copyIn(heap, x));
    cuda.copyIn(heap, x);
  }

  @Test
  void failedConstructionLeavesNothing() {
    Emulator.failAllocation(1);
    assertThrows(OutOfDeviceMemoryException.class, () -> new CudaBackend(0));
    assertThrows(DeviceUnavailableException.class, () -> new CudaBackend(99));
    assertThrows(DeviceUnavailableException.class, () -> new CudaBackend(-1));
  }

  @Test
  void closedThingsSaySo() {
    cuda.beginRecording();
    Program program = cuda.endRecording();
    CudaBackend other = new CudaBackend(0);
    long x = other.allocate(64);
    assertNotEquals(0, x);
    other.beginRecording();
    other.close();
    other.close();
    assertThrows(IllegalStateException.class, () -> other.allocate(64));
    program.close();
    assertThrows(IllegalStateException.class, program::run);
    long y = cuda.allocate(64); // the context is shared and still there
    cuda.free(y);
  }

  @Test
  void anotherThreadMayGoOnAndClose() throws InterruptedException {
    long x = cuda.allocate(400);
    Throwable[] failure = new Throwable[1];
    Thread thread =
        Thread.ofVirtual()
            .start(
                () -> {
                  try {
                    cuda.run(Kernel.FILL, Precision.F32, new Arguments.Fill(x, 100, 1));
                    cuda.close();
                  } catch (Throwable e) {
                    failure[0] = e;
                  }
                });
    thread.join();
    assertEquals(null, failure[0]);
  }
}
