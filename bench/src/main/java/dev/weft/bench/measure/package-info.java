// SPDX-License-Identifier: Apache-2.0
/** What is timed, and how: JMH benchmarks, each run in Java machines of its own. */
package dev.weft.bench.measure;
