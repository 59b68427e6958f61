// SPDX-License-Identifier: Apache-2.0
package dev.weft.support;

import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import org.junit.jupiter.api.function.Executable;

/** Another thread than the test's. */
public final class Elsewhere {
  private Elsewhere() {}

  /** What an action throws there; null where it throws nothing. */
  public static Throwable thrownBy(Executable action) {
    FutureTask<Throwable> task =
        new FutureTask<>(
            () -> {
              try {
                action.execute();
                return null;
              } catch (Throwable e) {
                return e;
              }
            });
    Thread.ofPlatform().name("elsewhere").start(task);
    try {
      return task.get();
    } catch (InterruptedException | ExecutionException e) {
      throw new AssertionError(e);
    }
  }
}
