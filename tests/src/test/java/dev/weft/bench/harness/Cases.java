// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench.harness;

import dev.weft.device.Kernel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** The case file, which takes a second or more to write, for all tests of a Java machine. */
final class Cases {
  private static Path file;

  private Cases() {}

  static synchronized Path file() throws IOException {
    if (file == null) {
      Path written = Files.createTempFile("weft-cases", ".bin");
      written.toFile().deleteOnExit();
      CaseFile.write(written, 0.004, List.of(Kernel.values()));
      file = written;
    }
    return file;
  }
}
