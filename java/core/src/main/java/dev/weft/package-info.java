// SPDX-License-Identifier: Apache-2.0
/**
 * The words that a user writes: {@link dev.weft.Device}, {@link dev.weft.Tensor}, {@link
 * dev.weft.Operations}, {@link dev.weft.Tape}, {@link dev.weft.Derivatives}, {@link
 * dev.weft.Parameter}. They stand on {@code dev.weft.device} and, with the operations of {@code
 * dev.weft.op}, carry everything above.
 */
@NullMarked
package dev.weft;

import org.jspecify.annotations.NullMarked;
