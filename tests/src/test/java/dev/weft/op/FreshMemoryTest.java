// SPDX-License-Identifier: Apache-2.0
package dev.weft.op;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weft.DType;
import dev.weft.Device;
import dev.weft.Shape;
import dev.weft.Tensor;
import dev.weft.check.FunctionResult;
import dev.weft.check.Input;
import dev.weft.check.OperationCase;
import dev.weft.check.OperationCases;
import dev.weft.support.OnEachDevice;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** What an operation allocates holds anything at first: here NaN, which any read would spread. */
class FreshMemoryTest {
  private static final int GRAIN = 512;
  private static final int LARGEST = 16 * 1024;

  @OnEachDevice
  void operationsReadOnlyWhatTheyWrote(OnEachDevice.Place place) {
    try (Device device = place.open()) {
      for (OperationCase operation : OperationCases.all()) {
        for (List<Input> example : operation.examples(1000)) {
          FunctionResult first =
              FunctionResult.of(operation.function(), example, device, DType.F64, 2);
          poison(device);
          FunctionResult second =
              FunctionResult.of(operation.function(), example, device, DType.F64, 2);
          String what = operation + " " + OperationCase.shapes(example);
          assertArrayEquals(first.y(), second.y(), what);
          for (int i = 0; i < example.size(); i++) {
            assertArrayEquals(first.gradients().get(i), second.gradients().get(i), what);
            assertArrayEquals(first.accumulated().get(i), second.accumulated().get(i), what);
          }
          device.trim();
        }
      }
    }
  }

  /** Fills every cached piece of memory with NaN. */
  private static void poison(Device device) {
    List<Tensor> taken = new ArrayList<>();
    for (int bytes = GRAIN; bytes <= LARGEST; bytes += GRAIN) {
      long before;
      do {
        before = device.memory().cached();
        Tensor tensor = device.full(DType.F64, Shape.of(bytes / 8), Double.NaN);
        taken.add(tensor);
      } while (device.memory().cached() < before);
    }
    assertEquals(0, device.memory().cached(), "memory that was not poisoned");
    taken.forEach(Tensor::close);
  }

  @OnEachDevice
  void poisonIsThere(OnEachDevice.Place place) {
    try (Device device = place.open()) {
      device.zeros(DType.F64, Shape.of(100)).close();
      poison(device);
      double[] fresh = device.allocate(DType.F64, Shape.of(100)).toDoubles();
      assertTrue(Arrays.stream(fresh).allMatch(Double::isNaN));
    }
  }
}
