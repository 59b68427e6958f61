// SPDX-License-Identifier: Apache-2.0
package dev.weft.device.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.weft.device.NativeFiles;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

/** Kernels of a newer CUDA than the driver's are explained. */
class OlderDriverTest {

  @Test
  void theFatbinSaysWhichCudaCompiledIt() throws IOException {
    try (InputStream in = NativeFiles.open(CudaKernels.FATBIN)) {
      assumeTrue(in != null, "this build had no nvcc: no " + CudaKernels.FATBIN);
      String toolkit = CudaKernels.toolkit(in.readAllBytes());
      assertTrue(toolkit.matches("1[2-9]\\.\\d+"), toolkit);
    }
    assertNull(CudaKernels.toolkit("Cuda compilation tools".getBytes(StandardCharsets.US_ASCII)));
  }

  @Test
  void aDriverOfAnOlderMajorReleaseIsNamed() {
    String said = CudaKernels.olderDriver("13.0", 12_080);
    assertTrue(said.contains("compiled by CUDA 13.0"), said);
    assertTrue(said.contains("the driver is for CUDA 12.8"), said);
    assertTrue(said.contains("a driver for CUDA 13 or newer"), said);
    assertTrue(said.contains("nvcc of CUDA 12"), said);
  }

  @Test
  void otherFailuresKeepTheirOwnWords() {
    assertNull(CudaKernels.olderDriver("13.2", 13_000));
    assertNull(CudaKernels.olderDriver("12.4", 13_000));
    assertEquals(null, CudaKernels.olderDriver(null, 12_080));
  }
}
