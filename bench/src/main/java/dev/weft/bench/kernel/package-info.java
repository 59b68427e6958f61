// SPDX-License-Identifier: Apache-2.0
/** Kernels to be timed one by one, their operands, and the check of what they compute. */
package dev.weft.bench.kernel;
