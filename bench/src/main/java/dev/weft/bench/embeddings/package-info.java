// SPDX-License-Identifier: Apache-2.0
/**
 * Word vectors: the command {@code weft embed train} beside word2vec.c, fastText and gensim, each
 * as a process that trains on the same text with the same settings. Used by {@code dev.weft.bench}
 * alone.
 */
package dev.weft.bench.embeddings;
