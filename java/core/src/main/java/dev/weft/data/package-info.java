// SPDX-License-Identifier: Apache-2.0
/**
 * Data to train on: {@link dev.weft.data.Dataset} in memory, from arrays, from files ({@link
 * dev.weft.data.Idx}) or generated ({@link dev.weft.data.Digits}, {@link dev.weft.data.ToySets}),
 * and {@link dev.weft.data.BatchOrder}, the order in which an epoch visits it.
 *
 * <p>For users and for the trainer. Plain memory off the heap, no device: the trainer uploads it.
 * Whatever depends on a seed is a pure function of it, the same on every machine.
 */
package dev.weft.data;
