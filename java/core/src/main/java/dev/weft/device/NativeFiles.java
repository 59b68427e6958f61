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
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import org.tukaani.xz.XZInputStream;

/**
 * Native libraries that travel inside jars, as files that the loader can open. A library in a jar
 * is unpacked once into a folder of the user's cache, named by its size and checksum, and found
 * there by every later start, which unpacks it anew where it is not whole; one in a class folder is
 * used where it lies. Whenever one is unpacked, those that were not used for 30 days are removed.
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
  public static @Nullable Path file(String resource) {
    URL url = find(resource);
    if (url == null) {
      return null;
    }
    boolean packed = isPacked(url);
    if (url.getProtocol().equals("file") && !packed) {
      return Path.of(URI.create(url.toString()));
    }
    Path cache;
    try {
      cache = CacheFolder.path();
    } catch (IOException e) {
      throw new UncheckedIOException(format("cannot unpack %s: %s", resource, e.getMessage()), e);
    }
    try {
      return unpacked(resource, url, cache);
    } catch (CacheFolder.RefusedException e) {
      throw new UncheckedIOException(
          format("cannot unpack %s into %s: %s", resource, cache, e.getMessage()), e);
    } catch (IOException e) {
      throw new UncheckedIOException(
          format(
              "cannot unpack %s into %s: %s; set WEFT_CACHE to a folder that can be written",
              resource, cache, reason(e)),
          e);
    }
  }

  private static Path unpacked(String resource, URL url, Path cache) throws IOException {
    URLConnection connection = url.openConnection();
    connection.setUseCaches(false);
    try (InputStream in = connection.getInputStream()) {
      long bytes = connection.getContentLengthLong();
      long checksum = connection instanceof JarURLConnection jar ? jar.getJarEntry().getCrc() : -1;
      String key = checksum < 0 ? Long.toString(bytes) : format("%08x-%d", checksum, bytes);
      CacheFolder.claim(cache);
      Path entry = cache.resolve(key);
      UnusedLibraries.use(entry); // before it is looked at, or it might be removed meanwhile
      final boolean trusted = CacheFolder.claimEntry(entry);
      Path file = entry.resolve(resource.substring(resource.lastIndexOf('/') + 1));
      UnpackedLibrary library = new UnpackedLibrary(file);
      if (!trusted || !library.isWhole()) {
        if (isPacked(url)) {
          library.unpack(new XZInputStream(in), -1); // which looks at the checksum in it
        } else {
          library.unpack(in, checksum);
        }
        UnusedLibraries.remove(cache);
      }
      return file;
    }
  }

  private static String reason(IOException e) {
    return switch (e) {
      case FileSystemException file when file.getReason() != null ->
          String.valueOf(file.getMessage());
      case AccessDeniedException denied -> "permission denied for " + denied.getFile();
      case FileSystemException file -> file.getFile() + " cannot be used (" + name(file) + ")";
      default -> e.getMessage() == null ? name(e) : e.getMessage();
    };
  }

  private static String name(IOException e) {
    return e.getClass().getSimpleName();
  }

  /** The loader's words about a file that it did not load, and what to do where that is known. */
  public static String whyNotLoaded(Path file, String words) {
    return words.contains("failed to map segment")
        ? format(
            "%s: the system lets no program run from %s, which a mount with the option noexec"
                + " does; set WEFT_CACHE to a folder elsewhere",
            words, file.toAbsolutePath().getParent())
        : words;
  }

  /** Whether the class path has a resource, packed or not. */
  public static boolean has(String resource) {
    return find(resource) != null;
  }

  /**
   * Opens a resource that {@link #has}, for reading and not for the loader; null where there is
   * none.
   */
  public static @Nullable InputStream open(String resource) throws IOException {
    URL url = find(resource);
    if (url == null) {
      return null;
    }
    InputStream in = url.openStream();
    return isPacked(url) ? new XZInputStream(in) : in;
  }

  private static @Nullable URL find(String resource) {
    ClassLoader loader = NativeFiles.class.getClassLoader();
    URL url = loader.getResource(resource);
    return url != null ? url : loader.getResource(resource + PACKED);
  }

  private static boolean isPacked(URL url) {
    return url.getPath().endsWith(PACKED);
  }

  /**
   * Where libraries are unpacked: {@code WEFT_CACHE}, else {@code ~/.cache/weft}.
   *
   * @throws UncheckedIOException where there is neither; the message says what to do
   */
  public static Path cacheFolder() {
    try {
      return CacheFolder.path();
    } catch (IOException e) {
      throw new UncheckedIOException(e.getMessage(), e);
    }
  }
}
