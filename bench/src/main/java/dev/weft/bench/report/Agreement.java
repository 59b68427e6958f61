// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench.report;

import static dev.weft.format.Format.format;

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
    double allowed) {

  /** The loss must have fallen to this share: else nothing was learned. */
  private static final double LEARNED = 0.99;

  /** What JSON cannot hold, NaN and infinity, is the largest number. */
  public Agreement {
    first = finite(first);
    last = finite(last);
    difference = finite(difference);
  }

  private static double finite(double value) {
    return Double.isFinite(value) ? value : Double.MAX_VALUE;
  }

  /** Whether both train alike, and learn. */
  public boolean holds() {
    return difference <= allowed && last < LEARNED * first;
  }

  /** In which way they do not. */
  public String complaint() {
    return format(
        "%s, batch %d: %s on %s does not train as Weft STRICT on the CPU does: loss %.5g at"
            + " first, %.5g after %d steps, largest relative difference %.1e of %.0e",
        network, batch, who, device, first, last, steps, difference, allowed);
  }
}
