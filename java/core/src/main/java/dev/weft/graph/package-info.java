// SPDX-License-Identifier: Apache-2.0
/**
 * Computation graphs with their values and gradients, and curves of functions, drawn as SVG and
 * DOT. {@link dev.weft.Tape#draw()} makes a graph of what a tape has recorded.
 */
@NullMarked
package dev.weft.graph;

import org.jspecify.annotations.NullMarked;
