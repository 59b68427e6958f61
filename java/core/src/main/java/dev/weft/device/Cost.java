// SPDX-License-Identifier: Apache-2.0
package dev.weft.device;

/**
 * What a kernel call must move and compute, from its arguments alone.
 *
 * <p>Bytes: every operand read once and every result written once, whatever is read again from a
 * cache; of a broadcast operand what is stored. The step state, 32 bytes, is not counted.
 *
 * <p>Floating-point operations: additions, multiplications, divisions, comparisons, and each
 * exponential, logarithm, root or random draw as one. A product of matrices has 2 m n k.
 *
 * @param read bytes read
 * @param written bytes written
 * @param flops floating-point operations
 */
public record Cost(long read, long written, double flops) {
  /** Nothing. */
  public static final Cost NONE = new Cost(0, 0, 0);

  private static final long INT = Integer.BYTES;

  // of native/abi/kernels.h, which a test holds these against
  static final int IDENTITY = 0;
  static final int MULTIPLY = 2;
  static final int DIVIDE = 3;
  static final int SUM_OF_SQUARES = 3;

  /** Bytes read and written. */
  public long bytes() {
    return read + written;
  }

  /** The sum of both. */
  public Cost plus(Cost other) {
    return new Cost(read + other.read, written + other.written, flops + other.flops);
  }

  /** The cost of a call of the kernel that takes such arguments. */
  public static Cost of(Kernel kernel, Precision precision, Arguments arguments) {
    long size = precision.bytes();
    long wide = precision.wide().bytes();
    return switch (arguments) {
      case Arguments.BiasActivationForward a -> {
        long n = a.rows() * a.cols();
        int steps = (a.b() == 0 ? 0 : 1) + (a.activation() == IDENTITY ? 0 : 1);
        yield elements(size, n + (a.b() == 0 ? 0 : a.cols()), n, (double) steps * n);
      }
      case Arguments.BiasActivationBackward a -> {
        // dy, and of x and y one
        long n = a.rows() * a.cols();
        long bias = a.x() == 0 || a.b() == 0 ? 0 : a.cols();
        long operands = a.activation() == IDENTITY ? n : 2 * n;
        yield adding(a.accumulate(), elements(size, operands + bias, n, 2.0 * n), size, n);
      }
      case Arguments.BiasActivationGradients a -> {
        // as above, and of every element an addition
        long n = a.rows() * a.cols();
        long sums = a.parts() * a.cols();
        long bias = a.x() == 0 || a.b() == 0 ? 0 : a.cols();
        long operands = a.activation() == IDENTITY ? n : 2 * n;
        Cost values = elements(size, operands + bias, n, 3.0 * n);
        yield values.plus(adding(a.accumulate(), elements(wide, 0, sums, 0), wide, sums));
      }
      case Arguments.SoftmaxCrossEntropy a -> {
        // largest, difference, exponential, sum; and of the gradient quotient, difference, scale
        long n = a.rows() * a.classes();
        long results = (a.hits() == 0 ? 0 : a.rows()) + a.rows();
        Cost values = elements(size, n, a.dx() == 0 ? 0 : n, (a.dx() == 0 ? 4.0 : 7.0) * n);
        yield values.plus(new Cost(a.rows() * INT, results * wide, 0));
      }
      case Arguments.Dropout a ->
          adding(a.accumulate(), elements(size, a.n(), a.n(), 2.0 * a.n()), size, a.n());
      case Arguments.UnaryForward a -> elements(size, a.n(), a.n(), a.n());
      case Arguments.UnaryBackward a ->
          adding(a.accumulate(), elements(size, 2 * a.n(), a.n(), 2.0 * a.n()), size, a.n());
      case Arguments.BinaryForward a -> {
        long n = a.d0() * a.d1() * a.d2() * a.d3();
        yield elements(
            size,
            stored(a.a0(), a.a1(), a.a2(), a.a3(), a.d0(), a.d1(), a.d2(), a.d3())
                + stored(a.b0(), a.b1(), a.b2(), a.b3(), a.d0(), a.d1(), a.d2(), a.d3()),
            n,
            n);
      }
      case Arguments.BinaryBackward a -> binaryBackward(size, a);
      case Arguments.Reduce a -> {
        long n = a.outer() * a.count() * a.inner();
        long results = a.parts() * a.outer() * a.inner();
        double steps = a.operation() == SUM_OF_SQUARES ? 2 : 1;
        Cost cost = new Cost(n * size, results * wide, steps * n);
        yield adding(a.accumulate(), cost, wide, results);
      }
      case Arguments.ReduceBackward a -> {
        long n = a.outer() * a.count() * a.inner();
        long x = a.operation() == SUM_OF_SQUARES ? n : 0;
        Cost cost = elements(size, x, n, (x == 0 ? 1.0 : 2.0) * n);
        cost = cost.plus(new Cost(a.outer() * a.inner() * wide, 0, 0));
        yield adding(a.accumulate(), cost, size, n);
      }
      case Arguments.MaxBackward a -> {
        long n = a.outer() * a.count() * a.inner();
        Cost cost = elements(size, n, n, n);
        cost = cost.plus(new Cost(2 * a.outer() * a.inner() * wide, 0, 0));
        yield adding(a.accumulate(), cost, size, n);
      }
      case Arguments.GatherRows a -> {
        long n = a.rows() * a.cols();
        long source = kernel == Kernel.GATHER_ROWS_U8 ? n : n * size;
        yield new Cost(source + a.rows() * INT, n * size, 2.0 * n);
      }
      case Arguments.GatherRowsBackward a -> {
        long n = a.rows() * a.cols();
        yield new Cost(n * size + n * wide + a.rows() * INT, n * wide, 2.0 * n);
      }
      case Arguments.GatherLabels a -> new Cost(2 * a.rows() * INT, a.rows() * INT, 0);
      case Arguments.Argmax a -> {
        long n = a.rows() * a.cols();
        yield new Cost(n * size, a.rows() * INT, n);
      }
      case Arguments.Fill a -> elements(size, 0, a.n(), 0);
      case Arguments.CopyRows a -> {
        long n = a.rows() * a.cols();
        yield adding(a.accumulate(), elements(size, n, n, a.scale() == 1 ? 0 : n), size, n);
      }
      case Arguments.Transpose a -> {
        long n = a.rows() * a.cols();
        yield adding(a.accumulate(), elements(size, n, n, 0), size, n);
      }
      case Arguments.Random a -> elements(size, 0, a.n(), a.n());
      case Arguments.Cast a -> {
        boolean narrows = kernel == Kernel.F32_TO_BF16;
        long from = narrows ? Precision.F32.bytes() : Precision.BF16.bytes();
        long to = narrows ? Precision.BF16.bytes() : Precision.F32.bytes();
        yield adding(a.accumulate(), new Cost(a.n() * from, a.n() * to, 0), to, a.n());
      }
      case Arguments.Sgd a -> {
        int moments = a.velocity() == 0 ? 0 : 1;
        double steps = 2 + 2 * moments + (a.weightDecay() == 0 ? 0 : 2) + (a.nesterov() ? 2 : 0);
        Cost cost = elements(size, (2 + moments) * a.n(), (1 + moments) * a.n(), steps * a.n());
        yield cost.plus(copy(a.copy(), a.n()));
      }
      case Arguments.Adam a -> {
        double steps = 13 + (a.l2() == 0 ? 0 : 2) + (a.weightDecay() == 0 ? 0 : 2);
        yield elements(size, 4 * a.n(), 3 * a.n(), steps * a.n()).plus(copy(a.copy(), a.n()));
      }
      case Arguments.AdvanceStep a -> new Cost(2 * Long.BYTES, 2 * Long.BYTES, 0);
      case Arguments.FusedPass a -> {
        // the weights once, and the batch; x, dz and slope of every layer
        long source = a.sourceU8() ? 1 : size;
        yield new Cost(
            a.parameters() * size + a.rows() * a.cols() * source,
            a.rows() * a.widths() * size,
            2.0 * a.rows() * a.products());
      }
      case Arguments.FusedUpdate a -> {
        int moments = (a.first() == 0 ? 0 : 1) + (a.second() == 0 ? 0 : 1);
        double steps = 2.0 * a.rows() + 2 + 2 * moments;
        long values = (1 + moments) * a.parameters();
        yield elements(size, values + a.rows() * a.widths(), values, steps * a.parameters());
      }
      case Arguments.Gemm a -> {
        long c = a.m() * a.n();
        double steps = 2.0 * a.m() * a.n() * a.k();
        long result = a.cWide() ? wide : size;
        Cost cost = elements(size, a.m() * a.k() + a.k() * a.n(), 0, steps);
        cost = cost.plus(elements(result, 0, c, 0));
        yield a.beta() == 0 ? cost : cost.plus(elements(result, c, 0, 0));
      }
    };
  }

  private static Cost elements(long size, long read, long written, double flops) {
    return new Cost(read * size, written * size, flops);
  }

  /** An optimizer's copy of the values in bfloat16. */
  private static Cost copy(long address, long n) {
    return address == 0 ? NONE : elements(Precision.BF16.bytes(), 0, n, 0);
  }

  /** A cost and, where results are added to what is there, reading and adding that. */
  private static Cost adding(boolean accumulate, Cost cost, long size, long results) {
    return accumulate ? cost.plus(elements(size, results, 0, results)) : cost;
  }

  /** Of a and b are read what the derivatives need: nothing for sums, the other for a product. */
  private static Cost binaryBackward(long size, Arguments.BinaryBackward a) {
    long n = a.d0() * a.d1() * a.d2() * a.d3();
    boolean left = a.da() != 0;
    boolean right = a.db() != 0;
    boolean product = a.operation() == MULTIPLY;
    boolean both = a.operation() > MULTIPLY;
    boolean readsA = product && right || a.operation() == DIVIDE && right || a.operation() > DIVIDE;
    boolean readsB = product && left || both;
    long operands =
        (readsA ? stored(a.a0(), a.a1(), a.a2(), a.a3(), a.d0(), a.d1(), a.d2(), a.d3()) : 0)
            + (readsB ? stored(a.b0(), a.b1(), a.b2(), a.b3(), a.d0(), a.d1(), a.d2(), a.d3()) : 0);
    int results = (left ? 1 : 0) + (right ? 1 : 0);
    double steps = a.operation() < MULTIPLY ? results : 2.0 * results;
    Cost cost = elements(size, n + operands, results * n, steps * n);
    cost = adding(left && a.accumulateA(), cost, size, n);
    return adding(right && a.accumulateB(), cost, size, n);
  }

  /** The elements that are stored of an operand with these strides over these sizes. */
  private static long stored(
      long s0, long s1, long s2, long s3, long d0, long d1, long d2, long d3) {
    return (s0 == 0 ? 1 : d0) * (s1 == 0 ? 1 : d1) * (s2 == 0 ? 1 : d2) * (s3 == 0 ? 1 : d3);
  }
}
