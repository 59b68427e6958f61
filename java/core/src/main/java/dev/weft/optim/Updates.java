// SPDX-License-Identifier: Apache-2.0
package dev.weft.optim;

import dev.weft.Engine;
import dev.weft.Node;
import dev.weft.Parameter;
import dev.weft.StepState;
import dev.weft.Tape;
import dev.weft.Tensor;
import dev.weft.device.Closing;
import dev.weft.nn.Network;
import dev.weft.nn.ParameterArena;
import dev.weft.op.Cast;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The optimizers of a network's parameters at work, with what they remember: one kernel for the
 * dense parameters of each group, and one for each table whose gradient is a list of rows.
 */
public final class Updates implements AutoCloseable {
  /**
   * A rule at work.
   *
   * @param group the group whose rule it is
   * @param members its parameters: the dense ones of the group in order, or a table
   */
  private record Part(int group, List<Parameter> members, RunningRule rule) {
    boolean isTable() {
      return rule.target().table() != null;
    }
  }

  private final Network network;
  private final ParameterArena arena;
  private final List<Part> parts = new ArrayList<>();
  private List<@Nullable Clip> clips = List.of();
  private MaxNorm maxNorm = MaxNorm.NONE;
  private boolean closed;

  /**
   * Takes the memory of the rules. The network's memory is brought into the order that the groups
   * ask for.
   *
   * @throws IllegalStateException where the network is on no device
   */
  public Updates(Groups groups) {
    network = groups.network();
    network.arrange(groups.layout());
    arena = network.arena();
    try {
      for (int g = 0; g < groups.count(); g++) {
        List<Parameter> members = arena.layout().groups().get(g);
        if (!members.isEmpty()) {
          start(groups, g, members, dense(g, groups.factor(g)));
        }
      }
      for (Parameter table : arena.layout().tables()) {
        int g = groups.of(table);
        start(groups, g, List.of(table), table(table, groups.factor(g)));
      }
    } catch (RuntimeException e) {
      Closing.after(e, this::close);
      throw e;
    }
  }

  private void start(Groups groups, int g, List<Parameter> members, Optimizer.Target target) {
    parts.add(new Part(g, members, groups.rule(g).start(target)));
  }

  private Optimizer.Target dense(int g, double factor) {
    return new Optimizer.Target(
        arena.group(arena.values(), g),
        arena.group(arena.gradients(), g),
        null,
        arena.copy() == null ? null : arena.group(arena.copy(), g),
        factor);
  }

  private Optimizer.Target table(Parameter table, double factor) {
    return new Optimizer.Target(
        arena.values(table), null, table.tensor(), arena.copy(table), factor);
  }

  /**
   * Goes on under the settings of these groups, where they lay out the same memory and their rules
   * remember the same; else it returns false and stays as it is.
   */
  public boolean goOn(Groups groups) {
    if (closed || !arena.layout().equals(groups.layout())) {
      return false;
    }
    for (Part part : parts) {
      if (!groups.rule(part.group()).memory().equals(part.rule().rule().memory())
          || part.isTable() && !groups.rule(part.group()).takesRows()) {
        return false;
      }
    }
    parts.replaceAll(
        part -> {
          int g = part.group();
          return new Part(g, part.members(), part.rule().with(groups.rule(g), groups.factor(g)));
        });
    return true;
  }

  /**
   * Clips from now on.
   *
   * @param clips by group, null where one is not clipped; {@link Groups#check} looks at them before
   */
  public void clip(List<@Nullable Clip> clips) {
    this.clips = clips;
  }

  /** Bounds columns of matrices from now on. */
  public void maxNorm(MaxNorm maxNorm) {
    this.maxNorm = maxNorm;
  }

  /**
   * Runs, or records, one step over all parameters; a table that the pass did not use stays as it
   * is, and a dense parameter must have its gradient, see {@link
   * ParameterArena#fillMissingGradients}.
   *
   * @param scale what makes the gradients those of a mean, where they are sums over batches
   */
  public void step(Tape tape, StepState state, double scale) {
    tape.withoutGradient(
        () -> {
          for (int g = 0; g < arena.layout().groups().size(); g++) {
            step(tape, state, scale, g);
          }
          maxNorm.apply(tape, arena);
          return null;
        });
  }

  private void step(Tape tape, StepState state, double scale, int group) {
    List<Part> members = parts.stream().filter(part -> part.group() == group).toList();
    if (members.isEmpty()) {
      return;
    }
    @Nullable Clip clip = group < clips.size() ? clips.get(group) : null;
    List<Tensor> tables =
        members.stream()
            .filter(Part::isTable)
            .map(part -> part.rule().target().table())
            .filter(table -> Engine.rowGradient(table) != null)
            .toList();
    Tensor gradients = arena.group(arena.gradients(), group);
    Clipping clipping = Clipping.of(clip, scale, tape, gradients, tables);
    if (clip == null || clip.of() == Clip.Of.GRADIENT || clip.by() == Clip.By.VALUE) {
      members.forEach(part -> part.rule().step(tape, state, clipping));
      return;
    }
    List<Tensor> values = members.stream().map(part -> part.rule().target().values()).toList();
    List<Tensor> before = values.stream().map(each -> Clipping.copyOf(tape, each)).toList();
    members.forEach(part -> part.rule().step(tape, state, clipping));
    Clipping.shorten(tape, values, before, clip.most());
    members.forEach(Updates::round);
  }

  private static void round(Part part) {
    Optimizer.Target target = part.rule().target();
    if (target.copy() != null) {
      Cast.run(target.values().device(), target.values(), new Node.Sink(target.copy(), false));
    }
  }

  /** The rule of most parameters, as it is written in files. */
  public String spec() {
    return parts.getFirst().rule().rule().spec();
  }

  /** The memory of the network that it works on. */
  public ParameterArena arena() {
    return arena;
  }

  /** Whether its memory was given back. */
  public boolean isClosed() {
    return closed;
  }

  /**
   * What is remembered of a single group of dense parameters, flat, by name; empty where rules
   * remember nothing.
   */
  public Map<String, Tensor> flat() {
    return parts.getFirst().rule().memory();
  }

  /** What is remembered, by parameter: {@code 0.weight.velocity}, of the parameter's shape. */
  public Map<String, Tensor> memory() {
    Map<String, Tensor> memory = new LinkedHashMap<>();
    for (Part part : parts) {
      Tensor values = part.rule().target().values();
      for (Parameter member : part.members()) {
        long start =
            (Engine.address(arena.values(member)) - Engine.address(values))
                / values.dtype().bytes();
        part.rule()
            .memory()
            .forEach(
                (name, tensor) ->
                    memory.put(
                        network.name(member) + "." + name,
                        tensor.view(start, member.shape()).named(name)));
      }
    }
    return memory;
  }

  /** Whether a rule remembers anything. */
  public boolean remembers() {
    return parts.stream().anyMatch(part -> !part.rule().rule().memory().isEmpty());
  }

  /** What is remembered, by parameter, in host memory. */
  public Map<String, double[]> snapshot() {
    Map<String, double[]> snapshot = new LinkedHashMap<>();
    memory().forEach((name, tensor) -> snapshot.put(name, tensor.toDoubles()));
    return snapshot;
  }

  /** Takes what a snapshot has of that which is remembered here; the names of what it was. */
  public Set<String> restore(Map<String, double[]> snapshot) {
    Set<String> taken = new HashSet<>();
    memory()
        .forEach(
            (name, tensor) -> {
              double[] values = snapshot.get(name);
              if (values != null) {
                tensor.copyFrom(values);
                taken.add(name);
              }
            });
    return taken;
  }

  @Override
  public void close() {
    if (closed) {
      return;
    }
    arena.values().device().checkMayClose();
    closed = true;
    Closing closing = new Closing();
    parts.forEach(part -> closing.run(part.rule()::close));
    closing.finish();
  }
}
