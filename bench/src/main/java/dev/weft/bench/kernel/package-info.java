// SPDX-License-Identifier: Apache-2.0
/**
 * {@link dev.weft.bench.kernel.KernelCases}, the one table of kernels' calls: tests run them on two
 * backends, the harness replays them, and the bench times some and checks what they compute.
 */
package dev.weft.bench.kernel;
