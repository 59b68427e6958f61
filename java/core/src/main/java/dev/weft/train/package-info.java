// SPDX-License-Identifier: Apache-2.0
/** Training and evaluating networks on data sets. For users, and for the command. */
@NullMarked
package dev.weft.train;

import org.jspecify.annotations.NullMarked;
