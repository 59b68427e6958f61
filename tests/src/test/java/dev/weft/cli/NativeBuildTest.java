// SPDX-License-Identifier: Apache-2.0
package dev.weft.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code .mvn/native}, what Maven calls for native code, on a library of one file. */
class NativeBuildTest {
  @TempDir private Path folder;
  private Path tree;

  @BeforeEach
  void makeCheckout() throws IOException {
    tree = folder.resolve("tree");
    Files.createDirectories(tree.resolve(".mvn"));
    for (String script : List.of(".mvn/native", ".mvn/errors")) {
      Files.copy(Path.of(System.getProperty("weft.root"), script), tree.resolve(script));
      assertTrue(tree.resolve(script).toFile().setExecutable(true));
    }
    Files.writeString(
        tree.resolve("CMakeLists.txt"),
        "cmake_minimum_required(VERSION 3.22)\nproject(x NONE)\n"
            + "add_custom_target(x ALL c++ -c ${CMAKE_SOURCE_DIR}/x.cpp)\n");
    Files.writeString(tree.resolve("x.cpp"), "int x;\n");
  }

  /** What is wrong with the build of the tree there; empty where nothing is. */
  private static String errors(Path tree, String path) throws Exception {
    ProcessBuilder build =
        new ProcessBuilder("/bin/bash", ".mvn/native", tree + "/built", "none", "all")
            .directory(tree.toFile())
            .redirectErrorStream(true)
            .redirectOutput(tree.resolve("said.txt").toFile());
    build.environment().put("PATH", path);
    build.environment().remove("CXX");
    Path errors = tree.resolve("built/errors.txt");
    int status = build.start().waitFor();
    assertEquals(status != 0, Files.exists(errors), () -> "exit status " + status);
    return status == 0 ? "" : Files.readString(errors, StandardCharsets.UTF_8);
  }

  private String errors() throws Exception {
    return errors(tree, System.getenv("PATH"));
  }

  private static void program(Path file, String command) throws IOException {
    Files.writeString(file, "#!/bin/sh\n" + command + "\n");
    assertTrue(file.toFile().setExecutable(true));
  }

  private static void assertHas(String part, String text) {
    assertTrue(text.contains(part), () -> "no '" + part + "' in: " + text);
  }

  @Test
  void aCompilersErrorIsNamed() throws Exception {
    assertEquals("", errors());
    Files.writeString(tree.resolve("x.cpp"), "int x\n");
    assertHas("x.cpp:1:6: error: expected", errors());
  }

  @Test
  void errorsOfCMakeAreNamedWithWhatTheySay() throws Exception {
    Files.writeString(tree.resolve("CMakeLists.txt"), "project(x NONE)\nnonsense()\n");
    String errors = errors();
    assertHas("CMake Error at CMakeLists.txt:2 (nonsense):", errors);
    assertHas("Unknown CMake command \"nonsense\"", errors);
  }

  @Test
  void aMissingCompilerIsNamedWithTheCommandThatInstallsIt() throws Exception {
    Path tools = Files.createDirectory(folder.resolve("tools"));
    for (String tool :
        List.of(
            "awk", "bash", "dirname", "grep", "head", "mkdir", "rm", "readlink", "sed", "tee")) {
      program(tools.resolve(tool), "exec /usr/bin/" + tool + " \"$@\"");
    }
    assertHas("cmake is missing: sudo apt-get install", errors(tree, tools.toString()));
    program(tools.resolve("cmake"), "exit");
    assertHas("c++ is missing: sudo apt-get install", errors(tree, tools.toString()));
  }

  @Test
  void aCheckoutThatWasCopiedOrMovedIsBuiltAnew() throws Exception {
    assertEquals("", errors());
    Path cache = tree.resolve("built/CMakeCache.txt"), kept = tree.resolve("built/kept");
    Files.createFile(kept);
    assertEquals("", errors());
    assertTrue(Files.exists(kept), "a build of its own");
    Path copy = folder.resolve("copy");
    int status = new ProcessBuilder("cp", "-a", tree.toString(), copy.toString()).start().waitFor();
    assertEquals(0, status);
    assertEquals("", errors(copy, System.getenv("PATH")));
    assertFalse(Files.exists(copy.resolve("built/kept")), "what the original made");
    Path moved = folder.resolve("moved");
    Files.move(tree, moved);
    assertEquals("", errors(moved, System.getenv("PATH")));
    assertFalse(Files.exists(moved.resolve("built/kept")), "what the place before made");
    assertHas(
        moved.toString(), Files.readString(moved.resolve("built").resolve(cache.getFileName())));
  }
}
