// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench.measure;

import dev.weft.bench.kernel.KernelCheck;
import dev.weft.bench.kernel.KernelMemory;
import dev.weft.bench.kernel.KernelSize;
import dev.weft.bench.peer.Target;
import dev.weft.device.Backend;
import dev.weft.device.Call;
import dev.weft.device.Precision;
import dev.weft.device.Program;
import java.util.List;
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

/** One kernel, as a recorded program of one call. */
@State(Scope.Thread)
@BenchmarkMode(Mode.SampleTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Fork(1)
@Warmup(iterations = 1, time = 1)
@Measurement(iterations = 3, time = 1)
public class KernelBenchmark {
  /** What is run. */
  @Param(KernelSize.COPY)
  public String kernel;

  /** On what. */
  @Param public KernelSize size;

  /** Where. */
  @Param("CPU")
  public Target target;

  /** Calls in an invocation. */
  @Param("1")
  public int repeats;

  private Backend backend;
  private Program program;
  private final Opened opened = new Opened();

  /** What runs so many calls in one invocation. */
  public static Jmh.Task task(String kernel, KernelSize size, Target target, int repeats) {
    return new Jmh.Task(
        KernelBenchmark.class,
        "calls",
        Map.of("kernel", kernel, "size", size.name(), "target", target.name()),
        repeats);
  }

  /** Checks what the kernel computes, fills the operands, and records the call. */
  @Setup
  public void start() {
    opened.orClose(
        () -> {
          backend = target.backend();
          opened.add(backend::close);
          KernelCheck.run(size, kernel, backend);
          KernelMemory memory = new KernelMemory(backend, Precision.F32);
          opened.add(memory::close);
          List<Call> calls = size.timed(kernel).calls(memory);
          backend.beginRecording();
          calls.forEach(c -> backend.run(c.kernel(), c.precision(), c.arguments()));
          program = backend.endRecording();
          opened.add(program::close);
        });
  }

  /** Closes all of it. */
  @TearDown
  public void stop() {
    opened.close();
  }

  /** So many calls, and the wait for the last. */
  @Benchmark
  public void calls() {
    for (int i = 0; i < repeats; i++) {
      program.run();
    }
    backend.synchronize();
  }
}
