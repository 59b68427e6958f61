// SPDX-License-Identifier: Apache-2.0
package dev.weft.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What travels to a machine with a GPU: the archive of a bundle with bench, for one chip. */
@Tag("long")
class BundleSizeTest {
  private static final long MOST = 48 << 20;

  @TempDir private Path folder;

  @Test
  void theArchiveOfABundleIsSmall() throws Exception {
    Path weft = Path.of(System.getProperty("weft.root"), "weft");
    run(weft.toString(), "bundle", "--with-bench", "--out", folder.resolve("bundle").toString());
    Path archive = folder.resolve("bundle.tar.gz");
    run("tar", "-C", folder.toString(), "-czf", archive.toString(), "bundle");
    assertTrue(Files.size(archive) <= MOST, Files.size(archive) + " bytes");
  }

  private static void run(String... command) throws Exception {
    ProcessBuilder builder = new ProcessBuilder(command).inheritIO();
    builder.environment().put("WEFT_CUDA_ARCHS", "90");
    assertEquals(0, builder.start().waitFor(), () -> List.of(command).toString());
  }
}
