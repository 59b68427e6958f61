// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench.report;

/**
 * A row that Weft itself got wrong: the others go on, and the run ends with an error.
 *
 * @param what the row, with its device: {@code cuda, relu_forward, memory}
 * @param why what was thrown, or by how much it is off
 */
public record Failure(Part part, String what, String why) {}
