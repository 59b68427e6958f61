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
import java.util.LinkedHashMap;
import java.util.Map;

/** Networks as safetensors files: a tensor for each parameter, the layers under {@code network}. */
final class NetworkFile {
  private static final String NETWORK = "network";
  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfDouble DOUBLE =
      ValueLayout.JAVA_DOUBLE_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private NetworkFile() {}

  /** Layers and values in host memory. */
  record Values(String spec, Map<String, Safetensors.Entry> tensors, String source) {

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
      return new Values(spec, tensors, "the network");
    }

    void checkHolds(Map<String, Parameter> parameters) throws IOException {
      for (Map.Entry<String, Parameter> wanted : parameters.entrySet()) {
        Safetensors.Entry entry = tensors.get(wanted.getKey());
        String shape = wanted.getValue().shape().toString();
        if (entry == null) {
          throw new IOException(
              format("%s: no tensor %s, which %s needs", source, wanted.getKey(), spec));
        }
        if (!dev.weft.Shape.of(entry.shape()).toString().equals(shape)) {
          throw new IOException(
              format(
                  "%s: tensor %s has shape %s, %s needs %s",
                  source, wanted.getKey(), dev.weft.Shape.of(entry.shape()), spec, shape));
        }
        if (!entry.dtype().equals("F32") && !entry.dtype().equals("F64")) {
          throw new IOException(
              format(
                  "%s: tensor %s has type %s; F32 and F64 are read",
                  source, wanted.getKey(), entry.dtype()));
        }
      }
    }

    void copyTo(Map<String, Parameter> parameters, ParameterArena arena) {
      parameters.forEach(
          (name, parameter) -> {
            Tensor tensor = arena.values(parameter);
            Safetensors.Entry entry = tensors.get(name);
            if (entry.dtype().equals(tensor.dtype().name())) {
              tensor.copyFrom(entry.data());
            } else {
              tensor.copyFrom(converted(entry.data(), tensor));
            }
          });
    }

    private static MemorySegment converted(MemorySegment from, Tensor tensor) {
      MemorySegment to = Arena.ofAuto().allocate(tensor.bytes(), 8);
      for (long i = 0; i < tensor.elements(); i++) {
        if (tensor.dtype() == DType.F64) {
          to.setAtIndex(DOUBLE, i, from.getAtIndex(FLOAT, i));
        } else {
          to.setAtIndex(FLOAT, i, (float) from.getAtIndex(DOUBLE, i));
        }
      }
      return to;
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
    return new Values(spec, contents.tensors(), path.toString());
  }
}
