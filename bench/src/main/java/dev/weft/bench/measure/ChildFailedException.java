// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench.measure;

/** A Java machine that was started to measure ended with an error, or did not start. */
public final class ChildFailedException extends RuntimeException {
  public ChildFailedException(String message) {
    super(message);
  }

  public ChildFailedException(String message, Exception cause) {
    super(message, cause);
  }
}
