// SPDX-License-Identifier: Apache-2.0
/**
 * Calls that reach every operation of every kernel: tests run them on two backends, and {@link
 * dev.weft.bench.harness.CaseFile} writes them, with what the CPU makes of them, for {@code
 * native/harness}.
 */
package dev.weft.bench.harness;
