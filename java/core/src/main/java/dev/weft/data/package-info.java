// SPDX-License-Identifier: Apache-2.0
/**
 * Data to train on: {@link dev.weft.data.Dataset}, columns by name in memory, from arrays, from
 * files ({@link dev.weft.data.Idx}) or generated ({@link dev.weft.data.Digits}, {@link
 * dev.weft.data.ToySets}), and {@link dev.weft.data.BatchOrder}, the order in which an epoch visits
 * it.
 *
 * <p>For users and for the trainer. Plain memory off the heap: the trainer uploads it, and for a
 * loop by hand a {@link dev.weft.data.Batch} does. Whatever depends on a seed is a pure function of
 * it, the same on every machine.
 */
@NullMarked
package dev.weft.data;

import org.jspecify.annotations.NullMarked;
