// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weft.bench.report.Targets.Outcome;
import dev.weft.bench.report.Targets.Verdict;
import java.util.List;
import org.junit.jupiter.api.Test;

class TargetsTest {
  private static final String SMALL = "784-512-512-10";
  private static final String WIDE = "4096-4096-4096-4096-4096";
  private static final String PRODUCT = "4096 x 4096 x 4096, forward";

  private final Results results = new Results(Machine.here(1), "made up");

  @Test
  void whatWasNotMeasuredIsSaid() {
    Targets targets = new Targets(results);
    assertFalse(targets.verdicts().isEmpty());
    for (Verdict one : targets.verdicts()) {
      assertEquals(Outcome.NOT_MEASURED, one.outcome(), one.what());
      assertEquals("not measured", one.found(), one.what());
    }
    String text = targets.markdown();
    assertTrue(text.contains("| adam | not measured | not measured |"), text);
    assertTrue(text.contains("beside Weft on the CPU: not measured"), text);
    assertTrue(text.contains("0 were met, 0 missed, %d not".formatted(targets.verdicts().size())));
  }

  @Test
  void aKernelIsHeldAgainstTheCopyOfThatSize() {
    add(Part.CEILINGS, Roofs.COPY, "memory", "Weft", "STRICT", 100, 3e8, 0);
    add(Part.KERNELS, "memory", "adam", "Weft", "STRICT", 100, 2.71e8, 0);
    add(Part.KERNELS, "memory", "dropout", "Weft", "STRICT", 100, 2.69e8, 0);
    add(Part.KERNELS, "memory", "transpose", "Weft", "STRICT", 100, 1e8, 0);
    assertEquals(Outcome.MET, outcome("adam: 90 %"));
    assertEquals(Outcome.MISSED, outcome("dropout: 90 %"));
    assertEquals(Outcome.NOT_MEASURED, outcome("layer_norm_forward: 90 %"));
    String text = new Targets(results).markdown();
    assertTrue(text.contains("| adam | 100 | 2,710 | 90 % | 90 % | met |"), text);
    assertTrue(text.contains("| transpose | 100 | 1,000 | 33 % |  |  |"), text);
  }

  @Test
  void aKernelWithoutACopyBesideItIsNotJudged() {
    add(Part.KERNELS, "memory", "adam", "Weft", "STRICT", 100, 2.7e8, 0);
    assertEquals(Outcome.NOT_MEASURED, outcome("adam: 90 %"));
  }

  @Test
  void aProductMayBeThreePercentBehind() {
    double flops = 2.0 * 4096 * 4096 * 4096;
    for (String mode : List.of("STRICT", "FAST", "BF16")) {
      add(Part.CEILINGS, Roofs.GEMM, PRODUCT, "Weft", mode, 100, 1, flops);
    }
    add(Part.CEILINGS, Roofs.GEMM, PRODUCT, "PyTorch", "STRICT", 97.5, 1, flops);
    add(Part.CEILINGS, Roofs.GEMM, PRODUCT, "PyTorch", "FAST", 96.5, 1, flops);
    assertEquals(Outcome.MET, outcome("4096 x 4096 x 4096 STRICT"));
    assertEquals(Outcome.MISSED, outcome("4096 x 4096 x 4096 FAST"));
    assertEquals(Outcome.NOT_MEASURED, outcome("4096 x 4096 x 4096 BF16"));
  }

  @Test
  void aStepIsHeldAgainstPyTorchInTheSameArithmetic() {
    step(SMALL, "batch 128", "Weft", "STRICT", 25);
    step(SMALL, "batch 128", "PyTorch eager", "STRICT", 130);
    step(SMALL, "batch 128", "PyTorch graph", "STRICT", 30);
    step(SMALL, "batch 128", "PyTorch eager", "BF16", 500);
    assertEquals(Outcome.MET, outcome(SMALL + "/128 STRICT: at most 30 us"));
    assertEquals(Outcome.MET, outcome(SMALL + "/128 STRICT: 5.0 x as fast as PyTorch"));
    assertEquals(Outcome.MISSED, outcome(SMALL + "/128 STRICT: 1.3 x"));
    assertEquals(Outcome.NOT_MEASURED, outcome(SMALL + "/128 BF16: 5.0 x"));
  }

  @Test
  void aStepWhoseLossesDifferReachesNothing() {
    step(SMALL, "batch 128", "Weft", "STRICT", 25);
    Agreement wrong = new Agreement(SMALL, 0, "Weft STRICT", "cuda:0", 9, 2, Double.NaN, 1, 1e-4);
    results.add(wrong);
    assertEquals(Outcome.MISSED, outcome(SMALL + "/128 STRICT: at most 30 us"));
    assertTrue(new Targets(results).verdicts().toString().contains("25.0 us, LOSSES DIFFER"));
  }

  @Test
  void aWideStepIsHeldAgainstTheFastestProductWhoeverRanIt() {
    add(Part.CEILINGS, Roofs.GEMM, PRODUCT, "Weft", "BF16", 1, 1, 7e8);
    add(Part.STEPS, WIDE, "batch 8192", "Weft", "BF16", 10, 0, 4.5e9);
    assertEquals(Outcome.MET, outcome(WIDE + "/8192 BF16: 60 %"));
    add(Part.CEILINGS, Roofs.GEMM, PRODUCT, "PyTorch", "BF16", 1, 1, 8e8);
    assertEquals(Outcome.MISSED, outcome(WIDE + "/8192 BF16: 60 %"));
    step(WIDE, "batch 8192", "PyTorch compile", "BF16", 9.9);
    assertEquals(Outcome.MISSED, outcome(WIDE + "/8192 BF16: not behind torch.compile"));
  }

  @Test
  void filesOfTheSameThingAreItsTurns() {
    step(SMALL, "batch 128", "Weft", "STRICT", 20);
    step(SMALL, "batch 128", "PyTorch eager", "STRICT", 100);
    Results later = new Results(Machine.here(1), "later");
    later.add(measured(Part.STEPS, SMALL, "batch 128", "Weft", "STRICT", 30, 0, 1));
    later.add(measured(Part.STEPS, SMALL, "batch 128", "PyTorch eager", "STRICT", 180, 0, 1));
    results.join(later);
    assertEquals(2, results.of(Part.STEPS).size());
    assertEquals(List.of(20.0, 30.0), results.of(Part.STEPS).getFirst().times().turns());
    String text = new Targets(results).markdown();
    assertTrue(text.contains("5.50 (5.00 - 6.00)"), text);
  }

  @Test
  void aRehearsalIsCalledOne() {
    results.machine().devices().add(new Machine.Described("cuda:0", "Weft emulator (not a GPU)"));
    String text = new Targets(results).markdown();
    assertTrue(text.startsWith("**A rehearsal"), text);
  }

  private Outcome outcome(String what) {
    List<Verdict> found =
        new Targets(results)
            .verdicts().stream().filter(one -> one.what().startsWith(what)).toList();
    assertEquals(1, found.size(), () -> what + ": " + new Targets(results).verdicts());
    return found.getFirst().outcome();
  }

  private void step(String network, String batch, String side, String mode, double micros) {
    add(Part.STEPS, network, batch, side, mode, micros, 0, 1);
  }

  private void add(
      Part part,
      String group,
      String name,
      String side,
      String mode,
      double micros,
      double bytes,
      double flops) {
    results.add(measured(part, group, name, side, mode, micros, bytes, flops));
  }

  private static Measurement measured(
      Part part,
      String group,
      String name,
      String side,
      String mode,
      double micros,
      double bytes,
      double flops) {
    var times = new Measurement.Times(micros, micros, micros, List.of(micros), 9, null);
    return new Measurement(part, group, name, 0, side, mode, "cuda:0", times, bytes, flops);
  }
}
