// SPDX-License-Identifier: Apache-2.0
package dev.weft.device.cuda;

import static dev.weft.format.Format.format;

import dev.weft.device.DeviceException;
import java.util.Set;
import jcuda.driver.CUresult;

/**
 * The driver or cuBLAS refused a call. The message names the device, the call, the kernel with its
 * sizes, and the error by name, number and sentence. A kernel runs after its launch has returned,
 * so its failure may surface at a later call: the message then names the last launch as well.
 */
public final class CudaException extends DeviceException {
  private static final long serialVersionUID = 1L;

  /**
   * Errors of kernels, after which the driver answers every call with the same one. None is a
   * number of cuBLAS, too.
   */
  private static final Set<Integer> LOSES_CONTEXT =
      Set.of(
          CUresult.CUDA_ERROR_ECC_UNCORRECTABLE,
          CUresult.CUDA_ERROR_NVLINK_UNCORRECTABLE,
          CUresult.CUDA_ERROR_ILLEGAL_ADDRESS,
          CUresult.CUDA_ERROR_LAUNCH_TIMEOUT,
          CUresult.CUDA_ERROR_ASSERT,
          CUresult.CUDA_ERROR_HARDWARE_STACK_ERROR,
          CUresult.CUDA_ERROR_ILLEGAL_INSTRUCTION,
          CUresult.CUDA_ERROR_MISALIGNED_ADDRESS,
          CUresult.CUDA_ERROR_INVALID_ADDRESS_SPACE,
          CUresult.CUDA_ERROR_INVALID_PC,
          CUresult.CUDA_ERROR_LAUNCH_FAILED);

  private final String call;
  private final int code;

  CudaException(String device, String call, String detail, int code, String error) {
    super(
        format(
            "%s: %s%s failed: %s (%d)%s",
            device,
            call,
            detail.isEmpty() ? "" : " " + detail,
            error,
            code,
            losesContext(code)
                ? "; this process cannot use the GPU any more: start it again"
                : ""));
    this.call = call;
    this.code = code;
  }

  CudaException(String message, RuntimeException first) {
    super(message, first);
    this.call = first instanceof CudaException cuda ? cuda.call : "";
    this.code = first instanceof CudaException cuda ? cuda.code : 0;
  }

  /** Whether a driver that gave this {@code CUresult} refuses every later call. */
  static boolean losesContext(int code) {
    return LOSES_CONTEXT.contains(code);
  }

  /** The call that failed, such as {@code cuLaunchKernel}. */
  public String call() {
    return call;
  }

  /** The number of the error: a {@code CUresult}, or a {@code cublasStatus_t}. */
  public int code() {
    return code;
  }
}
