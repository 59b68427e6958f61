// SPDX-License-Identifier: Apache-2.0
package dev.weft.device;

import static dev.weft.format.Format.format;

import java.lang.foreign.MemorySegment;
import java.util.List;

/**
 * A machine that runs kernels over memory of its own. All native work of the library goes through
 * {@link #run}; nothing above this package knows whether the kernels are C++ or CUDA.
 *
 * <p>Work is ordered: each call sees the effects of those before it. A backend is used by one
 * thread at a time, which {@code dev.weft.Device} enforces.
 */
public interface Backend extends AutoCloseable {

  /** What refuses that which no recording holds, in words for who wrote the loss or the layer. */
  static IllegalStateException whileRecorded(String device, String what) {
    return new IllegalStateException(
        format(
            "%s: %s while a step is recorded. Losses, metrics, optimizers and layers are called"
                + " once, to record what every step replays: in them no value can be read and none"
                + " uploaded; make constants before, and give them to the constructor",
            device, what));
  }

  /** What the user calls it: {@code cpu}, {@code cuda:0}. */
  String name();

  /** One line about the hardware, for {@code weft devices}: model, memory, instruction set. */
  String description();

  /** What its kernels were built for: {@code avx512}, {@code avx2}, {@code baseline}, sm_90. */
  String instructionSet();

  /**
   * Takes memory, aligned to at least 64 bytes; its contents are undefined.
   *
   * @param bytes more than 0
   * @return the address, or 0 where the device has not that much left
   */
  long allocate(long bytes);

  /**
   * Bytes that {@link #allocate} may still find; {@link Long#MAX_VALUE} where that is not known.
   */
  long freeBytes();

  /** Tells who gives memory back when the backend itself runs short, before it tries again. */
  void onShortage(Runnable release);

  /** Gives back what {@link #allocate} returned. */
  void free(long address);

  /**
   * Runs a kernel, or adds it to the recording in progress. Where its work is 0 nothing happens.
   *
   * @throws IllegalArgumentException as {@link Arguments#check} does
   */
  void run(Kernel kernel, Precision precision, Arguments arguments);

  /** Copies from host memory; when it returns, {@code from} may be reused. Not while recording. */
  void copyIn(MemorySegment from, long to);

  /** Copies to host memory, after all work given before; when it returns, {@code to} is filled. */
  void copyOut(long from, MemorySegment to);

  /**
   * Opens a queue of copies beside the kernels.
   *
   * @param slots how many parts of the memory are copied to and waited for on their own
   */
  CopyQueue copyQueue(int slots);

  /** Begins a recording: until {@link #endRecording} kernels are noted and not run. */
  void beginRecording();

  /** Ends the recording and makes a program of it. */
  Program endRecording();

  /** Ends the recording, if one is in progress, and forgets it. */
  void abandonRecording();

  /** The calls of a recording as a program with a clock between them. */
  TimedProgram timed(List<Call> calls);

  /** Waits until all work given so far is done. */
  void synchronize();

  /** Frees what the backend holds. Memory still allocated is freed with it. */
  @Override
  void close();
}
