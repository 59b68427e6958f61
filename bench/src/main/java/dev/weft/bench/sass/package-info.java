// SPDX-License-Identifier: Apache-2.0
/**
 * Reads the machine code of the CUDA kernels: {@code weft bench sass} and tests of the build call
 * it.
 */
package dev.weft.bench.sass;
