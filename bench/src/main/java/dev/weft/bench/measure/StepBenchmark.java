// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench.measure;

import dev.weft.MathMode;
import dev.weft.bench.peer.Mlp;
import dev.weft.bench.peer.Side;
import dev.weft.bench.peer.Target;
import dev.weft.bench.peer.TrainingStep;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/** Training steps of a network, by Weft or by another library. */
@State(Scope.Thread)
@BenchmarkMode(Mode.SampleTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Fork(1)
@Warmup(iterations = 2, time = 1)
@Measurement(iterations = 3, time = 1)
public class StepBenchmark {
  /** Who trains. */
  @Param("WEFT")
  public Side side;

  /** Network, batch and examples, as {@link Mlp#parse} reads them. */
  @Param({"784-100-100-10/64/8192", "784-512-512-10/128/8192", "784-2048-2048-10/1024/8192"})
  public String mlp;

  /** The arithmetic. */
  @Param("STRICT")
  public MathMode mode;

  /** Where. */
  @Param("CPU")
  public Target target;

  /** Steps in an invocation. */
  @Param("1")
  public int repeats;

  private TrainingStep training;

  /** What times a step, so many of them in one invocation. */
  public static Jmh.Task step(Side side, Mlp mlp, MathMode mode, Target target, int repeats) {
    return new Jmh.Task(StepBenchmark.class, "steps", parameters(side, mlp, mode, target), repeats);
  }

  /** What times an epoch. */
  public static Jmh.Task epoch(Side side, Mlp mlp, MathMode mode, Target target) {
    int steps = mlp.examples() / mlp.batch();
    return new Jmh.Task(
        StepBenchmark.class, "steps", parameters(side, mlp, mode, target), steps, 1);
  }

  private static Map<String, String> parameters(Side side, Mlp mlp, MathMode mode, Target target) {
    return Map.of(
        "side", side.name(),
        "mlp", mlp.toString(),
        "mode", mode.name(),
        "target", target.name());
  }

  /** Makes data and network and records the step. */
  @Setup
  public void start() {
    training = side.start(Mlp.parse(mlp), mode, target);
  }

  /** Closes all of it. */
  @TearDown
  public void stop() {
    training.close();
  }

  /** So many steps, and the wait for the last. */
  @Benchmark
  public void steps() {
    for (int i = 0; i < repeats; i++) {
      training.step();
    }
    training.finish();
  }
}
