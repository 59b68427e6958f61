// SPDX-License-Identifier: Apache-2.0
package dev.weft.device;

/**
 * The argument structs of {@code native/abi/kernels.h}, one record each; that header says what
 * every field means. Components stand in the order of the fields, pointers are device addresses,
 * and 0 is the null pointer. A test holds names, order and sizes against the native library's own
 * table. Long because it has a record for every struct.
 */
public sealed interface Arguments {

  /** Writes the struct, one slot for each component, in order. */
  void write(Slots slots);

  /** y[r,c] = f(x[r,c] + b[c]). */
  record BiasActivationForward(
      long x, long b, long y, long rows, long cols, long activation, double alpha)
      implements Arguments {
    @Override
    public void write(Slots slots) {
      slots.put(x).put(b).put(y).put(rows).put(cols).put(activation).put(alpha);
    }
  }

  /** dx[r,c] (+)= dy[r,c] f'(x[r,c] + b[c]). */
  record BiasActivationBackward(
      long x,
      long b,
      long y,
      long dy,
      long dx,
      long rows,
      long cols,
      long activation,
      double alpha,
      boolean accumulate)
      implements Arguments {
    @Override
    public void write(Slots slots) {
      slots
          .put(x)
          .put(b)
          .put(y)
          .put(dy)
          .put(dx)
          .put(rows)
          .put(cols)
          .put(activation)
          .put(alpha)
          .put(accumulate);
    }
  }

  /** dx[r,c] = dy[r,c] f'(x[r,c] + b[c]), and db[p,c] (+)= its sums over parts of the rows. */
  record BiasActivationGradients(
      long x,
      long b,
      long y,
      long dy,
      long dx,
      long db,
      long rows,
      long cols,
      long parts,
      long activation,
      double alpha,
      boolean accumulate)
      implements Arguments {
    @Override
    public void write(Slots slots) {
      slots
          .put(x)
          .put(b)
          .put(y)
          .put(dy)
          .put(dx)
          .put(db)
          .put(rows)
          .put(cols)
          .put(parts)
          .put(activation)
          .put(alpha)
          .put(accumulate);
    }
  }

  /** Loss of each row and, in the same pass, its gradient. */
  record SoftmaxCrossEntropy(
      long x,
      long labels,
      long losses,
      long dx,
      long hits,
      long rows,
      long classes,
      double smoothing,
      double scale)
      implements Arguments {
    @Override
    public void write(Slots slots) {
      slots
          .put(x)
          .put(labels)
          .put(losses)
          .put(dx)
          .put(hits)
          .put(rows)
          .put(classes)
          .put(smoothing)
          .put(scale);
    }

    /** The blocks that a GPU launches: of one row, and where rows are short of two to 32. */
    public long work() {
      long together =
          classes > 2048 ? 1 : classes > 1024 ? 2 : classes > 512 ? 4 : classes > 32 ? 8 : 32;
      return (rows + together - 1) / together;
    }
  }

  /** y[i] (+)= kept(i) ? x[i] / (1 - rate) : 0. */
  record Dropout(
      long x, long y, long state, long n, long operation, double rate, boolean accumulate)
      implements Arguments {
    @Override
    public void write(Slots slots) {
      slots.put(x).put(y).put(state).put(n).put(operation).put(rate).put(accumulate);
    }
  }

  /** y[i] = f(x[i]). */
  record UnaryForward(long x, long y, long n, long operation, double alpha) implements Arguments {
    @Override
    public void write(Slots slots) {
      slots.put(x).put(y).put(n).put(operation).put(alpha);
    }
  }

  /** dx[i] (+)= dy[i] f'(x[i]). */
  record UnaryBackward(
      long x, long y, long dy, long dx, long n, long operation, double alpha, boolean accumulate)
      implements Arguments {
    @Override
    public void write(Slots slots) {
      slots.put(x).put(y).put(dy).put(dx).put(n).put(operation).put(alpha).put(accumulate);
    }
  }

  /** y = f(a, b) with broadcasting by zero strides. */
  record BinaryForward(
      long a,
      long b,
      long y,
      long d0,
      long d1,
      long d2,
      long d3,
      long a0,
      long a1,
      long a2,
      long a3,
      long b0,
      long b1,
      long b2,
      long b3,
      long operation)
      implements Arguments {
    @Override
    public void write(Slots slots) {
      slots
          .put(a)
          .put(b)
          .put(y)
          .put(d0)
          .put(d1)
          .put(d2)
          .put(d3)
          .put(a0)
          .put(a1)
          .put(a2)
          .put(a3)
          .put(b0)
          .put(b1)
          .put(b2)
          .put(b3)
          .put(operation);
    }
  }

  /** da (+)= dy df/da, db (+)= dy df/db. */
  record BinaryBackward(
      long a,
      long b,
      long dy,
      long da,
      long db,
      long d0,
      long d1,
      long d2,
      long d3,
      long a0,
      long a1,
      long a2,
      long a3,
      long b0,
      long b1,
      long b2,
      long b3,
      long operation,
      boolean accumulateA,
      boolean accumulateB)
      implements Arguments {
    @Override
    public void write(Slots slots) {
      slots
          .put(a)
          .put(b)
          .put(dy)
          .put(da)
          .put(db)
          .put(d0)
          .put(d1)
          .put(d2)
          .put(d3)
          .put(a0)
          .put(a1)
          .put(a2)
          .put(a3)
          .put(b0)
          .put(b1)
          .put(b2)
          .put(b3)
          .put(operation)
          .put(accumulateA)
          .put(accumulateB);
    }
  }

  /** x (outer, count, inner) to y (parts, outer, inner). */
  record Reduce(
      long x,
      long y,
      long outer,
      long count,
      long inner,
      long parts,
      long operation,
      double scale,
      boolean accumulate)
      implements Arguments {
    @Override
    public void write(Slots slots) {
      slots
          .put(x)
          .put(y)
          .put(outer)
          .put(count)
          .put(inner)
          .put(parts)
          .put(operation)
          .put(scale)
          .put(accumulate);
    }

    /** The blocks that a GPU launches: of 32 columns, of eight parts of rows, or of a long one. */
    public long work() {
      long outputs = parts * outer * inner;
      long together = inner > 1 ? 32 : (count + parts - 1) / parts <= 2048 ? 8 : 1;
      return (outputs + together - 1) / together;
    }
  }

  /** dx (+)= the gradient of a sum, a mean or a sum of squares. */
  record ReduceBackward(
      long x,
      long dy,
      long dx,
      long outer,
      long count,
      long inner,
      long operation,
      double scale,
      boolean accumulate)
      implements Arguments {
    @Override
    public void write(Slots slots) {
      slots
          .put(x)
          .put(dy)
          .put(dx)
          .put(outer)
          .put(count)
          .put(inner)
          .put(operation)
          .put(scale)
          .put(accumulate);
    }
  }

  /** dx (+)= dy, shared among the largest entries. */
  record MaxBackward(
      long x, long y, long dy, long dx, long outer, long count, long inner, boolean accumulate)
      implements Arguments {
    @Override
    public void write(Slots slots) {
      slots.put(x).put(y).put(dy).put(dx).put(outer).put(count).put(inner).put(accumulate);
    }

    /** The blocks that a GPU launches: of 32 columns or of eight rows. */
    public long work() {
      long together = inner > 1 ? 32 : 8;
      return (outer * inner + together - 1) / together;
    }
  }

  /** y[r,:] = scale source[index[start + r],:] + shift; NaN for a row that source has not. */
  record GatherRows(
      long source,
      long index,
      long state,
      long y,
      long rows,
      long cols,
      long sourceRows,
      double scale,
      double shift)
      implements Arguments {
    @Override
    public void write(Slots slots) {
      slots.put(source).put(index).put(state).put(y).put(rows).put(cols);
      slots.put(sourceRows).put(scale).put(shift);
    }
  }

  /** dsource[index[r],:] += scale dy[r,:], for the rows that dsource has. */
  record GatherRowsBackward(
      long index, long dy, long dsource, long rows, long cols, long sourceRows, double scale)
      implements Arguments {
    @Override
    public void write(Slots slots) {
      slots.put(index).put(dy).put(dsource).put(rows).put(cols).put(sourceRows).put(scale);
    }
  }

  /** y[r] = source[index[start + r]]; -1 for a row that source has not. */
  record GatherLabels(long source, long index, long state, long y, long rows, long sourceRows)
      implements Arguments {
    @Override
    public void write(Slots slots) {
      slots.put(source).put(index).put(state).put(y).put(rows).put(sourceRows);
    }
  }

  /** y[r] = the first c with the largest x[r,c]. */
  record Argmax(long x, long y, long rows, long cols) implements Arguments {
    @Override
    public void write(Slots slots) {
      slots.put(x).put(y).put(rows).put(cols);
    }

    /** The blocks that a GPU launches: of 16 short rows or of four. */
    public long work() {
      long together = cols <= 32 ? 16 : 4;
      return (rows + together - 1) / together;
    }
  }

  /** y[i] = value. */
  record Fill(long y, long n, double value) implements Arguments {
    @Override
    public void write(Slots slots) {
      slots.put(y).put(n).put(value);
    }
  }

  /** y[r,c] (+)= scale x[r,c], each with its own row stride. */
  record CopyRows(
      long x,
      long y,
      long rows,
      long cols,
      long xStride,
      long yStride,
      double scale,
      boolean accumulate)
      implements Arguments {
    @Override
    public void write(Slots slots) {
      slots.put(x).put(y).put(rows).put(cols).put(xStride).put(yStride).put(scale).put(accumulate);
    }
  }

  /** y[c,r] (+)= x[r,c]. */
  record Transpose(long x, long y, long rows, long cols, boolean accumulate) implements Arguments {
    @Override
    public void write(Slots slots) {
      slots.put(x).put(y).put(rows).put(cols).put(accumulate);
    }
  }

  /** y[i] drawn by Philox. */
  record Random(long y, long n, long seed, long step, long operation, double a, double b)
      implements Arguments {
    @Override
    public void write(Slots slots) {
      slots.put(y).put(n).put(seed).put(step).put(operation).put(a).put(b);
    }
  }

  /** y[i] (+)= x[i] in another type. */
  record Cast(long x, long y, long n, boolean accumulate) implements Arguments {
    @Override
    public void write(Slots slots) {
      slots.put(x).put(y).put(n).put(accumulate);
    }
  }

  /** One step of SGD with momentum over an arena. */
  record Sgd(
      long value,
      long gradient,
      long velocity,
      long copy,
      long state,
      long n,
      double momentum,
      double dampening,
      double weightDecay,
      boolean nesterov)
      implements Arguments {

    /** Without a copy in bfloat16. */
    public Sgd(
        long value,
        long gradient,
        long velocity,
        long state,
        long n,
        double momentum,
        double dampening,
        double weightDecay,
        boolean nesterov) {
      this(value, gradient, velocity, 0, state, n, momentum, dampening, weightDecay, nesterov);
    }

    @Override
    public void write(Slots slots) {
      slots
          .put(value)
          .put(gradient)
          .put(velocity)
          .put(copy)
          .put(state)
          .put(n)
          .put(momentum)
          .put(dampening)
          .put(weightDecay)
          .put(nesterov);
    }
  }

  /** One step of Adam or AdamW over an arena. */
  record Adam(
      long value,
      long gradient,
      long first,
      long second,
      long copy,
      long state,
      long n,
      double beta1,
      double beta2,
      double epsilon,
      double l2,
      double weightDecay)
      implements Arguments {

    /** Without a copy in bfloat16. */
    public Adam(
        long value,
        long gradient,
        long first,
        long second,
        long state,
        long n,
        double beta1,
        double beta2,
        double epsilon,
        double l2,
        double weightDecay) {
      this(value, gradient, first, second, 0, state, n, beta1, beta2, epsilon, l2, weightDecay);
    }

    @Override
    public void write(Slots slots) {
      slots
          .put(value)
          .put(gradient)
          .put(first)
          .put(second)
          .put(copy)
          .put(state)
          .put(n)
          .put(beta1)
          .put(beta2)
          .put(epsilon)
          .put(l2)
          .put(weightDecay);
    }
  }

  /** One more step done, the cursor moved on. */
  record AdvanceStep(long state, long rows) implements Arguments {
    @Override
    public void write(Slots slots) {
      slots.put(state).put(rows);
    }
  }

  /** A batch, forward, loss, and backward up to the gradients at the layers' sums. */
  record FusedPass(
      long layers,
      long value,
      long source,
      long index,
      long state,
      long targets,
      long scratch,
      long losses,
      long hits,
      long count,
      long rows,
      long cols,
      long sourceRows,
      boolean sourceU8,
      long loss,
      double scale,
      double shift,
      double targetScale,
      double targetShift,
      double smoothing,
      long parameters,
      long products,
      long widths,
      boolean fast)
      implements Arguments {
    @Override
    public void write(Slots slots) {
      slots.put(layers).put(value).put(source).put(index).put(state).put(targets);
      slots.put(scratch).put(losses).put(hits).put(count).put(rows).put(cols);
      slots.put(sourceRows).put(sourceU8).put(loss).put(scale).put(shift).put(targetScale);
      slots.put(targetShift).put(smoothing).put(parameters).put(products).put(widths).put(fast);
    }
  }

  /** The gradients of all parameters, straight into the optimizer's rule. */
  record FusedUpdate(
      long layers,
      long value,
      long first,
      long second,
      long state,
      long scratch,
      long losses,
      long hits,
      long mean,
      long sums,
      long count,
      long rows,
      long loss,
      long rule,
      boolean nesterov,
      double decay1,
      double decay2,
      double epsilon,
      double l2,
      double weightDecay,
      double weight,
      long parameters,
      long widths,
      boolean fast)
      implements Arguments {
    @Override
    public void write(Slots slots) {
      slots.put(layers).put(value).put(first).put(second).put(state).put(scratch);
      slots.put(losses).put(hits).put(mean).put(sums).put(count).put(rows);
      slots.put(loss).put(rule).put(nesterov).put(decay1).put(decay2).put(epsilon);
      slots.put(l2).put(weightDecay).put(weight).put(parameters).put(widths).put(fast);
    }
  }

  /** c = alpha op(a) op(b) + beta c. */
  record Gemm(
      long a,
      long b,
      long c,
      long m,
      long n,
      long k,
      long lda,
      long ldb,
      long ldc,
      boolean transposeA,
      boolean transposeB,
      double alpha,
      double beta,
      boolean fast,
      boolean cWide)
      implements Arguments {

    /** With c in the type of a and b. */
    public Gemm(
        long a,
        long b,
        long c,
        long m,
        long n,
        long k,
        long lda,
        long ldb,
        long ldc,
        boolean transposeA,
        boolean transposeB,
        double alpha,
        double beta,
        boolean fast) {
      this(a, b, c, m, n, k, lda, ldb, ldc, transposeA, transposeB, alpha, beta, fast, false);
    }

    @Override
    public void write(Slots slots) {
      slots
          .put(a)
          .put(b)
          .put(c)
          .put(m)
          .put(n)
          .put(k)
          .put(lda)
          .put(ldb)
          .put(ldc)
          .put(transposeA)
          .put(transposeB)
          .put(alpha)
          .put(beta)
          .put(fast)
          .put(cWide);
    }
  }
}
