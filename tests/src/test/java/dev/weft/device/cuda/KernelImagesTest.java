// SPDX-License-Identifier: Apache-2.0
package dev.weft.device.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.util.List;
import org.junit.jupiter.api.Test;

/** Which of a build's kernels a chip runs, and what is said where it runs none. */
class KernelImagesTest {
  private static final KernelImages SOME =
      KernelImages.of(
          """
          CUDA 13.0
          sm_80/a.cubin
          sm_80/b.cubin
          sm_90/a.cubin
          compute_90/a.ptx
          sm_90/b.cubin
          compute_90/b.ptx
          """);

  @Test
  void aChipRunsItsOwnCodeOrThatOfAnOlderOneOfItsMajorNumber() {
    assertEquals(List.of("sm_90/a.cubin", "sm_90/b.cubin"), SOME.filesFor(90));
    assertEquals(List.of("sm_80/a.cubin", "sm_80/b.cubin"), SOME.filesFor(80));
    assertEquals(SOME.filesFor(80), SOME.filesFor(86));
    assertEquals(SOME.filesFor(80), SOME.filesFor(89));
    KernelImages two = KernelImages.of("CUDA 13.0\nsm_80/a.cubin\nsm_86/a.cubin\n");
    assertEquals(List.of("sm_86/a.cubin"), two.filesFor(89));
    assertEquals(List.of("sm_80/a.cubin"), two.filesFor(80));
  }

  @Test
  void newerChipsGetPtxAndOlderOnesNothing() {
    assertEquals(List.of("compute_90/a.ptx", "compute_90/b.ptx"), SOME.filesFor(100));
    assertEquals(SOME.filesFor(100), SOME.filesFor(121));
    assertEquals(List.of(), SOME.filesFor(75));
    assertNull(SOME.refusal(100, 13_000));
  }

  @Test
  void whatIsThereIsSaid() {
    assertEquals("sm_80, sm_90, PTX 9.0 by CUDA 13.0", SOME.toString());
    assertEquals("none, since this build found no nvcc", KernelImages.of("").toString());
  }

  @Test
  void thoseOfThisBuildAreRead() {
    KernelImages here = KernelImages.read();
    assumeTrue(!here.isEmpty(), "this build had no nvcc: no kernels");
    assertTrue(here.release().matches("1[2-9]\\.\\d+"), here.release());
    for (String file : here.files()) {
      assertTrue(KernelImages.content(file).length > 1000, file);
    }
  }

  @Test
  void kernelsForOtherChipsAloneAreNamed() {
    String said = SOME.refusal(75, 13_000);
    assertTrue(said.contains("others than sm_75 (sm_80, sm_90, PTX 9.0 by CUDA 13.0)"), said);
    assertTrue(said.contains("WEFT_CUDA_ARCHS=75"), said);
    assertTrue(KernelImages.of("").refusal(75, 13_000).contains("no CUDA kernels"));
  }

  @Test
  void aDriverOfAnOlderMajorReleaseIsNamed() {
    String said = SOME.refusal(90, 12_080);
    assertTrue(said.contains("compiled by CUDA 13.0"), said);
    assertTrue(said.contains("the driver is for CUDA 12.8"), said);
    assertTrue(said.contains("a driver for CUDA 13 or newer"), said);
    assertTrue(said.contains("nvcc of CUDA 12"), said);
  }

  @Test
  void ptxNeedsADriverOfItsOwnReleaseOrABuildForTheChip() {
    KernelImages later = KernelImages.of("CUDA 13.2\nsm_90/a.cubin\ncompute_90/a.ptx\n");
    String said = later.refusal(120, 13_000);
    assertTrue(said.contains("for sm_120 as PTX alone"), said);
    assertTrue(said.contains("a driver for CUDA 13.2 or newer"), said);
    assertTrue(said.endsWith("build Weft with WEFT_CUDA_ARCHS=120"), said);
    said = later.refusal(120, 12_080);
    assertTrue(said.endsWith("WEFT_CUDA_ARCHS=120 and the nvcc of CUDA 12"), said);
    assertNull(later.refusal(120, 13_020));
  }

  @Test
  void otherFailuresKeepTheirOwnWords() {
    assertNull(KernelImages.of("CUDA 13.2\nsm_90/a.cubin\n").refusal(90, 13_000));
    assertNull(KernelImages.of("CUDA 12.4\nsm_90/a.cubin\n").refusal(90, 13_000));
  }
}
