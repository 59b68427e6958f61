// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench;

/** A Java machine that was started to measure ended with an error, or did not start. */
final class ChildFailedException extends RuntimeException {
  ChildFailedException(String message) {
    super(message);
  }

  ChildFailedException(String message, Exception cause) {
    super(message, cause);
  }
}
