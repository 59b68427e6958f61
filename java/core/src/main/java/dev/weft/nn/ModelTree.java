// SPDX-License-Identifier: Apache-2.0
package dev.weft.nn;

import static dev.weft.format.Format.format;

import com.google.gson.Gson;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import dev.weft.Parameter;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;

/**
 * A model and all that it is made of: the names of its parameters, and how it is written as JSON.
 * docs/model-files.md is about the format.
 */
final class ModelTree {
  private static final int VERSION = 1;
  private static final String LAYER = "layer";
  private static final String SAME = "same";
  private static final String CHILDREN = "children";
  private static final Comparator<String> ORDER =
      Comparator.comparingInt(String::length).thenComparing(Comparator.naturalOrder());
  private static final Gson GSON = new Gson();

  private ModelTree() {}

  /**
   * The parameters by name, one that stands in two places by the first.
   *
   * @throws IllegalArgumentException where two have one name
   */
  static Map<String, Parameter> parameters(Model root) {
    Map<String, Parameter> named = new LinkedHashMap<>();
    Map<Parameter, String> names = new IdentityHashMap<>();
    collect(root, "", named, names);
    return named;
  }

  private static void collect(
      Model model, String path, Map<String, Parameter> named, Map<Parameter, String> names) {
    for (Parameter parameter : model.parameters()) {
      String name = path + parameter.name();
      if (names.containsKey(parameter)) {
        continue;
      }
      if (named.putIfAbsent(name, parameter) != null) {
        throw new IllegalArgumentException(
            format("%s has two parameters called %s", model.spec(), name));
      }
      names.put(parameter, name);
    }
    children(model).forEach((name, child) -> collect(child, path + name + ".", named, names));
  }

  /** Short names first, so that numbers count up: an order that does not depend on the map. */
  private static Map<String, Model> children(Model model) {
    Map<String, Model> children = new TreeMap<>(ORDER);
    children.putAll(model.children());
    return children;
  }

  /** A model and all that it is made of, each once. */
  static Set<Model> all(Model root) {
    Set<Model> found = Collections.newSetFromMap(new IdentityHashMap<>());
    collect(root, found);
    return found;
  }

  private static void collect(Model model, Set<Model> found) {
    if (found.add(model)) {
      model.children().values().forEach(child -> collect(child, found));
    }
  }

  /** The networks within a model, itself not among them. */
  static List<Network> networks(Model root) {
    List<Network> found = new ArrayList<>();
    List<Model> parts = new ArrayList<>(root.children().values());
    if (root instanceof Sequential sequential) {
      parts.addAll(sequential.flattened());
    }
    for (Model part : parts) {
      if (part instanceof Network network) {
        found.add(network);
      }
      found.addAll(networks(part));
    }
    return found;
  }

  /**
   * The model as JSON.
   *
   * @throws IllegalStateException where it cannot be made again from that
   */
  static String write(Model root, Collection<String> frozen) {
    JsonObject whole = new JsonObject();
    whole.addProperty("version", VERSION);
    whole.add("model", write(root, "", new IdentityHashMap<>()));
    if (!frozen.isEmpty()) {
      whole.add("frozen", GSON.toJsonTree(frozen));
    }
    String text = whole.toString();
    try {
      checkSame(root, read(text));
    } catch (IllegalArgumentException e) {
      throw new IllegalStateException(
          format("%s could not be read again: %s", root.spec(), e.getMessage()), e);
    }
    return text;
  }

  private static JsonObject write(Model given, String path, Map<Model, String> written) {
    Model model = given instanceof Network network ? network.model() : given;
    JsonObject json = new JsonObject();
    String before = written.putIfAbsent(model, path);
    // what has no parameters is the same wherever it stands
    if (before != null && !parameters(model).isEmpty()) {
      json.addProperty(SAME, before);
      return json;
    }
    String name = Layers.nameOf(model.getClass());
    if (model instanceof Lambda) {
      throw new IllegalStateException(
          format(
              "%s cannot be written to a file, since it is code: make it a class of your own that"
                  + " is registered, or keep the values alone, by saveValues",
              model.spec()));
    }
    if (name == null) {
      throw new IllegalStateException(
          format(
              "%s cannot be written to a file: say how it is made again, by Layers.register(name,"
                  + " %s.class, ...), or keep the values alone, by saveValues",
              model.spec(), model.getClass().getSimpleName()));
    }
    json.addProperty(LAYER, name);
    new TreeMap<>(model.settings())
        .forEach((key, value) -> json.add(notReserved(model, key), GSON.toJsonTree(value)));
    if (!model.children().isEmpty()) {
      JsonObject children = new JsonObject();
      children(model)
          .forEach(
              (key, child) ->
                  children.add(
                      key, write(child, path.isEmpty() ? key : path + "." + key, written)));
      json.add(CHILDREN, children);
    }
    return json;
  }

  private static String notReserved(Model model, String key) {
    if (List.of(LAYER, SAME, CHILDREN).contains(key)) {
      throw new IllegalStateException(
          format("%s calls a setting '%s', which is a word of the format", model.spec(), key));
    }
    return key;
  }

  /** Whoever writes a file must be able to read it. */
  private static void checkSame(Model written, Model read) {
    Map<String, String> wanted = shapes(written);
    Map<String, String> got = shapes(read);
    if (!wanted.equals(got)) {
      throw new IllegalStateException(
          format(
              "%s cannot be written to a file: made again from its settings it has the parameters"
                  + " %s, and it has %s",
              written.spec(), got, wanted));
    }
  }

  private static Map<String, String> shapes(Model model) {
    Map<String, String> shapes = new LinkedHashMap<>();
    parameters(model)
        .forEach((name, parameter) -> shapes.put(name, parameter.kind() + " " + parameter.shape()));
    return shapes;
  }

  /**
   * The model that {@link #write} wrote.
   *
   * @throws IllegalArgumentException that says what is wrong
   */
  static Model read(String text) {
    try {
      JsonObject whole = JsonParser.parseString(text).getAsJsonObject();
      JsonElement version = whole.get("version");
      if (version == null || version.getAsInt() > VERSION) {
        throw new IllegalArgumentException(
            format(
                "the network is written in version %s; this Weft reads up to %d",
                version, VERSION));
      }
      Model root = read(whole.getAsJsonObject("model"), "", new HashMap<>());
      freeze(root, whole);
      return root;
    } catch (JsonParseException
        | IllegalStateException
        | ClassCastException
        | NullPointerException
        | UnsupportedOperationException e) {
      throw new IllegalArgumentException(
          format("the network is not the JSON that Weft writes: %s", complaint(e)), e);
    }
  }

  /** What Gson found, without the names of its classes and the page that it links to. */
  private static String complaint(RuntimeException e) {
    if (e instanceof NullPointerException) {
      return "a part of it is missing";
    }
    Throwable found = e instanceof JsonParseException && e.getCause() != null ? e.getCause() : e;
    return Objects.requireNonNullElse(found.getMessage(), "").lines().findFirst().orElse("");
  }

  private static void freeze(Model root, JsonObject whole) {
    if (whole.has("frozen")) {
      Map<String, Parameter> parameters = parameters(root);
      for (JsonElement name : whole.getAsJsonArray("frozen")) {
        Parameter parameter = parameters.get(name.getAsString());
        if (parameter == null) {
          throw new IllegalArgumentException(
              format("the network freezes %s, which it does not have", name));
        }
        parameter.freeze(true);
      }
    }
  }

  private static Model read(JsonObject json, String path, Map<String, Model> made) {
    if (json.has(SAME)) {
      Model same = made.get(json.get(SAME).getAsString());
      if (same == null) {
        throw new IllegalArgumentException(
            format("%s is to be the same as %s, which does not come before it", path, json));
      }
      return same;
    }
    Map<String, Model> children = new LinkedHashMap<>();
    if (json.has(CHILDREN)) {
      for (Map.Entry<String, JsonElement> child : json.getAsJsonObject(CHILDREN).entrySet()) {
        String name = child.getKey();
        children.put(
            name,
            read(
                child.getValue().getAsJsonObject(),
                path.isEmpty() ? name : path + "." + name,
                made));
      }
    }
    String name = json.get(LAYER).getAsString();
    JsonObject settings = json.deepCopy();
    settings.remove(LAYER);
    settings.remove(CHILDREN);
    Model model = Layers.make(name, new Settings(name, settings, children));
    made.put(path, model);
    return model;
  }
}
