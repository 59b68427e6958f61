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
import dev.weft.bench.report.Tables;
import dev.weft.support.Emulator;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** What is measured on a GPU is measured in one Java machine: here, over the emulated one. */
@ExtendWith(Emulator.class)
class GpuRowsTest {
  private final Results results = new Results(Machine.here(1), "test");

  private static Settings settings(String only, MathMode... modes) {
    return new Settings(
        Settings.Effort.TRIAL,
        1,
        Choice.pattern(only),
        Duration.ZERO,
        List.of(Target.CUDA),
        Set.of(),
        EnumSet.copyOf(List.of(modes)),
        Long.MAX_VALUE / 2,
        1);
  }

  private List<String> names(Part part) {
    return results.of(part).stream().map(Measurement::name).toList();
  }

  @Test
  void aRowThatFailsIsRecordedAndTheOthersGoOn(@TempDir Path folder) throws IOException {
    Path file = folder.resolve("run.json");
    results.keepIn(file);
    Target.CUDA.isEmulated(); // once and for all
    long before = Emulator.launches();
    Device.cuda().close();
    Emulator.failLaunch(Emulator.launches() - before + 1);
    KernelsPart.run(settings("^relu_(for|back)ward, cache", MathMode.STRICT), results);
    assertEquals(List.of("relu_forward", "relu_backward"), names(Part.KERNELS));
    assertTrue(results.failed());
    Failure failure = results.failures().getFirst();
    assertEquals(List.of(failure), results.failures());
    assertEquals("cuda, copy in cache", failure.what(), "the first row");
    assertTrue(failure.why().contains("LAUNCH_FAILED"), failure::why);
    Results read = Results.read(file);
    assertEquals(results.failures(), read.failures());
    assertEquals(2, read.of(Part.KERNELS).size());
    String table = new Tables(read).of(Part.CEILINGS).getFirst().text();
    assertTrue(table.contains("cuda, copy in cache  FAIL  "), table);
    assertEquals(0, Emulator.liveBytes(), "what the row had opened is closed");
  }

  @Test
  void aStepWhoseLossesDifferIsTimedAndMarked(@TempDir Path folder) throws IOException {
    Path file = folder.resolve("run.json");
    results.keepIn(file);
    Emulator.doNothing();
    StepsPart.run(settings("784-100-100-10, batch 16$", MathMode.STRICT), results);
    Results read = Results.read(file);
    Measurement step = read.of(Part.STEPS).getFirst();
    assertTrue(step.times().median() > 0);
    assertTrue(read.disagrees(step));
    String why = read.failures().getFirst().why();
    assertTrue(why.contains("does not train as Weft STRICT on the CPU does"), why);
    String table = new Tables(read).of(Part.STEPS).getFirst().text();
    assertTrue(table.contains("Weft STRICT, losses differ"), table);
  }

  /** Static state (threads, the device, counters of memory) outlives many rows of all kinds. */
  @Test
  void manyRowsRunInOneJavaMachine() {
    run(MathMode.BF16); // emulated, the step of the others takes four times as long
  }

  @Test
  @Tag("long")
  void manyStepsRunInOneJavaMachine() {
    run(MathMode.STRICT, MathMode.FAST, MathMode.BF16);
  }

  private void run(MathMode... steps) {
    String rows = ", cache$|gemm.* 64 x |784-100-100-10, batch 16$";
    Settings all = settings(rows, MathMode.STRICT, MathMode.FAST, MathMode.BF16);
    KernelsPart.run(all, results);
    CeilingsPart.run(all, results);
    StepsPart.run(settings(rows, steps), results);
    assertEquals(List.of(), results.failures());
    assertEquals(KernelsPart.rows(all).size(), names(Part.KERNELS).size());
    assertEquals(steps.length, names(Part.STEPS).size());
    assertTrue(names(Part.CEILINGS).size() > 9, names(Part.CEILINGS)::toString);
    assertEquals(0, Emulator.liveBytes());
    assertEquals(0, Emulator.leakedBytes());
  }
}
