// SPDX-License-Identifier: Apache-2.0
/**
 * Benchmarks: {@link dev.weft.bench.Main} runs them, prints tables and writes JSON. A class named
 * {@code ...Benchmark} holds what JMH times, one named {@code ...Table} runs it and prints. Nothing
 * else in the project depends on this.
 */
package dev.weft.bench;
