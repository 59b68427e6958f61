// SPDX-License-Identifier: Apache-2.0
package dev.weft.embed;

import java.lang.foreign.Arena;
import org.jspecify.annotations.Nullable;

/**
 * What a file of word vectors holds.
 *
 * @param counts of each word in the text that it was trained on; null where the file has none
 * @param duplicates rows left out, since their word stands before them
 * @param arena whose close gives the rows' memory back; null where that is another's
 */
record Content(
    Words words, Rows rows, long @Nullable [] counts, int duplicates, @Nullable Arena arena) {}
