// SPDX-License-Identifier: Apache-2.0
package dev.weft.nn;

import static dev.weft.format.Format.format;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * What a file says of a model: its {@link Model#settings} and its children, to make it again. A
 * setting that nobody asks for is an error: it was written by a version that knows more.
 */
public final class Settings {
  private final String model;
  private final JsonObject values;
  private final Map<String, Model> children;
  private final Set<String> unread;

  Settings(String model, JsonObject values, Map<String, Model> children) {
    this.model = model;
    this.values = values;
    this.children = Collections.unmodifiableMap(children);
    this.unread = new LinkedHashSet<>(values.keySet());
  }

  /**
   * A whole number.
   *
   * @throws IllegalArgumentException where there is no such setting, or it is none
   */
  public int integer(String name) {
    double value = number(name);
    if (value != (int) value) {
      throw wrong(name, "a whole number");
    }
    return (int) value;
  }

  /** A number; throws as {@link #integer} does. */
  public double number(String name) {
    JsonElement value = value(name);
    if (!value.isJsonPrimitive() || !value.getAsJsonPrimitive().isNumber()) {
      throw wrong(name, "a number");
    }
    return value.getAsDouble();
  }

  /** A text; throws as {@link #integer} does. */
  public String text(String name) {
    JsonElement value = value(name);
    if (!value.isJsonPrimitive() || !value.getAsJsonPrimitive().isString()) {
      throw wrong(name, "a text");
    }
    return value.getAsString();
  }

  /** True or false; throws as {@link #integer} does. */
  public boolean flag(String name) {
    JsonElement value = value(name);
    if (!value.isJsonPrimitive() || !value.getAsJsonPrimitive().isBoolean()) {
      throw wrong(name, "true or false");
    }
    return value.getAsBoolean();
  }

  /**
   * A number, or what it was before there was such a setting; throws as {@link #integer} does where
   * there is one and it is none.
   */
  public double number(String name, double otherwise) {
    return values.has(name) ? number(name) : otherwise;
  }

  /** A text, likewise. */
  public String text(String name, String otherwise) {
    return values.has(name) ? text(name) : otherwise;
  }

  /** True or false, likewise. */
  public boolean flag(String name, boolean otherwise) {
    return values.has(name) ? flag(name) : otherwise;
  }

  /** The models that it is made of, in order. */
  public List<Model> children() {
    return List.copyOf(children.values());
  }

  /**
   * One model that it is made of.
   *
   * @throws IllegalArgumentException where there is none of that name and type
   */
  public <M extends Model> M child(String name, Class<M> type) {
    Model child = children.get(name);
    if (!type.isInstance(child)) {
      throw new IllegalArgumentException(
          format(
              "%s needs %s '%s', and has %s",
              model, type.getSimpleName(), name, child == null ? "none" : child.spec()));
    }
    return type.cast(child);
  }

  /** Checks that all settings have been asked for. */
  void checkAllRead() {
    if (!unread.isEmpty()) {
      throw new IllegalArgumentException(
          format(
              "%s has settings that nobody reads: %s; a later version wrote them, or what is"
                  + " registered for it does not ask for them",
              model, String.join(", ", unread)));
    }
  }

  private JsonElement value(String name) {
    unread.remove(name);
    JsonElement value = values.get(name);
    if (value == null) {
      throw new IllegalArgumentException(format("%s lacks its setting '%s'", model, name));
    }
    return value;
  }

  private IllegalArgumentException wrong(String name, String wanted) {
    return new IllegalArgumentException(
        format(
            "%s has the setting '%s' %s, which is not %s", model, name, values.get(name), wanted));
  }
}
