// SPDX-License-Identifier: Apache-2.0
package dev.weft.train;

/** Closes several things, all of them even where one fails. */
final class Closing {
  private Closing() {}

  /** Closes in order; null is passed over; the first failure is thrown at the end. */
  static void all(AutoCloseable... parts) {
    RuntimeException failure = null;
    for (AutoCloseable part : parts) {
      try {
        if (part != null) {
          part.close();
        }
      } catch (Exception e) {
        RuntimeException caught =
            e instanceof RuntimeException unchecked ? unchecked : new IllegalStateException(e);
        if (failure == null) {
          failure = caught;
        } else {
          failure.addSuppressed(caught);
        }
      }
    }
    if (failure != null) {
      throw failure;
    }
  }
}
