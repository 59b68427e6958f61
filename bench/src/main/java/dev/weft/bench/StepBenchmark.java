// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench;

import dev.weft.Device;
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

/** One training step of each {@link MlpShape}, by Weft on the CPU and by DJL. */
@BenchmarkMode(Mode.SampleTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Fork(1)
@Warmup(iterations = 2, time = 1)
@Measurement(iterations = 3, time = 1)
public class StepBenchmark {

  /** A Weft training run. */
  @State(Scope.Thread)
  public static class Weft {
    /** The network and its batch. */
    @Param public MlpShape shape;

    private Device device;
    private WeftTraining training;

    /** Opens the processor, uploads the data and records the step. */
    @Setup
    public void start() {
      Threads.apply();
      device = Device.cpu();
      training = new WeftTraining(shape, device);
    }

    /** Closes all of it. */
    @TearDown
    public void stop() {
      training.close();
      device.close();
    }
  }

  /** A DJL trainer. */
  @State(Scope.Thread)
  public static class Djl {
    /** The network and its batch. */
    @Param public MlpShape shape;

    private DjlTraining training;

    /** Loads PyTorch and makes the batches. */
    @Setup
    public void start() {
      training = new DjlTraining(shape);
    }

    /** Closes all of it. */
    @TearDown
    public void stop() {
      training.close();
    }
  }

  /** A step of Weft. */
  @Benchmark
  public void weft(Weft side) {
    side.training.step();
  }

  /** A step of DJL. */
  @Benchmark
  public void djl(Djl side) {
    side.training.step();
  }
}
