// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench.measure;

import dev.weft.bench.kernel.KernelSize;
import dev.weft.bench.peer.DjlKernel;
import dev.weft.bench.peer.Side;
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

/** What DJL has beside a kernel, on the CPU. */
@State(Scope.Thread)
@BenchmarkMode(Mode.SampleTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Fork(1)
@Warmup(iterations = 1, time = 1)
@Measurement(iterations = 3, time = 1)
public class PeerKernelBenchmark {
  /** Beside what. */
  @Param("relu_forward")
  public String kernel;

  /** On what. */
  @Param public KernelSize size;

  /** By whom, which says that it is measured in a Java machine of its own. */
  @Param("DJL")
  public Side side;

  private DjlKernel djl;

  /** What runs it once. */
  public static Jmh.Task task(String kernel, KernelSize size) {
    return new Jmh.Task(
        PeerKernelBenchmark.class,
        "call",
        Map.of("kernel", kernel, "size", size.name(), "side", Side.DJL.name()),
        1);
  }

  /** Makes the operands. */
  @Setup
  public void start() {
    djl = new DjlKernel(kernel, size.rows(), size.cols());
  }

  /** Frees them. */
  @TearDown
  public void stop() {
    djl.close();
  }

  /** One call. */
  @Benchmark
  public void call() {
    djl.run();
  }
}
