// SPDX-License-Identifier: Apache-2.0
package dev.weft.io;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeFalse;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;

class AtomicFileTest {
  @TempDir Path folder;

  @Test
  void contentReplacesWhatWasThere() throws IOException {
    Path path = folder.resolve("file");
    AtomicFile.write(path, channel -> channel.write(bytes("first, and long")));
    AtomicFile.write(path, channel -> channel.write(bytes("second")));
    assertEquals("second", Files.readString(path));
    assertEquals(List.of("file"), names());
  }

  @Test
  void aFailureLeavesTheOldFileAndNothingElse() throws IOException {
    Path path = Files.writeString(folder.resolve("file"), "old");
    FileSystemException failure =
        assertThrows(
            FileSystemException.class,
            () ->
                AtomicFile.write(
                    path,
                    channel -> {
                      channel.write(bytes("half of the n"));
                      throw new IOException("disk full");
                    }));
    assertEquals(path + ": disk full", failure.getMessage());
    assertEquals("old", Files.readString(path));
    assertEquals(List.of("file"), names());
  }

  @Test
  void aTensorThatIsGoneWhileWritingLeavesTheOldModel() throws IOException {
    Path path = folder.resolve("model.safetensors");
    MemorySegment data = MemorySegment.ofArray(new byte[] {1});
    Safetensors.write(
        path, Map.of("a", new Safetensors.Entry("U8", new long[] {1}, data)), Map.of());
    byte[] old = Files.readAllBytes(path);
    Arena arena = Arena.ofConfined();
    var gone = new Safetensors.Entry("U8", new long[] {1}, arena.allocate(1));
    arena.close();
    var tensors = Map.of("a", new Safetensors.Entry("U8", new long[] {1}, data), "b", gone);
    assertThrows(IllegalStateException.class, () -> Safetensors.write(path, tensors, Map.of()));
    assertArrayEquals(old, Files.readAllBytes(path));
    assertEquals(List.of("model.safetensors"), names());
  }

  @Test
  void aSymbolicLinkStays() throws IOException {
    Path real = Files.writeString(folder.resolve("real"), "old");
    Path link = Files.createSymbolicLink(folder.resolve("link"), Path.of("real"));
    AtomicFile.write(link, channel -> channel.write(bytes("new")));
    assertTrue(Files.isSymbolicLink(link));
    assertEquals("new", Files.readString(real));
    Path dangling = Files.createSymbolicLink(folder.resolve("dangling"), Path.of("made"));
    AtomicFile.write(dangling, channel -> channel.write(bytes("made")));
    assertEquals("made", Files.readString(folder.resolve("made")));
  }

  @Test
  void checkOfAWritablePathLeavesNoTrace() throws IOException {
    AtomicFile.checkWritable(folder.resolve("new"));
    assertEquals(List.of(), names());
    Path old = Files.writeString(folder.resolve("old"), "old");
    Safetensors.checkWritable(old);
    assertEquals("old", Files.readString(old));
    Path here = Path.of("").toAbsolutePath();
    AtomicFile.checkWritable(here.relativize(folder.toRealPath().resolve("relative")));
  }

  @Test
  void roomIsLookedAtBeforehand() throws IOException {
    Path file = folder.resolve("file");
    assumeTrue(folder.toFile().getTotalSpace() > 0, "this file system has no size");
    AtomicFile.checkSpace(file, 1);
    FileSystemException e =
        assertThrows(
            FileSystemException.class, () -> AtomicFile.checkSpace(file, Long.MAX_VALUE - 1));
    assertTrue(
        e.getMessage()
            .matches(file + ": takes 9,\\S+,806 bytes, and " + folder + " has room for [0-9,]+"),
        e.getMessage());
    assertEquals(List.of(), names());
  }

  @Test
  void pathsThatCannotBeWrittenAreFoundBeforehandAndAreTheSameWhenWriting() throws IOException {
    Path file = Files.writeString(folder.resolve("file"), "");
    Path absent = folder.resolve("absent/model");
    Path withinFile = file.resolve("model");
    assertFails(folder, "is a folder; a file was to be written");
    assertFails(absent, "the folder " + absent.getParent() + " does not exist");
    assertFails(withinFile, file + " is a file, not a folder");
  }

  @Test
  void foldersWithoutPermissionAreFoundBeforehand() throws IOException {
    assumeTrue(
        Files.getFileStore(folder).supportsFileAttributeView("posix"), "no permissions here");
    Path closed = Files.createDirectory(folder.resolve("closed"));
    Files.setPosixFilePermissions(closed, PosixFilePermissions.fromString("r-xr-xr-x"));
    assumeFalse(Files.isWritable(closed), "this user may write everywhere");
    assertFails(closed.resolve("model"), "permission denied");
    Path readOnly = Files.writeString(folder.resolve("read-only"), "");
    Files.setPosixFilePermissions(readOnly, PosixFilePermissions.fromString("r--r--r--"));
    assertFails(readOnly, "is there already and is read-only");
  }

  private static void assertFails(Path path, String message) {
    for (Executable action :
        List.<Executable>of(
            () -> AtomicFile.checkWritable(path),
            () -> AtomicFile.write(path, channel -> channel.write(bytes("x"))))) {
      String actual = assertThrows(FileSystemException.class, action).getMessage();
      assertTrue(actual.contains(message), () -> "expected '" + message + "' in '" + actual + "'");
    }
  }

  private List<String> names() throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.map(path -> path.getFileName().toString()).sorted().toList();
    }
  }

  private static ByteBuffer bytes(String text) {
    return ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8));
  }

  @Test
  void aPipeIsNotReplacedByAFile() throws Exception {
    Path pipe = folder.resolve("pipe");
    int status = new ProcessBuilder("mkfifo", pipe.toString()).start().waitFor();
    assumeTrue(status == 0, "no pipe can be made here");
    FileSystemException e =
        assertThrows(FileSystemException.class, () -> AtomicFile.checkWritable(pipe));
    assertTrue(e.getMessage().contains("is a device or a pipe"), e.getMessage());
    assertThrows(IOException.class, () -> AtomicFile.write(pipe, channel -> {}));
    assertFalse(Files.isRegularFile(pipe));
  }
}
