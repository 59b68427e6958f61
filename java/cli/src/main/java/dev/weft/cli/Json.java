// SPDX-License-Identifier: Apache-2.0
package dev.weft.cli;

import com.google.gson.Gson;
import com.google.gson.JsonElement;
import com.google.gson.stream.JsonWriter;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import org.jspecify.annotations.Nullable;

/** Maps, lists and records as JSON text. */
final class Json {
  private static final Gson GSON = new Gson();

  private Json() {}

  /** On one line. */
  static String line(Object value) {
    return text(value, "");
  }

  /** Over several lines, indented. */
  static String pages(Object value) {
    return text(value, "  ");
  }

  /** The number, or null where it is none that JSON knows. */
  static @Nullable Double finite(double value) {
    return Double.isFinite(value) ? value : null;
  }

  private static String text(Object value, String indent) {
    StringWriter text = new StringWriter();
    JsonWriter writer = new JsonWriter(text);
    writer.setIndent(indent);
    try {
      GSON.getAdapter(JsonElement.class).write(writer, GSON.toJsonTree(value));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return text.toString();
  }
}
