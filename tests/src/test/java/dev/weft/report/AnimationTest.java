// SPDX-License-Identifier: Apache-2.0
package dev.weft.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weft.support.Beside;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import javax.imageio.ImageIO;
import javax.imageio.ImageReader;
import javax.imageio.metadata.IIOMetadataNode;
import javax.imageio.stream.ImageInputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** An animation shows its frames one after the other, for ever, in a small file. */
@Beside
class AnimationTest {
  private static final int FRAMES = 10;

  @TempDir Path folder;

  /** A line that grows. */
  private static List<Plots> frames() {
    double[] x = Plot.evenly(0, 1, FRAMES + 1);
    return IntStream.rangeClosed(1, FRAMES)
        .mapToObj(
            i ->
                Plots.of(
                    1,
                    Plot.of("t", "x", "y")
                        .xRange(0, 1)
                        .yRange(0, 1)
                        .line("l", Arrays.copyOf(x, i + 1), Arrays.copyOf(x, i + 1))))
        .toList();
  }

  private static IIOMetadataNode node(ImageReader reader, int frame, String name)
      throws IOException {
    IIOMetadataNode root =
        (IIOMetadataNode) reader.getImageMetadata(frame).getAsTree("javax_imageio_gif_image_1.0");
    return (IIOMetadataNode) root.getElementsByTagName(name).item(0);
  }

  private static long blue(BufferedImage image) {
    int[] pixels =
        image.getRGB(0, 0, image.getWidth(), image.getHeight(), null, 0, image.getWidth());
    return Arrays.stream(pixels).filter(pixel -> pixel == (0xff000000 | Ink.BLUE.light)).count();
  }

  @Test
  void framesFollowOneAnotherForEver() throws Exception {
    Path file = folder.resolve("a.gif");
    Animation.of(frames()).milliseconds(50).write(file);
    assertTrue(Files.size(file) < 40_000, () -> file.toFile().length() + " bytes");
    ImageReader reader = ImageIO.getImageReadersByFormatName("gif").next();
    try (ImageInputStream in = ImageIO.createImageInputStream(file.toFile())) {
      reader.setInput(in);
      assertEquals(FRAMES, reader.getNumImages(true));
      for (int i = 0; i < FRAMES; i++) {
        String delay = node(reader, i, "GraphicControlExtension").getAttribute("delayTime");
        assertEquals(i < FRAMES - 1 ? "5" : "50", delay, "hundredths");
        // a frame holds what differs from the one before: a tenth of the line
        long blue = blue(reader.read(i));
        assertTrue(blue > 10 && blue < 150, blue + " in frame " + i);
      }
      IIOMetadataNode loop = node(reader, 0, "ApplicationExtension");
      assertEquals("NETSCAPE", loop.getAttribute("applicationID"));
      assertEquals(0, ((byte[]) loop.getUserObject())[1], "without end");
    } finally {
      reader.dispose();
    }
  }

  private static String refused(org.junit.jupiter.api.function.Executable call) {
    return assertThrows(IllegalArgumentException.class, call).getMessage();
  }

  @Test
  void framesOfTwoSizesAreRefused() {
    Plots wide = Plots.of(2, Plot.of("", "", ""), Plot.of("", "", ""));
    String words = refused(() -> Animation.of(List.of(frames().getFirst(), wide)));
    assertTrue(words.contains("frame 1") && words.contains("same ranges"), words);
  }

  @Test
  void otherRefusalsSayWhatIsNeeded() {
    assertTrue(refused(() -> Animation.of(List.of())).contains("not 0 for"));
    assertTrue(refused(() -> Animation.of(frames()).milliseconds(5)).contains("for 5 ms"));
    Path file = folder.resolve("a.png");
    assertTrue(refused(() -> Animation.of(frames()).write(file)).contains(".gif"));
    assertTrue(Files.notExists(file));
  }
}
