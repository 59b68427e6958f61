// SPDX-License-Identifier: Apache-2.0
package dev.weft.device;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Unpacked libraries that nobody needs any more, most of them of other versions. The time of an
 * entry's folder says when it was used last; unpacking into it changes that time too.
 */
final class UnusedLibraries {
  private static final Duration KEPT = Duration.ofDays(30);
  private static final Duration PRECISION = Duration.ofDays(1);
  private static final Duration UNPACKING = Duration.ofHours(1); // takes seconds
  private static final Pattern ENTRY = Pattern.compile("[0-9a-f]{8}-\\d+");
  private static final Pattern FILE =
      Pattern.compile("lib.+\\.so[.0-9]*(\\.checked)?|unpacking.*\\.part");
  private static final Path PROCESSES = Path.of("/proc");

  private UnusedLibraries() {}

  /** Notes that an entry is used, where it is there; once a day is enough. */
  static void use(Path entry) {
    try {
      if (Files.isDirectory(entry) && isOlder(entry, PRECISION)) {
        removeParts(entry);
        Files.setLastModifiedTime(entry, FileTime.from(Instant.now()));
      }
    } catch (IOException | UncheckedIOException e) {
      // a cache that may only be read: its libraries serve all the same
    }
  }

  /** What was left behind when a process ended while it unpacked. */
  private static void removeParts(Path entry) throws IOException {
    try (Stream<Path> files = Files.list(entry)) {
      for (Path file : files.filter(each -> each.toString().endsWith(".part")).toList()) {
        if (isOlder(file, UNPACKING)) {
          Files.delete(file);
        }
      }
    }
  }

  /**
   * Removes the entries that were not used for 30 days and that no running process has mapped. What
   * cannot be removed stays until the next time: it is in nobody's way.
   */
  static void remove(Path cache) {
    List<Path> entries;
    try (Stream<Path> all = Files.list(cache)) {
      entries = all.toList();
    } catch (IOException | UncheckedIOException e) {
      return; // as above
    }
    for (Path entry : entries) {
      try {
        // its age once more: the look at all processes takes a while
        if (isEntry(entry) && isOlder(entry, KEPT) && !isMapped(entry) && isOlder(entry, KEPT)) {
          delete(entry);
        }
      } catch (IOException | UncheckedIOException e) {
        // as above; the others are looked at all the same
      }
    }
  }

  /** What Weft unpacked, and nothing else that may lie in a folder of the user's choice. */
  private static boolean isEntry(Path entry) throws IOException {
    if (!ENTRY.matcher(entry.getFileName().toString()).matches()
        || !Files.isDirectory(entry, LinkOption.NOFOLLOW_LINKS)) {
      return false;
    }
    try (Stream<Path> files = Files.list(entry)) {
      return files.allMatch(
          file ->
              FILE.matcher(file.getFileName().toString()).matches()
                  && Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS));
    }
  }

  private static boolean isOlder(Path entry, Duration age) throws IOException {
    return Files.getLastModifiedTime(entry).toInstant().isBefore(Instant.now().minus(age));
  }

  /**
   * Whether a process has one of its files in memory, as far as this user may see; also where that
   * cannot be found out at all. A process of another user loses nothing: it keeps what it mapped.
   */
  private static boolean isMapped(Path entry) throws IOException {
    if (!Files.isReadable(PROCESSES.resolve("self/maps"))) {
      return true;
    }
    String start = entry.toRealPath() + "/";
    List<Path> processes;
    try (Stream<Path> all = Files.list(PROCESSES)) {
      processes = all.filter(one -> one.getFileName().toString().matches("\\d+")).toList();
    }
    for (Path process : processes) {
      try {
        byte[] maps = Files.readAllBytes(process.resolve("maps"));
        if (new String(maps, StandardCharsets.UTF_8).contains(start)) {
          return true;
        }
      } catch (IOException e) {
        // it has ended, or belongs to another user
      }
    }
    return false;
  }

  private static void delete(Path entry) throws IOException {
    try (Stream<Path> files = Files.list(entry)) {
      for (Path file : files.toList()) {
        Files.delete(file);
      }
    }
    Files.delete(entry);
  }
}
