// SPDX-License-Identifier: Apache-2.0
package dev.weft.op;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import dev.weft.DType;
import dev.weft.Device;
import dev.weft.Tape;
import dev.weft.Tensor;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Matrices whose transposes do not fit a cache, and are written past it. */
class LargeTransposeTest {
  /** Tiles that are whole lines of memory, others, and a last row of tiles that is not whole. */
  @ParameterizedTest
  @CsvSource({
    "F32, 1, 3008, 3040",
    "F32, 1, 3001, 2999",
    "F32, 3, 1616, 1777",
    "F64, 1, 2064, 2100",
    "BF16, 1, 4128, 4200"
  })
  void rowsAndColumnsChangePlaces(DType dtype, int matrices, int rows, int cols) {
    float[] values = new float[matrices * rows * cols];
    float[] turned = new float[values.length];
    for (int m = 0, i = 0; m < matrices; m++) {
      for (int r = 0; r < rows; r++) {
        for (int c = 0; c < cols; c++, i++) {
          values[i] = i % 251; // which bfloat16 has, too
          turned[(m * cols + c) * rows + r] = i % 251;
        }
      }
    }
    try (Device cpu = Device.cpu();
        Tape tape = Tape.inference(cpu)) {
      Tensor x = tape.reshape(tape.cast(cpu.tensor(values), dtype), matrices, rows, cols);
      assertArrayEquals(turned, tape.permute(x, 0, 2, 1).toFloats());
      if (matrices == 1) {
        assertArrayEquals(turned, tape.transpose(tape.reshape(x, rows, cols)).toFloats());
      }
    }
  }
}
