// SPDX-License-Identifier: Apache-2.0
/**
 * Optimizers over parameters, their schedules and clipping. For users, and for {@code
 * dev.weft.train}.
 */
@NullMarked
package dev.weft.optim;

import org.jspecify.annotations.NullMarked;
