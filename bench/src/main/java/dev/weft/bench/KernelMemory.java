// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench;

import dev.weft.DType;
import dev.weft.Device;
import dev.weft.Shape;
import dev.weft.StepState;
import dev.weft.Tensor;
import dev.weft.data.BatchOrder;
import dev.weft.data.LastBatch;
import dev.weft.device.Arguments;
import dev.weft.device.Kernel;
import dev.weft.device.Precision;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;

/**
 * Operands of every {@link KernelCase}: four matrices, a bias, labels, an order of rows, a state.
 */
final class KernelMemory implements AutoCloseable {
  private final Device device;
  private final KernelSize size;
  private final List<AutoCloseable> open = new ArrayList<>();
  private final Tensor[] matrices = new Tensor[4]; // (rows, cols)
  private final Tensor bias; // (cols)
  private final Tensor labels; // (rows)
  private final Tensor order; // (rows)
  private final StepState state;

  KernelMemory(Device device, KernelSize size) {
    this.device = device;
    this.size = size;
    for (int i = 0; i < matrices.length; i++) {
      matrices[i] = keep(device.allocate(DType.F32, Shape.of(size.elements())));
      // the last is a mean of squares, which is never negative
      draw(matrices[i], i, i == 3 ? 0 : -1);
    }
    bias = keep(device.allocate(DType.F32, Shape.of(size.cols())));
    draw(bias, 9, -1);
    int[] classes = new int[size.rows()];
    for (int r = 0; r < classes.length; r++) {
      classes[r] = r % size.cols();
    }
    labels = keep(device.tensor(classes));
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

  private Tensor keep(Tensor tensor) {
    open.add(tensor);
    return tensor;
  }

  private void draw(Tensor tensor, int operation, double low) {
    var arguments =
        new Arguments.Random(tensor.address(), tensor.elements(), 1, 0, operation, low, 1);
    device.run(Kernel.RANDOM_UNIFORM, Precision.F32, arguments, tensor.elements());
  }

  long x() {
    return matrices[0].address();
  }

  long y() {
    return matrices[1].address();
  }

  long z() {
    return matrices[2].address();
  }

  long w() {
    return matrices[3].address();
  }

  long b() {
    return bias.address();
  }

  long labels() {
    return labels.address();
  }

  long order() {
    return order.address();
  }

  long state() {
    return state.address();
  }

  long rows() {
    return size.rows();
  }

  long cols() {
    return size.cols();
  }

  long n() {
    return size.elements();
  }

  @Override
  public void close() {
    for (AutoCloseable part : open) {
      try {
        part.close();
      } catch (Exception e) {
        throw new IllegalStateException(e);
      }
    }
  }
}
