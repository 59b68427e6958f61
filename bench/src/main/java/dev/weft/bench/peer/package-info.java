// SPDX-License-Identifier: Apache-2.0
/**
 * The same training step by Weft and by other libraries: the same network, first values, batches,
 * loss and optimizer. Used by {@code dev.weft.bench} and its benchmarks.
 */
package dev.weft.bench.peer;
