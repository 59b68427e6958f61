// SPDX-License-Identifier: Apache-2.0
package dev.weft.device;

import static dev.weft.format.Format.format;
import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.io.IOException;
import java.io.Serial;
import java.nio.channels.FileChannel;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;

/**
 * The folder that libraries are unpacked into. Whoever can write there decides what runs as this
 * user: so it must belong to the user, or to root, and nobody else may write to it. Weft makes it
 * with mode 0700. The mode of a folder that Weft did not make is left alone, and one that is too
 * open is refused: it may be /tmp, or hold what others share.
 */
final class CacheFolder {
  private static final Path STATUS = Path.of("/proc/self/status");
  private static final int OTHERS_WRITE = 022;
  private static final int OWNER_READS = 0400;
  private static final String OWN =
      "set WEFT_CACHE to a folder that is not there yet, and it is made for you alone";

  private CacheFolder() {}

  /** A folder that must not be used; the message says why and what to do. */
  static final class RefusedException extends IOException {
    @Serial private static final long serialVersionUID = 1L;

    private RefusedException(String message) {
      super(message);
    }
  }

  /** {@code WEFT_CACHE}, else {@code ~/.cache/weft}. */
  static Path path() throws IOException {
    String named = System.getenv("WEFT_CACHE");
    if (named != null && !named.isBlank()) {
      return Path.of(named);
    }
    // Java's user.home is the account's, whatever HOME says
    String home = System.getenv("HOME");
    if (home == null || !Path.of(home).isAbsolute()) {
      home = System.getProperty("user.home");
    }
    if (!Path.of(home).isAbsolute() || !Files.isDirectory(Path.of(home))) {
      throw new RefusedException(
          format(
              "Weft unpacks its libraries under the home folder, and there is none (%s); set"
                  + " WEFT_CACHE to a folder of your own",
              home));
    }
    return Path.of(home, ".cache", "weft");
  }

  /** Makes the folder where it is not there, and looks whether it may be used. */
  static void claim(Path folder) throws IOException {
    if (!Files.isDirectory(folder)) {
      Path parent = folder.toAbsolutePath().getParent();
      if (parent != null) {
        Files.createDirectories(parent);
      }
      make(folder);
    }
    // a link is looked at as well as what it leads to
    modeOf(folder, LinkOption.NOFOLLOW_LINKS);
    if ((modeOf(folder) & OTHERS_WRITE) != 0) {
      throw new RefusedException(
          format(
              "others can write to %s, and what lies there would run as you; chmod go-w '%s', or"
                  + " %s",
              folder, folder, OWN));
    }
  }

  /**
   * Makes an entry of the cache where it is not there. One that is too open is closed.
   *
   * @return whether what lies in it can be trusted
   */
  static boolean claimEntry(Path entry) throws IOException {
    make(entry);
    if ((modeOf(entry, LinkOption.NOFOLLOW_LINKS) & OTHERS_WRITE) == 0) {
      return true;
    }
    Files.setPosixFilePermissions(entry, PosixFilePermissions.fromString("rwx------"));
    return false;
  }

  private static void make(Path folder) throws IOException {
    try {
      Files.createDirectory(
          folder,
          PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
      force(folder.toAbsolutePath());
    } catch (FileAlreadyExistsException e) {
      if (!Files.isDirectory(folder)) {
        throw new FileSystemException(folder.toString(), null, "is there and is no folder");
      }
    }
  }

  /** The mode of a file that is this user's or root's; any other is refused. */
  private static int modeOf(Path file, LinkOption... options) throws IOException {
    Map<String, Object> seen = Files.readAttributes(file, "unix:uid,mode,owner", options);
    if (!isTrusted((int) attribute(seen, "uid"))) {
      throw new RefusedException(
          format(
              "%s belongs to the user %s, and what lies there would run as you; %s",
              file, seen.get("owner"), OWN));
    }
    return (int) attribute(seen, "mode");
  }

  /** An attribute that was asked for. */
  static Object attribute(Map<String, Object> seen, String name) {
    return Objects.requireNonNull(seen.get(name), name);
  }

  /** Whether files of that user may be loaded: this one's and root's. */
  static boolean isTrusted(int owner) throws IOException {
    return owner == 0 || owner == user();
  }

  /** Whether the owner may read a file of such a mode, and nobody else write to it. */
  static boolean isClosed(int mode) {
    return (mode & (OWNER_READS | OTHERS_WRITE)) == OWNER_READS;
  }

  /** Makes the name of a file last through a power cut. */
  static void force(Path file) throws IOException {
    Path folder = file.resolveSibling("");
    try (FileChannel channel = FileChannel.open(folder, StandardOpenOption.READ)) {
      channel.force(true);
    }
  }

  /**
   * Who this process acts as: /proc/self itself may belong to root although the process does not.
   */
  private static int user() throws IOException {
    try (Stream<String> lines = Files.lines(STATUS, ISO_8859_1)) {
      String ids = lines.filter(line -> line.startsWith("Uid:")).findFirst().orElseThrow();
      return Integer.parseUnsignedInt(ids.split("\\s+")[2]); // after the real one
    }
  }
}
