// SPDX-License-Identifier: Apache-2.0
/**
 * Benchmarks: {@link dev.weft.bench.Main} runs them, prints tables, writes JSON and a page. A class
 * named {@code ...Part} measures one part of it. Nothing else in the project depends on this.
 */
package dev.weft.bench;
