// SPDX-License-Identifier: Apache-2.0
package dev.weft.embed;

/**
 * A word that a model expects.
 *
 * @param word from its vocabulary
 * @param probability 0 to 1; those of all words add up to 1
 */
public record Prediction(String word, double probability) {}
