// SPDX-License-Identifier: Apache-2.0
package dev.weft.device;

import org.jspecify.annotations.Nullable;

/**
 * Frees several things, all of them even where one fails. The first failure is thrown at the end,
 * the others are suppressed in it.
 */
public final class Closing {
  private @Nullable Throwable first;

  /** Nothing has failed yet. */
  public Closing() {}

  /**
   * Closes in order; null is passed over.
   *
   * @throws RuntimeException the first failure; an {@link IllegalStateException} around a checked
   *     one
   */
  public static void all(@Nullable AutoCloseable... parts) {
    Closing closing = new Closing();
    for (AutoCloseable part : parts) {
      if (part != null) {
        closing.run(() -> close(part));
      }
    }
    closing.finish();
  }

  private static void close(AutoCloseable part) {
    try {
      part.close();
    } catch (RuntimeException e) {
      throw e;
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
  }

  /** Runs a step now; its failure is kept for {@link #finish}. */
  public void run(Runnable step) {
    try {
      step.run();
    } catch (Throwable e) {
      if (first == null) {
        first = e;
      } else {
        suppress(first, e);
      }
    }
  }

  /** Throws the first failure, as it is, if there was one; the others are suppressed in it. */
  public void finish() {
    if (first != null) {
      throw Closing.<RuntimeException>asIs(first);
    }
  }

  /** Frees after a failure; what fails now is suppressed in it. */
  public static void after(Throwable failure, Runnable step) {
    try {
      step.run();
    } catch (Throwable e) {
      suppress(failure, e);
    }
  }

  private static void suppress(Throwable first, Throwable other) {
    if (other != first) { // Java refuses that
      first.addSuppressed(other);
    }
  }

  @SuppressWarnings("unchecked") // what a step throws needs no declaration here either
  private static <E extends Throwable> E asIs(Throwable e) throws E {
    throw (E) e;
  }
}
