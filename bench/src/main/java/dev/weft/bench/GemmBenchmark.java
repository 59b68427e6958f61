// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench;

import dev.weft.DType;
import dev.weft.Device;
import dev.weft.Shape;
import dev.weft.Tensor;
import dev.weft.device.Arguments;
import dev.weft.device.Kernel;
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

/** One float32 product on the CPU, as a recorded program of one call. */
@State(Scope.Thread)
@BenchmarkMode(Mode.SampleTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Fork(1)
@Warmup(iterations = 1, time = 1)
@Measurement(iterations = 3, time = 1)
public class GemmBenchmark {
  /** The sizes. */
  @Param public GemmShape shape;

  /** The layout of the operands. */
  @Param public GemmForm form;

  private Device device;
  private Program program;

  /** Fills the operands and records the call. */
  @Setup
  public void start() {
    Threads.apply();
    device = Device.cpu();
    long m = shape.m();
    long k = shape.k();
    long n = shape.n();
    Tensor a = operand(m * k);
    Tensor b = operand(k * n);
    Tensor c = operand(m * n);
    var arguments =
        new Arguments.Gemm(
            a.address(),
            b.address(),
            c.address(),
            m,
            n,
            k,
            form.transposeA() ? m : k,
            form.transposeB() ? k : n,
            n,
            form.transposeA(),
            form.transposeB(),
            1,
            0,
            false);
    program = device.record(() -> device.run(Kernel.GEMM, Precision.F32, arguments, m * n));
  }

  /** Memory that is freed with the device. */
  private Tensor operand(long elements) {
    return device.full(DType.F32, Shape.of(elements), 0.5);
  }

  /** Closes all of it. */
  @TearDown
  public void stop() {
    program.close();
    device.close();
  }

  /** The product. */
  @Benchmark
  public void run() {
    program.run();
  }
}
