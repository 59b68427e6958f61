// SPDX-License-Identifier: Apache-2.0
/** How text is put together; for every package, and knows none of them. */
@NullMarked
package dev.weft.format;

import org.jspecify.annotations.NullMarked;
