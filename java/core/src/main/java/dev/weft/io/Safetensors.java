// SPDX-License-Identifier: Apache-2.0
package dev.weft.io;

import static dev.weft.format.Format.format;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Files of named tensors in the safetensors format (huggingface/safetensors), which PyTorch, JAX
 * and others read and write:
 *
 * <pre>
 *   8 bytes   n, little-endian
 *   n bytes   JSON: {"__metadata__": {text: text}, name: {"dtype", "shape", "data_offsets"}, ...}
 *   the rest  the tensors' numbers, little-endian, row-major, one behind the other without gaps
 * </pre>
 */
public final class Safetensors {
  private static final long CHUNK = 1L << 30;
  private static final int PREFIX = 8;

  private Safetensors() {}

  /**
   * A tensor in or for a file.
   *
   * @param dtype as the format spells it: F64, F32, F16, BF16, I64, I32, I16, I8, U8, U16, ...
   * @param shape empty for a scalar
   * @param data product(shape) numbers, little-endian; when read from a file perhaps not aligned
   */
  public record Entry(String dtype, long[] shape, MemorySegment data) {
    /**
     * @throws IllegalArgumentException if dtype is unknown or data has another size than shape
     */
    public Entry {
      shape = shape.clone();
      long bytes = SafetensorsDtype.byteSize(dtype, shape);
      if (data.byteSize() != bytes) {
        throw new IllegalArgumentException(
            format(
                "%s of shape %s takes %d bytes, got %d",
                dtype, Arrays.toString(shape), bytes, data.byteSize()));
      }
    }

    @Override
    public long[] shape() {
      return shape.clone();
    }
  }

  /**
   * What a file holds: tensors in the order in which they lie there, and the metadata.
   *
   * @param tensors by name
   */
  public record Contents(Map<String, Entry> tensors, Map<String, String> metadata) {
    /**
     * The tensor {@code name}.
     *
     * @throws IllegalArgumentException if there is none; the message lists what there is
     */
    public Entry tensor(String name) {
      Entry entry = tensors.get(name);
      if (entry == null) {
        throw new IllegalArgumentException(
            "no tensor " + name + " in the file; it holds " + tensors.keySet());
      }
      return entry;
    }
  }

  /**
   * Maps a file into memory: tensors are read from the disk when touched, and unmapped when no
   * longer reachable. Files that {@link #write} replaces stay valid for those who have them mapped.
   *
   * @throws FormatException if the file is not safetensors, is cut short, or its tensors overlap,
   *     leave gaps or have sizes that do not fit their shapes
   * @throws IOException if it cannot be read
   */
  public static Contents read(Path path) throws IOException {
    if (Files.isDirectory(path)) {
      throw new FileSystemException(path.toString(), null, "is a folder, not a safetensors file");
    }
    MemorySegment file;
    try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
      file = channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), Arena.ofAuto());
    }
    SafetensorsHeader header = SafetensorsHeader.parse(path, file);
    Map<String, Entry> tensors = new LinkedHashMap<>();
    for (SafetensorsHeader.Tensor tensor : header.tensors()) {
      MemorySegment data =
          file.asSlice(header.dataOffset() + tensor.begin(), tensor.end() - tensor.begin());
      tensors.put(tensor.name(), new Entry(tensor.dtype(), tensor.shape(), data));
    }
    return new Contents(Collections.unmodifiableMap(tensors), header.metadata());
  }

  /**
   * Writes a file, replacing what was there only when all is on the disk (see {@link AtomicFile}).
   * Tensors lie in the order of the reference writer, largest element first and then by name, each
   * aligned to its element; the same tensors give the same bytes.
   *
   * @throws IllegalArgumentException if a name cannot be written
   * @throws IOException if the file cannot be written
   */
  public static void write(Path path, Map<String, Entry> tensors, Map<String, String> metadata)
      throws IOException {
    List<Map.Entry<String, Entry>> ordered =
        tensors.entrySet().stream()
            .sorted(
                Comparator.comparingLong(
                        (Map.Entry<String, Entry> e) ->
                            -SafetensorsDtype.elementBytes(e.getValue().dtype()))
                    .thenComparing(Map.Entry.comparingByKey()))
            .toList();
    byte[] header = SafetensorsHeader.bytes(ordered, metadata);
    AtomicFile.write(
        path,
        channel -> {
          ByteBuffer start =
              ByteBuffer.allocate(PREFIX + header.length).order(ByteOrder.LITTLE_ENDIAN);
          start.putLong(header.length).put(header).flip();
          AtomicFile.writeFully(channel, start);
          for (Map.Entry<String, Entry> tensor : ordered) {
            write(channel, tensor.getValue().data());
          }
        });
  }

  /**
   * Returns if {@link #write} to {@code path} can be expected to succeed; for use before training.
   *
   * @throws IOException as {@link AtomicFile#checkWritable} does
   */
  public static void checkWritable(Path path) throws IOException {
    AtomicFile.checkWritable(path);
  }

  private static void write(FileChannel channel, MemorySegment data) throws IOException {
    for (long from = 0; from < data.byteSize(); from += CHUNK) {
      long size = Math.min(CHUNK, data.byteSize() - from);
      AtomicFile.writeFully(channel, data.asSlice(from, size).asByteBuffer());
    }
  }
}
