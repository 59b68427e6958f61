// SPDX-License-Identifier: Apache-2.0
package dev.weft.nn;

import static dev.weft.format.Format.format;
import static java.util.Locale.ROOT;
import static java.util.stream.Collectors.toSet;

import dev.weft.Parameter.Initializer;
import dev.weft.device.BagFunction;
import java.util.Arrays;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentSkipListMap;
import org.jspecify.annotations.Nullable;

/** The models that a file can name: those of this package, and those that a user registers. */
public final class Layers {
  private static final Map<String, Kind<?>> KINDS = new ConcurrentSkipListMap<>();

  /** Makes a model from what a file says of it, children first. */
  @FunctionalInterface
  public interface Maker<M extends Model> {
    /**
     * The model.
     *
     * @throws IllegalArgumentException where the settings make none
     */
    M make(Settings settings);
  }

  private record Kind<M extends Model>(Class<M> type, Maker<M> maker) {}

  static {
    register("linear", Linear.class, Layers::linear);
    register(
        "layer_norm",
        LayerNorm.class,
        is -> new LayerNorm(is.integer("width"), is.number("epsilon")));
    register(
        "batch_norm",
        BatchNorm.class,
        is -> new BatchNorm(is.integer("width"), is.number("epsilon"), is.number("momentum")));
    register("dropout", Dropout.class, is -> new Dropout(is.number("rate")));
    register("prelu", PReLU.class, is -> new PReLU(is.integer("width")));
    register(
        "maxout",
        Maxout.class,
        is ->
            new Maxout(
                is.integer("in"),
                is.integer("out"),
                is.integer("pieces"),
                Initializers.parse(is.text("initializer"))));
    register("row_dropout", RowDropout.class, is -> new RowDropout(is.number("rate")));
    register(
        "weight_norm_linear",
        WeightNormLinear.class,
        is ->
            new WeightNormLinear(
                is.integer("in"), is.integer("out"), Initializers.parse(is.text("initializer"))));
    register("activation", Activation.class, Layers::activation);
    register("embedding", Embedding.class, Layers::embedding);
    register(
        "embedding_dropout",
        EmbeddingDropout.class,
        is -> new EmbeddingDropout(is.child("embedding", Embedding.class), is.number("rate")));
    register("embedding_bag", EmbeddingBag.class, Layers::embeddingBag);
    register(
        "tied_linear",
        TiedLinear.class,
        is -> new TiedLinear(is.child("embedding", Embedding.class)));
    register("hierarchical_softmax", HierarchicalSoftmax.class, HierarchicalSoftmax::of);
    register("negative_sampling", NegativeSampling.class, NegativeSampling::of);
    register("flatten", Flatten.class, is -> new Flatten());
    register("select", Select.class, is -> new Select(is.text("column")));
    register("residual", Residual.class, is -> new Residual(is.child("body", Layer.class)));
    register("parallel", Parallel.class, is -> Parallel.of(models(is)));
    register("concat", Concat.class, is -> Concat.of(models(is)));
    register("ensemble", Ensemble.class, Ensemble::of);
    register("sequential", Sequential.class, is -> Sequential.of(models(is)));
  }

  private Layers() {}

  /**
   * Says how models of a class are written to files, by {@link Model#settings} and {@link
   * Model#children}, and how they are made again. For a user's own models, once, before the first
   * is saved or loaded.
   *
   * @param name in files; it stays what it is as long as there are files
   * @throws IllegalArgumentException where the name, or the class, is registered otherwise
   */
  public static <M extends Model> void register(String name, Class<M> type, Maker<M> maker) {
    String other = nameOf(type);
    Kind<?> before = KINDS.get(name);
    if (other != null && !other.equals(name)) {
      throw new IllegalArgumentException(
          format("%s is registered as '%s' already", type.getName(), other));
    }
    if (before != null && before.type != type) {
      throw new IllegalArgumentException(
          format("'%s' is the name of %s already", name, before.type.getName()));
    }
    KINDS.put(name, new Kind<>(type, maker));
  }

  /** The names that files know of classes of this library, without those of users. */
  static Set<String> names() {
    return KINDS.entrySet().stream()
        .filter(each -> isOwn(each.getValue().type))
        .map(Map.Entry::getKey)
        .collect(toSet());
  }

  private static boolean isOwn(Class<?> type) {
    return Objects.equals(
        type.getProtectionDomain().getCodeSource(),
        Layers.class.getProtectionDomain().getCodeSource());
  }

  /** The name of models of this class in files, or null where it has none. */
  static @Nullable String nameOf(Class<? extends Model> type) {
    return KINDS.entrySet().stream()
        .filter(each -> each.getValue().type == type)
        .map(Map.Entry::getKey)
        .findFirst()
        .orElse(null);
  }

  /**
   * Makes a model.
   *
   * @throws IllegalArgumentException where nobody registered the name, or settings do not make one
   */
  static Model make(String name, Settings settings) {
    Kind<?> kind = KINDS.get(name);
    if (kind == null) {
      throw new IllegalArgumentException(
          format(
              "unknown layer '%s': there are %s; Layers.register adds one's own",
              name, String.join(", ", KINDS.keySet())));
    }
    Model made;
    try {
      made = kind.maker.make(settings);
    } catch (IllegalArgumentException e) {
      throw e;
    } catch (RuntimeException e) { // of a user's own maker
      throw new IllegalArgumentException(format("%s could not be made: %s", name, e), e);
    }
    settings.checkAllRead();
    return made;
  }

  /**
   * One layer as the command writes it: {@code linear(784,512)}, {@code linear(784,512,no_bias)},
   * {@code weight_norm_linear(784,512)}, {@code layer_norm(512)}, {@code batch_norm(512)}, {@code
   * relu}, {@code leaky_relu(0.1)}, {@code prelu}, {@code prelu(512)}, {@code maxout(784,128,2)},
   * {@code dropout(0.2)}, {@code row_dropout(0.1)}, {@code embedding(10000,60)}, {@code flatten}.
   *
   * @throws IllegalArgumentException that says what there is, where the text is none of these
   */
  public static Layer parse(String text) {
    return parse(text, Initializers.xavierUniform());
  }

  /**
   * One layer as {@link #parse(String)} reads it; weights of linear layers, and of the pieces of
   * maxout, start by the given rule.
   *
   * @throws IllegalArgumentException as there
   */
  public static Layer parse(String text, Initializer weights) {
    return LayerParser.parse(text, weights);
  }

  private static Model[] models(Settings settings) {
    return settings.children().toArray(Model[]::new);
  }

  private static Linear linear(Settings settings) {
    return new Linear(
        settings.integer("in"),
        settings.integer("out"),
        Initializers.parse(settings.text("initializer")),
        settings.flag("bias") ? Linear.Bias.WITH : Linear.Bias.WITHOUT);
  }

  private static Activation activation(Settings settings) {
    return new Activation(settings.text("function"), settings.number("alpha"));
  }

  private static Embedding embedding(Settings settings) {
    return new Embedding(
        settings.integer("vocabulary"),
        settings.integer("width"),
        Initializers.parse(settings.text("initializer")),
        one(settings, "gradient", Embedding.Gradient.class));
  }

  private static EmbeddingBag embeddingBag(Settings settings) {
    return new EmbeddingBag(embedding(settings), one(settings, "function", BagFunction.class));
  }

  private static <E extends Enum<E>> E one(Settings settings, String name, Class<E> type) {
    String text = settings.text(name);
    return Arrays.stream(type.getEnumConstants())
        .filter(each -> each.name().toLowerCase(ROOT).equals(text))
        .findFirst()
        .orElseThrow(() -> new IllegalArgumentException(format("'%s' is no %s", text, name)));
  }
}
