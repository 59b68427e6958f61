// SPDX-License-Identifier: Apache-2.0
/**
 * One class per differentiable operation: formula, shapes, forward, backward. Called through {@link
 * dev.weft.Operations}; together with {@code dev.weft} this is one layer.
 */
@NullMarked
package dev.weft.op;

import org.jspecify.annotations.NullMarked;
