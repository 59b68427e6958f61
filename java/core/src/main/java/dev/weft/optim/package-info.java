// SPDX-License-Identifier: Apache-2.0
/** Optimizers over a flat arena of parameters. For users, and for {@code dev.weft.train}. */
package dev.weft.optim;
