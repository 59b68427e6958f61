// SPDX-License-Identifier: Apache-2.0
package dev.weft.io;

import static dev.weft.format.Format.format;

import java.io.File;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.UUID;

/**
 * Writes a file so that its name always stands for a whole file: the new content goes to a
 * temporary file in the same folder, to the disk, and only then takes the name over. Whatever fails
 * before leaves the old file as it was, and no temporary file.
 */
public final class AtomicFile {
  private AtomicFile() {}

  /** What is to be written. */
  @FunctionalInterface
  public interface Content {
    /** Writes all of it to an empty file. */
    void writeTo(FileChannel channel) throws IOException;
  }

  /**
   * Writes {@code content} to {@code path}; a symbolic link stays, what it points to is replaced.
   *
   * @throws FileSystemException if the file cannot be written; its message names it and says why
   */
  public static void write(Path path, Content content) throws IOException {
    Path target = resolve(path);
    Path temporary = temporary(target);
    try {
      publish(path, target, temporary, content);
    } catch (FileSystemException e) {
      throw e;
    } catch (IOException e) {
      // the system's words for a full disk name no file
      FileSystemException failure = new FileSystemException(path.toString(), null, reason(e));
      failure.initCause(e);
      throw failure;
    }
  }

  /** Writes {@code text} in UTF-8, as {@link #write(Path, Content)} does. */
  public static void write(Path path, String text) throws IOException {
    ByteBuffer bytes = StandardCharsets.UTF_8.encode(text);
    write(path, channel -> writeFully(channel, bytes));
  }

  private static void publish(Path path, Path target, Path temporary, Content content)
      throws IOException {
    try {
      try (FileChannel channel = create(temporary, path)) {
        content.writeTo(channel);
        channel.force(true);
      }
      Files.move(
          temporary, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    } catch (Throwable failure) {
      deleteAfter(failure, temporary);
      throw failure;
    }
    forceFolder(target.resolveSibling(""));
  }

  /**
   * Returns if {@link #write} can be expected to succeed, by making an empty file beside {@code
   * path} and deleting it. For use before long work whose result goes to {@code path}.
   *
   * @throws FileSystemException if the folder does not exist, is none or cannot be written to, or
   *     if the path is a folder, a device or a read-only file
   */
  public static void checkWritable(Path path) throws IOException {
    Path target = resolve(path);
    Path temporary = temporary(target);
    create(temporary, path).close();
    Files.delete(temporary);
  }

  /**
   * Returns if there is room for a file of this size at {@code path}, beside one that it replaces:
   * for use before long work, during which others may still take the room.
   *
   * @throws FileSystemException if there is less
   */
  public static void checkSpace(Path path, long bytes) throws IOException {
    File folder = resolve(path).resolveSibling("").toFile();
    long left = folder.getUsableSpace();
    // a file system that has no size, or does not tell, has a total of 0
    if (folder.getTotalSpace() > 0 && left >= 0 && left < bytes) {
      throw new FileSystemException(
          path.toString(),
          null,
          format("takes %,d bytes, and %s has room for %,d", bytes, folder, left));
    }
  }

  /** Writes all of {@code buffer}. */
  static void writeFully(FileChannel channel, ByteBuffer buffer) throws IOException {
    while (buffer.hasRemaining()) {
      channel.write(buffer);
    }
  }

  private static Path resolve(Path path) throws IOException {
    Path target = path.toAbsolutePath().normalize();
    if (Files.isSymbolicLink(target)) {
      Path link = target.resolveSibling(Files.readSymbolicLink(target));
      target = Files.exists(link) ? link.toRealPath() : link.normalize();
    }
    Path folder = target.resolveSibling("");
    if (Files.isDirectory(target)) {
      throw new FileSystemException(path.toString(), null, "is a folder; a file was to be written");
    }
    if (Files.exists(target) && !Files.isRegularFile(target)) {
      // a rename would put a file in its place
      throw new FileSystemException(
          path.toString(), null, "is a device or a pipe; a file was to be written");
    }
    if (!Files.exists(folder)) {
      throw new FileSystemException(
          path.toString(), null, "the folder " + folder + " does not exist");
    }
    if (!Files.isDirectory(folder)) {
      throw new FileSystemException(path.toString(), null, folder + " is a file, not a folder");
    }
    if (Files.exists(target) && !Files.isWritable(target)) {
      throw new FileSystemException(path.toString(), null, "is there already and is read-only");
    }
    return target;
  }

  private static Path temporary(Path target) {
    return target.resolveSibling("." + UUID.randomUUID() + ".tmp");
  }

  private static FileChannel create(Path temporary, Path wanted) throws IOException {
    try {
      return FileChannel.open(temporary, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
    } catch (IOException e) {
      FileSystemException failure =
          new FileSystemException(
              wanted.toString(),
              null,
              format("no file can be made in %s (%s)", temporary.getParent(), reason(e)));
      failure.initCause(e);
      throw failure;
    }
  }

  /** The system's words. */
  static String reason(IOException e) {
    return switch (e) {
      case AccessDeniedException denied -> "permission denied";
      case NoSuchFileException missing -> "the system refuses";
      case FileSystemException other when other.getReason() != null -> other.getReason();
      default -> e.getMessage() == null ? e.toString() : e.getMessage();
    };
  }

  private static void deleteAfter(Throwable failure, Path temporary) {
    try {
      Files.deleteIfExists(temporary);
    } catch (IOException e) {
      failure.addSuppressed(e);
    }
  }

  /** Makes the new name last through a power cut, where a folder can be opened for that (POSIX). */
  private static void forceFolder(Path folder) throws IOException {
    if (folder.getFileSystem().supportedFileAttributeViews().contains("posix")) {
      try (FileChannel channel = FileChannel.open(folder, StandardOpenOption.READ)) {
        channel.force(true);
      }
    }
  }
}
