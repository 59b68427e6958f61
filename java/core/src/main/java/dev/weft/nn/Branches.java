// SPDX-License-Identifier: Apache-2.0
package dev.weft.nn;

import dev.weft.Inputs;
import dev.weft.RowType;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * Models that are given the same inputs; {@link Parallel}, {@link Concat} and {@link Ensemble} join
 * what they say.
 */
final class Branches {
  private final List<Model> models;

  Branches(String what, List<Model> models) {
    if (models.isEmpty()) {
      throw new IllegalArgumentException(what + " needs at least one model");
    }
    this.models = List.copyOf(models);
  }

  List<Model> models() {
    return models;
  }

  List<RowType> outputs(Inputs<RowType> inputs) {
    return models.stream().map(model -> model.output(inputs)).toList();
  }

  /** By their numbers. */
  Map<String, Model> children() {
    Map<String, Model> children = new LinkedHashMap<>();
    models.forEach(model -> children.put(Integer.toString(children.size()), model));
    return Collections.unmodifiableMap(children);
  }

  String spec(String name) {
    return models.stream().map(Model::spec).collect(Collectors.joining("; ", name + "(", ")"));
  }
}
