// SPDX-License-Identifier: Apache-2.0
package dev.weft.device.cuda;

import static dev.weft.format.Format.format;

import dev.weft.device.Arguments;
import dev.weft.device.Closing;
import dev.weft.device.OutOfDeviceMemoryException;
import dev.weft.device.Precision;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import jcuda.cudaDataType;
import jcuda.jcublas.JCublas2;
import jcuda.jcublas.cublasComputeType;
import jcuda.jcublas.cublasGemmAlgo;
import jcuda.jcublas.cublasHandle;
import jcuda.jcublas.cublasMath;
import jcuda.jcublas.cublasOperation;
import jcuda.jcublas.cublasStatus;
import jcuda.runtime.cudaStream_t;

/**
 * Matrix products by cuBLAS on the stream of a device. The one class that calls {@link JCublas2}.
 */
final class Cublas implements AutoCloseable {
  /**
   * cuBLAS works in this memory and takes no other: it must not allocate while a graph is captured,
   * and with a workspace of its own a stream computes the same bits every time. 32 MiB is what
   * NVIDIA advises for Hopper, the largest of its figures.
   */
  static final long WORKSPACE_BYTES = 32L << 20;

  private final CudaDriver driver;
  private final Arena arena = Arena.ofShared();
  private final MemorySegment factors = arena.allocate(2 * Double.BYTES, Double.BYTES);
  private final HostAddress alpha = new HostAddress(factors.address());
  private final HostAddress beta = new HostAddress(factors.address() + Double.BYTES);
  private final cublasHandle handle = new cublasHandle();
  private boolean created;
  private long workspace;

  /** Loads cuBLAS where this is the first, and opens it on the stream of {@code driver}. */
  Cublas(CudaDriver driver) {
    this.driver = driver;
    try {
      CudaLibraries.loadCublas(() -> JCublas2.setExceptionsEnabled(false));
      workspace = driver.allocate(WORKSPACE_BYTES);
      if (workspace == 0) {
        throw new OutOfDeviceMemoryException(
            format(
                "%s has not the %d MiB left that cuBLAS works in",
                driver.device(), WORKSPACE_BYTES >> 20));
      }
      int status = JCublas2.cublasCreate(handle);
      if (status != cublasStatus.CUBLAS_STATUS_SUCCESS) {
        throw failure(status, "cublasCreate", "of " + CudaLibraries.cublas());
      }
      created = true;
      // in this order: a new stream takes the workspace away
      check(JCublas2.cublasSetStream(handle, new cudaStream_t(driver.stream())), "cublasSetStream");
      DeviceAddress memory = new DeviceAddress(workspace);
      check(JCublas2.cublasSetWorkspace(handle, memory, WORKSPACE_BYTES), "cublasSetWorkspace");
      // TF32 only where a call asks for it, and sums in float32 also where the result is bfloat16
      int mode =
          cublasMath.CUBLAS_DEFAULT_MATH
              | cublasMath.CUBLAS_MATH_DISALLOW_REDUCED_PRECISION_REDUCTION;
      check(JCublas2.cublasSetMathMode(handle, mode), "cublasSetMathMode");
      warmUp();
    } catch (RuntimeException e) {
      Closing.after(e, this::close);
      throw e;
    }
  }

  /**
   * First products, of zeros, in every arithmetic: what cuBLAS puts off until then, memory of its
   * own included, is done before any capture, and a cuBLAS that does not work says so when the
   * device is opened.
   */
  private void warmUp() {
    long n = 16;
    long bytes = n * n * Double.BYTES;
    long x = driver.allocate(2 * bytes);
    if (x == 0) {
      throw new OutOfDeviceMemoryException(driver.device() + " has no memory left for a product");
    }
    try {
      driver.zero(x, 2 * bytes);
      for (Precision precision : Precision.values()) {
        for (boolean option : new boolean[] {false, true}) {
          boolean fast = option && precision == Precision.F32;
          boolean wide = option && precision == Precision.BF16;
          for (long batch = 1; batch <= 2; batch++) {
            long m = n / batch;
            multiply(
                precision,
                new Arguments.Gemm(
                    x, x, x + bytes, m, n, n, n, n, n, false, false, 1, 0, fast, wide, batch, 0, 0,
                    m * n));
          }
        }
      }
      driver.synchronize();
      driver.launched("");
    } finally {
      driver.free(x);
    }
  }

  /** The version, such as 12.6.4. */
  String version() {
    int[] version = new int[1];
    check(JCublas2.cublasGetVersion(handle, version), "cublasGetVersion");
    return format("%d.%d.%d", version[0] / 10_000, version[0] / 100 % 100, version[0] % 100);
  }

  /**
   * Queues c = alpha op(a) op(b) + beta c for k > 0, once or for a batch. cuBLAS counts by columns,
   * so what is row-major here is transposed there, and it is asked for c' = alpha op(b)' op(a)' +
   * beta c'.
   */
  void multiply(Precision precision, Arguments.Gemm gemm) {
    boolean single = precision != Precision.F64;
    int type = type(precision);
    int result = type(gemm.cWide() ? precision.wide() : precision);
    factor(0, gemm.alpha(), single);
    factor(1, gemm.beta(), single);
    boolean batched = gemm.batch() != 1;
    int status =
        batched ? batched(precision, gemm, type, result) : one(precision, gemm, type, result);
    if (status != cublasStatus.CUBLAS_STATUS_SUCCESS) {
      throw failure(status, batched ? "cublasGemmStridedBatchedEx" : "cublasGemmEx", "of " + gemm);
    }
    driver.launched("gemm" + precision.suffix());
  }

  private int one(Precision precision, Arguments.Gemm gemm, int type, int result) {
    return JCublas2.cublasGemmEx_new(
        handle,
        operation(gemm.transposeB()),
        operation(gemm.transposeA()),
        size(gemm.n(), gemm),
        size(gemm.m(), gemm),
        size(gemm.k(), gemm),
        alpha,
        new DeviceAddress(gemm.b()),
        type,
        size(gemm.ldb(), gemm),
        new DeviceAddress(gemm.a()),
        type,
        size(gemm.lda(), gemm),
        beta,
        new DeviceAddress(gemm.c()),
        result,
        size(gemm.ldc(), gemm),
        computeType(precision, gemm.fast()),
        cublasGemmAlgo.CUBLAS_GEMM_DEFAULT);
  }

  private int batched(Precision precision, Arguments.Gemm gemm, int type, int result) {
    return JCublas2.cublasGemmStridedBatchedEx_new(
        handle,
        operation(gemm.transposeB()),
        operation(gemm.transposeA()),
        size(gemm.n(), gemm),
        size(gemm.m(), gemm),
        size(gemm.k(), gemm),
        alpha,
        new DeviceAddress(gemm.b()),
        type,
        size(gemm.ldb(), gemm),
        gemm.bStep(),
        new DeviceAddress(gemm.a()),
        type,
        size(gemm.lda(), gemm),
        gemm.aStep(),
        beta,
        new DeviceAddress(gemm.c()),
        result,
        size(gemm.ldc(), gemm),
        gemm.cStep(),
        size(gemm.batch(), gemm),
        computeType(precision, gemm.fast()),
        cublasGemmAlgo.CUBLAS_GEMM_DEFAULT);
  }

  private void factor(long index, double value, boolean single) {
    if (single) {
      factors.set(ValueLayout.JAVA_FLOAT, index * Double.BYTES, (float) value);
    } else {
      factors.set(ValueLayout.JAVA_DOUBLE, index * Double.BYTES, value);
    }
  }

  private static int operation(boolean transpose) {
    return transpose ? cublasOperation.CUBLAS_OP_T : cublasOperation.CUBLAS_OP_N;
  }

  private static int type(Precision precision) {
    return switch (precision) {
      case F32 -> cudaDataType.CUDA_R_32F;
      case F64 -> cudaDataType.CUDA_R_64F;
      case BF16 -> cudaDataType.CUDA_R_16BF;
    };
  }

  private static int computeType(Precision precision, boolean fast) {
    if (precision == Precision.F64) {
      return cublasComputeType.CUBLAS_COMPUTE_64F;
    }
    return fast && precision == Precision.F32
        ? cublasComputeType.CUBLAS_COMPUTE_32F_FAST_TF32
        : cublasComputeType.CUBLAS_COMPUTE_32F;
  }

  private static int size(long value, Arguments.Gemm gemm) {
    if (value < 0 || value > Integer.MAX_VALUE) {
      throw new IllegalArgumentException(
          format("cuBLAS takes sizes from 0 to %d: %s", Integer.MAX_VALUE, gemm));
    }
    return (int) value;
  }

  @Override
  public void close() {
    Closing closing = new Closing();
    if (created) {
      created = false;
      int status = JCublas2.cublasDestroy(handle);
      if (!driver.isLost()) {
        closing.run(() -> check(status, "cublasDestroy"));
      }
    }
    if (workspace != 0) {
      long address = workspace;
      workspace = 0;
      closing.run(() -> driver.free(address));
    }
    if (arena.scope().isAlive()) {
      arena.close();
    }
    closing.finish();
  }

  private void check(int status, String call) {
    if (status != cublasStatus.CUBLAS_STATUS_SUCCESS) {
      throw failure(status, call, "");
    }
  }

  private CudaException failure(int status, String call, String detail) {
    if (status == cublasStatus.CUBLAS_STATUS_EXECUTION_FAILED) {
      driver.askWhetherLost(call);
    }
    return new CudaException(driver.device(), call, detail, status, cublasStatus.stringFor(status));
  }
}
