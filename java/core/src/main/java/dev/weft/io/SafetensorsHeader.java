// SPDX-License-Identifier: Apache-2.0
package dev.weft.io;

import static dev.weft.format.Format.format;

import com.google.gson.stream.JsonWriter;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * The head of a safetensors file: what lies where in the rest of it.
 *
 * @param dataOffset where the tensors' numbers begin in the file
 * @param tensors in the order in which they lie in the file
 */
record SafetensorsHeader(long dataOffset, List<Tensor> tensors, Map<String, String> metadata) {
  /** Numbers at bytes {@code begin} (inclusive) to {@code end} (exclusive) after dataOffset. */
  record Tensor(String name, String dtype, long[] shape, long begin, long end) {}

  /** Bytes of all tensors, which fill the rest of the file. */
  long dataSize() {
    return tensors.isEmpty() ? 0 : tensors.getLast().end();
  }

  static final int PREFIX = 8;
  private static final ValueLayout.OfLong SIZE =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final long LARGEST = 100_000_000; // bytes; the reference reader's limit
  static final String METADATA = "__metadata__";

  /**
   * The bytes of a file that {@link #parse} needs, at most.
   *
   * @param first of the file, 8 or fewer where it ends before
   */
  static long headBytes(MemorySegment first) {
    long size = first.byteSize() < PREFIX ? 0 : first.get(SIZE, 0);
    return first.byteSize() + (size < 0 || size > LARGEST ? 0 : size);
  }

  /**
   * Reads a head.
   *
   * @param head the file's first bytes, as many as {@link #headBytes} asks for or the file has
   * @param fileSize of the whole file
   */
  static SafetensorsHeader parse(Path path, MemorySegment head, long fileSize)
      throws FormatException {
    if (fileSize < PREFIX) {
      throw new FormatException(
          path,
          fileSize,
          fileSize == 0
              ? "the file is empty; a safetensors file begins with the size of its header"
              : "not a safetensors file, or one that is cut short: it ends within the 8 bytes that"
                  + " give the size of its header");
    }
    long size = head.get(SIZE, 0);
    if (size < 2 || size > LARGEST) {
      throw new FormatException(
          path,
          0,
          format(
                  "not a safetensors file: it begins with %s, and not with the size of a header, 2"
                      + " to %d as",
                  beginning(head), LARGEST)
              + " 8 bytes");
    }
    if (fileSize > PREFIX && head.get(ValueLayout.JAVA_BYTE, PREFIX) != '{') {
      throw new FormatException(
          path,
          PREFIX,
          "not a safetensors file: a header of JSON is expected here, which must begin with {");
    }
    if (size > fileSize - PREFIX) {
      throw new FormatException(
          path,
          fileSize,
          format(
              "the file is cut short: it ends within its header of %d bytes, which begins at byte"
                  + " 8",
              size));
    }
    long dataOffset = PREFIX + size;
    SafetensorsHeaderReader reader =
        new SafetensorsHeaderReader(path, text(path, head.asSlice(PREFIX, size).asByteBuffer()));
    reader.parse();
    reader.tensors.sort(Comparator.comparingLong(Tensor::begin).thenComparingLong(Tensor::end));
    long end = 0;
    for (Tensor tensor : reader.tensors) {
      if (tensor.begin != end) {
        throw new FormatException(
            path,
            dataOffset + Math.min(tensor.begin, end),
            format(
                    "tensor %s begins at %d of the data, the one before it ends at %d; tensors must"
                        + " neither",
                    tensor.name, tensor.begin, end)
                + " overlap nor leave gaps");
      }
      end = tensor.end;
    }
    if (end != fileSize - dataOffset) {
      throw new FormatException(
          path,
          Math.min(fileSize, dataOffset + end),
          format(
              "%s%d bytes of data after the header; its tensors take %d",
              end > fileSize - dataOffset ? "the file is cut short: " : "",
              fileSize - dataOffset,
              end));
    }
    return new SafetensorsHeader(
        dataOffset,
        Collections.unmodifiableList(reader.tensors),
        Collections.unmodifiableMap(reader.metadata));
  }

  /** The first 8 bytes, as numbers and, where they are text, as that. */
  private static String beginning(MemorySegment head) {
    byte[] bytes = head.asSlice(0, PREFIX).toArray(ValueLayout.JAVA_BYTE);
    String text = new String(bytes, StandardCharsets.ISO_8859_1);
    String hex = HexFormat.ofDelimiter(" ").withUpperCase().formatHex(bytes);
    return text.chars().allMatch(c -> c >= ' ' && c <= '~') ? format("%s ('%s')", hex, text) : hex;
  }

  /** The header's JSON, padded with spaces to a multiple of 8 bytes so that the data is aligned. */
  static byte[] bytes(
      List<Map.Entry<String, Safetensors.Entry>> tensors, Map<String, String> metadata) {
    StringWriter text = new StringWriter();
    try (JsonWriter json = new JsonWriter(text)) {
      json.beginObject();
      if (!metadata.isEmpty()) {
        json.name(METADATA).beginObject();
        for (Map.Entry<String, String> pair : new TreeMap<>(metadata).entrySet()) {
          json.name(pair.getKey()).value(pair.getValue());
        }
        json.endObject();
      }
      long end = 0;
      for (Map.Entry<String, Safetensors.Entry> named : tensors) {
        if (named.getKey().equals(METADATA)) {
          throw new IllegalArgumentException("a tensor cannot be called " + METADATA);
        }
        Safetensors.Entry tensor = named.getValue();
        json.name(named.getKey()).beginObject().name("dtype").value(tensor.dtype());
        json.name("shape").beginArray();
        for (long size : tensor.shape()) {
          json.value(size);
        }
        json.endArray().name("data_offsets").beginArray().value(end);
        end = Math.addExact(end, tensor.data().byteSize());
        json.value(end).endArray().endObject();
      }
      json.endObject();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    byte[] bytes = utf8(text.toString());
    if (bytes.length > LARGEST - 8) {
      throw new IllegalArgumentException(
          format(
              "names and metadata make a header of %d bytes; %d are allowed",
              bytes.length, LARGEST));
    }
    byte[] padded = Arrays.copyOf(bytes, (bytes.length + 7) / 8 * 8);
    Arrays.fill(padded, bytes.length, padded.length, (byte) ' ');
    return padded;
  }

  private static byte[] utf8(String text) {
    try {
      ByteBuffer bytes = StandardCharsets.UTF_8.newEncoder().encode(CharBuffer.wrap(text));
      return Arrays.copyOf(bytes.array(), bytes.limit());
    } catch (CharacterCodingException e) {
      throw new IllegalArgumentException("a name or metadata text is not valid Unicode", e);
    }
  }

  private static String text(Path path, ByteBuffer bytes) throws FormatException {
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(bytes).toString();
    } catch (CharacterCodingException e) {
      throw new FormatException(
          path, PREFIX + (long) bytes.position(), "the header is not UTF-8 text", e);
    }
  }
}
