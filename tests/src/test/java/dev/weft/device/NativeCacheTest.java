// SPDX-License-Identifier: Apache-2.0
package dev.weft.device;

import static dev.weft.format.Format.format;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.tukaani.xz.LZMA2Options;
import org.tukaani.xz.XZOutputStream;

/** A cache of libraries that was damaged, and one that others could have filled. */
class NativeCacheTest {
  private static final String PLAIN = "some/where/libplain.so";
  private static final String PACKED = "some/where/libpacked.so";

  @TempDir Path folder;
  private Path jar;
  private Path cache;

  @BeforeEach
  void writeJar() throws IOException {
    cache = folder.resolve("cache");
    jar = folder.resolve("natives.jar");
    try (ZipOutputStream zip = new ZipOutputStream(Files.newOutputStream(jar))) {
      zip.putNextEntry(new ZipEntry(PLAIN));
      zip.write(library());
      zip.putNextEntry(new ZipEntry(PACKED + ".xz"));
      XZOutputStream packed = new XZOutputStream(zip, new LZMA2Options(1));
      packed.write(library());
      packed.finish();
    }
  }

  private static byte[] library() {
    byte[] library = new byte[30_000];
    new SplittableRandom(5).nextBytes(library);
    return library;
  }

  private String said(Class<?> main, String... arguments) {
    return new ChildJvm(main).variable("WEFT_CACHE", cache).before(jar).run(arguments).strip();
  }

  private Path unpacked() {
    return Path.of(said(NativeFilesTest.Unpack.class, PLAIN));
  }

  private static void mode(Path file, String mode) throws IOException {
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString(mode));
  }

  private static String mode(Path file) throws IOException {
    return PosixFilePermissions.toString(Files.getPosixFilePermissions(file));
  }

  /** What may become of a file. */
  @FunctionalInterface
  private interface Damage {
    void to(Path file) throws IOException;
  }

  private static Damage cut(int bytes) {
    return file -> Files.write(file, Arrays.copyOf(library(), bytes));
  }

  private static Map<String, Damage> damages() {
    int size = library().length;
    Map<String, Damage> all = new LinkedHashMap<>();
    for (int bytes : new int[] {0, 1, 1000, 4096, size / 2, size - 1, size + 1}) {
      all.put("cut to " + bytes, cut(bytes));
    }
    for (int at : new int[] {0, size / 2, size - 1}) {
      all.put("another byte at " + at, file -> flip(file, at));
      all.put("and the old time, " + at, file -> withOldTime(file, at));
      all.put("before the machine started anew, " + at, file -> beforeTheStart(file, at));
    }
    all.put("absent", Files::delete);
    all.put("unreadable", file -> mode(file, "---------"));
    all.put("writable by all", file -> mode(file, "rw-rw-rw-"));
    all.put("a link into nothing", file -> link(file, file.resolveSibling("nothing")));
    all.put(
        "a link to itself elsewhere",
        file ->
            link(file, Files.copy(file, Files.createTempDirectory("weft").resolve("libelse.so"))));
    all.put("no note", file -> Files.delete(note(file)));
    all.put("an empty note", file -> Files.writeString(note(file), ""));
    all.put("a note of zeros", file -> Files.write(note(file), new byte[90]));
    all.put("a note that is no text", file -> Files.write(note(file), new byte[] {-1, -2, 32}));
    all.put(
        "half a note",
        file -> Files.writeString(note(file), Files.readString(note(file)).substring(0, 20)));
    return all;
  }

  private static Path note(Path file) {
    return file.resolveSibling(file.getFileName() + ".checked");
  }

  private static void link(Path file, Path to) throws IOException {
    Files.delete(file);
    Files.createSymbolicLink(file, to);
  }

  private static void flip(Path file, int at) throws IOException {
    byte[] bytes = Files.readAllBytes(file);
    bytes[at] ^= 4;
    Files.write(file, bytes);
  }

  private static void withOldTime(Path file, int at) throws IOException {
    FileTime before = Files.getLastModifiedTime(file);
    flip(file, at);
    Files.setLastModifiedTime(file, before);
  }

  /** As after a power cut: what the file looks like is noted, and its bytes never arrived. */
  private static void beforeTheStart(Path file, int at) throws IOException {
    String checksum = Files.readString(note(file)).split(" ")[0];
    flip(file, at);
    Files.writeString(note(file), checksum + " " + looks(file) + " 00000000-0000\n");
  }

  private static String looks(Path file) throws IOException {
    Map<String, Object> seen = Files.readAttributes(file, "unix:size,lastModifiedTime,ctime,ino");
    return format(
        "%d %d %d %d",
        (long) seen.get("size"),
        ((FileTime) seen.get("lastModifiedTime")).to(TimeUnit.NANOSECONDS),
        ((FileTime) seen.get("ctime")).to(TimeUnit.NANOSECONDS),
        (long) seen.get("ino"));
  }

  /** Damages a file in each way and prints in which it was not made anew. */
  static final class DamageAll {
    private DamageAll() {}

    public static void main(String[] arguments) throws IOException {
      Path file = NativeFiles.file(arguments[0]);
      for (var damage : damages().entrySet()) {
        damage.getValue().to(file);
        String now = "was found whole";
        try {
          assertEquals(file, NativeFiles.file(arguments[0]));
        } catch (UncheckedIOException e) {
          now = e.getMessage();
        }
        boolean whole =
            Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)
                && Arrays.equals(library(), Files.readAllBytes(file))
                && mode(file).equals("rw-------");
        System.out.printf("%s: %s%n", damage.getKey(), whole ? "anew" : now);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {PLAIN, PACKED})
  void whateverBecameOfALibraryItIsMadeAnew(String resource) {
    List<String> said = said(DamageAll.class, resource).lines().toList();
    assertEquals(damages().keySet().stream().map(name -> name + ": anew").toList(), said);
  }

  @Test
  void aFolderInALibrarysPlaceIsNamed() throws IOException {
    Path file = unpacked();
    Files.delete(file);
    Files.createDirectory(file);
    String said = said(NativeFilesTest.Unpack.class, PLAIN);
    assertTrue(said.contains(file + " is a folder where a library belongs; remove it"), said);
  }

  @Test
  void whatAKilledProcessLeftIsRemoved() throws IOException {
    Path entry = unpacked().getParent();
    Path left = Files.write(entry.resolve("unpacking123.part"), new byte[100]);
    Path growing = Files.write(entry.resolve("unpacking124.part"), new byte[100]);
    FileTime days = FileTime.from(Instant.now().minus(Duration.ofDays(2)));
    Files.setLastModifiedTime(left, days);
    Files.setLastModifiedTime(entry, days);
    unpacked();
    assertFalse(Files.exists(left));
    assertTrue(Files.exists(growing), "another process may be at it");
  }

  @Test
  void aDamagedJarIsNotUnpacked() throws IOException {
    byte[] bytes = Files.readAllBytes(jar);
    bytes[2000] ^= 4; // within the first entry, which random bytes leave nearly unpacked
    Files.write(jar, bytes);
    String said = said(NativeFilesTest.Unpack.class, PLAIN);
    assertTrue(said.startsWith("cannot unpack " + PLAIN + " into " + cache), said);
    try (Stream<Path> left = Files.walk(cache)) {
      assertEquals(0, left.filter(Files::isRegularFile).count(), "files in the cache");
    }
  }

  @Test
  void theCacheIsTheUsersAlone() throws IOException {
    Path file = unpacked();
    assertEquals("rwx------", mode(cache));
    assertEquals("rwx------", mode(file.getParent()));
    assertEquals("rw-------", mode(file));
  }

  /** Opens the cache to others and prints what that changed. */
  static final class OpenToOthers {
    private OpenToOthers() {}

    public static void main(String[] arguments) throws IOException {
      for (String mode : arguments) {
        mode(NativeFiles.cacheFolder(), mode);
        NativeFilesTest.Unpack.main(new String[] {PLAIN});
        assertEquals(mode, mode(NativeFiles.cacheFolder()));
      }
    }
  }

  @Test
  void aFolderThatOthersCanWriteToIsRefusedAndLeftAsItIs() throws IOException {
    Path file = unpacked();
    String said = said(OpenToOthers.class, "rwxrwx---", "rwx----w-", "rwxr-xr-x");
    String[] lines = said.split("\n");
    for (String line : List.of(lines[0], lines[1])) {
      assertTrue(line.contains("others can write to " + cache), said);
      assertTrue(line.contains("chmod go-w '" + cache + "', or set WEFT_CACHE to a folder"), said);
    }
    assertEquals(file, Path.of(lines[2]), "what others only read is nobody's risk");
  }

  /** A library that somebody put there together with a note that fits it. */
  @Test
  void whatLayInAnOpenEntryIsNotTrusted() throws IOException {
    Path file = unpacked();
    String boot = Files.readString(note(file)).strip().replaceFirst(".* ", "");
    flip(file, 77);
    CRC32 checksum = new CRC32();
    checksum.update(Files.readAllBytes(file));
    Files.writeString(note(file), format("%08x %s %s%n", checksum.getValue(), looks(file), boot));
    unpacked();
    assertFalse(Arrays.equals(library(), Files.readAllBytes(file)), "the note fits");
    mode(file.getParent(), "rwxrwxrwx");
    unpacked();
    assertArrayEquals(library(), Files.readAllBytes(file));
    assertEquals("rwx------", mode(file.getParent()));
  }

  @Test
  void whatBelongsToAnotherUserIsRefused() throws IOException {
    Path file = unpacked();
    int user = (int) Files.getAttribute(file, "unix:uid");
    assumeTrue(user == 0, "only root can give a folder to another user");
    for (Path foreign : List.of(cache, file.getParent())) {
      Files.setAttribute(foreign, "unix:uid", 12_345);
      String said = said(NativeFilesTest.Unpack.class, PLAIN);
      assertTrue(said.contains(foreign + " belongs to the user 12345"), said);
      assertTrue(said.contains("set WEFT_CACHE to a folder that is not there yet"), said);
      Files.setAttribute(foreign, "unix:uid", user);
    }
    Path link = Files.createSymbolicLink(folder.resolve("link"), cache);
    Files.setAttribute(link, "unix:uid", 12_345, LinkOption.NOFOLLOW_LINKS);
    cache = link;
    String said = said(NativeFilesTest.Unpack.class, PLAIN);
    assertTrue(said.contains(link + " belongs to the user 12345"), said);
  }

  @Test
  void anOwnLinkLeadsToTheCache() throws IOException {
    Path file = unpacked();
    cache = Files.createSymbolicLink(folder.resolve("link"), cache);
    assertEquals(file.toRealPath(), unpacked().toRealPath());
  }

  /** Prints the cache folder, or why there is none. */
  static final class Folder {
    private Folder() {}

    public static void main(String[] arguments) {
      try {
        System.out.println(NativeFiles.cacheFolder());
      } catch (UncheckedIOException e) {
        System.out.println(e.getMessage());
      }
    }
  }

  @Test
  void theCacheIsUnderAHomeThatIsThere() {
    Path account = Path.of(System.getProperty("user.home"), ".cache", "weft");
    for (String home : List.of("", "relative/home")) {
      assertEquals(
          account, Path.of(new ChildJvm(Folder.class).variable("HOME", home).run().strip()));
    }
    Path other = folder.resolve(".cache").resolve("weft");
    assertEquals(other, Path.of(new ChildJvm(Folder.class).variable("HOME", folder).run().strip()));
    String said = new ChildJvm(Folder.class).variable("HOME", "/no/home").run();
    assertTrue(said.contains("there is none (/no/home); set WEFT_CACHE to a folder"), said);
  }
}
