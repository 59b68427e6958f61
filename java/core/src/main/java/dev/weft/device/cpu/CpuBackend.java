// SPDX-License-Identifier: Apache-2.0
package dev.weft.device.cpu;

import static dev.weft.format.Format.count;
import static dev.weft.format.Format.format;

import dev.weft.device.Arguments;
import dev.weft.device.Backend;
import dev.weft.device.Call;
import dev.weft.device.Contract;
import dev.weft.device.CopyQueue;
import dev.weft.device.DeviceException;
import dev.weft.device.Kernel;
import dev.weft.device.Precision;
import dev.weft.device.Program;
import dev.weft.device.Slots;
import dev.weft.device.TimedProgram;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Kernels in C++ on the processor's cores; memory is the process's own. */
public final class CpuBackend implements Backend {
  private static final long RECORD_BYTES = 16;
  private static final long ARGUMENT_BYTES = 256;

  private record NativeCall(String symbol, long number, long[] slots) {}

  private final CpuLibrary library = CpuLibrary.get();
  private final Contract contract = library.contract();
  private final Arena arena = Arena.ofShared();
  private final MemorySegment record = arena.allocate(RECORD_BYTES, 64);
  private final MemorySegment arguments = arena.allocate(ARGUMENT_BYTES, 64);
  private final Slots slots = new Slots();
  private final Paces paces = new Paces(arena, contract.size());
  private final Set<Long> allocations = new HashSet<>();
  private final int threads;
  private @Nullable List<NativeCall> recording;

  /**
   * Opens the CPU as a device.
   *
   * @param threads that compute at most; 0 for {@link Processors#threads()}
   */
  public CpuBackend(int threads) {
    this.threads = threads == 0 ? Processors.threads() : threads;
    library.open();
    record.set(ValueLayout.JAVA_LONG, 8, arguments.address());
  }

  @Override
  public String name() {
    return "cpu";
  }

  @Override
  public String description() {
    return format("%s, %s", count(threads, "thread"), library.isa());
  }

  @Override
  public String instructionSet() {
    return library.isa();
  }

  @Override
  public long allocate(long bytes) {
    long address = library.allocate(bytes);
    if (address != 0) {
      allocations.add(address);
    }
    return address;
  }

  @Override
  public long freeBytes() {
    return Long.MAX_VALUE;
  }

  /** The processor takes no memory but for what is asked of it. */
  @Override
  public void onShortage(Runnable release) {}

  @Override
  public CopyQueue copyQueue(int slots) {
    return new ImmediateCopies();
  }

  @Override
  public void free(long address) {
    if (!allocations.remove(address)) {
      throw new DeviceException(format("cpu: free of %#x, which is not allocated", address));
    }
    library.free(address);
  }

  @Override
  public void run(Kernel kernel, Precision precision, Arguments values) {
    if (values.work() == 0) {
      return;
    }
    values.check();
    values.write(slots.into(arguments));
    Contract.Entry entry = contract.entry(kernel, precision);
    if (recording != null) {
      long[] copy = arguments.asSlice(0, slots.bytes()).toArray(ValueLayout.JAVA_LONG);
      recording.add(new NativeCall(entry.symbol(), entry.number(), copy));
      return;
    }
    record.set(ValueLayout.JAVA_LONG, 0, entry.number());
    double work = Paces.work(values);
    if (library.run(record, 1, threads, paces.of(entry, work), work) != 0) {
      throw new DeviceException("cpu: " + entry.symbol() + " failed: " + library.error());
    }
  }

  @Override
  public void copyIn(MemorySegment from, long to) {
    refuseWhileRecording("a copy to the device");
    MemorySegment.copy(from, 0, memory(to, from.byteSize()), 0, from.byteSize());
  }

  @Override
  public void copyOut(long from, MemorySegment to) {
    refuseWhileRecording("a copy from the device");
    MemorySegment.copy(memory(from, to.byteSize()), 0, to, 0, to.byteSize());
  }

  private static MemorySegment memory(long address, long bytes) {
    return MemorySegment.ofAddress(address).reinterpret(bytes);
  }

  @Override
  public void beginRecording() {
    if (recording != null) {
      throw new IllegalStateException("cpu: a recording is in progress already");
    }
    recording = new ArrayList<>();
  }

  @Override
  public RecordedCalls endRecording() {
    if (recording == null) {
      throw new IllegalStateException("cpu: no recording is in progress");
    }
    RecordedCalls program = new RecordedCalls(recording);
    recording = null;
    return program;
  }

  @Override
  public void abandonRecording() {
    recording = null;
  }

  @Override
  public TimedProgram timed(List<Call> calls) {
    beginRecording();
    try {
      calls.forEach(call -> run(call.kernel(), call.precision(), call.arguments()));
      return endRecording();
    } finally {
      abandonRecording();
    }
  }

  @Override
  public void synchronize() {
    refuseWhileRecording("waiting for the device");
  }

  private void refuseWhileRecording(String what) {
    if (recording != null) {
      throw Backend.whileRecorded("cpu", what);
    }
  }

  @Override
  public void close() {
    allocations.forEach(library::free);
    allocations.clear();
    try {
      arena.close();
    } finally {
      library.close();
    }
  }

  /** One native call over an array of kernel records. */
  private final class RecordedCalls implements Program, TimedProgram {
    private final Arena arena = Arena.ofShared();
    private final String[] symbols;
    private final MemorySegment records;
    private final MemorySegment times;
    private final MemorySegment pace = arena.allocate(Paces.LAYOUT);

    RecordedCalls(List<NativeCall> calls) {
      symbols = calls.stream().map(NativeCall::symbol).toArray(String[]::new);
      records = arena.allocate(Math.max(1, calls.size()) * RECORD_BYTES, 64);
      times = arena.allocate(ValueLayout.JAVA_LONG, calls.size() + 1);
      for (int i = 0; i < calls.size(); i++) {
        MemorySegment copy = arena.allocateFrom(ValueLayout.JAVA_LONG, calls.get(i).slots());
        records.set(ValueLayout.JAVA_LONG, i * RECORD_BYTES, calls.get(i).number());
        records.set(ValueLayout.JAVA_LONG, i * RECORD_BYTES + 8, copy.address());
      }
    }

    @Override
    public void run() {
      check(library.run(records, symbols.length, threads, pace, 1));
    }

    @Override
    public void run(long[] nanoseconds) {
      check(library.runTimed(records, symbols.length, threads, pace, times));
      long start = times.get(ValueLayout.JAVA_LONG, 0);
      for (int i = 0; i <= symbols.length; i++) {
        nanoseconds[i] = times.getAtIndex(ValueLayout.JAVA_LONG, i) - start;
      }
    }

    private void check(long failed) {
      if (failed != 0) {
        throw new DeviceException(
            format(
                "cpu: %s, call %d of %d of a recorded program, failed: %s",
                symbols[(int) failed - 1], failed, symbols.length, library.error()));
      }
    }

    @Override
    public double threads() {
      return Paces.meanThreads(pace);
    }

    @Override
    public int size() {
      return symbols.length;
    }

    @Override
    public void close() {
      if (arena.scope().isAlive()) {
        arena.close();
      }
    }
  }
}
