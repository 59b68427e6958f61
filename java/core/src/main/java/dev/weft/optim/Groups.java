// SPDX-License-Identifier: Apache-2.0
package dev.weft.optim;

import static dev.weft.format.Format.format;

import dev.weft.Parameter;
import dev.weft.Shape;
import dev.weft.nn.Network;
import dev.weft.nn.ParameterLayout;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/** Which parameters change by which rule: group 0 is all that no pattern names. */
public final class Groups {
  private final Network network;
  private final List<String> names = new ArrayList<>(List.of(""));
  private final List<Optimizer> rules = new ArrayList<>();
  private final Map<Parameter, Integer> members = new IdentityHashMap<>();

  /**
   * Rules by pattern, in order: see {@link Network#matching}.
   *
   * @throws IllegalArgumentException where a pattern names no parameter that is in no earlier one,
   *     or a group has a rate and the rest none
   */
  public Groups(Network network, Optimizer base, Map<String, Optimizer> groups) {
    this.network = network;
    Optimizer.checkRate(base.rate());
    rules.add(base);
    groups.forEach(
        (pattern, optimizer) -> {
          if (base.rate() == 0 && optimizer.rate() != 0) {
            throw new IllegalArgumentException(
                format(
                    "group '%s' has the rate %s, and all others 0: freeze them instead",
                    pattern, optimizer.rate()));
          }
          Optimizer.checkRate(optimizer.rate());
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

  /** Whose parameters they are. */
  Network network() {
    return network;
  }

  /**
   * Returns if the rules can change the network's tables whose gradient is a list of rows, and if
   * those can be clipped.
   *
   * @param clips by group, null where one is not clipped
   * @throws IllegalArgumentException that names what cannot
   */
  public void check(List<@Nullable Clip> clips) {
    for (Parameter table : layout().tables()) {
      Optimizer rule = rule(of(table));
      Clip clip = of(table) < clips.size() ? clips.get(of(table)) : null;
      String obstacle = null;
      if (!rule.takesRows()) {
        obstacle = format("%s does not know gradients of rows", rule.spec());
      } else if (clip != null && !rule.isOneKernel()) {
        obstacle = format("gradients of rows are not clipped for %s", rule.spec());
      } else if (clip != null && clip.of() == Clip.Of.UPDATE && clip.by() == Clip.By.NORM) {
        obstacle = "updates are not clipped by the norm of gradients of rows";
      }
      if (obstacle != null) {
        throw new IllegalArgumentException(
            format(
                "%s, as %s has: make it dense where its layer is built, or give it a group of its"
                    + " own",
                obstacle, network.name(table)));
      }
    }
  }

  /** The rule of a group. */
  Optimizer rule(int group) {
    return rules.get(group);
  }

  /** The rule of all that no pattern names. */
  public Optimizer base() {
    return rules.getFirst();
  }

  /** The largest momentum, which a schedule of it is a factor of; 0 where there is none. */
  public double momentum() {
    return rules.stream()
        .mapToDouble(rule -> rule instanceof KernelRule<?> kernels ? kernels.call().momentum() : 0)
        .max()
        .orElseThrow();
  }

  /** The largest weight decay, which a schedule of it is a factor of; 0 where there is none. */
  public double weightDecay() {
    return rules.stream()
        .mapToDouble(
            rule -> rule instanceof KernelRule<?> kernels ? kernels.penalties().weightDecay() : 0)
        .max()
        .orElseThrow();
  }

  /** The rules as a file has them: {@code adam; *.bias=sgd}. */
  String spec() {
    return listed(Optimizer::spec);
  }

  /** The rules with their settings, likewise. */
  String settings() {
    return listed(Object::toString);
  }

  private String listed(Function<Optimizer, String> text) {
    return IntStream.range(0, rules.size())
        .mapToObj(g -> (g == 0 ? "" : names.get(g) + "=") + text.apply(rules.get(g)))
        .collect(Collectors.joining("; "));
  }

  /** What the rules remember, as {@link Updates#memory} names it, and its shapes. */
  Map<String, Shape> memory() {
    Map<String, Shape> memory = new LinkedHashMap<>();
    network
        .named()
        .forEach(
            (name, parameter) -> {
              if (parameter.isTrained()) {
                rule(of(parameter))
                    .memory()
                    .forEach(each -> memory.put(name + "." + each, parameter.shape()));
              }
            });
    return memory;
  }

  /** How many there are, the first one counted. */
  int count() {
    return rules.size();
  }

  /** The group of a parameter. */
  int of(Parameter parameter) {
    return members.getOrDefault(parameter, 0);
  }

  /** What is given by pattern, in the order of groups; null where there is none. */
  public <T> List<@Nullable T> byGroup(Map<String, T> given) {
    List<@Nullable T> list = new ArrayList<>();
    names.forEach(name -> list.add(given.get(name)));
    return list;
  }

  /** What the base rate is multiplied by in a group. */
  double factor(int group) {
    double rate = rules.get(group).rate();
    double base = rules.getFirst().rate();
    return rate == base ? 1 : rate / base;
  }

  /** The order of the parameters in memory that steps over groups ask for. */
  public ParameterLayout layout() {
    return ParameterLayout.of(network.named().values(), rules.size(), this::of);
  }
}
