// SPDX-License-Identifier: Apache-2.0
/**
 * Checks of gradients and of devices: {@link dev.weft.check.GradCheck} for any function, and a case
 * for every operation that drives {@link dev.weft.check.SelfTest}, the tests and the benchmarks.
 * For users, the command line and tests; nothing that trains depends on it.
 */
@NullMarked
package dev.weft.check;

import org.jspecify.annotations.NullMarked;
