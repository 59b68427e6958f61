// SPDX-License-Identifier: Apache-2.0
/**
 * The CUDA backend, through JCuda and JCublas. Only {@code dev.weft.Device} makes one; {@code weft
 * doctor} reads {@link dev.weft.device.cuda.CudaLibraries#report}.
 *
 * <p>{@code CudaDriver} is the one class that calls the driver, {@code Cublas} the one that calls
 * cuBLAS.
 */
@NullMarked
package dev.weft.device.cuda;

import org.jspecify.annotations.NullMarked;
