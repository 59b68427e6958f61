// SPDX-License-Identifier: Apache-2.0
package dev.weft.embed;

/**
 * A word near to what was asked for.
 *
 * @param word from the vectors that were asked
 * @param score the cosine of the angle between the two, or what else the question ranks by
 */
public record Neighbour(String word, double score) {}
