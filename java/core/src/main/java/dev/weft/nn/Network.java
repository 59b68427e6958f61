// SPDX-License-Identifier: Apache-2.0
package dev.weft.nn;

import static dev.weft.format.Format.format;

import dev.weft.Device;
import dev.weft.Engine;
import dev.weft.Inputs;
import dev.weft.MathMode;
import dev.weft.Operations;
import dev.weft.Parameter;
import dev.weft.RowType;
import dev.weft.Tensor;
import dev.weft.data.Dataset;
import dev.weft.device.Closing;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * A model with its memory: what is trained, saved and asked. It is made without a device; {@link
 * #on(Device)} puts it on one, with the values of the file that it was read from, or else with new
 * ones drawn from a seed. {@link Sequential} is one; a user's own is a subclass, or a {@link Model}
 * under {@link #over}.
 *
 * {@snippet file="Examples.java" region="network"}
 *
 * <p>This class is long because it has every way to ask a network.
 */
public abstract class Network implements Layer, AutoCloseable {
  // draws of initial values stand apart from those of dropout, which count from 0
  private static final long FIRST_DRAW = 1L << 31;

  private @Nullable Map<String, Parameter> parameters;
  private NetworkFile.@Nullable Values values;
  private @Nullable ParameterArena arena;
  private MathMode math = MathMode.STRICT;
  private OptionalLong seed = OptionalLong.empty(); // where it was told one
  private boolean lost;

  /** For a network of one's own, whose layers are its fields. */
  protected Network() {}

  /** A model as a network: itself where it is one. */
  public static Network over(Model model) {
    return model instanceof Network network ? network : new NetworkOver(model);
  }

  /** The model that files and names are about: the one under {@link #over}, else the network. */
  public Model model() {
    return this;
  }

  /** Applies it to the columns of a batch, in the math mode of {@code operations}. */
  @Override
  public abstract Tensor forward(Operations operations, Inputs<Tensor> inputs);

  @Override
  public abstract RowType output(Inputs<RowType> inputs);

  /** Applies it to one input, in its math mode where it is on a device. */
  @Override
  public final Tensor forward(Operations operations, Tensor x) {
    if (arena != null) {
      operations.math(math);
    }
    return forward(operations, Inputs.of(x));
  }

  @Override
  public final RowType output(RowType input) {
    return output(Inputs.of(input));
  }

  /**
   * Reads a network that {@link #save} wrote, into memory: its layers and its values. Those may be
   * float32 or float64, as it writes them, or float16 or bfloat16, as others may have made them;
   * {@link #on(Device)} turns them into what it computes with, and says so in the log.
   *
   * @throws IOException where the file cannot be read, is not such a file, or names a layer that
   *     nobody registered
   */
  public static Network load(Path path) throws IOException {
    NetworkFile.Values values = NetworkFile.read(path);
    if (values.spec() == null) {
      throw new IOException(
          path + ": a safetensors file, but not a network of Weft: its metadata has no 'network'");
    }
    Network network;
    try {
      network =
          over(
              values.spec().startsWith("{")
                  ? ModelTree.read(values.spec())
                  : Sequential.parse(values.spec()));
    } catch (IllegalArgumentException e) {
      throw new IOException(path + ": " + NetworkFile.shown(e.getMessage()), e);
    }
    network.take(values);
    return network;
  }

  /**
   * Takes the values of a file, by the names of parameters, in place of what this network has: for
   * a network that code has built, whatever wrote the file. What else is in the file is left alone.
   *
   * @throws IOException where the file cannot be read, or lacks a parameter, or has it in another
   *     shape; the network is as it was then
   */
  public void loadValues(Path path) throws IOException {
    take(NetworkFile.read(path));
  }

  private void take(NetworkFile.Values file) throws IOException {
    file.checkHolds(named(), spec());
    NetworkFile.Values given = file.only(named().keySet());
    if (arena == null) {
      values = given;
      lost = false;
      named().values().stream()
          .filter(each -> !Engine.isBound(each))
          .forEach(each -> Engine.bind(each, null));
    } else {
      given.copyTo(named(), arena);
      arena.updateCopy();
      NotFinite.warn(named(), arena, given.source());
    }
  }

  /**
   * Writes layers and values as safetensors, complete or not at all. Weights have shape (in, out).
   * What was written loads: a model that could not be made again is refused.
   *
   * @throws IllegalStateException where the network has no values, or is made of a class that is
   *     not registered
   * @throws IOException where the file cannot be written
   */
  public void save(Path path) throws IOException {
    save(path, Map.of());
  }

  /**
   * Saves model and values as {@link #save(Path)}, and notes beside them in the file's metadata,
   * which {@link #load} leaves alone and {@link dev.weft.io.Safetensors} gives. {@code weft train}
   * notes its loss so, as {@code loss}, {@code smoothing} and {@code class-weights}, from which
   * {@code weft evaluate} takes it.
   *
   * @throws IllegalArgumentException where a note is called {@code format} or {@code network}
   * @throws IllegalStateException as {@link #save(Path)}
   * @throws IOException likewise
   */
  public void save(Path path, Map<String, String> notes) throws IOException {
    String model = ModelTree.write(model(), frozen());
    NetworkFile.write(path, snapshot(), model, notes);
  }

  /**
   * Writes the values alone, for {@link #loadValues}.
   *
   * @throws IllegalStateException where the network has no values
   * @throws IOException where the file cannot be written
   */
  public void saveValues(Path path) throws IOException {
    NetworkFile.write(path, snapshot(), null, Map.of());
  }

  private Collection<String> frozen() {
    return named().entrySet().stream()
        .filter(each -> each.getValue().isFrozen())
        .map(Map.Entry::getKey)
        .toList();
  }

  /** The values as they are now, in host memory. */
  private NetworkFile.Values snapshot() {
    if (arena != null) {
      return NetworkFile.Values.of(named(), arena);
    }
    if (values == null) {
      throw withoutValues();
    }
    return values;
  }

  private IllegalStateException withoutValues() {
    return new IllegalStateException(
        lost
            ? "the network is closed, and its values went with it: save it before, and load that"
            : "the network has no values yet: put it on a device first");
  }

  /**
   * Sets the seed that values are drawn from when the network is first put on a device: 1 until
   * told otherwise, or in training the trainer's. A network within another has that one's. Returns
   * this.
   *
   * @throws IllegalStateException where the network has its values
   */
  public Network seed(long seed) {
    if (lost) {
      throw withoutValues();
    }
    if (arena != null || values != null) {
      throw new IllegalStateException(
          format(
              "the network has its values, and the seed %d would change none of them: set a seed"
                  + " before the network is put on a device",
              seed));
    }
    this.seed = OptionalLong.of(seed);
    return this;
  }

  /**
   * Puts the network on a device, in the math mode that it has: {@link MathMode#STRICT} until it
   * was put on a device in another. Returns this; throws as {@link #on(Device, MathMode)} does.
   */
  public Network on(Device device) {
    return on(device, math);
  }

  /**
   * Puts the network on a device: values come from its file, or from the device that it was on
   * before, or are drawn anew, from its {@link #seed}. The memory there is given back when the new
   * one is filled; where that fails the network stays where it is. Returns this.
   *
   * @param math how it computes there
   * @throws IllegalStateException where the network was closed: its values are gone
   * @throws IllegalArgumentException where a float64 value is too large for the float32 that it
   *     would become
   * @throws dev.weft.device.OutOfDeviceMemoryException where the device has too little memory
   */
  public Network on(Device device, MathMode math) {
    return on(device, math, 1, ParameterLayout.of(named().values()));
  }

  /**
   * The same, with the parameters in an order that training asks for.
   *
   * @param otherSeed what values are drawn from where the network was told no {@link #seed}
   */
  public Network on(Device device, MathMode math, long otherSeed, ParameterLayout layout) {
    if (lost) {
      throw withoutValues();
    }
    checkParameters();
    NetworkFile.Values given = arena == null ? values : snapshot();
    ParameterArena memory = new ParameterArena(device, math.dtype(), layout);
    try {
      if (given != null) {
        given.copyTo(named(), memory);
      } else {
        long draw = FIRST_DRAW;
        for (Parameter parameter : named().values()) {
          parameter.initializer().fill(memory.values(parameter), seed.orElse(otherSeed), draw++);
        }
        ModelTree.networks(model()).forEach(inner -> inner.giveValues(memory));
      }
      memory.updateCopy();
      ModelTree.all(model()).forEach(each -> each.constants().forEach(memory::put));
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
      NotFinite.warn(named(), arena, file);
    }
    return this;
  }

  /**
   * Brings its memory on the device into an order that training asks for; does nothing where it has
   * that.
   *
   * @throws IllegalStateException where the network is on no device
   */
  public void arrange(ParameterLayout layout) {
    ParameterArena memory = arena();
    if (!memory.layout().equals(layout)) {
      on(memory.values().device(), math, 0, layout);
    }
  }

  /** Two networks cannot both hold the memory of a parameter, nor may values be lost unsaid. */
  private void checkParameters() {
    named()
        .forEach(
            (name, parameter) -> {
              if (Engine.isLost(parameter) && values == null) {
                throw new IllegalStateException(
                    format(
                        "the parameter %s was in a network that was closed, and its values went"
                            + " with it: save that one before, and build with what Network.load"
                            + " gives",
                        name));
              }
              if (Engine.isBound(parameter) && (arena == null || !arena.holds(parameter))) {
                throw new IllegalStateException(
                    format(
                        "the parameter %s is that of another network, which is on a device: go on"
                            + " with that one (a trainer's is its network()), or take it off its"
                            + " device by off()",
                        name));
              }
            });
  }

  /** Gives the values of its file to the network that it has become a part of. */
  private void giveValues(ParameterArena memory) {
    if (values != null) {
      values.copyTo(named(), memory);
    }
  }

  /**
   * The parameters with values that are NaN or infinite, and how many of them are, in the order of
   * layers; empty where all is well, which one sum on the device tells. A network that is read from
   * a file is looked at when it is put on a device, and what is found is logged as a warning.
   *
   * @throws IllegalStateException where the network is on no device
   */
  public Map<String, Long> notFinite() {
    return NotFinite.of(named(), arena());
  }

  /**
   * The memory of the parameters.
   *
   * @throws IllegalStateException where the network is on no device
   */
  public ParameterArena arena() {
    if (arena == null && lost) {
      throw withoutValues();
    }
    if (arena == null) {
      throw new IllegalStateException("the network is on no device: call on(device) first");
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

  /** Whether it was closed, and its values went with the memory on its device. */
  public boolean isClosed() {
    return lost;
  }

  /**
   * All parameters by name: see {@link Model#children}.
   *
   * @throws IllegalArgumentException where two have one name
   */
  public Map<String, Parameter> named() {
    if (parameters == null) {
      parameters = Collections.unmodifiableMap(ModelTree.parameters(model()));
    }
    return parameters;
  }

  /**
   * The parameters whose name fits a pattern, in which * stands for anything: {@code *.bias}.
   *
   * @throws IllegalArgumentException that lists the names, where none does
   */
  public List<Parameter> matching(String pattern) {
    Pattern form = Pattern.compile(Pattern.quote(pattern).replace("*", "\\E.*\\Q"));
    List<Parameter> found =
        named().entrySet().stream()
            .filter(each -> form.matcher(each.getKey()).matches())
            .map(Map.Entry::getValue)
            .toList();
    if (found.isEmpty()) {
      throw new IllegalArgumentException(
          format(
              "no parameter is called '%s'; there are %s",
              pattern, String.join(", ", named().keySet())));
    }
    return found;
  }

  /**
   * Keeps training from changing some parameters, by a pattern as in {@link #matching}. Returns
   * this.
   *
   * @throws IllegalArgumentException where it fits none
   */
  public Network freeze(String pattern) {
    matching(pattern).forEach(parameter -> parameter.freeze(true));
    return this;
  }

  /** Lets training change them again. Returns this; throws as {@link #freeze} does. */
  public Network unfreeze(String pattern) {
    matching(pattern).forEach(parameter -> parameter.freeze(false));
    return this;
  }

  /**
   * The name of a parameter.
   *
   * @throws IllegalArgumentException where it is not of this network
   */
  public String name(Parameter parameter) {
    return named().entrySet().stream()
        .filter(each -> each.getValue() == parameter)
        .map(Map.Entry::getKey)
        .findFirst()
        .orElseThrow(() -> new IllegalArgumentException(parameter + " is not of this network"));
  }

  /**
   * The loss must be one that the network can be trained with: a layer that is a loss, such as
   * {@link HierarchicalSoftmax}, is that of the network that it is in, and of no other.
   *
   * @throws IllegalArgumentException that names the layer, where it is not
   */
  public void check(Loss loss) {
    Set<Model> models = ModelTree.all(model());
    for (Model each : models) {
      if (each instanceof Loss && each != loss) {
        throw new IllegalArgumentException(
            format(
                "the network has %s, which is its own loss, and is to be trained with %s: give the"
                    + " layer itself to loss(...)",
                each.spec(), loss.spec()));
      }
    }
    if (loss instanceof Model model && !models.contains(model)) {
      throw new IllegalArgumentException(
          format(
              "the loss %s has parameters of its own and is no layer of the network: make it the"
                  + " last one",
              loss.spec()));
    }
  }

  /** The number of values of all parameters. */
  public long size() {
    return named().values().stream().mapToLong(parameter -> parameter.shape().elements()).sum();
  }

  /**
   * The outputs for rows of features, as they are, in inference mode; 256 rows at a time.
   *
   * @param x (rows, features)
   * @return (rows, outputs), NaN and infinite ones as they are
   * @throws IllegalArgumentException where a row is null, or not as long as the first or as the
   *     network takes, or has a value that the math mode's type does not hold
   * @throws IllegalStateException where the network is on no device
   */
  public double[][] scores(double[][] x) {
    return Prediction.of(this, x).scores();
  }

  /** The same in float32; throws as {@link #scores(double[][])} does. */
  public float[][] scores(float[][] x) {
    return Prediction.of(this, x).floatScores();
  }

  /**
   * The outputs for rows of ids; throws as {@link #scores(double[][])} does.
   *
   * @param ids (rows, length); rows may differ in length where the network takes padded ids
   * @throws IllegalArgumentException where a row has an id that is none
   */
  public double[][] scores(int[][] ids) {
    return Prediction.of(this, ids).scores();
  }

  /**
   * The outputs for all rows of a data set, in order, of which the columns are used that the
   * network takes; targets need not be among them.
   *
   * @return (rows, outputs), NaN and infinite ones as they are
   * @throws IllegalArgumentException where a column is missing or does not fit the network
   * @throws IllegalStateException where the network is on no device
   */
  public double[][] scores(Dataset data) {
    return Prediction.of(this, data).scores();
  }

  /**
   * Softmax of the outputs for each row: their shares of 1, for a network that was trained with
   * {@link SoftmaxCrossEntropy}.
   *
   * @return (rows, outputs); rows add up to 1
   * @throws IllegalArgumentException as {@link #scores(double[][])} does
   * @throws IllegalStateException where the network gives no vector a row, or is on no device
   */
  public double[][] probabilities(double[][] x) {
    return Prediction.of(this, x).probabilities();
  }

  /** The same in float32; throws as {@link #probabilities(double[][])} does. */
  public float[][] probabilities(float[][] x) {
    return Prediction.of(this, x).floatProbabilities();
  }

  /**
   * The same of {@link #scores(int[][])}; throws as that and {@link #probabilities(double[][])}.
   */
  public double[][] probabilities(int[][] ids) {
    return Prediction.of(this, ids).probabilities();
  }

  /**
   * The same of {@link #scores(Dataset)}; throws as that and {@link #probabilities(double[][])}.
   */
  public double[][] probabilities(Dataset data) {
    return Prediction.of(this, data).probabilities();
  }

  /**
   * The place of the largest output for each row, the first of equal ones: its class.
   *
   * @throws IllegalArgumentException as {@link #scores(double[][])} does
   * @throws IllegalStateException where the largest output of a row is NaN or infinite, so that it
   *     names no class, or where the network gives one output a row, or is on no device
   */
  public int[] classes(double[][] x) {
    return Prediction.of(this, x).classes();
  }

  /** The same, from float32; throws as {@link #classes(double[][])} does. */
  public int[] classes(float[][] x) {
    return Prediction.of(this, x).classes();
  }

  /** The same of {@link #scores(int[][])}; throws as that and {@link #classes(double[][])}. */
  public int[] classes(int[][] ids) {
    return Prediction.of(this, ids).classes();
  }

  /** The same of {@link #scores(Dataset)}; throws as that and {@link #classes(double[][])}. */
  public int[] classes(Dataset data) {
    return Prediction.of(this, data).classes();
  }

  /**
   * Takes the network from its device: its values come into host memory, from where {@link
   * #on(Device)} puts them on another, {@link #save} writes them, and an {@link Ensemble} or
   * another network that it becomes a part of has them. What an optimizer remembers of it, and the
   * average of its weights, are given back, and a trainer says so before it would go on without;
   * does nothing where it is on no device. Returns this.
   *
   * @throws IllegalStateException while it is being trained
   */
  public Network off() {
    if (arena != null) {
      arena.checkUntrained();
      NetworkFile.Values taken = snapshot();
      arena.close();
      arena = null;
      values = taken;
      named().values().stream()
          .filter(each -> !Engine.isBound(each))
          .forEach(each -> Engine.bind(each, null)); // not lost
    }
    return this;
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
