// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench.report;

import static java.util.Locale.ROOT;

/** What can be measured. */
public enum Part {
  /** Copy bandwidth and matrix products: what the machine allows. */
  CEILINGS,
  /** Single kernels, as bandwidth or arithmetic. */
  KERNELS,
  /** Training steps, beside those of other libraries. */
  STEPS,
  /** Time and memory against width, batch, depth and data. */
  SCALING,
  /** What the CUDA path costs on the host, over an emulated driver. */
  HOST;

  /** As it is typed and printed. */
  public String word() {
    return name().toLowerCase(ROOT);
  }
}
