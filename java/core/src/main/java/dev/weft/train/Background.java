// SPDX-License-Identifier: Apache-2.0
package dev.weft.train;

import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;

/** Work on a thread of its own, which fails where it is waited for. */
final class Background {
  private final CountDownLatch done = new CountDownLatch(1);
  private volatile @Nullable Throwable failure;

  /** Begins. */
  Background(String name, Runnable work) {
    Thread.ofPlatform()
        .daemon()
        .name(name)
        .start(
            () -> {
              try {
                work.run();
              } catch (Throwable e) {
                failure = e;
              } finally {
                done.countDown();
              }
            });
  }

  /** Whether waiting would return at once. */
  boolean isDone() {
    return done.getCount() == 0;
  }

  /** Waits for the end; what the work threw is thrown here. */
  void await() {
    settle();
    switch (failure) {
      case null -> {}
      case RuntimeException e -> throw e;
      case Error e -> throw e;
      case Throwable e -> throw new IllegalStateException(e);
    }
  }

  /** Waits for the end, however it came. An interrupt is kept for later. */
  void settle() {
    boolean interrupted = false;
    while (true) {
      try {
        done.await();
        break;
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
