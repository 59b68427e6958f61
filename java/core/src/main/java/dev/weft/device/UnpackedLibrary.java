// SPDX-License-Identifier: Apache-2.0
package dev.weft.device;

import static dev.weft.format.Format.format;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.zip.CRC32;
import java.util.zip.CheckedInputStream;

/**
 * A library in the cache, and the note beside it that says what is right: the checksum, and what
 * the file looked like when that was last computed. A file that looks the same in the same run of
 * the machine is the same; any other is read before it is trusted. To map a file that was cut short
 * would end the process.
 */
final class UnpackedLibrary {
  private static final Path BOOT = Path.of("/proc/sys/kernel/random/boot_id");
  private static final int BUFFER = 1 << 16;

  private final Path file;
  private final Path note;

  UnpackedLibrary(Path file) {
    this.file = file;
    this.note = file.resolveSibling(file.getFileName() + ".checked");
  }

  /** Whether the file is there, belongs to this user and is what was unpacked. */
  boolean isWhole() {
    try {
      String looks = looks();
      String[] noted = Files.readString(note, StandardCharsets.US_ASCII).strip().split(" ", 2);
      if (noted.length < 2 || looks.isEmpty()) {
        return false;
      }
      if (looks.equals(noted[1])) {
        return true;
      }
      String size = looks.substring(0, looks.indexOf(' ') + 1);
      if (!noted[1].startsWith(size) || !noted[0].equals(checksum())) {
        return false;
      }
      try {
        write(noted[0], looks);
      } catch (IOException e) {
        // a cache that may only be read: the file is read at each start
      }
      return true;
    } catch (IOException e) {
      return false; // what cannot be read, or is no text, is made anew
    }
  }

  /**
   * Writes the file and its note: aside, to the disk, and then moved, so that neither a process
   * that starts at the same time nor a power cut finds half a file under the name.
   *
   * @param checksum what the content must have, or negative where nobody knows
   */
  void unpack(InputStream content, long checksum) throws IOException {
    if (Files.isDirectory(file, LinkOption.NOFOLLOW_LINKS)) {
      throw new FileSystemException(
          file.toString(), null, file + " is a folder where a library belongs; remove it");
    }
    CheckedInputStream in = new CheckedInputStream(content, new CRC32());
    place(in, file, checksum);
    write(text(in.getChecksum().getValue()), looks());
    CacheFolder.force(file);
  }

  private void write(String checksum, String looks) throws IOException {
    byte[] line = format("%s %s%n", checksum, looks).getBytes(StandardCharsets.US_ASCII);
    CheckedInputStream in = new CheckedInputStream(new ByteArrayInputStream(line), new CRC32());
    place(in, note, -1);
  }

  private static void place(CheckedInputStream in, Path target, long checksum) throws IOException {
    Path aside = Files.createTempFile(target.resolveSibling(""), "unpacking", ".part");
    try {
      try (FileChannel channel = FileChannel.open(aside, StandardOpenOption.WRITE)) {
        OutputStream out = Channels.newOutputStream(channel);
        in.transferTo(out);
        if (checksum >= 0 && in.getChecksum().getValue() != checksum) {
          throw new IOException("the jar that holds it is damaged: its checksum is another");
        }
        channel.force(true);
      }
      Files.move(aside, target, StandardCopyOption.ATOMIC_MOVE);
    } finally {
      Files.deleteIfExists(aside);
    }
  }

  /** Size, times and number of the file, and the run of the machine; empty for what is no file. */
  private String looks() throws IOException {
    Map<String, Object> seen =
        Files.readAttributes(
            file,
            "unix:size,lastModifiedTime,ctime,ino,uid,mode,isRegularFile",
            LinkOption.NOFOLLOW_LINKS);
    boolean own =
        CacheFolder.isTrusted((int) CacheFolder.attribute(seen, "uid"))
            && CacheFolder.isClosed((int) CacheFolder.attribute(seen, "mode"))
            && (boolean) CacheFolder.attribute(seen, "isRegularFile");
    if (!own) {
      return "";
    }
    return format(
        "%d %d %d %d %s",
        (long) CacheFolder.attribute(seen, "size"),
        ((FileTime) CacheFolder.attribute(seen, "lastModifiedTime")).to(TimeUnit.NANOSECONDS),
        ((FileTime) CacheFolder.attribute(seen, "ctime")).to(TimeUnit.NANOSECONDS),
        (long) CacheFolder.attribute(seen, "ino"),
        boot());
  }

  /** Another text after each start of the machine; where it does not say, at each look. */
  private static String boot() throws IOException {
    try {
      return Files.readString(BOOT, StandardCharsets.US_ASCII).strip();
    } catch (NoSuchFileException e) {
      return "?" + System.nanoTime();
    }
  }

  private String checksum() throws IOException {
    CRC32 crc = new CRC32();
    try (InputStream in = Files.newInputStream(file)) {
      byte[] buffer = new byte[BUFFER];
      for (int read = in.read(buffer); read >= 0; read = in.read(buffer)) {
        crc.update(buffer, 0, read);
      }
    }
    return text(crc.getValue());
  }

  private static String text(long checksum) {
    return format("%08x", checksum);
  }
}
