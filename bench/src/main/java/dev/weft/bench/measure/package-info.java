// SPDX-License-Identifier: Apache-2.0
/** What is timed, and how: JMH benchmarks; those on the CPU in Java machines of their own. */
package dev.weft.bench.measure;
