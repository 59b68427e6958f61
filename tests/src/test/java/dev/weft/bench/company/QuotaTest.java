// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench.company;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weft.bench.report.Company;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class QuotaTest {
  @TempDir private Path root;

  private String written(String file) throws IOException {
    return Files.readString(root.resolve(file));
  }

  /** A cgroup's files go with it; those of a folder do not. */
  private void remove(Quota quota, String folder) throws IOException {
    for (Path file : Files.list(root.resolve(folder)).toList()) {
      Files.delete(file);
    }
    quota.close();
    assertFalse(Files.exists(root.resolve(folder)));
  }

  @Test
  void versionOneIsAFolderOfTheControllerOfProcessors() throws IOException {
    Files.createDirectory(root.resolve("cpu"));
    Files.writeString(root.resolve("cpu/cpu.cfs_quota_us"), "-1");
    Quota quota = Quota.of(root, "mine", 0.5);
    assertEquals("50000", written("cpu/mine/cpu.cfs_quota_us"));
    assertEquals("100000", written("cpu/mine/cpu.cfs_period_us"));
    assertEquals(
        List.of(
            "sh",
            "-c",
            "echo $$ >\"$0\" && exec \"$@\"",
            root.resolve("cpu/mine/cgroup.procs").toString(),
            "java",
            "-version"),
        quota.within(List.of("java", "-version")));
    remove(quota, "cpu/mine");
  }

  @Test
  void versionTwoIsAFolderWithALimitOfProcessors() throws IOException {
    Files.writeString(root.resolve("cgroup.controllers"), "cpuset cpu io\n");
    Files.writeString(root.resolve("cgroup.subtree_control"), "cpuset memory\n");
    Quota quota = Quota.of(root, "mine", 1.5);
    assertEquals("150000 100000", written("mine/cpu.max"));
    assertEquals("+cpu", written("cgroup.subtree_control"), "cpuset is another");
    assertTrue(written("mine/cgroup.procs").matches("\\d+\n"), "a process was tried");
    remove(quota, "mine");
  }

  @Test
  void whereThereAreNoCgroupsThatIsSaid() throws IOException {
    String none = root + " has no controller of processors";
    assertEquals(
        none, assertThrows(IOException.class, () -> Quota.of(root, "mine", 1)).getMessage());
    Files.writeString(root.resolve("cgroup.controllers"), "cpuset io\n");
    assertEquals(
        none, assertThrows(IOException.class, () -> Quota.of(root, "mine", 1)).getMessage());
  }

  /** A process that is stopped in turns uses less than one processor, and not 1.5. */
  @Test
  void aQuotaThatCannotBeMadeIsNotMeasured() {
    Row row =
        Plan.rows(2, List.of()).stream()
            .filter(one -> one.quota() == 1.5)
            .findFirst()
            .orElseThrow();
    Company result = Turns.of(row, new Turns.Length(1, 1, 1, 1), 2, root);
    assertFalse(result.isMeasured());
    assertEquals("not measured", result.verdict());
    assertTrue(result.note().contains("no controller of processors"), result.note());
    assertTrue(result.note().contains("uses less than a processor"), result.note());
  }

  @Test
  void aThrottleStopsAProcessAndLetsItGoOn() throws IOException {
    Process process = new ProcessBuilder("sleep", "60").start();
    try {
      try (Throttle _ = new Throttle(process.pid(), 0.5)) {
        comes("it is stopped", () -> isStopped(process));
        comes("it goes on", () -> !isStopped(process));
        comes("it is stopped again", () -> isStopped(process));
      }
      assertFalse(isStopped(process));
    } finally {
      process.destroyForcibly();
    }
    assertEquals(
        List.of("7", "0.025", "0.075"), Throttle.command(7, 0.25).subList(3, 6), "seconds");
  }

  private static void comes(String what, BooleanSupplier state) {
    long end = System.nanoTime() + 10_000_000_000L;
    while (!state.getAsBoolean()) {
      assertTrue(System.nanoTime() < end, what);
      LockSupport.parkNanos(1_000_000);
    }
  }

  private static boolean isStopped(Process process) {
    try {
      return Files.readString(Path.of("/proc", Long.toString(process.pid()), "stat"))
          .matches("(?s)\\d+ \\(sleep\\) T .*");
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }
}
