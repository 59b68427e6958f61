// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench.sass;

import static dev.weft.format.Format.format;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/**
 * The images in a container of nvcc's: a header (magic, u16 version, u16 header bytes, u64 body
 * bytes), then images, each behind a header of its own (u16 kind, u16 version, u32 header bytes,
 * u64 image bytes, ..., u32 chip at byte 28, ...).
 */
public record Fatbin(List<Image> images) {
  private static final int MAGIC = 0xBA55ED50;

  /** What an image is. */
  public enum Kind {
    PTX,
    SASS
  }

  /** Code for one chip, such as 90 for sm_90; SASS is a {@link Cubin}, PTX may be compressed. */
  public record Image(Kind kind, int chip, ByteBuffer content) {}

  /**
   * Reads a container.
   *
   * @throws IllegalArgumentException where it is none, or ends too early
   */
  public static Fatbin read(byte[] bytes) {
    ByteBuffer in = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    if (bytes.length < 16 || in.getInt(0) != MAGIC) {
      throw new IllegalArgumentException("not a fatbin");
    }
    long end = in.getShort(6) + in.getLong(8);
    if (end != bytes.length) {
      throw new IllegalArgumentException(
          format("a fatbin of %d bytes that should have %d", bytes.length, end));
    }
    List<Image> images = new ArrayList<>();
    for (int at = in.getShort(6); at < bytes.length; ) {
      int header = in.getInt(at + 4);
      int size = Math.toIntExact(in.getLong(at + 8));
      Kind kind =
          switch (in.getShort(at)) {
            case 1 -> Kind.PTX;
            case 2 -> Kind.SASS;
            default -> throw new IllegalArgumentException("an image of kind " + in.getShort(at));
          };
      ByteBuffer content = in.slice(at + header, size).order(ByteOrder.LITTLE_ENDIAN);
      images.add(new Image(kind, in.getInt(at + 28), content));
      at += header + size;
    }
    return new Fatbin(images);
  }

  /** The chips that it has code of a kind for. */
  public Set<Integer> chips(Kind kind) {
    Set<Integer> chips = new TreeSet<>();
    images.stream().filter(image -> image.kind() == kind).forEach(image -> chips.add(image.chip()));
    return chips;
  }
}
