// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench.measure;

import static dev.weft.format.Format.format;

import dev.weft.bench.peer.Side;
import dev.weft.bench.peer.Target;
import dev.weft.bench.peer.Threads;
import dev.weft.bench.report.Measurement;
import dev.weft.bench.report.Measurement.Times;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.openjdk.jmh.profile.GCProfiler;
import org.openjdk.jmh.results.Result;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.ChainedOptionsBuilder;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;
import org.openjdk.jmh.runner.options.VerboseMode;
import org.openjdk.jmh.util.Statistics;

/**
 * Runs benchmarks by JMH: what Weft does on a GPU in this Java machine, since the figures are the
 * GPU's and a machine for each would take longer than they do; all else in machines of their own.
 */
public final class Jmh {
  /** The parameter that says how many operations an invocation makes. */
  static final String REPEATS = "repeats";

  /**
   * How long to measure.
   *
   * @param iterations measured ones; one more warms up
   * @param milliseconds of each
   */
  public record Length(int iterations, int milliseconds) {}

  /**
   * What to run.
   *
   * @param parameters of the benchmark
   * @param repeats how often an invocation does it before a GPU is waited for
   * @param operations by which the time of an invocation is divided
   */
  public record Task(
      Class<?> benchmark,
      String method,
      Map<String, String> parameters,
      int repeats,
      int operations) {

    /** Of which each repetition is an operation. */
    Task(Class<?> benchmark, String method, Map<String, String> parameters, int repeats) {
      this(benchmark, method, parameters, repeats, repeats);
    }

    /** Whether it is measured in a Java machine of its own. */
    boolean forks() {
      boolean weft = parameters.getOrDefault("side", Side.WEFT.name()).equals(Side.WEFT.name());
      return !weft || !Target.CUDA.name().equals(parameters.get("target"));
    }

    /** A benchmark without parameters. */
    public static Task of(Class<?> benchmark, String method) {
      return new Task(benchmark, method, Map.of(), 1);
    }
  }

  /**
   * What came of a task.
   *
   * @param times null where there are none
   * @param failure why there are none, in a line; null where there are
   */
  public record Outcome(Times times, String failure) {}

  /** What one run measured, microseconds of one operation. */
  private record Turn(double median, double low, double high, long samples, Double garbage) {}

  private final int threads;
  private final Duration patience;
  private final Length length;

  /**
   * @param threads of all sides
   * @param patience how long to wait for an idle machine before each turn
   */
  public Jmh(int threads, Duration patience, Length length) {
    this.threads = threads;
    this.patience = patience;
    this.length = length;
  }

  /** Runs a task so many times. */
  public Outcome run(Task task, int turns) {
    return inTurn(List.of(task), turns).getFirst();
  }

  /**
   * Runs all tasks, one after the other, and that so many times, so that a busy moment of the
   * machine hits neighbours alike. One that fails has no more turns, and the others go on.
   *
   * @return for each task what it measured
   */
  public List<Outcome> inTurn(List<Task> tasks, int turns) {
    List<List<Turn>> measured = new ArrayList<>();
    tasks.forEach(task -> measured.add(new ArrayList<>()));
    String[] failures = new String[tasks.size()];
    for (int turn = 0; turn < turns; turn++) {
      for (int i = 0; i < tasks.size(); i++) {
        if (failures[i] == null) {
          try {
            measured.get(i).add(turn(tasks.get(i)));
          } catch (RunnerException e) {
            failures[i] = reason(e);
          }
        }
      }
    }
    List<Outcome> outcomes = new ArrayList<>();
    for (int i = 0; i < failures.length; i++) {
      outcomes.add(
          failures[i] == null
              ? new Outcome(times(measured.get(i)), null)
              : new Outcome(null, failures[i]));
    }
    return outcomes;
  }

  /** What a benchmark threw: JMH's own exceptions hand it on as a cause, or beside one. */
  private static String reason(Throwable thrown) {
    Throwable inner = thrown;
    while (inner.getClass().getName().startsWith("org.openjdk.jmh.")
        && (inner.getCause() != null || inner.getSuppressed().length > 0)) {
      inner = inner.getCause() != null ? inner.getCause() : inner.getSuppressed()[0];
    }
    String said = inner.getMessage() == null ? "" : inner.getMessage();
    return inner instanceof IllegalStateException && !said.isEmpty()
        ? said
        : format("%s: %s", inner.getClass().getSimpleName(), said);
  }

  private Turn turn(Task task) throws RunnerException {
    IdleMachine.await(patience);
    ChainedOptionsBuilder options =
        new OptionsBuilder()
            .include(
                "^" + task.benchmark().getName().replace(".", "\\.") + "\\." + task.method() + "$")
            .forks(task.forks() ? 1 : 0)
            .warmupIterations(1)
            .measurementIterations(length.iterations())
            .warmupTime(TimeValue.milliseconds(length.milliseconds()))
            .measurementTime(TimeValue.milliseconds(length.milliseconds()))
            .jvmArgsAppend(Threads.options(threads).toArray(String[]::new))
            .addProfiler(GCProfiler.class)
            .shouldFailOnError(true)
            .verbosity(VerboseMode.SILENT);
    task.parameters().forEach(options::param);
    options.operationsPerInvocation(task.operations());
    if (task.repeats() > 1) {
      options.param(REPEATS, Integer.toString(task.repeats()));
    }
    return turn(new Runner(options.build()).runSingle());
  }

  private static Turn turn(RunResult result) {
    double micros =
        switch (result.getPrimaryResult().getScoreUnit()) {
          case "ns/op" -> 1e-3;
          case "us/op" -> 1;
          default -> throw new IllegalStateException(result.getPrimaryResult().getScoreUnit());
        };
    Statistics times = result.getPrimaryResult().getStatistics();
    Result<?> garbage = result.getSecondaryResults().get("gc.alloc.rate.norm");
    return new Turn(
        micros * times.getPercentile(50),
        micros * times.getPercentile(5),
        micros * times.getPercentile(95),
        times.getN(),
        garbage == null ? null : garbage.getScore());
  }

  private static Times times(List<Turn> turns) {
    return new Times(
        Measurement.median(turns.stream().mapToDouble(Turn::median).toArray()),
        Measurement.median(turns.stream().mapToDouble(Turn::low).toArray()),
        Measurement.median(turns.stream().mapToDouble(Turn::high).toArray()),
        turns.stream().map(Turn::median).toList(),
        turns.stream().mapToLong(Turn::samples).sum(),
        turns.getLast().garbage());
  }
}
