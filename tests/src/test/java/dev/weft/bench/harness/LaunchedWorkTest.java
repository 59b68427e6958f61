// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench.harness;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.weft.DType;
import dev.weft.Device;
import dev.weft.check.Evaluation;
import dev.weft.check.Input;
import dev.weft.check.OperationCase;
import dev.weft.check.OperationCases;
import dev.weft.device.Call;
import dev.weft.device.Kernel;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** What operations launch, forward and backward, beside {@link LaunchedWork}. */
class LaunchedWorkTest {
  /** Those that no operation launches: the optimizers', the batch's, the first values', casts. */
  private static final Set<Kernel> OTHERS =
      EnumSet.of(
          Kernel.GATHER_ROWS_U8,
          Kernel.GATHER_LABELS,
          Kernel.ARGMAX,
          Kernel.RANDOM_UNIFORM,
          Kernel.RANDOM_NORMAL,
          Kernel.SGD,
          Kernel.ADAM,
          Kernel.ADVANCE_STEP,
          Kernel.FUSED_PASS,
          Kernel.FUSED_UPDATE,
          Kernel.F32_TO_BF16,
          Kernel.BF16_TO_F32);

  @Test
  void operationsLaunchWhatFollowsFromTheirArguments() {
    Set<Kernel> seen = EnumSet.noneOf(Kernel.class);
    try (Device cpu = Device.cpu()) {
      for (OperationCase operation : OperationCases.all()) {
        for (List<Input> example : operation.examples(5000)) {
          cpu.recorder().begin();
          Evaluation.of(operation.function(), example, cpu, DType.F32, 1);
          for (Call call : cpu.recorder().end()) {
            seen.add(call.kernel());
            assertEquals(LaunchedWork.of(call.arguments()), call.work(), call::toString);
          }
        }
      }
    }
    assertEquals(EnumSet.complementOf(EnumSet.copyOf(OTHERS)), seen);
  }
}
