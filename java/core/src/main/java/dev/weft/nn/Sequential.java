// SPDX-License-Identifier: Apache-2.0
package dev.weft.nn;

import static dev.weft.format.Format.format;

import dev.weft.Device;
import dev.weft.Engine;
import dev.weft.Inputs;
import dev.weft.MathMode;
import dev.weft.Operations;
import dev.weft.Parameter.Initializer;
import dev.weft.RowType;
import dev.weft.Shape;
import dev.weft.Tensor;
import dev.weft.device.Recorder;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Models one after another: the first is given the columns of the data, every other the output of
 * the one before it. A bias and the activation behind it are computed in one pass.
 *
 * {@snippet file="Examples.java" region="sequential"}
 */
public final class Sequential extends Network {
  private final List<Model> models;
  private final List<Sequential> flattened;
  private final List<Stage> stages;
  private final Map<String, Model> children = new LinkedHashMap<>();

  private Sequential(List<Model> given) {
    if (given.isEmpty()) {
      throw new IllegalArgumentException("a network needs at least one layer");
    }
    // one of these within another is its models, so that names and files are those of one
    this.models =
        given.stream()
            .flatMap(
                model ->
                    model instanceof Sequential inner ? inner.models.stream() : Stream.of(model))
            .toList();
    this.flattened =
        given.stream().filter(Sequential.class::isInstance).map(Sequential.class::cast).toList();
    this.stages = Stage.of(models);
    models.forEach(model -> children.put(Integer.toString(children.size()), model));
    checkSizes();
    named();
  }

  /**
   * The models whose output has the axes of their input, and of which the last one alone counts.
   */
  private static final Set<Class<? extends Model>> OF_LAST_AXIS =
      Set.of(
          Linear.class,
          WeightNormLinear.class,
          Maxout.class,
          EmbeddingBag.class,
          Activation.class,
          PReLU.class,
          Dropout.class,
          RowDropout.class,
          LayerNorm.class,
          BatchNorm.class);

  /** What is known of the input of a model that comes first, or behind what is not known. */
  private static @Nullable RowType begins(Model model) {
    return switch (model) {
      case Linear linear -> RowType.floating(Shape.of(linear.in()));
      case WeightNormLinear linear -> RowType.floating(Shape.of(linear.in()));
      case Maxout maxout -> RowType.floating(Shape.of(maxout.in()));
      case EmbeddingBag bag -> RowType.ids(Shape.of(1), 1); // however many these are
      default -> null;
    };
  }

  /** Sizes are known behind a linear layer or a bag, as far as only the last one counts. */
  private void checkSizes() {
    RowType row = null;
    for (int i = 0; i < models.size(); i++) {
      if (row == null) {
        row = begins(models.get(i));
      } else if (!OF_LAST_AXIS.contains(models.get(i).getClass())) {
        row = null; // which may have had more axes than one
      }
      if (row != null) {
        try {
          row = models.get(i).output(Inputs.of(row));
        } catch (IllegalArgumentException e) {
          throw new IllegalArgumentException(
              format("layer %d does not fit the one before it: %s", i, e.getMessage()), e);
        }
      }
    }
  }

  /**
   * A network of the given models.
   *
   * @throws IllegalArgumentException where neighbouring sizes do not fit
   */
  public static Sequential of(Model... models) {
    return new Sequential(List.of(models));
  }

  /**
   * A network from its {@link #spec}, layers separated by spaces, such as {@code linear(784,512)
   * relu dropout(0.2) linear(512,10)}.
   *
   * @throws IllegalArgumentException that names the layer, where the text is none
   */
  public static Sequential parse(String spec) {
    return parse(spec, Initializers.xavierUniform());
  }

  /**
   * The network that {@link #parse(String)} reads; weights of linear layers, and of the pieces of
   * maxout, start by the given rule.
   *
   * @throws IllegalArgumentException as there
   */
  public static Sequential parse(String spec, Initializer weights) {
    return new Sequential(
        Arrays.stream(spec.strip().split("\\s+(?![^()]*\\))"))
            .map(text -> (Model) Layers.parse(text, weights))
            .toList());
  }

  /**
   * Reads a network that {@link #save} wrote, as {@link Network#load} does.
   *
   * @throws IOException where the file cannot be read, is not such a file, or holds another model
   */
  public static Sequential load(Path path) throws IOException {
    Network network = Network.load(path);
    if (network instanceof Sequential sequential) {
      return sequential;
    }
    throw new IOException(
        format("%s holds %s, no Sequential: Network.load reads it", path, network.spec()));
  }

  @Override
  public Sequential seed(long seed) {
    super.seed(seed);
    return this;
  }

  @Override
  public Sequential on(Device device) {
    super.on(device);
    return this;
  }

  @Override
  public Sequential on(Device device, MathMode math) {
    super.on(device, math);
    return this;
  }

  /** The networks whose models these are. */
  List<Sequential> flattened() {
    return flattened;
  }

  /** The models in order. */
  public List<Model> models() {
    return models;
  }

  /** The models in order, each with what is computed together with it. */
  public List<Stage> stages() {
    return stages;
  }

  @Override
  public Map<String, Model> children() {
    return Collections.unmodifiableMap(children);
  }

  @Override
  public Tensor forward(Operations operations, Inputs<Tensor> inputs) {
    Recorder recorder = Engine.recorder(operations.device());
    String before = recorder.layer();
    // within another network the number there comes first
    boolean inner = !before.isEmpty() && Character.isDigit(before.charAt(0));
    String place = inner ? before.split(" ", 2)[0] + "." : "";
    Inputs<Tensor> next = inputs;
    for (Stage stage : stages) {
      recorder.layer(place + stage.label());
      Tensor y =
          stage.model() instanceof Linear linear
              ? linear.forward(operations, next.features(), stage.activation())
              : stage.model().forward(operations, next);
      next = Inputs.of(y);
    }
    recorder.layer(before);
    return next.features();
  }

  @Override
  public RowType output(Inputs<RowType> inputs) {
    Inputs<RowType> next = inputs;
    for (Model model : models) {
      next = Inputs.of(model.output(next));
    }
    return next.features();
  }

  @Override
  public String spec() {
    return models.stream().map(Model::spec).collect(Collectors.joining(" "));
  }
}
