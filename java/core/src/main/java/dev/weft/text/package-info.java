// SPDX-License-Identifier: Apache-2.0
/**
 * Text to learn word embeddings from: a {@link dev.weft.text.TextReader} makes of it a {@link
 * dev.weft.text.Corpus}, the ids of its words, and their {@link dev.weft.text.Vocabulary}; {@link
 * dev.weft.text.Phrases} joins words that belong together; of the words' counts come the {@link
 * dev.weft.text.HuffmanTree} of hierarchical softmax and the {@link dev.weft.text.AliasTable} of
 * negative samples.
 *
 * <p>For users, and for what trains embeddings; it uses no other package of Weft but {@code
 * dev.weft.io} and {@code dev.weft.format}. Nothing in it is random: the same text makes the same
 * ids, trees and tables on every machine.
 */
@NullMarked
package dev.weft.text;

import org.jspecify.annotations.NullMarked;
