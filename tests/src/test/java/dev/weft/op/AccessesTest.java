// SPDX-License-Identifier: Apache-2.0
package dev.weft.op;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.weft.DType;
import dev.weft.Device;
import dev.weft.Engine;
import dev.weft.Shape;
import dev.weft.Tape;
import dev.weft.Tensor;
import dev.weft.check.FunctionResult;
import dev.weft.check.Input;
import dev.weft.check.OperationCase;
import dev.weft.device.Arguments;
import dev.weft.device.Kernel;
import dev.weft.device.Precision;
import dev.weft.device.cuda.CudaException;
import dev.weft.support.Emulator;
import dev.weft.support.Selected;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * No kernel reads or writes past the end of what it was given, reads what nobody has written, or
 * touches what another thread may be writing: allocations are exact, memory is never used again,
 * and the emulator looks at every access.
 */
@ExtendWith(Emulator.class)
class AccessesTest {
  private Device cuda;

  @BeforeEach
  void open() {
    Emulator.check();
    System.setProperty("weft.allocator", "exact");
    cuda = Emulator.device();
  }

  @AfterEach
  void close() {
    System.clearProperty("weft.allocator");
    cuda.close();
  }

  static Stream<OperationCase> cases() {
    return Selected.cases();
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("cases")
  void accessesAreRight(OperationCase operation) {
    for (List<Input> example : operation.examples(5000)) {
      for (DType dtype : List.of(DType.F32, DType.F64, DType.BF16)) {
        FunctionResult.of(operation.function(), example, cuda, dtype, 1);
      }
    }
    assertEquals(0, cuda.memory().live());
  }

  /** A result that was never computed must be noticed. */
  @Test
  void unwrittenOperandIsNoticed() {
    Tensor x = cuda.allocate(DType.F32, Shape.of(8));
    try (Tape tape = new Tape(cuda)) {
      assertThrows(CudaException.class, () -> tape.sum(x));
    }
  }

  /** One element too many must be noticed. */
  @Test
  void elementPastTheEndIsNoticed() {
    Tensor x = cuda.allocate(DType.F32, Shape.of(8));
    long n = x.elements() + 1;
    assertThrows(
        CudaException.class,
        () -> {
          Engine.run(cuda, Kernel.FILL, Precision.F32, new Arguments.Fill(Engine.address(x), n, 0));
          cuda.synchronize();
        });
  }
}
