// SPDX-License-Identifier: Apache-2.0
package dev.weft;

import static dev.weft.format.Format.format;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;

/**
 * What a model is given, by name: the columns of a batch, or what is known of them. A layer behind
 * another is given that one's output alone, under the name {@link #FEATURES}.
 *
 * @param <T> what stands under a name
 */
public final class Inputs<T> {
  /** The name of what a layer takes that asks for nothing else. */
  public static final String FEATURES = "features";

  /** The name of what a loss compares with that asks for nothing else. */
  public static final String TARGETS = "targets";

  private static final String IN_BATCH =
      "there is no column '%s' in the batch: check(...) of a loss or a metric, or output(...) of a"
          + " model, must ask for it, as was asked for %s";

  private final Map<String, T> named;
  private final String absent; // the words for a name under which nothing stands
  private final Set<String> taken = new LinkedHashSet<>();

  private Inputs(Map<String, T> named, String absent) {
    this.named = new LinkedHashMap<>(named);
    this.absent = absent;
  }

  /** One input, under the name {@link #FEATURES}. */
  public static <T> Inputs<T> of(T features) {
    return of(Map.of(FEATURES, features));
  }

  /** Inputs by name, in the order of the map. */
  public static <T> Inputs<T> of(Map<String, T> named) {
    return new Inputs<>(named, "there is no column '%s': there is %s");
  }

  /** The columns of a batch, which are those that checks before the first step have taken. */
  static <T> Inputs<T> ofBatch(Map<String, T> named) {
    return new Inputs<>(named, IN_BATCH);
  }

  /** These inputs, and more by other names. */
  public Inputs<T> and(Map<String, T> more) {
    Inputs<T> all = new Inputs<>(named, absent);
    all.named.putAll(more);
    return all;
  }

  /** What stands under {@link #FEATURES}; throws as {@link #get} does. */
  public T features() {
    return get(FEATURES);
  }

  /**
   * What stands under a name.
   *
   * @throws IllegalArgumentException that names what there is, where nothing does
   */
  public T get(String name) {
    T found = named.get(name);
    if (found == null) {
      throw new IllegalArgumentException(format(absent, name, String.join(", ", named.keySet())));
    }
    taken.add(name);
    return found;
  }

  /** Whether something stands under a name. */
  public boolean has(String name) {
    return named.containsKey(name);
  }

  /** The names that somebody asked for, in the order of asking. */
  public Set<String> taken() {
    return Collections.unmodifiableSet(taken);
  }

  @Override
  public String toString() {
    return named.toString();
  }
}
