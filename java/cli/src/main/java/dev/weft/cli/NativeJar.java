// SPDX-License-Identifier: Apache-2.0
package dev.weft.cli;

import dev.weft.device.NativeFiles;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import org.tukaani.xz.FilterOptions;
import org.tukaani.xz.LZMA2Options;
import org.tukaani.xz.X86Options;
import org.tukaani.xz.XZOutputStream;

/**
 * A jar of native libraries, as {@link NativeFiles} finds them. In the xz format oneDNN's 90 MB
 * become 15, and 26 as jars pack them.
 */
final class NativeJar {
  private static final int PRESET = 6;

  private NativeJar() {}

  /** Writes a jar of resources of the class path, each in the xz format. */
  static void write(Path jar, List<String> resources) throws IOException {
    try (OutputStream file = Files.newOutputStream(jar);
        JarOutputStream out = new JarOutputStream(file)) {
      for (String resource : resources) {
        try (InputStream in = open(resource)) {
          out.putNextEntry(new JarEntry(resource + ".xz"));
          XZOutputStream packed = new XZOutputStream(out, filters());
          in.transferTo(packed);
          packed.finish();
          out.closeEntry();
        }
      }
    }
  }

  private static FilterOptions[] filters() throws IOException {
    LZMA2Options lzma = new LZMA2Options(PRESET);
    return System.getProperty("os.arch").equals("amd64")
        ? new FilterOptions[] {new X86Options(), lzma}
        : new FilterOptions[] {lzma};
  }

  private static InputStream open(String resource) throws IOException {
    InputStream in = NativeFiles.open(resource);
    if (in == null) {
      throw new FileNotFoundException(resource + " is not on the class path");
    }
    return in;
  }
}
