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
  private static final long HEAP_CHUNK = 1L << 20;
  private static final int PREFIX = 8;

  private Safetensors() {}

  /**
   * A tensor in or for a file.
   *
   * @param dtype as the format spells it: F64, F32, F16, BF16, I64, I32, I16, I8, U8, U16, ...
   * @param shape empty for a scalar
   * @param data product(shape) numbers, little-endian, those of F4 and F6 packed into whole bytes;
   *     off the heap or over an array of any type; when read from a file perhaps not aligned
   */
  public record Entry(String dtype, long[] shape, MemorySegment data) {
    /**
     * Checks that the data have the size that type and shape take.
     *
     * @throws IllegalArgumentException if dtype is unknown or data has another size than shape
     */
    public Entry {
      shape = shape.clone();
      long bytes = SafetensorsDtype.of(dtype).byteSize(shape);
      if (data.byteSize() != bytes) {
        throw new IllegalArgumentException(
            format(
                "%s of shape %s takes %d bytes, got %d",
                dtype, Arrays.toString(shape), bytes, data.byteSize()));
      }
    }

    /** A copy of the shape. */
    @Override
    public long[] shape() {
      return shape.clone();
    }
  }

  /**
   * What a file holds: tensors in the order in which they lie there, and the metadata.
   *
   * @param tensors by name
   * @param unknown the types, by name, of tensors whose type is none that is known here: their
   *     numbers cannot be had, and do not hinder those of the others
   */
  public record Contents(
      Map<String, Entry> tensors, Map<String, String> metadata, Map<String, String> unknown) {
    /**
     * The tensor {@code name}.
     *
     * @throws IllegalArgumentException if there is none, or its type is unknown; the message lists
     *     what there is
     */
    public Entry tensor(String name) {
      Entry entry = tensors.get(name);
      if (entry == null && unknown.containsKey(name)) {
        throw new IllegalArgumentException(
            format(
                "tensor %s cannot be read: its type is %s; those of %s can",
                name, unknown.get(name), tensors.keySet()));
      }
      if (entry == null) {
        throw new IllegalArgumentException(
            "no tensor " + name + " in the file; it holds " + tensors.keySet());
      }
      return entry;
    }
  }

  /**
   * Reads a file into memory off the heap, all of it: what happens to the file afterwards does not
   * matter. For a file of which less is needed there is {@link #map}.
   *
   * @throws FormatException if the file is not safetensors, is cut short, or its tensors overlap,
   *     leave gaps or have sizes that do not fit their shapes
   * @throws IOException if it cannot be read
   */
  public static Contents read(Path path) throws IOException {
    try (FileChannel channel = open(path)) {
      SafetensorsHeader header = header(path, channel);
      return contents(header, read(path, channel, header.dataOffset(), header.dataSize()));
    }
  }

  /**
   * Maps a file into memory, for as long as an arena lives: numbers come from the disk when they
   * are touched. A file that {@link #write} replaces stays valid for those who have it mapped. One
   * that something else makes shorter meanwhile does not: where it is cut, numbers read as 0 or end
   * in an {@link InternalError}, as the system has it.
   *
   * @throws FormatException as {@link #read} does
   * @throws IOException if it cannot be mapped
   */
  public static Contents map(Path path, Arena arena) throws IOException {
    try (FileChannel channel = open(path)) {
      SafetensorsHeader header = header(path, channel);
      return contents(
          header,
          channel.map(
              FileChannel.MapMode.READ_ONLY, header.dataOffset(), header.dataSize(), arena));
    }
  }

  private static FileChannel open(Path path) throws IOException {
    if (Files.isDirectory(path)) {
      throw new FileSystemException(path.toString(), null, "is a folder, not a safetensors file");
    }
    return FileChannel.open(path, StandardOpenOption.READ);
  }

  private static SafetensorsHeader header(Path path, FileChannel channel) throws IOException {
    long size = channel.size();
    MemorySegment first = read(path, channel, 0, Math.min(size, PREFIX));
    long head = Math.min(size, SafetensorsHeader.headBytes(first));
    return SafetensorsHeader.parse(path, read(path, channel, 0, head), size);
  }

  private static Contents contents(SafetensorsHeader header, MemorySegment data) {
    Map<String, Entry> tensors = new LinkedHashMap<>();
    Map<String, String> unknown = new LinkedHashMap<>();
    for (SafetensorsHeader.Tensor tensor : header.tensors()) {
      if (SafetensorsDtype.isKnown(tensor.dtype())) {
        MemorySegment numbers = data.asSlice(tensor.begin(), tensor.end() - tensor.begin());
        tensors.put(tensor.name(), new Entry(tensor.dtype(), tensor.shape(), numbers));
      } else {
        unknown.put(tensor.name(), tensor.dtype());
      }
    }
    return new Contents(
        Collections.unmodifiableMap(tensors),
        header.metadata(),
        Collections.unmodifiableMap(unknown));
  }

  private static MemorySegment read(Path path, FileChannel channel, long offset, long size)
      throws IOException {
    MemorySegment bytes = Arena.ofAuto().allocate(size, 64);
    for (long from = 0; from < size; ) {
      ByteBuffer chunk = bytes.asSlice(from, Math.min(CHUNK, size - from)).asByteBuffer();
      int read = channel.read(chunk, offset + from);
      if (read < 0) {
        throw new FormatException(
            path,
            offset + from,
            "the file ends here; it was longer when reading it began, so something else writes it");
      }
      from += read;
    }
    return bytes;
  }

  /**
   * Writes a file, replacing what was there only when all is on the disk (see {@link AtomicFile}).
   * Tensors lie in the order of the reference writer, largest element first, of one size by type,
   * of one type by name, each aligned to its element; the same tensors give the same bytes.
   *
   * @throws IllegalArgumentException if a name cannot be written
   * @throws IOException if the file cannot be written
   */
  public static void write(Path path, Map<String, Entry> tensors, Map<String, String> metadata)
      throws IOException {
    List<Map.Entry<String, Entry>> ordered =
        tensors.entrySet().stream()
            .sorted(
                Comparator.comparing(
                        (Map.Entry<String, Entry> e) -> SafetensorsDtype.of(e.getValue().dtype()),
                        Comparator.reverseOrder())
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
    // a channel takes what is off the heap; of arrays it would take byte[] alone
    long most = data.isNative() ? CHUNK : HEAP_CHUNK;
    MemorySegment copy =
        data.isNative() ? null : Arena.ofAuto().allocate(Math.min(most, data.byteSize()));
    for (long from = 0; from < data.byteSize(); from += most) {
      MemorySegment part = data.asSlice(from, Math.min(most, data.byteSize() - from));
      MemorySegment source = copy == null ? part : copy.asSlice(0, part.byteSize()).copyFrom(part);
      AtomicFile.writeFully(channel, source.asByteBuffer());
    }
  }
}
