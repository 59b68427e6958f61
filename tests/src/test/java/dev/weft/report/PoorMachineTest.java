// SPDX-License-Identifier: Apache-2.0
package dev.weft.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weft.device.ChildJvm;
import dev.weft.support.Beside;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Pictures on machines without fonts, and of a Java without java.desktop. */
@Beside
class PoorMachineTest {
  @TempDir Path folder;

  /** Draws into the files named, and prints what is said against it. */
  public static final class Drawing {
    private Drawing() {}

    public static void main(String[] files) throws Exception {
      for (String file : files) {
        try {
          Plot.of("words", "x", "y")
              .line("l", new double[] {0, 1}, new double[] {0, 1})
              .write(Path.of(file));
          System.out.println("drawn");
        } catch (IllegalStateException e) {
          System.out.println(e.getMessage());
        }
      }
    }
  }

  private String[] drawn(ChildJvm java) {
    String svg = folder.resolve("a.svg").toString();
    return java.run(svg, folder.resolve("a.png").toString()).strip().split("\\R");
  }

  @Test
  void hereBothAreDrawn() {
    String[] said = drawn(new ChildJvm(Drawing.class));
    assertEquals("drawn drawn", String.join(" ", said));
  }

  @Test
  void aJavaWithoutJavaDesktopDrawsSvg() {
    String[] said = drawn(new ChildJvm(Drawing.class).option("--limit-modules=java.base"));
    assertEquals(2, said.length, String.join("\n", said));
    assertEquals("drawn", said[0]);
    assertTrue(said[1].contains("a.png: ") && said[1].contains("java.desktop"), said[1]);
    assertTrue(Files.exists(folder.resolve("a.svg")) && Files.notExists(folder.resolve("a.png")));
  }

  @Test
  void aMachineWithoutFontsDrawsSvgAndSaysWhatToInstall() throws Exception {
    Path none = Files.writeString(folder.resolve("fonts.conf"), "<fontconfig></fontconfig>");
    String[] said =
        drawn(
            new ChildJvm(Drawing.class)
                .variable("FONTCONFIG_FILE", none)
                .variable("HOME", folder)
                .property("user.home", folder));
    assertEquals(2, said.length, String.join("\n", said));
    assertEquals("drawn", said[0]);
    assertTrue(said[1].contains("apt-get install fontconfig fonts-dejavu-core"), said[1]);
    assertTrue(Files.notExists(folder.resolve("a.png")));
  }
}
