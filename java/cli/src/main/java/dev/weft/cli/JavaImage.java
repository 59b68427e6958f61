// SPDX-License-Identifier: Apache-2.0
package dev.weft.cli;

import static dev.weft.format.Format.format;
import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.spi.ToolProvider;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Java reduced to what Weft needs, by the JDK that runs. */
final class JavaImage {
  // jcuda logs by java.logging; gson makes objects by sun.misc.Unsafe
  private static final String MODULES = "java.base,java.logging,jdk.unsupported";

  private JavaImage() {}

  /**
   * Returns if an image can be made.
   *
   * @throws IOException where the Java that runs is no JDK
   */
  static void check() throws IOException {
    jlink();
  }

  private static ToolProvider jlink() throws IOException {
    return ToolProvider.findFirst("jlink")
        .orElseThrow(
            () ->
                new IOException(
                    format(
                        "the Java in %s has no jlink; a bundle needs a JDK: set JAVA_HOME to one",
                        System.getProperty("java.home"))));
  }

  /** Makes the image in a folder that is not there yet, with more modules than Weft needs. */
  static void make(Path folder, List<String> more) throws IOException {
    StringWriter words = new StringWriter();
    PrintWriter log = new PrintWriter(words);
    int failed =
        jlink()
            .run(
                log,
                log,
                "--add-modules",
                Stream.concat(Stream.of(MODULES), more.stream()).collect(Collectors.joining(",")),
                "--strip-java-debug-attributes",
                "--no-header-files",
                "--no-man-pages",
                "--exclude-files", // of tools, and of connections, of which Weft makes none
                "**/jrt-fs.jar,**/lib/classlist,**/keytool,**/cacerts,**/public_suffix_list.dat",
                "--compress",
                "zip-0", // an archive of the bundle packs all classes together, and so better
                "--output",
                folder.toString());
    log.flush();
    if (failed != 0) {
      throw new IOException("jlink failed: " + words.toString().strip());
    }
    strip(folder);
  }

  /**
   * Takes the symbols that nothing links to out of native code, which makes an archive 1 MB smaller
   * (jlink's --strip-native-debug-symbols leaves them); where there is no objcopy they stay.
   */
  private static void strip(Path folder) throws IOException {
    try (Stream<Path> files = Files.walk(folder.resolve("lib"))) {
      for (Path file : files.filter(each -> each.toString().endsWith(".so")).toList()) {
        Process objcopy;
        try {
          objcopy =
              new ProcessBuilder("objcopy", "--strip-unneeded", file.toString())
                  .redirectErrorStream(true)
                  .start();
        } catch (IOException e) {
          return; // there is none
        }
        String said = new String(objcopy.getInputStream().readAllBytes(), UTF_8);
        if (objcopy.waitFor() != 0) {
          throw new IOException("objcopy failed: " + said.strip());
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted while native code was stripped", e);
    }
  }
}
