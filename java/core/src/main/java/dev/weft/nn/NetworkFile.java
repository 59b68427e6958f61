// SPDX-License-Identifier: Apache-2.0
package dev.weft.nn;

import static dev.weft.format.Format.format;

import dev.weft.DType;
import dev.weft.Parameter;
import dev.weft.Tensor;
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
import java.util.TreeMap;
import java.util.function.LongToDoubleFunction;

/**
 * Networks as safetensors files: a tensor for each parameter, the layers under {@code network}.
 * Values are in memory once a file was read, so that it may change before they go to a device.
 */
final class NetworkFile {
  private static final System.Logger LOG = System.getLogger("dev.weft");
  private static final String NETWORK = "network";
  private static final List<String> READ = List.of("F32", "F64", "F16", "BF16");
  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfDouble DOUBLE =
      ValueLayout.JAVA_DOUBLE_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private NetworkFile() {}

  /**
   * Layers and values in host memory.
   *
   * @param unknown the types of tensors that the file has and that cannot be read
   * @param source where they are from, for messages
   */
  record Values(
      String spec,
      Map<String, Safetensors.Entry> tensors,
      Map<String, String> unknown,
      String source) {

    static Values of(String spec, Map<String, Parameter> parameters, ParameterArena arena) {
      Map<String, Safetensors.Entry> tensors = new LinkedHashMap<>();
      parameters.forEach(
          (name, parameter) -> {
            Tensor tensor = arena.values(parameter);
            MemorySegment data = Arena.ofAuto().allocate(tensor.bytes(), 8);
            tensor.copyTo(data);
            tensors.put(
                name, new Safetensors.Entry(tensor.dtype().name(), tensor.shape().toArray(), data));
          });
      return new Values(spec, tensors, Map.of(), "the network");
    }

    void checkHolds(Map<String, Parameter> parameters) throws IOException {
      for (Map.Entry<String, Parameter> wanted : parameters.entrySet()) {
        String name = wanted.getKey();
        Safetensors.Entry entry = tensors.get(name);
        String dtype = entry == null ? unknown.get(name) : entry.dtype();
        if (dtype == null) {
          throw new IOException(format("%s: no tensor %s, which %s needs", source, name, spec));
        }
        if (!READ.contains(dtype)) {
          throw new IOException(
              format(
                  "%s: tensor %s has type %s; %s are read",
                  source, name, dtype, String.join(", ", READ)));
        }
        String shape = wanted.getValue().shape().toString();
        if (!Arrays.toString(entry.shape()).equals(shape)) {
          throw new IOException(
              format(
                  "%s: tensor %s has shape %s, %s needs %s",
                  source, name, Arrays.toString(entry.shape()), spec, shape));
        }
      }
    }

    /** Converts where types differ, and says so in the log. */
    void copyTo(Map<String, Parameter> parameters, ParameterArena arena) {
      Map<String, Integer> converted = new TreeMap<>();
      parameters.forEach(
          (name, parameter) -> {
            Tensor tensor = arena.values(parameter);
            Safetensors.Entry entry = tensors.get(name);
            if (entry.dtype().equals(tensor.dtype().name())) {
              tensor.copyFrom(entry.data());
            } else {
              tensor.copyFrom(converted(name, entry, tensor));
              converted.merge(
                  entry.dtype() + " was turned into " + tensor.dtype(), 1, Integer::sum);
            }
          });
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

  static void write(Path path, Values values) throws IOException {
    Safetensors.write(path, values.tensors(), Map.of("format", "weft", NETWORK, values.spec()));
  }

  static Values read(Path path) throws IOException {
    Safetensors.Contents contents = Safetensors.read(path);
    String spec = contents.metadata().get(NETWORK);
    if (spec == null) {
      throw new IOException(
          path + ": a safetensors file, but not a network of Weft: its metadata has no 'network'");
    }
    return new Values(spec, contents.tensors(), contents.unknown(), path.toString());
  }
}
