// SPDX-License-Identifier: Apache-2.0
package dev.weft.train;

import dev.weft.Engine;
import dev.weft.Parameter;
import dev.weft.Shape;
import dev.weft.Tensor;
import dev.weft.device.Arguments;
import dev.weft.device.Closing;
import dev.weft.device.Kernel;
import dev.weft.nn.Network;
import dev.weft.nn.ParameterArena;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;

/**
 * The average of a network's weights and buffers, on its device. The average and what training
 * changes exchange their places where the average is asked for: what is not in the network's memory
 * lies here.
 */
final class AveragedValues implements AutoCloseable {
  private static final long CHUNK = 1 << 18; // values that are exchanged at a time

  private final ParameterArena arena;
  private final Map<Tensor, Tensor> others = new LinkedHashMap<>(); // by those of the network
  private final Tensor weights;
  private Tensor chunk;
  private Averaging rule;
  private long count;
  private long renewed;
  private int version; // of the weights, when the average came into the network
  private boolean isInNetwork;

  /** Takes memory; there is no average yet. */
  AveragedValues(ParameterArena arena, Averaging rule) {
    this.arena = arena;
    this.rule = rule;
    weights = arena.trained();
    try {
      take(weights);
      for (Parameter buffer : arena.layout().buffers()) {
        take(arena.values(buffer));
      }
      long longest = others.keySet().stream().mapToLong(Tensor::elements).max().orElse(0);
      chunk =
          arena
              .values()
              .device()
              .allocate(arena.values().dtype(), Shape.of(Math.min(CHUNK, longest)))
              .named("exchanged values");
    } catch (RuntimeException e) {
      Closing.after(e, this::close);
      throw e;
    }
  }

  private void take(Tensor values) {
    Tensor other = values.device().zeros(values.dtype(), values.shape());
    others.put(values, other.named("average of " + values.name()));
  }

  /** How the average is taken. */
  Averaging rule() {
    return rule;
  }

  /** Goes on by another rule of the same kind. */
  void rule(Averaging other) {
    rule = other;
  }

  /** How many times weights were added to the average: with 0 there is none. */
  long count() {
    return count;
  }

  /** Takes the count that an average had which the network has been given again. */
  void count(long count) {
    this.count = count;
    renewed = count;
    version = Engine.version(weights);
  }

  /** The count at which the average's running values of batch norm were last found. */
  long renewed() {
    return renewed;
  }

  /** Notes that they were found. */
  void renewed(long count) {
    renewed = count;
  }

  /** Whether the average is in the network, and what training changes here. */
  boolean isInNetwork() {
    return isInNetwork;
  }

  /** Whether somebody has changed the average that is in the network. */
  boolean isChanged() {
    return isInNetwork && version != Engine.version(weights);
  }

  /** Runs, or records, an exponential average's part of a step, behind the update. */
  void step(double decay) {
    others.forEach((values, average) -> average(values, average, 1 - decay));
  }

  /** average += weight (values - average). */
  private static void average(Tensor values, Tensor average, double weight) {
    Engine.run(
        values.device(),
        Kernel.AVERAGE,
        values.dtype().precision(),
        new Arguments.Average(
            Engine.address(values), Engine.address(average), values.elements(), weight));
    Engine.changed(average);
  }

  /** Notes that a step with an update has run: the first one's weights are the first average. */
  void stepped() {
    if (count == 0) {
      others.forEach(Engine::copy);
    }
    count++;
  }

  /** Adds the weights as they are to a mean of equal ones; buffers are copied. */
  void snapshot() {
    others.forEach(
        (values, average) -> {
          if (count == 0 || values != weights) {
            Engine.copy(values, average);
          } else {
            average(values, average, 1.0 / (count + 1));
          }
        });
    count++;
  }

  /** Gives the network the average; where there is none yet, that is what it has. */
  void enter() {
    if (isInNetwork) {
      return;
    }
    if (count == 0) {
      others.forEach(Engine::copy);
    } else {
      others.forEach(this::exchange);
      arena.updateCopy();
    }
    isInNetwork = true;
    version = Engine.version(weights);
  }

  /** Gives the network what training changes. */
  void leave() {
    if (isInNetwork) {
      others.forEach(this::exchange);
      arena.updateCopy();
      isInNetwork = false;
    }
  }

  /** What lies here, by the names of parameters: the average, where it is not in the network. */
  private Map<String, Tensor> named(Network network) {
    Map<String, Tensor> named = new LinkedHashMap<>();
    network
        .named()
        .forEach(
            (name, parameter) -> {
              Tensor values = arena.values(parameter);
              if (others.containsKey(values)) {
                named.put(name, Objects.requireNonNull(others.get(values)));
              } else if (parameter.isTrained()) {
                long start =
                    (Engine.address(values) - Engine.address(weights)) / values.dtype().bytes();
                named.put(
                    name, Objects.requireNonNull(others.get(weights)).view(start, values.shape()));
              }
            });
    return named;
  }

  /** The average in host memory, by the names of parameters; it is not in the network. */
  Map<String, double[]> snapshot(Network network) {
    Map<String, double[]> snapshot = new LinkedHashMap<>();
    named(network).forEach((name, average) -> snapshot.put(name, average.toDoubles()));
    return snapshot;
  }

  /** Takes a snapshot of another average; of what that lacks the average is the value itself. */
  void restore(Network network, Map<String, double[]> snapshot, long count) {
    others.forEach(Engine::copy);
    named(network)
        .forEach(
            (name, average) -> {
              if (snapshot.containsKey(name)) {
                average.copyFrom(Objects.requireNonNull(snapshot.get(name)));
              }
            });
    count(count);
  }

  private void exchange(Tensor values, Tensor other) {
    for (long from = 0; from < values.elements(); from += chunk.elements()) {
      Shape part = Shape.of(Math.min(chunk.elements(), values.elements() - from));
      Tensor some = chunk.view(0, part);
      Tensor here = values.view(from, part);
      Tensor there = other.view(from, part);
      Engine.copy(here, some);
      Engine.copy(there, here);
      Engine.copy(some, there);
    }
  }

  @Override
  public void close() {
    arena.values().device().checkMayClose();
    Closing closing = new Closing();
    others.values().forEach(each -> closing.run(each::close));
    if (chunk != null) {
      closing.run(chunk::close);
    }
    closing.finish();
  }
}
