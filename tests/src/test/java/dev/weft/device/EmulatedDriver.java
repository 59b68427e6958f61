// SPDX-License-Identifier: Apache-2.0
package dev.weft.device;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.weft.support.Emulator;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.HashMap;
import java.util.Map;
import java.util.stream.Stream;

/**
 * The emulator's driver API, called as C calls it: a context, a module and a stream. Most kernels
 * it launches take {@code weft_fill}: y, n, value.
 */
final class EmulatedDriver implements AutoCloseable {
  static final int SUCCESS = 0;
  static final int INVALID_VALUE = 1;
  static final int OUT_OF_MEMORY = 2;
  static final int INVALID_CONTEXT = 201;
  static final int INVALID_HANDLE = 400;
  static final int ILLEGAL_STATE = 401;
  static final int NOT_FOUND = 500;
  static final int NOT_READY = 600;
  static final int ILLEGAL_ADDRESS = 700;
  static final int MISALIGNED_ADDRESS = 716;
  static final int LAUNCH_FAILED = 719;
  static final int CAPTURE_UNSUPPORTED = 900;
  static final int CAPTURE_INVALIDATED = 901;
  static final int CAPTURE_UNJOINED = 904;
  static final int CAPTURE_IMPLICIT = 906;
  static final int CAPTURED_EVENT = 907;

  final Arena arena = Arena.ofShared();
  final MemorySegment context;
  final MemorySegment stream;
  private final MemorySegment module;
  private final Map<String, MemorySegment> functions = new HashMap<>();

  EmulatedDriver() {
    ok("cuInit", 0);
    MemorySegment at = arena.allocate(8);
    ok("cuDevicePrimaryCtxRetain", at, 0);
    context = pointer(at);
    makeCurrent();
    MemorySegment image = arena.allocate(64); // zeros: no kernels but the driver's own
    ok("cuModuleLoadData", at, image);
    module = pointer(at);
    stream = stream(1);
  }

  /** Calls a function of the driver; its arguments are ints, longs and pointers. */
  int call(String name, Object... arguments) {
    MemoryLayout[] layouts =
        Stream.of(arguments)
            .map(
                a ->
                    switch (a) {
                      case Integer i -> ValueLayout.JAVA_INT;
                      case Long l -> ValueLayout.JAVA_LONG;
                      default -> ValueLayout.ADDRESS;
                    })
            .toArray(MemoryLayout[]::new);
    try {
      return (int)
          Linker.nativeLinker()
              .downcallHandle(
                  Emulator.driver().findOrThrow(name),
                  FunctionDescriptor.of(ValueLayout.JAVA_INT, layouts))
              .invokeWithArguments(arguments);
    } catch (Throwable e) {
      throw new AssertionError(name, e);
    }
  }

  /** A call that must succeed. */
  void ok(String name, Object... arguments) {
    expect(SUCCESS, name, arguments);
  }

  /** A call that must end with this error. */
  void expect(int result, String name, Object... arguments) {
    assertEquals(result, call(name, arguments), () -> name + ": " + Emulator.lastError());
  }

  static MemorySegment pointer(MemorySegment at) {
    return at.get(ValueLayout.ADDRESS, 0);
  }

  void makeCurrent() {
    ok("cuCtxSetCurrent", context);
  }

  /** A new stream; flags 0 waits for the legacy stream, 1 does not. */
  MemorySegment stream(int flags) {
    MemorySegment at = arena.allocate(8);
    ok("cuStreamCreate", at, flags);
    return pointer(at);
  }

  MemorySegment event() {
    MemorySegment at = arena.allocate(8);
    ok("cuEventCreate", at, 0);
    return pointer(at);
  }

  long allocate(long bytes) {
    MemorySegment at = arena.allocate(8);
    ok("cuMemAlloc_v2", at, bytes);
    return at.get(ValueLayout.JAVA_LONG, 0);
  }

  void free(long address) {
    ok("cuMemFree_v2", address);
  }

  MemorySegment pinned(long bytes) {
    MemorySegment at = arena.allocate(8);
    ok("cuMemAllocHost_v2", at, bytes);
    return pointer(at).reinterpret(bytes);
  }

  synchronized MemorySegment function(String name) {
    return functions.computeIfAbsent(
        name,
        n -> {
          MemorySegment at = arena.allocate(8);
          ok("cuModuleGetFunction", at, module, arena.allocateFrom(n));
          return pointer(at);
        });
  }

  /** The error of looking up a kernel. */
  int lookup(String name) {
    return call("cuModuleGetFunction", arena.allocate(8), module, arena.allocateFrom(name));
  }

  /** Launches a kernel that takes {@code weft_fill}. */
  int launch(
      MemorySegment onto, String kernel, int blocks, int threads, long y, long n, double value) {
    return launchOf(onto, kernel, blocks, threads, y, n, Double.doubleToRawLongBits(value));
  }

  /** Launches a kernel whose struct has these slots. */
  int launchOf(MemorySegment onto, String kernel, int blocks, int threads, long... slots) {
    MemorySegment function = function(kernel);
    try (Arena arguments = Arena.ofConfined()) {
      MemorySegment struct = arguments.allocateFrom(ValueLayout.JAVA_LONG, slots);
      MemorySegment parameters = arguments.allocateFrom(ValueLayout.ADDRESS, struct);
      return call(
          "cuLaunchKernel",
          function,
          blocks,
          1,
          1,
          threads,
          1,
          1,
          0,
          onto,
          parameters,
          MemorySegment.NULL);
    }
  }

  /** Fills {@code n} floats on a stream, which must succeed. */
  void fill(MemorySegment onto, long y, long n, double value) {
    int blocks = (int) ((n + 1023) / 1024);
    assertEquals(SUCCESS, launch(onto, "fill_f32", blocks, 128, y, n, value), Emulator::lastError);
  }

  float[] read(long address, int count) {
    try (Arena host = Arena.ofConfined()) {
      MemorySegment values = host.allocate(4L * count, 4);
      ok("cuMemcpyDtoH_v2", values, address, 4L * count);
      return values.toArray(ValueLayout.JAVA_FLOAT);
    }
  }

  void beginCapture(MemorySegment of, int mode) {
    ok("cuStreamBeginCapture_v2", of, mode);
  }

  MemorySegment endCapture(MemorySegment of) {
    MemorySegment at = arena.allocate(8);
    ok("cuStreamEndCapture", of, at);
    return pointer(at);
  }

  MemorySegment instantiate(MemorySegment graph) {
    MemorySegment at = arena.allocate(8);
    ok("cuGraphInstantiateWithFlags", at, graph, 0L);
    return pointer(at);
  }

  /** Lets go of the context, which frees what is left in it when it was the last. */
  @Override
  public void close() {
    makeCurrent();
    ok("cuStreamDestroy_v2", stream);
    ok("cuModuleUnload", module);
    ok("cuDevicePrimaryCtxRelease_v2", 0);
    arena.close();
  }
}
