// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench.report;

/**
 * Two sides that trained the same network on the same batches before the clock ran.
 *
 * @param who the side that was held against Weft in float32 on the CPU
 * @param first the loss of the first step
 * @param last the loss of the last, by {@code who}
 * @param difference the largest relative difference of a loss
 * @param allowed what it may be
 */
public record Agreement(
    String network,
    int batch,
    String who,
    String device,
    int steps,
    double first,
    double last,
    double difference,
    double allowed) {}
