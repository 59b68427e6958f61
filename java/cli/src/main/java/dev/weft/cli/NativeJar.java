// SPDX-License-Identifier: Apache-2.0
package dev.weft.cli;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.zip.Deflater;
import org.tukaani.xz.FilterOptions;
import org.tukaani.xz.LZMA2Options;
import org.tukaani.xz.X86Options;
import org.tukaani.xz.XZOutputStream;

/** A jar of native libraries, as {@link dev.weft.device.NativeFiles} finds them. */
final class NativeJar {
  private static final int PRESET = 6;

  private NativeJar() {}

  /** How a library is packed. */
  enum Packing {
    /** As jars do. */
    DEFLATE,
    /** Slower and smaller: oneDNN's 90 MB become 15 instead of 26. */
    XZ
  }

  /** A resource of the class path. */
  record Part(String resource, Packing packing) {}

  /** Writes a jar of resources of the class path. */
  static void write(Path jar, List<Part> parts) throws IOException {
    try (OutputStream file = Files.newOutputStream(jar);
        JarOutputStream out = new JarOutputStream(file)) {
      out.setLevel(Deflater.BEST_COMPRESSION);
      for (Part part : parts) {
        try (InputStream in = open(part.resource())) {
          if (part.packing() == Packing.DEFLATE) {
            out.putNextEntry(new JarEntry(part.resource()));
            in.transferTo(out);
          } else {
            out.putNextEntry(new JarEntry(part.resource() + ".xz"));
            XZOutputStream packed = new XZOutputStream(out, filters());
            in.transferTo(packed);
            packed.finish();
          }
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
    ClassLoader loader = NativeJar.class.getClassLoader();
    InputStream in = loader.getResourceAsStream(resource);
    if (in == null) {
      throw new FileNotFoundException(
          "%s is not on the class path; a bundle is made by the Weft that was built, not by a bundle"
              .formatted(resource));
    }
    return in;
  }
}
