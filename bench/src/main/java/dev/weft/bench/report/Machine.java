// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench.report;

import static dev.weft.format.Format.count;
import static dev.weft.format.Format.format;

import com.sun.management.OperatingSystemMXBean;
import dev.weft.device.cpu.CpuLibrary;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * What a run was measured on, with nothing that names its owner.
 *
 * @param threads of Weft and of the libraries beside it
 * @param isa the instruction set that Weft's kernels chose
 * @param devices what was measured
 * @param load the load average of the last minute when it was asked for
 */
public record Machine(
    String cpu,
    int cores,
    int threads,
    String isa,
    double memoryGib,
    String system,
    List<Described> devices,
    double load) {

  /**
   * A device.
   *
   * @param name {@code cpu}, {@code cuda:0}
   * @param description its hardware, in a line
   */
  public record Described(String name, String description) {}

  /** This one, with no devices yet. */
  public static Machine here(int threads) {
    var system = (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
    return new Machine(
        processor(),
        Runtime.getRuntime().availableProcessors(),
        threads,
        CpuLibrary.get().isa(),
        Math.round(system.getTotalMemorySize() / (double) (1 << 30) * 10) / 10.0,
        System.getProperty("os.name") + " " + System.getProperty("os.arch"),
        new ArrayList<>(),
        system.getSystemLoadAverage());
  }

  /** In a line. */
  public String text() {
    return format(
        "%s, %s, %s, %s, load %.2f",
        cpu, count(cores, "core"), count(threads, "thread"), isa, load);
  }

  private static String processor() {
    try (var lines = Files.lines(Path.of("/proc/cpuinfo"))) {
      return lines
          .filter(line -> line.matches("(model name|cpu family|model)\\s*:.*"))
          .map(line -> line.replaceAll("\\s*:\\s*", " "))
          .limit(3)
          .map(line -> line.replace("model name ", ""))
          .sorted()
          .reduce((a, b) -> a + ", " + b)
          .orElse("unknown");
    } catch (IOException e) {
      return "unknown: " + e.getMessage();
    }
  }
}
