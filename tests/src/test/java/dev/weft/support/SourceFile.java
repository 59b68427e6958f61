// SPDX-License-Identifier: Apache-2.0
package dev.weft.support;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.ByteArrayOutputStream;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import javax.tools.ToolProvider;

/** Programs in one file, compiled and run here. */
public final class SourceFile {
  private SourceFile() {}

  /** What the compiler says; nothing where all is well. */
  public static String compile(Path source, Path classes) {
    ByteArrayOutputStream said = new ByteArrayOutputStream();
    int status =
        ToolProvider.getSystemJavaCompiler()
            .run(
                null,
                said,
                said,
                "-d",
                classes.toString(),
                "-cp",
                System.getProperty("java.class.path"),
                source.toString());
    String words = said.toString(StandardCharsets.UTF_8);
    return status == 0 ? "" : words.isEmpty() ? "status " + status : words;
  }

  /** What a compiled class prints. */
  public static String run(String name, Path classes, String... arguments) throws Exception {
    try (URLClassLoader loader = new URLClassLoader(new URL[] {classes.toUri().toURL()})) {
      return Printed.by(loader.loadClass(name), arguments);
    }
  }

  /** What a program prints, that must compile. */
  public static String run(Path source, Path classes, String... arguments) throws Exception {
    assertEquals("", compile(source, classes));
    String file = source.getFileName().toString();
    return run(file.substring(0, file.length() - ".java".length()), classes, arguments);
  }
}
