// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench.company;

import static dev.weft.format.Format.format;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.LockSupport;

/**
 * A limit of the processors' time: a cgroup, of version 1 or 2, within which a process is started,
 * so that Java sees the limit as it does in a container.
 */
final class Quota implements AutoCloseable {
  /** Where Linux has its cgroups. */
  static final Path ROOT = Path.of("/sys/fs/cgroup");

  private static final int PERIOD = 100_000; // microseconds, Linux's own
  private static final int ATTEMPTS = 200;
  private static final int PAUSE = 10_000_000; // nanoseconds

  private final Path folder;

  private Quota(Path folder) {
    this.folder = folder;
  }

  /**
   * Makes a cgroup.
   *
   * @param processors how many its processes may use together, on average over 100 ms
   * @throws IOException that says why there can be none
   */
  static Quota of(Path root, String name, double processors) throws IOException {
    long time = Math.round(processors * PERIOD);
    if (Files.exists(root.resolve("cpu/cpu.cfs_quota_us"))) {
      Quota made = new Quota(Files.createDirectory(root.resolve("cpu").resolve(name)));
      made.set("cpu.cfs_period_us", Integer.toString(PERIOD));
      made.set("cpu.cfs_quota_us", Long.toString(time));
      return made.checked();
    }
    Path controllers = root.resolve("cgroup.controllers");
    if (!Files.exists(controllers)
        || !List.of(Files.readString(controllers).strip().split(" ")).contains("cpu")) {
      throw new IOException(format("%s has no controller of processors", root));
    }
    Quota made = new Quota(Files.createDirectory(root.resolve(name)));
    if (!Files.readString(root.resolve("cgroup.subtree_control")).matches("(?s).*\\bcpu\\b.*")) {
      made.set("../cgroup.subtree_control", "+cpu");
    }
    made.set("cpu.max", time + " " + PERIOD);
    return made.checked();
  }

  private void set(String file, String value) throws IOException {
    try {
      Files.writeString(folder.resolve(file), value);
    } catch (IOException e) {
      Files.deleteIfExists(folder);
      throw e;
    }
  }

  /** A cgroup may be made and still take no process in. */
  private Quota checked() throws IOException {
    Process trial = new ProcessBuilder(within(List.of("true"))).start();
    if (trial.onExit().join().exitValue() != 0) {
      Files.deleteIfExists(folder);
      throw new IOException(folder + " takes no process in");
    }
    return this;
  }

  /** The command line that starts a process within it. */
  List<String> within(List<String> command) {
    List<String> all = new ArrayList<>();
    all.addAll(List.of("sh", "-c", "echo $$ >\"$0\" && exec \"$@\""));
    all.add(folder.resolve("cgroup.procs").toString());
    all.addAll(command);
    return all;
  }

  /** Removes it; its processes must have ended, which Linux may notice a little later. */
  @Override
  public void close() throws IOException {
    for (int attempt = 1; ; attempt++) {
      try {
        Files.deleteIfExists(folder);
        return;
      } catch (IOException e) {
        if (attempt == ATTEMPTS) {
          throw e;
        }
        LockSupport.parkNanos(PAUSE);
      }
    }
  }
}
