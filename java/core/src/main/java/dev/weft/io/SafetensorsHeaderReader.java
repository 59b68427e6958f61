// SPDX-License-Identifier: Apache-2.0
package dev.weft.io;

import static dev.weft.format.Format.format;

import com.google.gson.Strictness;
import com.google.gson.stream.JsonReader;
import com.google.gson.stream.JsonToken;
import java.io.IOException;
import java.io.StringReader;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Reads the JSON; keeps order and finds repeated names, which a map of it would hide. */
final class SafetensorsHeaderReader {
  private final Path path;
  private final String text;
  final List<SafetensorsHeader.Tensor> tensors = new ArrayList<>();
  final Map<String, String> metadata = new LinkedHashMap<>();

  SafetensorsHeaderReader(Path path, String text) {
    this.path = path;
    this.text = text;
  }

  void parse() throws FormatException {
    JsonReader json = new JsonReader(new StringReader(text));
    json.setStrictness(Strictness.STRICT);
    try {
      Set<String> names = new HashSet<>();
      json.beginObject();
      while (json.hasNext()) {
        String name = json.nextName();
        if (!names.add(name)) {
          throw wrong("the name " + name + " comes twice in the header");
        }
        if (name.equals(SafetensorsHeader.METADATA)) {
          metadata(json);
        } else {
          tensors.add(tensor(name, json));
        }
      }
      json.endObject();
      if (json.peek() != JsonToken.END_DOCUMENT) {
        throw wrong("there is more than one JSON object in the header");
      }
    } catch (FormatException e) {
      throw e;
    } catch (IOException | IllegalStateException | NumberFormatException e) {
      throw new FormatException(
          path,
          SafetensorsHeader.PREFIX,
          "the header is not the JSON of a safetensors file: " + inWords(e),
          e);
    }
  }

  /** The first line, which says where; the others, and the advice in it, are for programmers. */
  private static String inWords(Exception e) {
    String said = String.valueOf(e.getMessage()).lines().findFirst().orElse("");
    return said.replaceFirst("^Use JsonReader.*? JSON", "it is malformed");
  }

  private void metadata(JsonReader json) throws IOException {
    json.beginObject();
    while (json.hasNext()) {
      String key = json.nextName();
      if (json.peek() != JsonToken.STRING) {
        throw wrong("metadata " + key + " is not text");
      }
      if (metadata.put(key, json.nextString()) != null) {
        throw wrong("the metadata " + key + " comes twice in the header");
      }
    }
    json.endObject();
  }

  private SafetensorsHeader.Tensor tensor(String name, JsonReader json) throws IOException {
    String dtype = null;
    long[] shape = null;
    long[] offsets = null;
    Set<String> keys = new HashSet<>();
    json.beginObject();
    while (json.hasNext()) {
      String key = json.nextName();
      if (!keys.add(key)) {
        throw wrong("tensor " + name + " has " + key + " twice");
      }
      switch (key) {
        case "dtype" -> dtype = json.nextString();
        case "shape" -> shape = numbers(name, key, json);
        case "data_offsets" -> offsets = numbers(name, key, json);
        default -> throw wrong("tensor " + name + " has an unknown property " + key);
      }
    }
    json.endObject();
    if (dtype == null || shape == null || offsets == null) {
      throw wrong("tensor " + name + " must have dtype, shape and data_offsets");
    }
    if (offsets.length != 2 || offsets[0] > offsets[1]) {
      throw wrong(
          format(
              "tensor %s has data_offsets %s; they are its begin and its end",
              name, Arrays.toString(offsets)));
    }
    checkSize(name, dtype, shape, offsets[1] - offsets[0]);
    return new SafetensorsHeader.Tensor(name, dtype, shape, offsets[0], offsets[1]);
  }

  private void checkSize(String name, String dtype, long[] shape, long size)
      throws FormatException {
    if (!SafetensorsDtype.isKnown(dtype)) {
      return; // nothing is known of its size, and nobody may ask for it
    }
    long expected;
    try {
      expected = SafetensorsDtype.of(dtype).byteSize(shape);
    } catch (IllegalArgumentException e) {
      throw wrong("tensor " + name + ": " + e.getMessage());
    }
    if (size != expected) {
      throw wrong(
          format(
              "tensor %s, %s of shape %s, takes %d bytes; its data_offsets are %d apart",
              name, dtype, Arrays.toString(shape), expected, size));
    }
  }

  private long[] numbers(String name, String key, JsonReader json) throws IOException {
    List<Long> numbers = new ArrayList<>();
    json.beginArray();
    while (json.hasNext()) {
      boolean number = json.peek() == JsonToken.NUMBER;
      String digits = number ? json.nextString() : json.peek().toString();
      if (!number || !digits.matches("[0-9]{1,18}")) {
        throw wrong(
            format(
                "tensor %s has %s in its %s; whole numbers from 0 to 10^18 were expected",
                name, digits, key));
      }
      numbers.add(Long.parseLong(digits));
    }
    json.endArray();
    return numbers.stream().mapToLong(Long::longValue).toArray();
  }

  private FormatException wrong(String what) {
    return new FormatException(path, SafetensorsHeader.PREFIX, what);
  }
}
