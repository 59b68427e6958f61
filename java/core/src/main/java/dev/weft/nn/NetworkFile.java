// SPDX-License-Identifier: Apache-2.0
package dev.weft.nn;

import static dev.weft.format.Format.format;

import dev.weft.DType;
import dev.weft.Parameter;
import dev.weft.Tensor;
import dev.weft.format.Format;
import dev.weft.io.Safetensors;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.LongToDoubleFunction;
import org.jspecify.annotations.Nullable;

/**
 * Networks as safetensors files: a tensor for each parameter, the model under {@code network}.
 * Values are in memory once a file was read, so that it may change before they go to a device.
 */
final class NetworkFile {
  private static final System.Logger LOG = System.getLogger("dev.weft");
  private static final String NETWORK = "network";
  private static final int LONGEST = 1000; // characters that are shown of a file's words
  private static final List<String> READ = List.of("F32", "F64", "F16", "BF16");
  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfDouble DOUBLE =
      ValueLayout.JAVA_DOUBLE_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private NetworkFile() {}

  /** Words that quote a file. */
  static String shown(@Nullable String words) {
    return Format.shown(String.valueOf(words), LONGEST);
  }

  /**
   * Values in host memory.
   *
   * @param spec what the file says of the network; null where it says nothing
   * @param unknown the types of tensors that the file has and that cannot be read
   * @param source where they are from, for messages
   */
  record Values(
      @Nullable String spec,
      Map<String, Safetensors.Entry> tensors,
      Map<String, String> unknown,
      String source) {

    static Values of(Map<String, Parameter> parameters, ParameterArena arena) {
      Map<String, Safetensors.Entry> tensors = new LinkedHashMap<>();
      parameters.forEach(
          (name, parameter) -> {
            Tensor tensor = arena.values(parameter);
            MemorySegment data = Arena.ofAuto().allocate(tensor.bytes(), 8);
            tensor.copyTo(data);
            tensors.put(
                name, new Safetensors.Entry(tensor.dtype().name(), tensor.shape().toArray(), data));
          });
      return new Values(null, tensors, Map.of(), "the network");
    }

    /** Those of the given names. */
    Values only(Set<String> names) {
      Map<String, Safetensors.Entry> kept = new LinkedHashMap<>(tensors);
      kept.keySet().retainAll(names);
      return new Values(spec, kept, Map.of(), source);
    }

    void checkHolds(Map<String, Parameter> parameters, String network) throws IOException {
      for (Map.Entry<String, Parameter> wanted : parameters.entrySet()) {
        String name = wanted.getKey();
        Safetensors.Entry entry = tensors.get(name);
        String dtype = entry == null ? unknown.get(name) : entry.dtype();
        if (dtype == null) {
          throw wrong("no tensor %s, which %s needs", name, network);
        }
        if (entry == null || !READ.contains(dtype)) {
          throw wrong("tensor %s has type %s; %s are read", name, dtype, String.join(", ", READ));
        }
        String shape = wanted.getValue().shape().toString();
        if (!Arrays.toString(entry.shape()).equals(shape)) {
          throw wrong(
              "tensor %s has shape %s, %s needs %s",
              name, Arrays.toString(entry.shape()), network, shape);
        }
      }
    }

    private IOException wrong(String what, Object... values) {
      return new IOException(source + ": " + shown(format(what, values)));
    }

    /** Converts where types differ, and says so in the log. */
    void copyTo(Map<String, Parameter> parameters, ParameterArena arena) {
      Map<String, Integer> converted = new TreeMap<>();
      Map<Tensor, MemorySegment> copies = new LinkedHashMap<>(); // all or none
      parameters.forEach(
          (name, parameter) -> {
            Tensor tensor = arena.values(parameter);
            Safetensors.Entry entry = Objects.requireNonNull(tensors.get(name), name);
            if (entry.dtype().equals(tensor.dtype().name())) {
              copies.put(tensor, entry.data());
            } else {
              copies.put(tensor, converted(name, entry, tensor));
              converted.merge(
                  entry.dtype() + " was turned into " + tensor.dtype(), 1, Integer::sum);
            }
          });
      copies.forEach(Tensor::copyFrom);
      converted.forEach(
          (types, count) ->
              LOG.log(
                  System.Logger.Level.INFO,
                  format("%s: %s in %d of %d tensors", source, types, count, parameters.size())));
    }

    private MemorySegment converted(String name, Safetensors.Entry from, Tensor tensor) {
      MemorySegment to = Arena.ofAuto().allocate(tensor.bytes(), 8);
      LongToDoubleFunction values = values(from);
      for (long i = 0; i < tensor.elements(); i++) {
        double value = values.applyAsDouble(i);
        if (tensor.dtype() == DType.F64) {
          to.setAtIndex(DOUBLE, i, value);
          continue;
        }
        float narrow = (float) value;
        if (Float.isInfinite(narrow) && Double.isFinite(value)) {
          throw new IllegalArgumentException(
              format(
                  "%s: tensor %s holds %s, which is too large for float32; MathMode.DOUBLE can",
                  source, name, value));
        }
        to.setAtIndex(FLOAT, i, narrow);
      }
      return to;
    }

    private static LongToDoubleFunction values(Safetensors.Entry entry) {
      MemorySegment data = entry.data();
      return switch (entry.dtype()) {
        case "F64" -> i -> data.getAtIndex(DOUBLE, i);
        case "F32" -> i -> data.getAtIndex(FLOAT, i);
        case "F16" -> i -> Float.float16ToFloat(data.getAtIndex(SHORT, i));
        // the upper half of a float32
        case "BF16" -> i -> Float.intBitsToFloat(data.getAtIndex(SHORT, i) << 16);
        default -> throw new IllegalArgumentException(entry.dtype());
      };
    }
  }

  /** Writes values, what {@link ModelTree} wrote of the network, which may be null, and notes. */
  static void write(Path path, Values values, @Nullable String network, Map<String, String> notes)
      throws IOException {
    Map<String, String> metadata = new LinkedHashMap<>(Map.of("format", "weft"));
    if (network != null) {
      metadata.put(NETWORK, network);
    }
    for (Map.Entry<String, String> note : new TreeMap<>(notes).entrySet()) {
      if (metadata.putIfAbsent(note.getKey(), note.getValue()) != null) {
        throw new IllegalArgumentException(
            format("a note is called '%s', which says what the file is", note.getKey()));
      }
    }
    Safetensors.write(path, values.tensors(), metadata);
  }

  static Values read(Path path) throws IOException {
    Safetensors.Contents contents = Safetensors.read(path);
    return new Values(
        contents.metadata().get(NETWORK), contents.tensors(), contents.unknown(), path.toString());
  }
}
