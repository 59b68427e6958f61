// SPDX-License-Identifier: Apache-2.0
package dev.weft.nn;

import static dev.weft.format.Format.format;

import dev.weft.Device;
import dev.weft.MathMode;
import dev.weft.Operations;
import dev.weft.Parameter;
import dev.weft.Shape;
import dev.weft.Tape;
import dev.weft.Tensor;
import dev.weft.device.Closing;
import dev.weft.device.Recorder;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * Layers one after another. A network is made without a device; {@link #on} puts it on one, with
 * the values of the file that it was read from, or else with new ones drawn from a seed. A bias and
 * the activation behind it are computed in one pass.
 */
public final class Sequential implements Layer, AutoCloseable {
  private static final System.Logger LOG = System.getLogger("dev.weft");

  // draws of initial values stand apart from those of dropout, which count from 0
  private static final long FIRST_DRAW = 1L << 31;

  private final List<Layer> layers;
  private final List<String> labels;
  private final Map<String, Parameter> parameters = new LinkedHashMap<>();
  private NetworkFile.Values values;
  private ParameterArena arena;
  private MathMode math = MathMode.STRICT;
  private boolean lost;

  private Sequential(List<Layer> given, NetworkFile.Values values) {
    if (given.isEmpty()) {
      throw new IllegalArgumentException("a network needs at least one layer");
    }
    // a network within a network is its layers, so that names and files know layers alone
    this.layers =
        given.stream()
            .flatMap(
                layer ->
                    layer instanceof Sequential inner ? inner.layers.stream() : Stream.of(layer))
            .toList();
    this.labels = IntStream.range(0, layers.size()).mapToObj(this::label).toList();
    this.values = values;
    checkSizes();
    for (int i = 0; i < layers.size(); i++) {
      for (Parameter parameter : layers.get(i).parameters()) {
        if (parameters.containsValue(parameter)) {
          throw new IllegalArgumentException(
              format("layer %d, %s, stands in the network twice", i, layers.get(i).spec()));
        }
        if (parameters.put(i + "." + parameter.name(), parameter) != null) {
          throw new IllegalArgumentException(
              format(
                  "layer %d, %s, has two parameters called %s",
                  i, layers.get(i).spec(), parameter.name()));
        }
      }
    }
  }

  /** Its place and name, and the activation that is computed with it. */
  private String label(int i) {
    boolean activated =
        layers.get(i) instanceof Linear
            && i + 1 < layers.size()
            && layers.get(i + 1) instanceof Activation;
    return i + " " + layers.get(i).spec() + (activated ? " " + layers.get(i + 1).spec() : "");
  }

  private void checkSizes() {
    Integer features = inputFeatures();
    for (int i = 0; features != null && i < layers.size(); i++) {
      try {
        features = layers.get(i).outputFeatures(features);
      } catch (IllegalArgumentException e) {
        throw new IllegalArgumentException(
            format("layer %d does not fit the one before it: %s", i, e.getMessage()), e);
      }
    }
  }

  /**
   * A network of the given layers.
   *
   * @throws IllegalArgumentException where neighbouring sizes do not fit
   */
  public static Sequential of(Layer... layers) {
    return new Sequential(List.of(layers), null);
  }

  /**
   * A network from its {@link #spec}, layers separated by spaces, such as {@code linear(784,512)
   * relu dropout(0.2) linear(512,10)}.
   *
   * @throws IllegalArgumentException that names the layer, where the text is none
   */
  public static Sequential parse(String spec) {
    return new Sequential(layers(spec), null);
  }

  private static List<Layer> layers(String spec) {
    return Arrays.stream(spec.strip().split("\\s+(?![^()]*\\))")).map(Layers::parse).toList();
  }

  /**
   * Reads a network that {@link #save} wrote, into memory: its layers and its values. Those may be
   * float32 or float64, as it writes them, or float16 or bfloat16, as others may have made them;
   * {@link #on} turns them into what it computes with, and says so in the log.
   *
   * @throws IOException where the file cannot be read or is not such a file
   */
  public static Sequential load(Path path) throws IOException {
    NetworkFile.Values values = NetworkFile.read(path);
    List<Layer> layers;
    try {
      layers = layers(values.spec());
    } catch (IllegalArgumentException e) {
      throw new IOException(path + ": " + e.getMessage(), e);
    }
    Sequential network = new Sequential(layers, values);
    values.checkHolds(network.parameters);
    return network;
  }

  /**
   * Writes layers and values as safetensors, complete or not at all. Weights have shape (in, out).
   *
   * @throws IllegalStateException where the network is on no device and was not read from a file
   * @throws IOException where the file cannot be written
   */
  public void save(Path path) throws IOException {
    NetworkFile.write(path, snapshot());
  }

  /** The layers and values as they are now, in host memory. */
  private NetworkFile.Values snapshot() {
    if (arena != null) {
      return NetworkFile.Values.of(spec(), parameters, arena);
    }
    if (values == null) {
      throw withoutValues();
    }
    return values;
  }

  private IllegalStateException withoutValues() {
    return new IllegalStateException(
        lost
            ? "the network was closed, and its values went with it: save it before"
            : "the network has no values yet: put it on a device first");
  }

  /**
   * Puts the network on a device: values come from its file, or from the device that it was on
   * before, or are drawn anew. The memory there is given back when the new one is filled; where
   * that fails the network stays where it is.
   *
   * @param math how it computes there
   * @param seed of new values
   * @throws IllegalStateException where the network was closed: its values are gone
   * @throws IllegalArgumentException where a float64 value is too large for the float32 that it
   *     would become
   * @throws dev.weft.device.OutOfDeviceMemoryException where the device has too little memory
   */
  public Sequential on(Device device, MathMode math, long seed) {
    if (lost) {
      throw withoutValues();
    }
    NetworkFile.Values given = arena == null ? values : snapshot();
    ParameterArena memory =
        new ParameterArena(device, math.dtype(), List.copyOf(parameters.values()));
    try {
      if (given != null) {
        given.copyTo(parameters, memory);
      } else {
        long draw = FIRST_DRAW;
        for (Parameter parameter : parameters.values()) {
          parameter.initializer().fill(memory.values(parameter), seed, draw++);
        }
      }
      memory.updateCopy();
    } catch (Throwable e) {
      Closing.after(e, memory::close);
      throw e;
    }
    String file = given == null ? null : given.source();
    ParameterArena before = arena;
    memory.bind();
    arena = memory;
    this.math = math;
    values = null;
    if (before != null) {
      before.close();
    }
    if (file != null) {
      notFinite()
          .forEach(
              (name, count) ->
                  LOG.log(
                      System.Logger.Level.WARNING,
                      format("%s: %d values of parameter %s are not finite", file, count, name)));
    }
    return this;
  }

  /**
   * The parameters with values that are NaN or infinite, and how many of them are, in the order of
   * layers; empty where all is well, which one sum on the device tells. A network that is read from
   * a file is looked at when it is put on a device, and what is found is logged as a warning.
   *
   * @throws IllegalStateException where the network is on no device
   */
  public Map<String, Long> notFinite() {
    Tensor all = arena().values();
    try (Tape tape = Tape.inference(all.device())) {
      if (Double.isFinite(tape.sum(all).item())) {
        return Map.of();
      }
    }
    Map<String, Long> found = new LinkedHashMap<>();
    parameters.forEach(
        (name, parameter) -> {
          double[] each = arena.values(parameter).toDoubles();
          long count = Arrays.stream(each).filter(value -> !Double.isFinite(value)).count();
          if (count > 0) {
            found.put(name, count);
          }
        });
    return found;
  }

  /**
   * The memory of the parameters.
   *
   * @throws IllegalStateException where the network is on no device
   */
  public ParameterArena arena() {
    if (arena == null) {
      throw new IllegalStateException("the network is on no device: call on(device, ...) first");
    }
    return arena;
  }

  /**
   * How it computes.
   *
   * @throws IllegalStateException where the network is on no device
   */
  public MathMode math() {
    arena();
    return math;
  }

  /** Whether it is on a device. */
  public boolean isOnDevice() {
    return arena != null;
  }

  /** The layers in order. */
  public List<Layer> layers() {
    return layers;
  }

  /** The parameters by name: the layer's number, a dot, the parameter's name in its layer. */
  public Map<String, Parameter> named() {
    return Collections.unmodifiableMap(parameters);
  }

  @Override
  public List<Parameter> parameters() {
    return List.copyOf(parameters.values());
  }

  /** The number of parameters. */
  public long size() {
    return parameters.values().stream().mapToLong(parameter -> parameter.shape().elements()).sum();
  }

  @Override
  public Tensor forward(Operations operations, Tensor x) {
    operations.math(math);
    Tensor y = x;
    Recorder recorder = operations.device().recorder();
    String before = recorder.layer();
    for (int i = 0; i < layers.size(); i++) {
      recorder.layer(labels.get(i));
      if (layers.get(i) instanceof Linear linear
          && i + 1 < layers.size()
          && layers.get(i + 1) instanceof Activation activation) {
        y = linear.forward(operations, y, activation.function(), activation.alpha());
        i++;
      } else {
        y = layers.get(i).forward(operations, y);
      }
    }
    recorder.layer(before);
    return y;
  }

  /**
   * The outputs for rows of features, in one batch, in inference mode; for many rows {@code
   * dev.weft.train.Evaluator} goes batch by batch.
   *
   * @param x (rows, features)
   * @return (rows, outputs), NaN and infinite ones as they are
   * @throws IllegalArgumentException where a row is null, or not as long as the first or as the
   *     network takes
   * @throws IllegalStateException where the network is on no device
   */
  public double[][] predict(double[][] x) {
    Device device = arena().values().device();
    if (x.length == 0) {
      return new double[0][];
    }
    Shape shape = Shape.ofRows(x);
    Integer features = inputFeatures();
    if (features != null && shape.size(1) != features) {
      throw new IllegalArgumentException(
          format("row 0 has %d values, the network takes %d", shape.size(1), features));
    }
    double[] flat = Arrays.stream(x).flatMapToDouble(Arrays::stream).toArray();
    try (Tape tape = Tape.inference(device);
        Tensor batch = device.tensor(math.dtype(), shape, flat)) {
      double[] y = forward(tape, batch).toDoubles();
      double[][] rows = new double[x.length][];
      for (int r = 0; r < rows.length; r++) {
        int width = y.length / rows.length;
        rows[r] = Arrays.copyOfRange(y, r * width, (r + 1) * width);
      }
      return rows;
    }
  }

  /** The number of features that the first layer with a size takes, or null where none has. */
  public Integer inputFeatures() {
    for (Layer layer : layers) {
      if (layer instanceof Linear linear) {
        return linear.in();
      }
    }
    return null;
  }

  @Override
  public int outputFeatures(int inputFeatures) {
    int features = inputFeatures;
    for (Layer layer : layers) {
      features = layer.outputFeatures(features);
    }
    return features;
  }

  @Override
  public String spec() {
    return layers.stream().map(Layer::spec).collect(Collectors.joining(" "));
  }

  /** Gives the memory on the device back; the values are lost unless they were saved. */
  @Override
  public void close() {
    if (arena != null) {
      arena.close();
      arena = null;
      lost = true;
    }
  }

  @Override
  public String toString() {
    return spec();
  }
}
