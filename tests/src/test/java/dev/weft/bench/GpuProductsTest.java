// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weft.Device;
import dev.weft.MathMode;
import dev.weft.bench.peer.Target;
import dev.weft.bench.report.Failure;
import dev.weft.bench.report.Machine;
import dev.weft.bench.report.Measurement;
import dev.weft.bench.report.Part;
import dev.weft.bench.report.Results;
import dev.weft.support.Emulator;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** Products timed on a GPU of which one fails. */
@ExtendWith(Emulator.class)
class GpuProductsTest {
  @Test
  void aProductThatFailsIsRecordedAndTheOthersGoOn(@TempDir Path folder) throws IOException {
    Path file = folder.resolve("run.json");
    Results results = new Results(Machine.here(1), "test");
    results.keepIn(file);
    Settings settings =
        new Settings(
            Settings.Effort.TRIAL,
            1,
            Choice.pattern("^gemm STRICT 64 x 1000 x 100"),
            Duration.ZERO,
            List.of(Target.CUDA),
            Set.of(),
            EnumSet.of(MathMode.STRICT),
            Long.MAX_VALUE / 2,
            1);
    List<String> names =
        CeilingsPart.names(settings).stream()
            .filter(settings::wants)
            .map(name -> name.replace("gemm STRICT ", ""))
            .toList();
    assertEquals(3, names.size(), names::toString);
    Target.CUDA.isEmulated(); // once and for all
    long before = Emulator.launches();
    Device.cuda().close();
    Emulator.failLaunch(Emulator.launches() - before + 1);
    CeilingsPart.run(settings, results);
    assertTrue(results.failed(), "the exit code is 1");
    Results read = Results.read(file);
    Failure failure = read.failures().getFirst();
    assertEquals(List.of(failure), read.failures());
    assertEquals("cuda, STRICT, " + names.getFirst(), failure.what());
    assertTrue(failure.why().contains("gemm_f32"), failure::why);
    assertTrue(failure.why().contains("LAUNCH_FAILED"), failure::why);
    assertEquals(
        names.subList(1, 3), read.of(Part.CEILINGS).stream().map(Measurement::name).toList());
    assertEquals(0, Emulator.liveBytes(), "what the row had opened is closed");
  }
}
