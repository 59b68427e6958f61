// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench.sass;

import dev.weft.device.NativeFiles;
import dev.weft.device.cuda.CudaLibraries;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;

/** The modules of this build in machine code. */
public final class ChipCode {
  private ChipCode() {}

  /** Those for a chip, such as 90 for sm_90; empty where this build has none for it. */
  public static List<Cubin> of(int chip) throws IOException {
    List<Cubin> modules = new ArrayList<>();
    for (String resource : CudaLibraries.kernelResources()) {
      if (resource.contains("/sm_" + chip + "/")) {
        try (InputStream in = NativeFiles.open(resource)) {
          modules.add(new Cubin(in.readAllBytes()));
        }
      }
    }
    return modules;
  }
}
