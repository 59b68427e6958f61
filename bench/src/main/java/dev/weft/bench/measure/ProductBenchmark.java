// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench.measure;

import static dev.weft.format.Format.format;

import dev.weft.DType;
import dev.weft.Device;
import dev.weft.Engine;
import dev.weft.MathMode;
import dev.weft.Node;
import dev.weft.Shape;
import dev.weft.Tape;
import dev.weft.Tensor;
import dev.weft.bench.peer.Target;
import dev.weft.device.Program;
import dev.weft.op.Cast;
import dev.weft.op.MatMul;
import java.util.Map;
import java.util.Random;
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

/** One matrix product, recorded and replayed. */
@State(Scope.Thread)
@BenchmarkMode(Mode.SampleTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Fork(1)
@Warmup(iterations = 1, time = 1)
@Measurement(iterations = 3, time = 1)
public class ProductBenchmark {
  private static final int CHECKED = 100;

  /** The sizes. */
  @Param public ProductShape shape;

  /** The layout of the operands. */
  @Param("FORWARD")
  public ProductForm form;

  /** The arithmetic. */
  @Param("STRICT")
  public MathMode mode;

  /** Where. */
  @Param("CPU")
  public Target target;

  /** Products in an invocation. */
  @Param("1")
  public int repeats;

  private Device device;
  private Program program;
  private final Opened opened = new Opened();

  /** What runs so many products in one invocation. */
  public static Jmh.Task task(
      ProductShape shape, ProductForm form, MathMode mode, Target target, int repeats) {
    return new Jmh.Task(
        ProductBenchmark.class,
        "products",
        Map.of(
            "shape", shape.name(),
            "form", form.name(),
            "mode", mode.name(),
            "target", target.name()),
        repeats);
  }

  /** Draws the operands, records the product, and checks what it gives. */
  @Setup
  public void start() {
    opened.orClose(this::record);
  }

  private void record() {
    device = target.open();
    opened.add(device::close);
    Tape tape = Tape.inference(device).math(mode);
    opened.add(tape::close);
    float[] left = draw(shape.m() * shape.k(), 1);
    float[] right = draw(shape.k() * shape.n(), 2);
    Tensor a = operand(left, form.a(), shape.m(), shape.k());
    Tensor b = operand(right, form.b(), shape.k(), shape.n());
    Tensor[] c = new Tensor[1];
    program = Engine.record(device, () -> c[0] = tape.apply(new MatMul(form.a(), form.b()), a, b));
    opened.add(program::close);
    program.run();
    device.synchronize();
    check(left, right, c[0].toFloats());
  }

  private static float[] draw(int count, long seed) {
    Random random = new Random(seed);
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = 2 * random.nextFloat() - 1;
    }
    return values;
  }

  /** The matrix (rows, cols), stored transposed where the form wants it. */
  private Tensor operand(float[] values, MatMul.Form stored, int rows, int cols) {
    Tensor flat = device.tensor(values);
    if (mode.dtype() == DType.BF16) {
      try (Tensor wide = flat) {
        flat = device.allocate(DType.BF16, wide.shape());
        Cast.run(device, wide, new Node.Sink(flat, false));
      }
    }
    opened.add(flat::close);
    return stored == MatMul.Form.PLAIN
        ? flat.view(0, Shape.of(rows, cols))
        : flat.view(0, Shape.of(cols, rows));
  }

  /** Elements of c here and there against sums in double. */
  private void check(float[] left, float[] right, float[] c) {
    int m = shape.m();
    int k = shape.k();
    int n = shape.n();
    // operands lie within -1 and 1, so their products have a deviation of 1 / 3
    double allowed = (mode == MathMode.STRICT ? 1e-5 : 2e-2) * Math.sqrt(k);
    Random random = new Random(3);
    for (int i = 0; i < CHECKED; i++) {
      int row = random.nextInt(m);
      int col = random.nextInt(n);
      double sum = 0;
      for (int j = 0; j < k; j++) {
        sum +=
            (double) left[form.a() == MatMul.Form.PLAIN ? row * k + j : j * m + row]
                * right[form.b() == MatMul.Form.PLAIN ? j * n + col : col * k + j];
      }
      double got = c[row * n + col];
      if (!(Math.abs(got - sum) <= allowed)) {
        throw new IllegalStateException(
            format(
                "%s %s %s on %s: element (%d, %d) is %s, and should be %s within %.1e",
                shape, form, mode, device.name(), row, col, got, sum, allowed));
      }
    }
  }

  /** Closes all of it. */
  @TearDown
  public void stop() {
    opened.close();
  }

  /** So many products, and the wait for the last. */
  @Benchmark
  public void products() {
    for (int i = 0; i < repeats; i++) {
      program.run();
    }
    device.synchronize();
  }
}
