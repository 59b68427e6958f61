// SPDX-License-Identifier: Apache-2.0
package dev.weft.cli;

import java.io.IOException;
import java.io.OutputStream;
import java.net.URISyntaxException;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import java.util.zip.Deflater;

/**
 * The jar that a class came from, without the native libraries in it and the packages of
 * commons-math that JMH does not reach. It is not packed: an archive of the bundle does that, and
 * better.
 */
final class ClassJar {
  private static final Pattern LEFT_OUT =
      Pattern.compile(
          "dev/weft/native/.*|org/apache/commons/math3/(complex|dfp|filter|fitting|genetics|geometry"
              + "|ml|ode|optim|optimization|primes|transform)/.*");

  private ClassJar() {}

  /** Copies it to a folder; where the class came from a folder of classes, makes a jar of that. */
  static void copy(Class<?> type, Path to) throws IOException {
    Path source = source(type);
    if (Files.isDirectory(source)) {
      pack(source, to.resolve(type.getName() + ".jar"));
    } else {
      copy(source, to);
    }
  }

  /** Copies its licence to a folder, and what it says of the work of others. */
  static void copyNotices(Class<?> type, Path to) throws IOException {
    Path source = source(type);
    if (Files.isDirectory(source)) {
      copyNotices(source, to);
    } else {
      try (FileSystem content = FileSystems.newFileSystem(source)) {
        copyNotices(content.getPath("/"), to);
      }
    }
  }

  private static void copyNotices(Path from, Path to) throws IOException {
    for (String name : List.of("LICENSE", "NOTICE", "THIRD-PARTY.txt")) {
      Files.copy(from.resolve("META-INF").resolve(name), to.resolve(name));
    }
  }

  /** The jar or the folder that a class came from. */
  static Path source(Class<?> type) throws IOException {
    try {
      return Path.of(type.getProtectionDomain().getCodeSource().getLocation().toURI());
    } catch (URISyntaxException e) {
      throw new IOException("no file holds " + type, e);
    }
  }

  /** Copies a jar to a folder. */
  static void copy(Path jar, Path to) throws IOException {
    try (FileSystem content = FileSystems.newFileSystem(jar)) {
      pack(content.getPath("/"), to.resolve(jar.getFileName().toString()));
    }
  }

  private static void pack(Path folder, Path jar) throws IOException {
    List<Path> files;
    try (Stream<Path> walk = Files.walk(folder)) {
      files = walk.filter(Files::isRegularFile).sorted().toList();
    }
    try (OutputStream out = Files.newOutputStream(jar);
        JarOutputStream entries = new JarOutputStream(out)) {
      entries.setLevel(Deflater.NO_COMPRESSION);
      for (Path file : files) {
        String name = folder.relativize(file).toString();
        if (!LEFT_OUT.matcher(name).matches()) {
          entries.putNextEntry(new JarEntry(name));
          Files.copy(file, entries);
          entries.closeEntry();
        }
      }
    }
  }
}
