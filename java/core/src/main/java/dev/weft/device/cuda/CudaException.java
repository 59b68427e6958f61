// SPDX-License-Identifier: Apache-2.0
package dev.weft.device.cuda;

import dev.weft.device.DeviceException;

/**
 * The driver or cuBLAS refused a call. The message names the device, the call, the kernel with its
 * sizes, and the error by name, number and sentence. A kernel runs after its launch has returned,
 * so its failure may surface at a later call: the message then names the last launch as well.
 */
public final class CudaException extends DeviceException {
  private static final long serialVersionUID = 1L;

  private final String call;
  private final int code;

  CudaException(String device, String call, String detail, int code, String error) {
    super(
        "%s: %s%s failed: %s (%d)"
            .formatted(device, call, detail.isEmpty() ? "" : " " + detail, error, code));
    this.call = call;
    this.code = code;
  }

  CudaException(String message, RuntimeException first) {
    super(message, first);
    this.call = first instanceof CudaException cuda ? cuda.call : "";
    this.code = first instanceof CudaException cuda ? cuda.code : 0;
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
