// SPDX-License-Identifier: Apache-2.0
/**
 * Models, layers and losses, how they start and how they are written to files, and networks: models
 * with their memory. For users, and for {@code dev.weft.train}.
 */
@NullMarked
package dev.weft.nn;

import org.jspecify.annotations.NullMarked;
