// SPDX-License-Identifier: Apache-2.0
package dev.weft.device.cuda;

import static dev.weft.format.Format.format;
import static jcuda.driver.CUdevice_attribute.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR;
import static jcuda.driver.CUdevice_attribute.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR;
import static jcuda.driver.CUdevice_attribute.CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT;
import static jcuda.driver.CUevent_flags.CU_EVENT_DISABLE_TIMING;
import static jcuda.driver.CUstream_flags.CU_STREAM_NON_BLOCKING;

import dev.weft.device.Closing;
import dev.weft.device.DeviceUnavailableException;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import jcuda.driver.CUcontext;
import jcuda.driver.CUdevice;
import jcuda.driver.CUevent;
import jcuda.driver.CUevent_flags;
import jcuda.driver.CUevent_record_flags;
import jcuda.driver.CUfunction;
import jcuda.driver.CUgraph;
import jcuda.driver.CUgraphExec;
import jcuda.driver.CUmodule;
import jcuda.driver.CUresult;
import jcuda.driver.CUstream;
import jcuda.driver.CUstreamCaptureMode;
import jcuda.driver.JCudaDriver;
import org.jspecify.annotations.Nullable;

/**
 * One GPU through the CUDA driver: its primary context and one stream of it, on which all work
 * runs. The one class that calls {@link JCudaDriver}; every result is checked here. Long, because
 * all of the driver is here.
 */
final class CudaDriver implements AutoCloseable {
  private static boolean started;

  private final String device;
  private final CUdevice handle = new CUdevice();
  private final CUcontext context = new CUcontext();
  private final CUstream stream = new CUstream();
  private boolean retained;
  private boolean streaming;
  private String lastLaunch = "";
  private boolean lost;

  /** Opens a GPU by number and makes it current on the calling thread. */
  CudaDriver(int ordinal) {
    device = "cuda:" + ordinal;
    int count = count();
    if (ordinal < 0 || ordinal >= count) {
      throw new DeviceUnavailableException(
          format("%s was asked for, but the driver has %d device(s)", device, count));
    }
    try {
      check(JCudaDriver.cuDeviceGet(handle, ordinal), "cuDeviceGet");
      check(JCudaDriver.cuDevicePrimaryCtxRetain(context, handle), "cuDevicePrimaryCtxRetain");
      retained = true;
      makeCurrent();
      check(JCudaDriver.cuStreamCreate(stream, CU_STREAM_NON_BLOCKING), "cuStreamCreate");
      streaming = true;
    } catch (RuntimeException e) {
      Closing.after(e, this::close);
      throw e;
    }
  }

  /** Loads the driver and starts it, once in a process. */
  private static synchronized void start() {
    if (started) {
      return;
    }
    CudaLibraries.loadDriver(() -> JCudaDriver.setExceptionsEnabled(false));
    int code = JCudaDriver.cuInit(0);
    if (code != CUresult.CUDA_SUCCESS) {
      throw new DeviceUnavailableException(
          format("the NVIDIA driver does not start: cuInit failed: %s (%d)", error(code), code));
    }
    started = true;
  }

  /** The number of GPUs. */
  static int count() {
    start();
    int[] count = new int[1];
    int code = JCudaDriver.cuDeviceGetCount(count);
    if (code != CUresult.CUDA_SUCCESS) {
      throw new CudaException("cuda", "cuDeviceGetCount", "", code, error(code));
    }
    return count[0];
  }

  /**
   * Makes the context current on the calling thread. Done at every entry: it costs tens of
   * nanoseconds, and neither a second device on this thread nor a virtual thread that moved can be
   * in the way.
   */
  void makeCurrent() {
    check(JCudaDriver.cuCtxSetCurrent(context), "cuCtxSetCurrent");
  }

  /** {@code cuda:0}. */
  String device() {
    return device;
  }

  /** The model. */
  String model() {
    byte[] name = new byte[256];
    check(JCudaDriver.cuDeviceGetName(name, name.length, handle), "cuDeviceGetName");
    int length = 0;
    while (length < name.length && name[length] != 0) {
      length++;
    }
    return new String(name, 0, length, StandardCharsets.UTF_8);
  }

  /** The compute capability, such as 90 for 9.0. */
  int capability() {
    return 10 * attribute(CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR)
        + attribute(CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR);
  }

  /** The number of streaming multiprocessors. */
  int multiprocessors() {
    return attribute(CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT);
  }

  private int attribute(int attribute) {
    int[] value = new int[1];
    check(JCudaDriver.cuDeviceGetAttribute(value, attribute, handle), "cuDeviceGetAttribute");
    return value[0];
  }

  /** Bytes of device memory. */
  long totalMemory() {
    long[] bytes = new long[1];
    check(JCudaDriver.cuDeviceTotalMem(bytes, handle), "cuDeviceTotalMem");
    return bytes[0];
  }

  /** The newest CUDA version that the driver speaks, such as 12060 for 12.6. */
  int version() {
    int[] version = new int[1];
    check(JCudaDriver.cuDriverGetVersion(version), "cuDriverGetVersion");
    return version[0];
  }

  /** Bytes of device memory that nobody has taken. */
  long freeMemory() {
    long[] free = new long[1];
    check(JCudaDriver.cuMemGetInfo(free, new long[1]), "cuMemGetInfo");
    return free[0];
  }

  /** Takes device memory; 0 where there is not that much. */
  long allocate(long bytes) {
    DeviceAddress address = new DeviceAddress();
    int code = JCudaDriver.cuMemAlloc(address, bytes);
    if (code == CUresult.CUDA_ERROR_OUT_OF_MEMORY) {
      return 0;
    }
    check(code, "cuMemAlloc", bytes, "bytes");
    return address.value();
  }

  /** Queues zeros into device memory. */
  void zero(long address, long bytes) {
    int code = JCudaDriver.cuMemsetD8Async(new DeviceAddress(address), (byte) 0, bytes, stream);
    check(code, "cuMemsetD8Async", bytes, "bytes");
  }

  /** Gives device memory back. */
  void free(long address) {
    giveBack(JCudaDriver.cuMemFree(new DeviceAddress(address)), "cuMemFree");
  }

  /** Takes page-locked host memory. */
  MemorySegment allocatePinned(long bytes) {
    HostAddress address = new HostAddress();
    check(JCudaDriver.cuMemAllocHost(address, bytes), "cuMemAllocHost", bytes, "bytes");
    return MemorySegment.ofAddress(address.value()).reinterpret(bytes);
  }

  /** Gives page-locked host memory back. */
  void freePinned(MemorySegment memory) {
    giveBack(JCudaDriver.cuMemFreeHost(new HostAddress(memory.address())), "cuMemFreeHost");
  }

  /** Queues a copy from host memory, which must stay as it is until {@link #synchronize}. */
  void copyIn(long from, long to, long bytes) {
    copyIn(from, to, bytes, stream);
  }

  /** The same on another stream. */
  void copyIn(long from, long to, long bytes, CUstream stream) {
    DeviceAddress target = new DeviceAddress(to);
    int code = JCudaDriver.cuMemcpyHtoDAsync(target, new HostAddress(from), bytes, stream);
    check(code, "cuMemcpyHtoDAsync", bytes, "bytes");
  }

  /** Queues a copy to host memory, which holds it after {@link #synchronize}. */
  void copyOut(long from, long to, long bytes) {
    DeviceAddress source = new DeviceAddress(from);
    int code = JCudaDriver.cuMemcpyDtoHAsync(new HostAddress(to), source, bytes, stream);
    check(code, "cuMemcpyDtoHAsync", bytes, "bytes");
  }

  /** Waits for all work queued so far. */
  void synchronize() {
    check(JCudaDriver.cuStreamSynchronize(stream), "cuStreamSynchronize");
  }

  /** Loads a module; the error number, for the caller to explain. */
  int loadModule(CUmodule module, MemorySegment image) {
    // not cuModuleLoadData: JCuda's takes a heap array and pins it for as long as the driver
    // compiles
    return JCudaDriver.cuModuleLoadDataEx(module, new HostAddress(image.address()), 0, null, null);
  }

  /** Unloads a module. */
  void unloadModule(CUmodule module) {
    giveBack(JCudaDriver.cuModuleUnload(module), "cuModuleUnload");
  }

  /** A kernel of a module, or null where it has none of that name. */
  @Nullable CUfunction function(CUmodule module, String symbol) {
    CUfunction function = new CUfunction();
    int code = JCudaDriver.cuModuleGetFunction(function, module, symbol);
    if (code == CUresult.CUDA_ERROR_NOT_FOUND) {
      return null;
    }
    if (code != CUresult.CUDA_SUCCESS) {
      throw failure(code, "cuModuleGetFunction", "of " + symbol);
    }
    return function;
  }

  /** Queues a kernel, or adds it to the capture; the parameters are copied before this returns. */
  void launch(CUfunction function, String symbol, int blocks, int threads, HostAddress parameters) {
    int code =
        JCudaDriver.cuLaunchKernel(
            function, blocks, 1, 1, threads, 1, 1, 0, stream, parameters, null);
    if (code != CUresult.CUDA_SUCCESS) {
      String detail = format("of %s, %d blocks of %d threads", symbol, blocks, threads);
      throw failure(code, "cuLaunchKernel", detail);
    }
    lastLaunch = symbol;
  }

  /** Begins to capture the stream; relaxed, so that memory may be allocated meanwhile. */
  void beginCapture() {
    int mode = CUstreamCaptureMode.CU_STREAM_CAPTURE_MODE_RELAXED;
    check(JCudaDriver.cuStreamBeginCapture(stream, mode), "cuStreamBeginCapture");
  }

  /** Ends the capture; the error number. The graph is null where the capture was invalidated. */
  int endCapture(CUgraph graph) {
    return JCudaDriver.cuStreamEndCapture(stream, graph);
  }

  /** Makes a graph ready to launch; null where there is not the memory for it. */
  @Nullable CUgraphExec instantiate(CUgraph graph, int calls) {
    CUgraphExec program = new CUgraphExec();
    int code = JCudaDriver.cuGraphInstantiate(program, graph, 0);
    if (code == CUresult.CUDA_ERROR_OUT_OF_MEMORY) {
      return null;
    }
    check(code, "cuGraphInstantiate", calls, "calls");
    return program;
  }

  /** Queues a graph. */
  void launch(CUgraphExec program, int calls) {
    check(JCudaDriver.cuGraphLaunch(program, stream), "cuGraphLaunch", calls, "calls");
    lastLaunch = "a recorded program";
  }

  /** Frees a graph that was captured. */
  void destroy(CUgraph graph) {
    giveBack(JCudaDriver.cuGraphDestroy(graph), "cuGraphDestroy");
  }

  /** Frees a graph that was made ready. */
  void destroy(CUgraphExec program) {
    giveBack(JCudaDriver.cuGraphExecDestroy(program), "cuGraphExecDestroy");
  }

  /** Makes another stream, which is ordered by events alone. */
  CUstream newStream() {
    CUstream other = new CUstream();
    check(JCudaDriver.cuStreamCreate(other, CU_STREAM_NON_BLOCKING), "cuStreamCreate");
    return other;
  }

  /** Waits for all work of a stream. */
  void synchronize(CUstream other) {
    check(JCudaDriver.cuStreamSynchronize(other), "cuStreamSynchronize");
  }

  /** Frees a stream that {@link #newStream} made. */
  void destroy(CUstream other) {
    giveBack(JCudaDriver.cuStreamDestroy(other), "cuStreamDestroy");
  }

  /** Makes an event that orders streams. */
  CUevent untimedEvent() {
    CUevent event = new CUevent();
    check(JCudaDriver.cuEventCreate(event, CU_EVENT_DISABLE_TIMING), "cuEventCreate");
    return event;
  }

  /** The event stands for the work that a stream was given so far. */
  void record(CUevent event, CUstream on) {
    check(JCudaDriver.cuEventRecord(event, on), "cuEventRecord");
  }

  /** What a stream is given from now on waits for the event; one never recorded is past. */
  void wait(CUstream waiting, CUevent event) {
    check(JCudaDriver.cuStreamWaitEvent(waiting, event, 0), "cuStreamWaitEvent");
  }

  /** Waits for an event. */
  void synchronize(CUevent event) {
    check(JCudaDriver.cuEventSynchronize(event), "cuEventSynchronize");
  }

  /** Makes an event that notes the time. */
  CUevent event() {
    CUevent event = new CUevent();
    check(JCudaDriver.cuEventCreate(event, CUevent_flags.CU_EVENT_DEFAULT), "cuEventCreate");
    return event;
  }

  /** Adds to the capture that the event notes the time, whenever the graph comes to this place. */
  void capture(CUevent event) {
    int flags = CUevent_record_flags.CU_EVENT_RECORD_EXTERNAL;
    check(JCudaDriver.cuEventRecordWithFlags(event, stream, flags), "cuEventRecordWithFlags");
  }

  /** Milliseconds from one event to another, after {@link #synchronize}. */
  float milliseconds(CUevent from, CUevent to) {
    float[] elapsed = new float[1];
    check(JCudaDriver.cuEventElapsedTime(elapsed, from, to), "cuEventElapsedTime");
    return elapsed[0];
  }

  /** Frees an event. */
  void destroy(CUevent event) {
    giveBack(JCudaDriver.cuEventDestroy(event), "cuEventDestroy");
  }

  /** The stream, for cuBLAS. */
  CUstream stream() {
    return stream;
  }

  /** Notes what cuBLAS launched, for the message of a later failure. */
  void launched(String what) {
    lastLaunch = what;
  }

  @Override
  public void close() {
    Closing closing = new Closing();
    if (streaming) {
      streaming = false;
      closing.run(() -> giveBack(JCudaDriver.cuStreamDestroy(stream), "cuStreamDestroy"));
    }
    if (retained) {
      retained = false;
      closing.run(
          () ->
              giveBack(JCudaDriver.cuDevicePrimaryCtxRelease(handle), "cuDevicePrimaryCtxRelease"));
    }
    closing.finish();
  }

  /** Of a lost device the driver refuses to take anything back; all went with the context. */
  private void giveBack(int code, String call) {
    if (!lost) {
      check(code, call);
    }
  }

  private void check(int code, String call) {
    if (code != CUresult.CUDA_SUCCESS) {
      throw failure(code, call, "");
    }
  }

  private void check(int code, String call, long count, String what) {
    if (code != CUresult.CUDA_SUCCESS) {
      throw failure(code, call, format("of %d %s", count, what));
    }
  }

  /**
   * After a failure that cuBLAS tells of in its own numbers: what the driver says of the stream.
   *
   * @throws CudaException where the context is lost
   */
  void askWhetherLost(String call) {
    int code = JCudaDriver.cuStreamQuery(stream);
    if (CudaException.losesContext(code)) {
      throw failure(code, call, "");
    }
  }

  /** Whether a kernel has failed in a way that ends the context: every call fails from then on. */
  boolean isLost() {
    return lost;
  }

  /** The exception for a failed call. */
  CudaException failure(int code, String call, String detail) {
    String after = lastLaunch.isEmpty() ? "" : format(" (the last launch was %s)", lastLaunch);
    lost |= CudaException.losesContext(code);
    return new CudaException(device, call, (detail + after).strip(), code, error(code));
  }

  private static String error(int code) {
    String[] name = new String[1];
    String[] text = new String[1];
    boolean known =
        JCudaDriver.cuGetErrorName(code, name) == CUresult.CUDA_SUCCESS
            && JCudaDriver.cuGetErrorString(code, text) == CUresult.CUDA_SUCCESS;
    return known && name[0] != null ? name[0] + ", " + text[0] : CUresult.stringFor(code);
  }
}
