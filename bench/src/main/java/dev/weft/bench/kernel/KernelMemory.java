// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench.kernel;

import dev.weft.DType;
import dev.weft.Device;
import dev.weft.Shape;
import dev.weft.StepState;
import dev.weft.Tensor;
import dev.weft.data.BatchOrder;
import dev.weft.data.LastBatch;
import dev.weft.device.Arguments;
import dev.weft.device.Closing;
import dev.weft.device.Kernel;
import dev.weft.device.Precision;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;

/** Operands for every kernel: four matrices (rows, cols), a bias, labels and an order of rows. */
public final class KernelMemory implements AutoCloseable {
  /** Of the matrices. */
  static final int MATRICES = 4;

  private final KernelSize size;
  private final Precision precision;
  private final List<AutoCloseable> open = new ArrayList<>();
  private final Tensor[] matrices = new Tensor[MATRICES]; // (rows, cols)
  private final Tensor bias; // (cols)
  private final Tensor half; // (rows, cols), bfloat16
  private final Tensor pixels; // (rows, cols), bytes
  private final Tensor labels; // (rows)
  private final Tensor found; // (rows), integers that a kernel writes
  private final Tensor order; // (rows)
  private final StepState state;

  /** Random matrices, the last one in [0, 1), the others in [-1, 1). */
  public KernelMemory(Device device, KernelSize size) {
    this(device, size, Precision.F32);
    for (int i = 0; i < matrices.length; i++) {
      draw(device, matrices[i], i, i == MATRICES - 1 ? 0 : -1);
    }
    draw(device, bias, MATRICES, -1);
  }

  private KernelMemory(Device device, KernelSize size, Precision precision) {
    this.size = size;
    this.precision = precision;
    DType dtype = precision == Precision.F64 ? DType.F64 : DType.F32;
    for (int i = 0; i < matrices.length; i++) {
      matrices[i] = keep(device.allocate(dtype, Shape.of(size.elements())));
    }
    bias = keep(device.allocate(dtype, Shape.of(size.cols())));
    short[] halves = new short[(int) size.elements()];
    for (int i = 0; i < halves.length; i++) {
      // 1 and upwards
      halves[i] = (short) (0x3f80 + i % 100);
    }
    half =
        keep(device.upload(DType.U8, Shape.of(2L * halves.length), MemorySegment.ofArray(halves)));
    byte[] bytes = new byte[(int) size.elements()];
    for (int i = 0; i < bytes.length; i++) {
      bytes[i] = (byte) (i * 31);
    }
    pixels = keep(device.upload(DType.U8, Shape.of(bytes.length), MemorySegment.ofArray(bytes)));
    int[] classes = new int[size.rows()];
    for (int r = 0; r < classes.length; r++) {
      classes[r] = r % size.cols();
    }
    labels = keep(device.tensor(classes));
    found = keep(device.tensor(classes));
    order =
        keep(
            device.tensor(
                new BatchOrder(size.rows(), size.rows(), LastBatch.KEEP, 1)
                    .epoch(0)
                    .toArray(ValueLayout.JAVA_INT)));
    state = new StepState(device, 1);
    open.add(state);
    // a rate that leaves the values where they are, however often a step is taken
    state.set(1, 10, 0, 1e-12);
  }

  /** The same operands in float64 on another device. */
  KernelMemory twin(Device device) {
    KernelMemory twin = new KernelMemory(device, size, Precision.F64);
    for (int i = 0; i < MATRICES; i++) {
      widen(matrices[i], twin.matrices[i]);
    }
    widen(bias, twin.bias);
    return twin;
  }

  private static void widen(Tensor from, Tensor to) {
    float[] narrow = from.toFloats();
    double[] wide = new double[narrow.length];
    for (int i = 0; i < wide.length; i++) {
      wide[i] = narrow[i];
    }
    to.copyFrom(MemorySegment.ofArray(wide));
  }

  private Tensor keep(Tensor tensor) {
    open.add(tensor);
    return tensor;
  }

  private static void draw(Device device, Tensor tensor, int operation, double low) {
    var arguments =
        new Arguments.Random(tensor.address(), tensor.elements(), 1, 0, operation, low, 1);
    device.run(Kernel.RANDOM_UNIFORM, Precision.F32, arguments);
  }

  Precision precision() {
    return precision;
  }

  /** A matrix by its place. */
  Tensor matrix(int place) {
    return matrices[place];
  }

  /** The bits of the bfloat16 matrix. */
  short[] halves() {
    short[] bits = new short[(int) size.elements()];
    half.copyTo(MemorySegment.ofArray(bits));
    return bits;
  }

  /** Integers that a kernel wrote. */
  int[] integers() {
    return found.toInts();
  }

  /** Where everything is. */
  Operands operands() {
    return new Operands(
        size,
        matrices[0].address(),
        matrices[1].address(),
        matrices[2].address(),
        matrices[3].address(),
        bias.address(),
        half.address(),
        pixels.address(),
        labels.address(),
        found.address(),
        order.address(),
        state.address());
  }

  @Override
  public void close() {
    Closing.all(open.toArray(AutoCloseable[]::new));
  }
}
