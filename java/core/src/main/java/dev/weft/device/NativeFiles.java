// SPDX-License-Identifier: Apache-2.0
package dev.weft.device;

import static dev.weft.format.Format.format;
import static java.util.Locale.ROOT;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.JarURLConnection;
import java.net.URI;
import java.net.URL;
import java.net.URLConnection;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import org.tukaani.xz.XZInputStream;

/**
 * Native libraries that travel inside jars, as files that the loader can open. A library in a jar
 * is unpacked once into a folder of the user's cache, named by its size and checksum, and found
 * there by every later start; one in a class folder is used where it lies. Whenever one is
 * unpacked, those that were not used for 30 days are removed.
 */
public final class NativeFiles {
  private static final String PACKED = ".xz";

  private NativeFiles() {}

  /** The folder name of this platform in the jars: {@code linux-x86_64}, {@code linux-arm64}. */
  public static String platform() {
    String arch = System.getProperty("os.arch");
    String os = System.getProperty("os.name").toLowerCase(ROOT);
    return (os.startsWith("linux") ? "linux" : os)
        + "-"
        + switch (arch) {
          case "amd64", "x86_64" -> "x86_64";
          case "aarch64" -> "arm64";
          default -> arch;
        };
  }

  /**
   * The file that holds a resource of the class path.
   *
   * @param resource such as {@code dev/weft/native/linux-x86_64/libweft_cpu.so}
   * @return the file, or null where the class path has no such resource
   * @throws UncheckedIOException where it cannot be unpacked; the message names the cache folder
   */
  public static Path file(String resource) {
    URL url = find(resource);
    if (url == null) {
      return null;
    }
    boolean packed = isPacked(url);
    if (url.getProtocol().equals("file") && !packed) {
      return Path.of(URI.create(url.toString()));
    }
    try {
      URLConnection connection = url.openConnection();
      connection.setUseCaches(false);
      long bytes = connection.getContentLengthLong();
      String key =
          connection instanceof JarURLConnection jar
              ? format("%08x-%d", jar.getJarEntry().getCrc(), bytes)
              : Long.toString(bytes);
      Path folder = cacheFolder().resolve(key);
      Path target = folder.resolve(resource.substring(resource.lastIndexOf('/') + 1));
      UnusedLibraries.use(folder); // before it is looked at, or it might be removed meanwhile
      try (InputStream in = connection.getInputStream()) {
        if (!Files.exists(target)) {
          unpack(packed ? new XZInputStream(in) : in, folder, target);
          UnusedLibraries.remove(cacheFolder());
        } else if (!packed && Files.size(target) != bytes) {
          unpack(in, folder, target);
        }
      }
      return target;
    } catch (IOException e) {
      throw new UncheckedIOException(
          format(
              "cannot unpack %s into %s: %s; set WEFT_CACHE to a folder that can be written",
              resource, cacheFolder(), e.getMessage()),
          e);
    }
  }

  /** Whether the class path has a resource, packed or not. */
  public static boolean has(String resource) {
    return find(resource) != null;
  }

  /**
   * Opens a resource that {@link #has}, for reading and not for the loader; null where there is
   * none.
   */
  public static InputStream open(String resource) throws IOException {
    URL url = find(resource);
    if (url == null) {
      return null;
    }
    InputStream in = url.openStream();
    return isPacked(url) ? new XZInputStream(in) : in;
  }

  private static URL find(String resource) {
    ClassLoader loader = NativeFiles.class.getClassLoader();
    URL url = loader.getResource(resource);
    return url != null ? url : loader.getResource(resource + PACKED);
  }

  private static boolean isPacked(URL url) {
    return url.getPath().endsWith(PACKED);
  }

  private static void unpack(InputStream in, Path folder, Path target) throws IOException {
    Files.createDirectories(folder);
    // written aside and moved, so that two processes that start together never see half a file
    Path aside = Files.createTempFile(folder, "unpacking", ".part");
    try {
      Files.copy(in, aside, StandardCopyOption.REPLACE_EXISTING);
      Files.move(aside, target, StandardCopyOption.ATOMIC_MOVE);
    } finally {
      Files.deleteIfExists(aside);
    }
  }

  /** Where libraries are unpacked: {@code WEFT_CACHE}, else {@code ~/.cache/weft}. */
  public static Path cacheFolder() {
    String named = System.getenv("WEFT_CACHE");
    if (named != null && !named.isBlank()) {
      return Path.of(named);
    }
    // Java's user.home is the account's, whatever HOME says
    String home = System.getenv("HOME");
    return Path.of(home != null ? home : System.getProperty("user.home"), ".cache", "weft");
  }
}
