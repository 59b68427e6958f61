// SPDX-License-Identifier: Apache-2.0
/**
 * Training on the CPU alone and in company: Java machines that train when they are asked to, the
 * company that is made for them, and the ratios of their rates. Used by {@code dev.weft.bench};
 * what counts others' work and ends children, by {@code dev.weft.bench.embeddings}, too.
 */
package dev.weft.bench.company;
