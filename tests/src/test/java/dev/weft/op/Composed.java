// SPDX-License-Identifier: Apache-2.0
package dev.weft.op;

import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weft.DType;
import dev.weft.Device;
import dev.weft.TensorFunction;
import dev.weft.check.CheckResult;
import dev.weft.check.FunctionResult;
import dev.weft.check.Input;
import dev.weft.check.OperationCase;
import dev.weft.check.OperationCases;
import dev.weft.check.SelfTest;
import dev.weft.support.Emulator;
import java.util.List;

/** Operations of kernels of their own beside the compositions that define them. */
final class Composed {
  private static final long SEED = 3;

  private Composed() {}

  /** Holds values and gradients in F64 and F32 on both devices against the composition in F64. */
  static void assertAgrees(
      TensorFunction fused, TensorFunction composed, List<Input> inputs, long terms) {
    try (Device cpu = Device.cpu();
        Device cuda = Emulator.device()) {
      FunctionResult expected = FunctionResult.of(composed, inputs, cpu, DType.F64, SEED);
      for (Device device : List.of(cpu, cuda)) {
        for (DType dtype : List.of(DType.F64, DType.F32)) {
          FunctionResult actual = FunctionResult.of(fused, inputs, device, dtype, SEED);
          for (FunctionResult.Part part : expected.compare(actual, dtype, terms)) {
            assertTrue(part.comparison().passed(), () -> device + " " + dtype + " " + part);
          }
        }
      }
    }
  }

  /** What the gradient check of an operation's first case says of another function. */
  static List<CheckResult> checked(String name, TensorFunction function) {
    OperationCase right = OperationCases.matching(name).getFirst();
    OperationCase other =
        new OperationCase(
            right.name(),
            right.operation(),
            function,
            right.examples(100),
            right.terms(),
            right.tolerance());
    try (Device cpu = Device.cpu()) {
      return new SelfTest(cpu, r -> {}).gradients(List.of(other));
    }
  }
}
