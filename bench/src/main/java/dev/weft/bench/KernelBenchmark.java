// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench;

import dev.weft.Device;
import dev.weft.device.Precision;
import dev.weft.device.Program;
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

/** One kernel on the CPU, as a recorded program of one call. */
@State(Scope.Thread)
@BenchmarkMode(Mode.SampleTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Fork(1)
@Warmup(iterations = 1, time = 1)
@Measurement(iterations = 3, time = 1)
public class KernelBenchmark {
  /** What is run. */
  @Param public KernelCase kernel;

  /** On what. */
  @Param public KernelSize size;

  private Device device;
  private KernelMemory memory;
  private Program program;

  /** Fills the operands and records the call. */
  @Setup
  public void start() {
    Threads.apply();
    device = Device.cpu();
    memory = new KernelMemory(device, size);
    program =
        device.record(
            () ->
                device.run(
                    kernel.kernel(), Precision.F32, kernel.arguments(memory), kernel.work(memory)));
  }

  /** Closes all of it. */
  @TearDown
  public void stop() {
    program.close();
    memory.close();
    device.close();
  }

  /** The kernel. */
  @Benchmark
  public void run() {
    program.run();
  }
}
