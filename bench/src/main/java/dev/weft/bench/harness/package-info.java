// SPDX-License-Identifier: Apache-2.0
/**
 * {@link dev.weft.bench.harness.CaseFile} writes every case of every kernel, with what the CPU
 * makes of it, and what is timed, for {@code native/harness}.
 */
package dev.weft.bench.harness;
