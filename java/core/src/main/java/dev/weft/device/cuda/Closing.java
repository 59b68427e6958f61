// SPDX-License-Identifier: Apache-2.0
package dev.weft.device.cuda;

/** Frees many things: a step that fails does not keep the others from running. */
final class Closing {
  private RuntimeException first;

  /** Runs a step now; its failure is kept for {@link #finish}. */
  void run(Runnable step) {
    try {
      step.run();
    } catch (RuntimeException e) {
      if (first == null) {
        first = e;
      } else {
        first.addSuppressed(e);
      }
    }
  }

  /** Throws the first failure, if there was one; the others are suppressed in it. */
  void finish() {
    if (first != null) {
      throw first;
    }
  }

  /** Frees after a failure; what fails now is suppressed in it. */
  static void after(Throwable failure, Runnable step) {
    try {
      step.run();
    } catch (RuntimeException e) {
      failure.addSuppressed(e);
    }
  }
}
