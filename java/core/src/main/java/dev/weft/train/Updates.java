// SPDX-License-Identifier: Apache-2.0
package dev.weft.train;

import static dev.weft.format.Format.format;

import dev.weft.Operations;
import dev.weft.Parameter;
import dev.weft.StepState;
import dev.weft.Tensor;
import dev.weft.device.Closing;
import dev.weft.nn.Network;
import dev.weft.nn.ParameterArena;
import dev.weft.nn.ParameterLayout;
import dev.weft.optim.Optimizer;
import java.util.ArrayList;
import java.util.Collection;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The optimizers of a network's parameters at work: one kernel for the dense parameters of each
 * group, and one for each table whose gradient is a list of rows. For loops by hand, too.
 */
public final class Updates implements Optimizer.Running {
  private final Map<String, Optimizer.Running> parts = new LinkedHashMap<>();
  private final ParameterArena arena;
  private final List<String> names;

  private Updates(ParameterArena arena, List<String> names) {
    this.arena = arena;
    this.names = names;
  }

  /**
   * One rule for all parameters.
   *
   * @throws IllegalStateException where the network is on no device
   */
  public static Updates start(Network network, Optimizer optimizer) {
    return start(network, optimizer, Map.of());
  }

  /** Rules by group, which the network's memory is brought into the order of. */
  static Updates start(Network network, Optimizer base, Map<String, Optimizer> groups) {
    Groups ruled = new Groups(network, base, groups);
    ParameterLayout layout = ruled.layout(network.named().values());
    if (!network.arena().layout().equals(layout)) {
      network.on(network.arena().values().device(), network.math(), 0, layout);
    }
    ParameterArena arena = network.arena();
    Updates updates = new Updates(arena, ruled.names());
    try {
      updates.start(arena, network.named(), ruled);
    } catch (RuntimeException e) {
      Closing.after(e, updates::close);
      throw e;
    }
    return updates;
  }

  private void start(ParameterArena arena, Map<String, Parameter> named, Groups groups) {
    for (int g = 0; g < arena.layout().groups().size(); g++) {
      if (!arena.layout().groups().get(g).isEmpty()) {
        var target =
            new Optimizer.Target(
                arena.group(arena.values(), g),
                arena.group(arena.gradients(), g),
                null,
                arena.copy() == null ? null : arena.group(arena.copy(), g),
                groups.factor(g));
        parts.put(groups.names().get(g), groups.rules().get(g).start(target));
      }
    }
    named.forEach(
        (name, parameter) -> {
          if (arena.layout().tables().contains(parameter)) {
            int g = groups.of(parameter);
            var target =
                new Optimizer.Target(
                    arena.values(parameter),
                    null,
                    parameter.tensor(),
                    arena.copy(parameter),
                    groups.factor(g));
            parts.put(name, groups.rules().get(g).start(target));
          }
        });
  }

  /** Who is in which group: 0 is all that no pattern names. */
  static final class Groups {
    private final List<String> names = new ArrayList<>(List.of(""));
    private final List<Optimizer> rules = new ArrayList<>();
    private final Map<Parameter, Integer> members = new IdentityHashMap<>();

    Groups(Network network, Optimizer base, Map<String, Optimizer> groups) {
      rules.add(base);
      groups.forEach(
          (pattern, optimizer) -> {
            if (base.rate() == 0 && optimizer.rate() != 0) {
              throw new IllegalArgumentException(
                  format(
                      "group '%s' has the rate %s, and all others 0: freeze them instead",
                      pattern, optimizer.rate()));
            }
            int before = members.size();
            network
                .matching(pattern)
                .forEach(parameter -> members.putIfAbsent(parameter, rules.size()));
            if (members.size() == before) {
              throw new IllegalArgumentException(
                  format(
                      "group '%s' names no parameter that is not in an earlier one of %s: give it"
                          + " first",
                      pattern, String.join(", ", groups.keySet())));
            }
            names.add(pattern);
            rules.add(optimizer);
          });
    }

    List<String> names() {
      return names;
    }

    List<Optimizer> rules() {
      return rules;
    }

    int of(Parameter parameter) {
      return members.getOrDefault(parameter, 0);
    }

    double factor(int group) {
      double rate = rules.get(group).rate();
      double base = rules.getFirst().rate();
      return rate == base ? 1 : rate / base;
    }

    ParameterLayout layout(Collection<Parameter> parameters) {
      return ParameterLayout.of(parameters, rules.size(), this::of);
    }
  }

  /**
   * Shortens the dense gradients of all parameters that are in no group, together, where their norm
   * is larger: g *= min(1, maxNorm / (|g| + 1e-6)) (Pascanu et al. 2013), as PyTorch's
   * clip_grad_norm_. Between the backward pass and {@link #step}.
   *
   * @throws IllegalStateException where there are tables whose gradient is a list of rows, which
   *     has no norm until the step adds them up
   */
  public void clip(Operations operations, double maxNorm) {
    if (!arena.layout().tables().isEmpty()) {
      throw new IllegalStateException(
          format(
              "clipping does not reach %s, whose gradient is a list of rows: make it dense",
              arena.layout().tables().getFirst()));
    }
    clip(operations, 0, maxNorm);
  }

  /** Clips groups by the patterns that name them. */
  void clip(Operations operations, Map<String, Double> maxNorms) {
    for (int g = 0; g < names.size(); g++) {
      Double maxNorm = maxNorms.get(names.get(g));
      if (maxNorm != null && !arena.layout().groups().get(g).isEmpty()) {
        clip(operations, g, maxNorm);
      }
    }
  }

  private void clip(Operations operations, int group, double maxNorm) {
    Tensor g = arena.group(arena.gradients(), group);
    Tensor norm = operations.sqrt(operations.squaredNorm(g));
    Tensor one = operations.shift(operations.scale(norm, 0), 1); // NaN where the norm is
    Tensor inverse = operations.reciprocal(operations.shift(norm, 1e-6));
    Tensor factor = operations.minimum(operations.scale(inverse, maxNorm), one);
    operations.assign(g, operations.multiply(g, factor));
  }

  /**
   * Runs, or records, one step over all parameters; a table that the pass did not use stays as it
   * is, and a dense parameter must have its gradient, see {@link
   * ParameterArena#fillMissingGradients}.
   */
  @Override
  public void step(StepState state) {
    parts.values().forEach(part -> part.step(state));
  }

  /**
   * What is remembered: of group g {@code g.velocity}, of all others and of a single group alone
   * {@code velocity}, of a table {@code name.velocity}.
   */
  @Override
  public Map<String, Tensor> state() {
    Map<String, Tensor> state = new LinkedHashMap<>();
    parts.forEach(
        (name, part) ->
            part.state()
                .forEach(
                    (key, tensor) -> state.put(name.isEmpty() ? key : name + "." + key, tensor)));
    return state;
  }

  @Override
  public void close() {
    arena.values().device().checkMayClose();
    Closing closing = new Closing();
    parts.values().forEach(part -> closing.run(part::close));
    closing.finish();
  }
}
