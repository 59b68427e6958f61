// SPDX-License-Identifier: Apache-2.0
package dev.weft.device.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LibrarySearchTest {
  @TempDir Path folder;

  /** bin/python3 -> env/bin/python3 -> python3.12 -> base/bin/python3.12 */
  @Test
  void everyLinkOfAPythonIsFollowed() throws IOException {
    Path base = Files.createDirectories(folder.resolve("base/bin")).resolve("python3.12");
    Files.createFile(base);
    Path environment = Files.createDirectories(folder.resolve("env/bin"));
    Path versioned = environment.resolve("python3.12");
    Files.createSymbolicLink(versioned, base);
    Files.createSymbolicLink(environment.resolve("python3"), Path.of("python3.12"));
    Path first = Files.createDirectories(folder.resolve("bin")).resolve("python3");
    Files.createSymbolicLink(first, Path.of("../env/bin/python3"));
    assertEquals(
        List.of(first, environment.resolve("python3"), versioned, base),
        LibrarySearch.linksOf(first));
  }

  @Test
  void linksThatLeadNowhereOrInACircleEnd() throws IOException {
    assertEquals(List.of(), LibrarySearch.linksOf(folder.resolve("absent")));
    Path one = folder.resolve("one");
    Path two = folder.resolve("two");
    Files.createSymbolicLink(one, two);
    Files.createSymbolicLink(two, one);
    assertEquals(List.of(), LibrarySearch.linksOf(one));
  }
}
