// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench;

/** A side does not train as Weft STRICT on the CPU does, or learns nothing. */
final class DisagreementException extends RuntimeException {
  DisagreementException(String message) {
    super(message);
  }
}
