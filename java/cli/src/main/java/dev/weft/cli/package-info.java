// SPDX-License-Identifier: Apache-2.0
/** The command {@code weft}: nobody calls it but its users and the tests. */
@NullMarked
package dev.weft.cli;

import org.jspecify.annotations.NullMarked;
