// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench.measure;

import dev.weft.DType;
import dev.weft.Device;
import dev.weft.Engine;
import dev.weft.MathMode;
import dev.weft.Shape;
import dev.weft.Tensor;
import dev.weft.bench.peer.Mlp;
import dev.weft.bench.peer.WeftTraining;
import dev.weft.device.Arguments;
import dev.weft.device.Kernel;
import dev.weft.device.Nonlinearity;
import dev.weft.device.Precision;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * What the CUDA path costs on the host, through JCuda, over a driver that does nothing. Not a
 * figure of any GPU.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(1)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class HostCostBenchmark {
  private static final long ROWS = 128;
  private static final long COLS = 512;

  private Device device;
  private WeftTraining training;
  private long x;
  private long b;

  /** Opens the device and records a training step. */
  @Setup
  public void start() {
    device = IdleDriver.open();
    // single rows, so that an epoch is long and its beginning, a new order of examples, weighs
    // little
    training = new WeftTraining(Mlp.digits(1, 100, 2, 65536), MathMode.STRICT, device);
    Tensor matrix = device.allocate(DType.F32, Shape.of(ROWS * COLS));
    Tensor bias = device.allocate(DType.F32, Shape.of(COLS));
    x = Engine.address(matrix);
    b = Engine.address(bias);
  }

  /** Closes all of it. */
  @TearDown
  public void stop() {
    training.close();
  }

  /** One launch of bias + ReLU, not recorded. */
  @Benchmark
  public void launch() {
    Engine.run(
        device,
        Kernel.BIAS_ACTIVATION_FORWARD,
        Precision.F32,
        new Arguments.BiasActivationForward(x, b, x, ROWS, COLS, Nonlinearity.RELU, 0));
  }

  /** One product by cuBLAS, not recorded. */
  @Benchmark
  public void gemm() {
    Engine.run(
        device,
        Kernel.GEMM,
        Precision.F32,
        new Arguments.Gemm(
            x, x, x, 64, 64, 64, 64, 64, 64, false, false, 1, 0, false, false, 1, 0, 0, 0));
  }

  /** A training step of 784-100-100-10, replayed as a graph. */
  @Benchmark
  public void step() {
    training.step();
  }
}
