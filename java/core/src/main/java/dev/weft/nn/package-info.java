// SPDX-License-Identifier: Apache-2.0
/**
 * Layers, losses, initial values and networks made of layers. For users, and for {@code
 * dev.weft.train}.
 */
package dev.weft.nn;
