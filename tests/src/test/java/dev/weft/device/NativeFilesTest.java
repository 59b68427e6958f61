// SPDX-License-Identifier: Apache-2.0
package dev.weft.device;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.lang.ref.Reference;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.tukaani.xz.LZMA2Options;
import org.tukaani.xz.XZOutputStream;

/** Native libraries out of jars, each time in a process with a cache folder of its own. */
class NativeFilesTest {
  private static final String PLAIN = "some/where/libplain.so";
  private static final String PACKED = "some/where/libpacked.so";

  private final byte[] library = new byte[300_000];

  @TempDir Path folder;
  private Path jar;
  private Path cache;

  @BeforeEach
  void writeJar() throws IOException {
    new SplittableRandom(5).nextBytes(library);
    cache = folder.resolve("cache");
    jar = folder.resolve("natives.jar");
    write(jar);
  }

  private void write(Path to) throws IOException {
    try (ZipOutputStream zip = new ZipOutputStream(Files.newOutputStream(to))) {
      zip.putNextEntry(new ZipEntry(PLAIN));
      zip.write(library);
      zip.putNextEntry(new ZipEntry(PACKED + ".xz"));
      zip.write(packed());
    }
  }

  private byte[] packed() throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (OutputStream out = new XZOutputStream(bytes, new LZMA2Options(1))) {
      out.write(library);
    }
    return bytes.toByteArray();
  }

  private ChildJvm child() {
    return new ChildJvm(Unpack.class).variable("WEFT_CACHE", cache).before(jar);
  }

  private Path unpacked(String resource) {
    return Path.of(child().run(resource).strip());
  }

  /** Prints where a resource lies, or what a user reads. */
  static final class Unpack {
    private Unpack() {}

    public static void main(String[] arguments) {
      try {
        System.out.println(NativeFiles.file(arguments[0]));
      } catch (UncheckedIOException e) {
        System.out.println(e.getMessage());
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {PLAIN, PACKED})
  void libraryIsUnpackedOnce(String resource) throws IOException {
    Path file = unpacked(resource);
    assertTrue(file.startsWith(cache), file::toString);
    assertTrue(resource.endsWith("/" + file.getFileName()), file::toString);
    assertArrayEquals(library, Files.readAllBytes(file));
    FileTime old = FileTime.fromMillis(1_000_000);
    Files.setLastModifiedTime(file, old);
    Object number = Files.getAttribute(file, "unix:ino");
    assertEquals(file, unpacked(resource));
    assertEquals(number, Files.getAttribute(file, "unix:ino"), "the same file");
    assertEquals(old, Files.getLastModifiedTime(file), "not written again");
  }

  @Test
  void halfAFileIsReplaced() throws IOException {
    Path file = unpacked(PLAIN);
    Files.write(file, new byte[1000]);
    assertEquals(file, unpacked(PLAIN));
    assertArrayEquals(library, Files.readAllBytes(file));
  }

  @Test
  void anotherVersionLiesElsewhere() throws IOException {
    Path first = unpacked(PLAIN);
    library[7]++;
    write(jar);
    Path second = unpacked(PLAIN);
    assertNotEquals(first, second);
    assertArrayEquals(library, Files.readAllBytes(second));
  }

  @ParameterizedTest
  @ValueSource(strings = {PLAIN, PACKED})
  void processesThatStartTogetherSeeWholeFiles(String resource) throws IOException {
    List<ChildJvm.Started> children = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      children.add(child().start(resource));
    }
    for (ChildJvm.Started each : children) {
      assertArrayEquals(library, Files.readAllBytes(Path.of(each.await().strip())));
    }
    try (Stream<Path> left = Files.walk(cache)) {
      String name = resource.substring(resource.lastIndexOf('/') + 1);
      assertEquals(
          List.of(name, name + ".checked"),
          left.filter(Files::isRegularFile)
              .map(each -> each.getFileName().toString())
              .sorted()
              .toList(),
          "files in the cache");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {PLAIN, PACKED})
  void cacheThatCannotBeWrittenNamesItselfAndTheVariable(String resource) throws IOException {
    Files.writeString(cache, "a file where the folder should be");
    String said = child().run(resource);
    assertTrue(said.startsWith("cannot unpack " + resource + " into " + cache), said);
    assertTrue(said.contains("set WEFT_CACHE to a folder that can be written"), said);
  }

  private Path entry(String name, int days) throws IOException {
    Path entry = Files.createDirectories(cache.resolve(name));
    Files.write(entry.resolve("libold.so"), new byte[5000]);
    Files.setLastModifiedTime(entry, daysAgo(days));
    return entry;
  }

  private static FileTime daysAgo(int days) {
    return FileTime.from(Instant.now().minus(Duration.ofDays(days)));
  }

  /** A link in the cache may lead anywhere. */
  @Test
  void cleaningDoesNotFollowLinks() throws IOException {
    Path elsewhere = Files.createDirectories(folder.resolve("elsewhere"));
    Path mine = Files.write(elsewhere.resolve("libmine.so"), new byte[10]);
    Files.setLastModifiedTime(elsewhere, daysAgo(100));
    Files.createDirectories(cache);
    Path link = Files.createSymbolicLink(cache.resolve("20240115-2"), elsewhere);
    Path holder = Files.createDirectories(cache.resolve("20240115-3"));
    Files.createSymbolicLink(holder.resolve("libmine.so"), mine);
    Files.setLastModifiedTime(holder, daysAgo(100));
    unpacked(PLAIN);
    assertTrue(Files.exists(mine));
    assertTrue(Files.exists(link));
    assertTrue(Files.exists(holder));
  }

  @Test
  void whatNobodyUsedForAMonthIsRemoved() throws IOException {
    Path old = entry("0123abcd-5000", 31);
    Path dated = entry("20240115-2", 400);
    Files.writeString(dated.resolve("notes.txt"), "not Weft's");
    Files.setLastModifiedTime(dated, daysAgo(400));
    Path used = entry("0123abcd-5001", 29);
    Path foreign = entry("notes", 400);
    Path mapped = entry("0123abcd-5002", 31);
    try (FileChannel file = FileChannel.open(mapped.resolve("libold.so"))) {
      MappedByteBuffer memory = file.map(FileChannel.MapMode.READ_ONLY, 0, file.size());
      Path current = unpacked(PLAIN);
      assertTrue(Files.exists(current));
      assertTrue(Files.notExists(old), "removed");
      for (Path kept : List.of(used, foreign, dated, mapped)) {
        assertTrue(Files.exists(kept.resolve("libold.so")), kept::toString);
      }
      Reference.reachabilityFence(memory);
    }
  }

  @Test
  void whatIsUsedStays() throws IOException {
    Path first = unpacked(PLAIN);
    Files.setLastModifiedTime(first.getParent(), daysAgo(31));
    unpacked(PLAIN);
    assertTrue(
        Files.getLastModifiedTime(first.getParent()).compareTo(daysAgo(1)) > 0, "used just now");
    Path old = entry("0123abcd-5000", 31);
    unpacked(PLAIN);
    assertTrue(Files.exists(old), "nothing was unpacked, so nothing is removed");
    library[7]++;
    write(jar);
    unpacked(PLAIN);
    assertTrue(Files.exists(first), "another version, used this month");
    assertTrue(Files.notExists(old));
  }

  @Test
  void damagedJarLeavesNothingBehind() throws IOException {
    byte[] packed = packed();
    packed[packed.length / 2] ^= 1;
    try (ZipOutputStream zip = new ZipOutputStream(Files.newOutputStream(jar))) {
      zip.putNextEntry(new ZipEntry(PACKED + ".xz"));
      zip.write(packed);
    }
    String said = child().run(PACKED);
    assertTrue(said.startsWith("cannot unpack " + PACKED), said);
    try (Stream<Path> left = Files.walk(cache)) {
      assertEquals(0, left.filter(Files::isRegularFile).count(), "files in the cache");
    }
  }

  @Test
  void libraryInAFolderIsUsedWhereItLies() throws IOException {
    Path classes = folder.resolve("classes");
    Path there = classes.resolve(PLAIN);
    Files.createDirectories(there.getParent());
    Files.write(there, library);
    String said =
        new ChildJvm(Unpack.class).variable("WEFT_CACHE", cache).before(classes).run(PLAIN);
    assertEquals(there, Path.of(said.strip()));
    assertTrue(Files.notExists(cache));
  }

  @Test
  void whatIsNotThereIsNull() {
    assertEquals("null", child().run("some/where/else.so").strip());
  }
}
