// SPDX-License-Identifier: Apache-2.0
package dev.weft.report;

import static dev.weft.format.Format.format;

import dev.weft.io.AtomicFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;

/**
 * Pictures that follow one another, again and again.
 *
 * @param frames the pictures; their plots have ranges and names that do not change, so that all are
 *     of one size
 * @param milliseconds how long each stands; the last one ten times as long
 */
public record Animation(List<Plots> frames, int milliseconds) {
  private static final int DEFAULT_MILLISECONDS = 100;

  /**
   * Checks the frames.
   *
   * @throws IllegalArgumentException where there are none, or they differ in size, or stand for
   *     less than the 20 ms that viewers of GIF can do
   */
  public Animation {
    frames = List.copyOf(frames);
    if (frames.isEmpty() || milliseconds < 20) {
      throw new IllegalArgumentException(
          format(
              "an animation needs a frame or more, each for 20 ms or longer, not %d for %d ms",
              frames.size(), milliseconds));
    }
    for (Plots frame : frames) {
      checkSize(frames.getFirst(), frame, frames.indexOf(frame));
    }
  }

  private static void checkSize(Plots first, Plots frame, int number) {
    if (Math.abs(frame.width() - first.width()) + Math.abs(frame.height() - first.height()) > 0.5) {
      throw new IllegalArgumentException(
          format(
              "frame %d of an animation is %.0f x %.0f pixels, the first %.0f x %.0f: give the"
                  + " plots of all frames the same ranges and names",
              number, frame.width(), frame.height(), first.width(), first.height()));
    }
  }

  /** An animation of ten frames a second. */
  public static Animation of(List<Plots> frames) {
    return new Animation(frames, DEFAULT_MILLISECONDS);
  }

  /** The same frames at another pace. */
  public Animation milliseconds(int each) {
    return new Animation(frames, each);
  }

  /**
   * Writes the animation, on a light page, to a file that ends in {@code .gif}.
   *
   * @throws IllegalArgumentException where the file's name ends otherwise
   * @throws IllegalStateException where the machine has no fonts, or its Java no java.desktop
   * @throws IOException where the file cannot be written
   */
  public void write(Path path) throws IOException {
    if (!path.toString().endsWith(".gif")) {
      throw new IllegalArgumentException(
          format("%s does not end in .gif, the form of an animation", path));
    }
    Drawing.check(path);
    byte[] gif = Pixels.gif(this);
    AtomicFile.write(path, channel -> channel.write(ByteBuffer.wrap(gif)));
  }
}
