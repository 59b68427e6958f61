// SPDX-License-Identifier: Apache-2.0
package dev.weft.device.cuda;

import static dev.weft.format.Format.format;

import dev.weft.device.Arguments;
import dev.weft.device.Backend;
import dev.weft.device.Call;
import dev.weft.device.Closing;
import dev.weft.device.CopyQueue;
import dev.weft.device.DeviceException;
import dev.weft.device.DeviceUnavailableException;
import dev.weft.device.Kernel;
import dev.weft.device.OutOfDeviceMemoryException;
import dev.weft.device.Precision;
import dev.weft.device.Program;
import dev.weft.device.TimedProgram;
import dev.weft.device.UnaryFunction;
import dev.weft.device.cpu.CpuLibrary;
import java.lang.foreign.MemorySegment;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import jcuda.driver.CUgraph;
import jcuda.driver.CUgraphExec;
import org.jspecify.annotations.Nullable;

/**
 * Kernels on an NVIDIA GPU. All work goes to one stream, a recording is a capture of that stream,
 * and {@link Program#run} is one graph launch.
 *
 * <p>Calls may come from any thread, one at a time.
 */
public final class CudaBackend implements Backend {
  private final CudaDriver driver;
  private final Set<Long> allocations = new HashSet<>();
  private final Set<CudaProgram> programs = new HashSet<>();
  private final Set<CudaTimedProgram> timedPrograms = new HashSet<>();
  private final Set<CudaCopyQueue> copyQueues = new HashSet<>();
  private CudaKernels kernels;
  private Cublas cublas;
  private HostCopies copies;
  private Runnable shortage = () -> {};
  private String description;
  private boolean closed;

  private boolean recording;
  private int calls;
  private @Nullable RuntimeException firstFailure;

  /**
   * Opens a GPU.
   *
   * @param ordinal its number as the driver counts them, from 0
   * @throws dev.weft.device.DeviceUnavailableException where there is none of that number, or a
   *     library or the kernels are missing: the message says which, and where it was sought
   */
  public CudaBackend(int ordinal) {
    driver = new CudaDriver(ordinal);
    try {
      kernels = new CudaKernels(driver, CpuLibrary.get().contract());
      cublas = new Cublas(driver);
      copies = new HostCopies(driver);
      description = describe();
    } catch (RuntimeException e) {
      Closing.after(e, this::close);
      throw e;
    }
  }

  /**
   * The number of GPUs.
   *
   * @throws dev.weft.device.DeviceUnavailableException where the driver is missing or does not
   *     start
   */
  public static int count() {
    return CudaDriver.count();
  }

  /** Whether there is a driver that sees a GPU, whatever else may be missing. */
  public static boolean isPresent() {
    try {
      return count() > 0;
    } catch (DeviceUnavailableException e) {
      return false;
    }
  }

  private String describe() {
    int version = driver.version();
    return format(
        "%s, %d SMs, sm_%d, %.1f GiB, driver for CUDA %d.%d, cuBLAS %s with %d MiB workspace",
        driver.model(),
        driver.multiprocessors(),
        driver.capability(),
        driver.totalMemory() / (double) (1 << 30),
        version / 1000,
        version % 1000 / 10,
        cublas.version(),
        Cublas.WORKSPACE_BYTES >> 20);
  }

  @Override
  public String name() {
    return driver.device();
  }

  @Override
  public String description() {
    return description;
  }

  @Override
  public String instructionSet() {
    return "sm_" + driver.capability();
  }

  @Override
  public long allocate(long bytes) {
    enter();
    long address = driver.allocate(bytes);
    if (address != 0) {
      allocations.add(address);
    }
    return address;
  }

  @Override
  public long freeBytes() {
    enter();
    return driver.freeMemory();
  }

  @Override
  public void onShortage(Runnable release) {
    shortage = release;
  }

  @Override
  public void free(long address) {
    enter();
    if (!allocations.remove(address)) {
      throw new DeviceException(format("%s: free of %#x, which is not allocated", name(), address));
    }
    driver.free(address);
  }

  @Override
  public void run(Kernel kernel, Precision precision, Arguments arguments) {
    if (arguments.work() == 0) {
      return;
    }
    arguments.check();
    enter();
    try {
      if (!(arguments instanceof Arguments.Gemm gemm)) {
        kernels.launch(kernel, precision, arguments);
      } else if (gemm.k() > 0) {
        cublas.multiply(precision, gemm);
      } else {
        scale(gemm.cWide() ? precision.wide() : precision, gemm);
      }
      calls++;
    } catch (RuntimeException e) {
      if (recording && firstFailure == null) {
        firstFailure = e;
      }
      throw e;
    }
  }

  /** Products over no elements: c = beta c, row by row where rows are not adjacent. */
  private void scale(Precision precision, Arguments.Gemm gemm) {
    long bytes = precision.bytes();
    boolean dense = gemm.ldc() == gemm.n();
    long length = dense ? gemm.m() * gemm.n() : gemm.n();
    for (long product = 0; product < gemm.batch(); product++) {
      for (long row = 0; row < (dense ? 1 : gemm.m()); row++) {
        long c = gemm.c() + (product * gemm.cStep() + row * gemm.ldc()) * bytes;
        if (gemm.beta() == 0) {
          kernels.launch(Kernel.FILL, precision, new Arguments.Fill(c, length, 0));
        } else if (gemm.beta() != 1) {
          var scale = new Arguments.UnaryForward(c, c, length, UnaryFunction.SCALE, gemm.beta());
          kernels.launch(Kernel.UNARY_FORWARD, precision, scale);
        }
      }
    }
  }

  @Override
  public void copyIn(MemorySegment from, long to) {
    enter();
    refuseWhileRecording("a copy to the device");
    copies.in(from, to);
  }

  @Override
  public void copyOut(long from, MemorySegment to) {
    enter();
    refuseWhileRecording("a copy from the device");
    copies.out(from, to);
  }

  @Override
  public CopyQueue copyQueue(int slots) {
    enter();
    refuseWhileRecording("a queue of copies");
    return new CudaCopyQueue(driver, slots, copyQueues);
  }

  @Override
  public void beginRecording() {
    enter();
    refuseWhileRecording("another recording");
    driver.beginCapture();
    recording = true;
    calls = 0;
    firstFailure = null;
  }

  @Override
  public Program endRecording() {
    enter();
    if (!recording) {
      throw new IllegalStateException(name() + ": no recording is in progress");
    }
    recording = false;
    CUgraph graph = new CUgraph();
    int code = driver.endCapture(graph);
    if (firstFailure != null) {
      CudaException failure =
          new CudaException(
              format(
                  "%s: the recording failed at call %d: %s",
                  name(), calls + 1, firstFailure.getMessage()),
              firstFailure);
      if (code == 0) {
        Closing.after(failure, () -> driver.destroy(graph));
      }
      throw failure;
    }
    if (code != 0) {
      throw driver.failure(code, "cuStreamEndCapture", format("of %d calls", calls));
    }
    try {
      return new CudaProgram(driver, calls == 0 ? null : instantiate(graph), calls, programs);
    } finally {
      driver.destroy(graph);
    }
  }

  /** A graph takes device memory of its own, past the allocator, whose cache may hold it all. */
  private CUgraphExec instantiate(CUgraph graph) {
    CUgraphExec program = driver.instantiate(graph, calls);
    if (program == null) {
      shortage.run();
      program = driver.instantiate(graph, calls);
    }
    if (program == null) {
      throw new OutOfDeviceMemoryException(
          format(
                  "%s has no memory left for a recorded step of %d calls, also with nothing cached;"
                      + " use a",
                  name(), calls)
              + " smaller batch or network");
    }
    return program;
  }

  @Override
  public void abandonRecording() {
    if (!recording) {
      return;
    }
    enter();
    recording = false;
    CUgraph graph = new CUgraph();
    // a failed call in the recording invalidates it, and it is being forgotten: no error here
    if (driver.endCapture(graph) == 0) {
      driver.destroy(graph);
    }
  }

  /**
   * Events in the graph itself, so that the kernels follow each other as they do in a replay, and
   * what a launch costs the host is in no kernel's time.
   */
  @Override
  public TimedProgram timed(List<Call> calls) {
    beginRecording(); // where it is refused, the recording in progress is the caller's
    CudaTimedProgram timed = new CudaTimedProgram(driver, calls.size(), timedPrograms);
    try {
      for (int i = 0; i < calls.size(); i++) {
        Call call = calls.get(i);
        timed.captureTime(i);
        run(call.kernel(), call.precision(), call.arguments());
      }
      timed.captureTime(calls.size());
      timed.runs(endRecording());
      return timed;
    } catch (RuntimeException e) {
      Closing.after(e, this::abandonRecording);
      Closing.after(e, timed::close);
      throw e;
    }
  }

  @Override
  public void synchronize() {
    enter();
    refuseWhileRecording("waiting for the device");
    driver.synchronize();
  }

  private void enter() {
    if (closed) {
      throw new IllegalStateException(name() + " is closed");
    }
    driver.makeCurrent();
  }

  private void refuseWhileRecording(String what) {
    if (recording) {
      throw Backend.whileRecorded(name(), what);
    }
  }

  @Override
  public void close() {
    if (closed) {
      return;
    }
    Closing closing = new Closing();
    closing.run(driver::makeCurrent);
    closing.run(this::abandonRecording);
    closed = true;
    if (!driver.isLost()) {
      closing.run(driver::synchronize);
    }
    List.copyOf(copyQueues).forEach(queue -> closing.run(queue::close));
    List.copyOf(timedPrograms).forEach(program -> closing.run(program::close));
    List.copyOf(programs).forEach(program -> closing.run(program::close));
    allocations.forEach(address -> closing.run(() -> driver.free(address)));
    allocations.clear();
    if (copies != null) {
      closing.run(copies::close);
    }
    if (cublas != null) {
      closing.run(cublas::close);
    }
    if (kernels != null) {
      closing.run(kernels::close);
    }
    closing.run(driver::close);
    closing.finish();
  }
}
