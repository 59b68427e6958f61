// SPDX-License-Identifier: Apache-2.0
package dev.weft;

import dev.weft.device.Arguments;
import dev.weft.device.CopyQueue;
import dev.weft.device.Kernel;
import dev.weft.device.Pool;
import dev.weft.device.Precision;
import dev.weft.device.Recorder;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The engine under tensors: kernels, addresses, recorded programs and the memory of parameters, for
 * classes of operations, optimizers and training loops that are made of kernels. Models, losses,
 * metrics and optimizers made of {@link Operations} need none of it.
 */
public final class Engine {
  private Engine() {}

  /**
   * Runs a kernel: the way of operations and optimizers, whose arguments are known to be right.
   * Addresses in {@code arguments} are not checked here.
   */
  public static void run(Device device, Kernel kernel, Precision precision, Arguments arguments) {
    device.run(kernel, precision, arguments);
  }

  /**
   * Records the kernels that {@code step} runs, without running them, as a program to replay.
   * Memory that the step uses must stay allocated for as long as the program is used; reading a
   * tensor back within the step is an error.
   */
  public static RecordedProgram record(Device device, Runnable step) {
    return device.record(step);
  }

  /** What labels the calls of a recording with their phase and layer. */
  public static Recorder recorder(Device device) {
    return device.recorder();
  }

  /** A pool of a device's memory, given back all at once. */
  public static Pool pool(Device device) {
    return device.pool();
  }

  /** Opens a queue of copies beside the kernels; close it before the memory that it writes. */
  public static CopyQueue copyQueue(Device device, int slots) {
    return device.copyQueue(slots);
  }

  /**
   * Where a tensor starts in device memory.
   *
   * @throws IllegalStateException where it or its device is closed, or the thread is not the
   *     owner's
   */
  public static long address(Tensor tensor) {
    return tensor.address();
  }

  /** The columns of a batch: those that checks before the first step have taken. */
  public static Inputs<Tensor> batch(Map<String, Tensor> named) {
    return Inputs.ofBatch(named);
  }

  /**
   * What messages call a tensor, such as {@code logits F32 [128, 10] on cpu}: its {@code toString}
   * without values.
   */
  public static String describe(Tensor tensor) {
    return tensor.describe();
  }

  /** Where a step state lies in device memory. */
  public static long address(StepState state) {
    return state.address();
  }

  /** Where the learning rates of a step state's updates to come lie; 0 where there are none. */
  public static long ratesAddress(StepState state) {
    return state.ratesAddress();
  }

  /** How many of them there are. */
  public static long ratesCount(StepState state) {
    return state.ratesCount();
  }

  /** Where the place in the order of examples, an int64 of the step state, lies. */
  public static long cursorAddress(StepState state) {
    return state.cursorAddress();
  }

  /** A number that is another one when the memory of a tensor {@link #changed}. */
  public static int version(Tensor tensor) {
    return tensor.block().version();
  }

  /**
   * Notes that a kernel which is no operation has written a tensor, so that a backward pass which
   * needs the values before is refused. Views share what is noted, as they share the memory.
   */
  public static void changed(Tensor tensor) {
    tensor.changed();
  }

  /**
   * Sets the memory that gradients of a tensor go to, of its type or its {@link DType#wide} one.
   *
   * @throws IllegalArgumentException where it is of another type, shape or device, or the tensor's
   *     type has no gradient
   * @throws IllegalStateException where either is closed
   */
  public static void gradInto(Tensor tensor, Tensor memory) {
    tensor.gradInto(memory);
  }

  /** The memory that gradients go to, whether or not one is there; null where there is none. */
  public static @Nullable Tensor gradMemory(Tensor tensor) {
    return tensor.gradMemory();
  }

  /** Marks the gradient of a tensor as present, to be added to, or as one to be overwritten. */
  public static void gradFilled(Tensor tensor, boolean filled) {
    tensor.gradFilled(filled);
  }

  /** Copies a tensor to one of its type and number of elements, by a kernel. */
  public static void copy(Tensor from, Tensor to) {
    long n = from.elements();
    run(
        from.device(),
        Kernel.COPY_ROWS,
        from.dtype().precision(),
        new Arguments.CopyRows(address(from), address(to), 1, n, n, n, 1, false));
    to.changed();
  }

  /** Says that the gradient of a tensor is a list of rows: see {@link Parameter.Kind#ROWS}. */
  public static void gradIsRows(Tensor tensor) {
    tensor.gradIsRows();
  }

  /** Whether the gradient of a tensor is a list of rows. */
  public static boolean isGradRows(Tensor tensor) {
    return tensor.isGradRows();
  }

  /**
   * The gradient of a table whose gradient is a list of rows, in memory of the tape that it was
   * taken on; null where there was no pass since {@link Tensor#zeroGrad} that used the table.
   */
  public static @Nullable RowGradient rowGradient(Tensor table) {
    return table.rowGradient();
  }

  /**
   * Gives a parameter other memory, or null for none; returns what it had, or null.
   *
   * @throws IllegalArgumentException where the memory has another shape
   */
  public static @Nullable Tensor bind(Parameter parameter, @Nullable Tensor memory) {
    return parameter.bind(memory);
  }

  /** Takes this memory from a parameter, unless it has been given other since. */
  public static void unbind(Parameter parameter, Tensor memory) {
    parameter.unbind(memory);
  }

  /** Whether a parameter has memory. */
  public static boolean isBound(Parameter parameter) {
    return parameter.isBound();
  }

  /** Whether a parameter's memory was closed with the values in it, and it got no other since. */
  public static boolean isLost(Parameter parameter) {
    return parameter.isLost();
  }
}
