// SPDX-License-Identifier: Apache-2.0
/**
 * Word vectors: {@link dev.weft.embed.Vectors} reads, writes and asks them, {@link
 * dev.weft.embed.Analogies} and {@link dev.weft.embed.WordPairs} say how good they are.
 *
 * <p>{@link dev.weft.embed.Word2Vec} trains them; {@link dev.weft.embed.Word2VecModel} is all that
 * a training is made of, and goes on with it.
 *
 * <p>For users. Rows stay where they are, mapped from a file or in memory off the heap; many
 * questions at once are answered on a {@link dev.weft.Device}.
 */
@NullMarked
package dev.weft.embed;

import org.jspecify.annotations.NullMarked;
