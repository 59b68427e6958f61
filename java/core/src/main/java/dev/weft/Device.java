// SPDX-License-Identifier: Apache-2.0
package dev.weft;

import static dev.weft.format.Format.format;
import static java.util.Locale.ROOT;

import dev.weft.device.Allocator;
import dev.weft.device.Arguments;
import dev.weft.device.Backend;
import dev.weft.device.Block;
import dev.weft.device.Call;
import dev.weft.device.Closing;
import dev.weft.device.CopyQueue;
import dev.weft.device.DeviceUnavailableException;
import dev.weft.device.Kernel;
import dev.weft.device.MemoryUse;
import dev.weft.device.Pool;
import dev.weft.device.Precision;
import dev.weft.device.Recorder;
import dev.weft.device.cpu.CpuBackend;
import dev.weft.device.cpu.Processors;
import dev.weft.device.cuda.CudaBackend;
import java.lang.foreign.MemorySegment;
import java.lang.ref.Cleaner;
import java.util.Arrays;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;

/**
 * A machine to compute on: the processor, or one NVIDIA GPU. Tensors, tapes and networks belong to
 * the device that they were made on.
 *
 * {@snippet file="Examples.java" region="device"}
 *
 * <p><b>Threads.</b> A device belongs to the thread that opened it, and only that thread may use it
 * or anything made on it; another gets an {@link IllegalStateException}. {@link #claim} hands it to
 * the calling thread. Several devices may be open, each with its own thread.
 *
 * <p><b>Lifetimes.</b> Closing a device frees all of its memory. What was made on it says so when
 * used afterwards. {@link #memory} counts what is live.
 *
 * <p>This class is long because it has every way to make a tensor, beside opening and recording.
 */
public final class Device implements AutoCloseable {
  private static final System.Logger LOG = System.getLogger("dev.weft");
  private static final Cleaner CLEANER = Cleaner.create();
  private static final int MOST_NAMED = 5; // unclosed tensors, in the log

  private final DeviceKind kind;
  private final Backend backend;
  private final Allocator allocator;
  private final Recorder recorder = new Recorder();
  private final Queue<Unclosed> unreachable = new ConcurrentLinkedQueue<>();
  private final Forgotten lastResort;
  private volatile Thread owner = Thread.currentThread();
  private volatile boolean closed;
  private long tapes;
  private int namedUnclosed;

  private Device(DeviceKind kind, Backend backend) {
    this.kind = kind;
    this.backend = backend;
    this.allocator = new Allocator(backend);
    backend.onShortage(allocator::trim);
    this.lastResort = new Forgotten(backend);
    CLEANER.register(this, lastResort);
  }

  /**
   * Opens the processor.
   *
   * @throws DeviceUnavailableException where this build has no native code for the platform
   */
  public static Device cpu() {
    return new Device(DeviceKind.CPU, new CpuBackend(0));
  }

  /**
   * Opens the processor with a number of threads of its own, whichever Java thread owns it. Results
   * do not depend on it, to the bit. Fewer compute where fewer are faster: for little work, and
   * while other programs, or other devices of this one, need the processors.
   *
   * @param threads that compute at most; {@link #cpu()} takes as many as Java sees processors, or
   *     OMP_NUM_THREADS
   * @throws IllegalArgumentException where that is not in 1..1024
   * @throws DeviceUnavailableException where this build has no native code for the platform
   */
  public static Device cpu(int threads) {
    if (threads < 1 || threads > Processors.MOST_THREADS) {
      throw new IllegalArgumentException(
          format(
              "a CPU device computes on 1 to %d threads, not %d",
              Processors.MOST_THREADS, threads));
    }
    return new Device(DeviceKind.CPU, new CpuBackend(threads));
  }

  /**
   * Opens the first NVIDIA GPU.
   *
   * @throws DeviceUnavailableException where there is none, or a library is missing: it says which,
   *     and where it was sought
   */
  public static Device cuda() {
    return cuda(0);
  }

  /**
   * Opens an NVIDIA GPU by its number.
   *
   * @throws DeviceUnavailableException where there is none of that number, or a library is missing
   */
  public static Device cuda(int ordinal) {
    return new Device(DeviceKind.CUDA, new CudaBackend(ordinal));
  }

  /** Opens the first GPU where CUDA is usable, else the processor. */
  public static Device best() {
    try {
      return cuda();
    } catch (DeviceUnavailableException e) {
      // where there is a GPU that cannot be used, its owner wants to know
      System.Logger.Level level =
          CudaBackend.isPresent() ? System.Logger.Level.WARNING : System.Logger.Level.DEBUG;
      LOG.log(level, "using the CPU: {0}", e.getMessage());
      return cpu();
    }
  }

  /**
   * Opens a device by name: {@code best}, {@code cpu}, {@code cuda} or {@code cuda:1}.
   *
   * @throws IllegalArgumentException for any other name
   * @throws DeviceUnavailableException where that device is not there
   */
  public static Device named(String name) {
    String lower = name.toLowerCase(ROOT);
    if (lower.matches("cuda:\\d{1,4}")) {
      return cuda(Integer.parseInt(lower.substring(5)));
    }
    return switch (lower) {
      case "best" -> best();
      case "cpu" -> cpu();
      case "cuda" -> cuda();
      default ->
          throw new IllegalArgumentException(
              format("unknown device '%s': use best, cpu, cuda or cuda:N", name));
    };
  }

  /** Whether it is the processor or a GPU. */
  public DeviceKind kind() {
    return kind;
  }

  /** {@code cpu} or {@code cuda:N}. */
  public String name() {
    return backend.name();
  }

  /** One line about the hardware. */
  public String description() {
    return backend.description();
  }

  /** What its kernels were built for: {@code avx512}, {@code avx2}, {@code baseline}, sm_90. */
  public String instructionSet() {
    return backend.instructionSet();
  }

  /** Makes the calling thread the owner. The former owner must have stopped using the device. */
  public synchronized Device claim() {
    owner = Thread.currentThread();
    return this;
  }

  /**
   * Returns if the calling thread may use this device.
   *
   * @throws IllegalStateException where the device is closed or belongs to another thread
   */
  public void check() {
    if (closed) {
      throw new IllegalStateException("device " + name() + " is closed");
    }
    if (Thread.currentThread() != owner) {
      throw new IllegalStateException(
          format(
              "device %s belongs to thread '%s' and was used from '%s'; call claim() to take it"
                  + " over",
              name(), owner.getName(), Thread.currentThread().getName()));
    }
  }

  /** Whether the calling thread can read values here and now. */
  boolean isReadable() {
    return !closed && Thread.currentThread() == owner && !recorder.isRecording();
  }

  /**
   * Returns if the calling thread may close what was made on this device, which is asked before
   * anything of it is closed: a refused close has no effect. Of a closed device anybody may close
   * what is left, whose memory is gone.
   *
   * @throws IllegalStateException where the device belongs to another thread
   */
  public void checkMayClose() {
    if (!closed) {
      check();
    }
  }

  /**
   * A float32 vector of the given values, rounded: {@link #tensor(DType, double[])} makes others.
   */
  public Tensor tensor(double[] values) {
    return tensor(DType.F32, values);
  }

  /** A vector of the given values; throws as {@link #tensor(DType, Shape, double...)} does. */
  public Tensor tensor(DType dtype, double[] values) {
    return tensor(dtype, Shape.of(values.length), values);
  }

  /** A float32 vector of the given values. */
  public Tensor tensor(float[] values) {
    return upload(DType.F32, Shape.of(values.length), MemorySegment.ofArray(values));
  }

  /** An int32 vector of the given values: labels, row numbers. */
  public Tensor tensor(int[] values) {
    return upload(DType.I32, Shape.of(values.length), MemorySegment.ofArray(values));
  }

  /**
   * A float32 matrix of the given rows, rounded: {@link #tensor(DType, double[][])} makes others.
   *
   * @throws IllegalArgumentException where a row is null or differs in length from the first
   */
  public Tensor tensor(double[][] rows) {
    return tensor(DType.F32, rows);
  }

  /**
   * A matrix of the given rows; throws as {@link #tensor(DType, Shape, double...)} does, too.
   *
   * @throws IllegalArgumentException where a row is null or differs in length from the first
   */
  public Tensor tensor(DType dtype, double[][] rows) {
    Shape shape = Shape.ofRows(rows);
    double[] flat = Arrays.stream(rows).flatMapToDouble(Arrays::stream).toArray();
    return tensor(dtype, shape, flat);
  }

  /**
   * A float32 matrix of the given rows.
   *
   * @throws IllegalArgumentException where a row is null or differs in length from the first
   */
  public Tensor tensor(float[][] rows) {
    Shape shape = Shape.ofRows(rows);
    int columns = Math.toIntExact(shape.size(1));
    float[] flat = new float[Math.multiplyExact(rows.length, columns)];
    for (int r = 0; r < rows.length; r++) {
      System.arraycopy(rows[r], 0, flat, r * columns, columns);
    }
    return upload(DType.F32, shape, MemorySegment.ofArray(flat));
  }

  /**
   * A tensor of the given values in row-major order, rounded where {@code dtype} is floating.
   *
   * @throws IllegalArgumentException where the count differs from the shape's, or {@code dtype}
   *     does not {@link DType#holds hold} a value
   */
  public Tensor tensor(DType dtype, Shape shape, double... values) {
    if (values.length != shape.elements()) {
      throw new IllegalArgumentException(
          format("%d values do not fill shape %s", values.length, shape));
    }
    Tensor tensor = allocate(dtype, shape);
    try {
      tensor.copyFrom(values);
      return tensor;
    } catch (RuntimeException e) {
      tensor.close();
      throw e;
    }
  }

  /**
   * A tensor of the given bytes, native byte order, row-major.
   *
   * @throws IllegalArgumentException where the size differs from the shape's
   */
  public Tensor upload(DType dtype, Shape shape, MemorySegment bytes) {
    Tensor tensor = allocate(dtype, shape);
    try {
      tensor.copyFrom(bytes);
      return tensor;
    } catch (RuntimeException e) {
      tensor.close();
      throw e;
    }
  }

  /** A tensor whose contents are undefined. */
  public Tensor allocate(DType dtype, Shape shape) {
    check();
    reclaim();
    Block block = allocator.allocate(dtype.bytes(shape));
    return Tensor.owning(this, dtype, shape, block);
  }

  /** A tensor of zeros. */
  public Tensor zeros(DType dtype, Shape shape) {
    return full(dtype, shape, 0);
  }

  /** A floating-point tensor filled with one value. */
  public Tensor full(DType dtype, Shape shape, double value) {
    Tensor tensor = allocate(dtype, shape);
    try {
      tensor.fill(value);
      return tensor;
    } catch (RuntimeException e) {
      tensor.close();
      throw e;
    }
  }

  /**
   * Runs a kernel on this device: the way of operations and optimizers, whose arguments are known
   * to be right. Addresses in {@code arguments} are not checked here.
   */
  void run(Kernel kernel, Precision precision, Arguments arguments) {
    check();
    backend.run(kernel, precision, arguments);
    recorder.add(kernel, precision, arguments);
  }

  /**
   * Records the kernels that {@code step} runs, without running them, as a program to replay.
   * Memory that the step uses must stay allocated for as long as the program is used; reading a
   * tensor back within the step is an error.
   */
  RecordedProgram record(Runnable step) {
    check();
    backend.beginRecording();
    recorder.begin();
    List<Call> calls;
    try {
      step.run();
    } catch (Throwable e) {
      Closing.after(e, backend::abandonRecording);
      throw e;
    } finally {
      calls = recorder.end();
    }
    return new RecordedProgram(this, backend.endRecording(), calls);
  }

  /** What labels the calls of a recording with their phase and layer. */
  Recorder recorder() {
    return recorder;
  }

  /** Waits until all work given so far is done. */
  public void synchronize() {
    check();
    backend.synchronize();
  }

  /** Opens a queue of copies beside the kernels; close it before the memory that it writes. */
  CopyQueue copyQueue(int slots) {
    check();
    return new CheckedCopyQueue(this, backend.copyQueue(slots));
  }

  /** Bytes that can still be taken; {@link Long#MAX_VALUE} where that is not known. */
  public long freeMemory() {
    check();
    reclaim();
    long free = backend.freeBytes();
    return free == Long.MAX_VALUE ? free : free + allocator.use().cached();
  }

  /** Bytes live, at peak and cached; after closing, none are live. */
  public MemoryUse memory() {
    if (!closed) {
      check();
      reclaim();
    }
    return allocator.use();
  }

  /** Gives cached memory back to the machine. */
  public void trim() {
    check();
    allocator.trim();
  }

  /** A pool of this device's memory, given back all at once. */
  Pool pool() {
    check();
    return new Pool(allocator, this::check);
  }

  boolean owns(Pool pool) {
    return pool.takesFrom(allocator);
  }

  /** The number of tapes made so far for which no seed was given. */
  long nextTape() {
    check();
    return tapes++;
  }

  Backend backend() {
    return backend;
  }

  void release(Block block) {
    if (!closed) {
      allocator.release(block);
    }
  }

  /** Called by the cleaner's thread: a tensor became unreachable before it was closed. */
  void releaseLater(Unclosed tensor) {
    if (tensor.block().isLive()) {
      unreachable.add(tensor);
    }
  }

  private void reclaim() {
    for (Unclosed tensor = unreachable.poll(); tensor != null; tensor = unreachable.poll()) {
      if (tensor.block().isLive()) {
        if (++namedUnclosed <= MOST_NAMED) {
          LOG.log(
              System.Logger.Level.WARNING,
              format(
                  "%s was not closed, and its memory of %,d bytes is reclaimed: close tensors, or"
                      + " make them on a tape%s",
                  tensor.description(),
                  tensor.block().bytes(),
                  namedUnclosed == MOST_NAMED ? "; more are not named" : ""));
        }
        release(tensor.block());
      }
    }
  }

  boolean isClosed() {
    return closed;
  }

  /**
   * Frees all memory of this device; closing it again does nothing.
   *
   * @throws IllegalStateException where it belongs to another thread, or a step is recorded on it
   */
  @Override
  public synchronized void close() {
    if (closed) {
      return;
    }
    check();
    if (recorder.isRecording()) {
      throw new IllegalStateException(
          format("device %s cannot be closed while a step is recorded on it", name()));
    }
    closed = true;
    lastResort.dismiss();
    try {
      allocator.close();
    } finally {
      backend.close();
    }
  }

  @Override
  public String toString() {
    return name();
  }
}
