// SPDX-License-Identifier: Apache-2.0
package dev.weft.profile;

import static java.util.Locale.ROOT;

import dev.weft.MathMode;
import dev.weft.device.Call;
import dev.weft.device.Cost;
import dev.weft.device.Kernel;
import dev.weft.device.Phase;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * Where the time of a training step goes. All times are in nanoseconds; those of calls are medians
 * over the steps.
 *
 * @param device its name
 * @param hardware one line about it
 * @param steps how many were timed
 * @param threads of this machine that computed a step, in the mean; 0 where a GPU did
 * @param entries the calls of a step in order
 * @param replayed a step as it runs when nobody watches
 * @param host what a replayed step costs the thread that trains, beside the kernels: Java, and the
 *     calls into native code
 * @param hostKind whether that adds to the time of a step
 * @param epochTurn what the host does once an epoch: a new order of examples; NaN where no epoch
 *     began meanwhile
 * @param stepsPerEpoch steps of an epoch
 * @param samples single steps as they ran, for a trace
 */
public record Profile(
    String device,
    String hardware,
    int steps,
    double threads,
    List<Entry> entries,
    double replayed,
    double host,
    Host hostKind,
    double epochTurn,
    int stepsPerEpoch,
    List<Step> samples) {

  /** What the thread that trains does while kernels run. */
  public enum Host {
    /** It waits for them: its own work adds to the step. */
    WAITS,
    /** It prepares the next step: its own work is hidden as long as it is shorter. */
    RUNS_AHEAD
  }

  /** What keeps a call from being faster. */
  public enum Bound {
    /** The bytes that it moves. */
    MEMORY,
    /** The operations that it computes. */
    ARITHMETIC
  }

  /** Why a call can be faster than its ceiling, the first of these that is so. */
  public enum Above {
    /** It is not faster. */
    NOT("its time is above the least"),
    /** It moves less than the smallest copy. */
    SMALL(
        "moves less than the smallest copy that was measured: its data can lie in a nearer cache"),
    /** Its ceiling is taken between two copies whose rates differ. */
    BETWEEN(
        "lies in size between two copies that were measured, and its data can fit a cache that the"
            + " larger copy does not"),
    /** Its arithmetic is faster than that of the best product. */
    PRODUCT("computes faster than the best of the square products that were measured"),
    /** A copy of its size was measured, or a larger one is the largest. */
    OTHER(
        "was faster than the copies that were measured: these read as much as they write, run on as"
            + " many threads as a copy is worth, and may have met other work on the machine");

    private final String words;

    Above(String words) {
      this.words = words;
    }

    /** The reason, as a sentence about the call. */
    public String words() {
      return words;
    }
  }

  /**
   * A call of the step.
   *
   * @param nanoseconds its time
   * @param cost what it moves and computes
   * @param least nanoseconds at the machine's ceilings: the longer of moving its bytes and of its
   *     arithmetic
   * @param bound which of the two that is
   * @param above why it is faster than that, if it is
   */
  public record Entry(
      Call call, double nanoseconds, Cost cost, double least, Bound bound, Above above) {
    private static final double NANOSECONDS = 1e9;

    /** With the time of a call, at the given ceilings. */
    public static Entry of(Call call, double nanoseconds, Ceilings ceilings) {
      Cost cost = call.cost();
      double memory = NANOSECONDS * cost.bytes() / ceilings.bytesPerSecond(cost.bytes());
      double arithmetic =
          cost.flops() == 0 ? 0 : NANOSECONDS * cost.flops() / ceilings.flopsPerSecond(math(call));
      double least = Math.max(memory, arithmetic);
      Bound bound = memory >= arithmetic ? Bound.MEMORY : Bound.ARITHMETIC;
      Above above =
          least <= nanoseconds
              ? Above.NOT
              : bound == Bound.ARITHMETIC ? Above.PRODUCT : ceilings.above(cost.bytes());
      return new Entry(call, nanoseconds, cost, least, bound, above);
    }

    /** How its products are computed. */
    static MathMode math(Call call) {
      return switch (call.precision()) {
        case F64 -> MathMode.DOUBLE;
        case BF16 -> MathMode.BF16;
        case F32 -> call.isFast() ? MathMode.FAST : MathMode.STRICT;
      };
    }

    /** The phase as a word. */
    public String phase() {
      return call.phase().name().toLowerCase(ROOT);
    }
  }

  /**
   * Calls that have something in common.
   *
   * @param name what they have in common
   * @param calls how many
   * @param nanoseconds their time
   * @param cost what they move and compute
   * @param least nanoseconds at the machine's ceilings
   * @param above why calls among them are faster than their ceilings
   */
  public record Group(
      String name, int calls, double nanoseconds, Cost cost, double least, Set<Above> above) {
    private static Group of(String name, List<Entry> entries) {
      return new Group(
          name,
          entries.size(),
          entries.stream().mapToDouble(Entry::nanoseconds).sum(),
          entries.stream().map(Entry::cost).reduce(Cost.NONE, Cost::plus),
          entries.stream().mapToDouble(Entry::least).sum(),
          entries.stream()
              .map(Entry::above)
              .filter(reason -> reason != Above.NOT)
              .collect(Collectors.toCollection(TreeSet::new)));
    }

    /** 10⁹ operations a second. */
    public double gigaflops() {
      return cost.flops() / nanoseconds;
    }

    /** 10⁹ bytes a second. */
    public double gigabytes() {
      return cost.bytes() / nanoseconds;
    }

    /** The share of the machine's ceilings that they reach: the least time / the time. */
    public double shareOfCeiling() {
      return least / nanoseconds;
    }
  }

  /**
   * A step as it ran once.
   *
   * @param start when it began, by {@link System#nanoTime}
   * @param wall its time as the host saw it
   * @param times since its first call began: at k, call k began
   */
  public record Step(long start, long wall, long[] times) {
    /** The time of all calls. */
    public long busy() {
      return times[times.length - 1];
    }
  }

  /** The calls by the phase of the step, in the order of the step. */
  public List<Group> byPhase() {
    return by(Entry::phase);
  }

  /** The calls by layer and phase, in the order of the step. */
  public List<Group> byLayer() {
    return by(entry -> entry.call().layer() + ", " + entry.phase());
  }

  /** The calls by kernel, the longest together first. */
  public List<Group> byKernel() {
    return by(entry -> entry.call().symbol()).stream()
        .sorted((a, b) -> Double.compare(b.nanoseconds(), a.nanoseconds()))
        .toList();
  }

  /** The calls grouped by a name. */
  public List<Group> by(Function<Entry, String> name) {
    Map<String, List<Entry>> groups =
        entries.stream()
            .collect(Collectors.groupingBy(name, LinkedHashMap::new, Collectors.toList()));
    return groups.entrySet().stream().map(e -> Group.of(e.getKey(), e.getValue())).toList();
  }

  /** All calls. */
  public Group kernels() {
    return Group.of("kernels", entries);
  }

  /** Whether the step runs as two fused kernels, so that its layers cannot be told apart. */
  public boolean isFused() {
    return entries.stream().anyMatch(entry -> entry.call().phase() == Phase.FUSED);
  }

  /** A timed step: its calls, and the host where they wait for it. */
  public double total() {
    return kernels().nanoseconds() + (hostKind == Host.WAITS ? host : 0);
  }

  /** The share of a step that is spent in products of matrices: in oneDNN or cuBLAS. */
  public double shareOfProducts() {
    return entries.stream()
            .filter(entry -> entry.call().kernel().kind() == Kernel.Kind.LIBRARY)
            .mapToDouble(Entry::nanoseconds)
            .sum()
        / total();
  }

  /**
   * Tables of the step by phase, by layer and by kernel: calls, time, share of the step, rates, and
   * the share of the machine's ceilings. What {@code weft train --profile} prints.
   */
  @Override
  public String toString() {
    return ProfileText.of(this);
  }
}
