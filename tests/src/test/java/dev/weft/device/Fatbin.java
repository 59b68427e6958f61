// SPDX-License-Identifier: Apache-2.0
package dev.weft.device;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
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
  private static final int ELF_MAGIC = 0x464C457F;
  private static final int SYMBOL_TABLE = 2;
  private static final int FUNCTION = 2;

  /** What an image is. */
  public enum Kind {
    PTX,
    SASS
  }

  /** Code for one chip, such as 90 for sm_90; SASS is an ELF file, PTX may be compressed. */
  public record Image(Kind kind, int chip, ByteBuffer content) {

    /** The functions in the symbol table of SASS. */
    Set<String> functions() {
      if (content.getInt(0) != ELF_MAGIC) {
        throw new IllegalArgumentException("the image for sm_%d is no ELF file".formatted(chip));
      }
      Set<String> names = new TreeSet<>();
      int sections = Math.toIntExact(content.getLong(40));
      int count = content.getShort(60);
      for (int i = 0; i < count; i++) {
        int section = sections + 64 * i;
        if (content.getInt(section + 4) == SYMBOL_TABLE) {
          int strings = sections + 64 * content.getInt(section + 40);
          addFunctions(names, section, Math.toIntExact(content.getLong(strings + 24)));
        }
      }
      return names;
    }

    private void addFunctions(Set<String> names, int section, int strings) {
      int start = Math.toIntExact(content.getLong(section + 24));
      int bytes = Math.toIntExact(content.getLong(section + 32));
      for (int symbol = start; symbol < start + bytes; symbol += 24) {
        boolean defined = content.getShort(symbol + 6) != 0;
        if (defined && (content.get(symbol + 4) & 15) == FUNCTION) {
          names.add(text(strings + content.getInt(symbol)));
        }
      }
    }

    private String text(int start) {
      int end = start;
      while (content.get(end) != 0) {
        end++;
      }
      byte[] name = new byte[end - start];
      content.get(start, name);
      return new String(name, StandardCharsets.US_ASCII);
    }
  }

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
          "a fatbin of %d bytes that should have %d".formatted(bytes.length, end));
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
