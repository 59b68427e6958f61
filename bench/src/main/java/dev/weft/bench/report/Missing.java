// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench.report;

/**
 * What was not measured.
 *
 * @param what a device or a side: {@code GPU}, {@code TensorFlow}
 * @param why a sentence that the reader can act on
 */
public record Missing(String what, String why) {
  /** The name of the GPU side. */
  public static final String GPU = "GPU";
}
