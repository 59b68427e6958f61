// SPDX-License-Identifier: Apache-2.0
package dev.weft.cli;

import dev.weft.train.Listener;
import dev.weft.train.TrainingRun;
import java.io.PrintWriter;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;

/**
 * Ctrl-C, or another signal that asks the process to end: a training run ends after its step, and
 * the process when the command has written, however long that takes. A second signal ends it at
 * once. Where no run has begun, the first one does.
 */
final class Interruption implements Listener {
  private static final int SIGINT = 2;
  private static final int SIGTERM = 15;

  private final PrintWriter err;
  private final CountDownLatch over = new CountDownLatch(1);
  private final Thread hook = new Thread(this::end, "weft interruption");
  private volatile @Nullable Runnable stop;
  private volatile boolean hasCome;

  /** Waits for a signal until {@link #over}. */
  Interruption(PrintWriter err) {
    this.err = err;
    Runtime.getRuntime().addShutdownHook(hook);
  }

  @Override
  public void onStart(TrainingRun run) {
    onStart(() -> run.stop("Ctrl-C, or another signal to end"));
  }

  /** A training has begun, and ends so. */
  void onStart(Runnable stop) {
    this.stop = stop;
  }

  /** Whether a training run was ended. */
  boolean hasCome() {
    return hasCome;
  }

  /** The command has written all that it will. */
  void over() {
    try {
      Runtime.getRuntime().removeShutdownHook(hook);
    } catch (IllegalStateException e) {
      over.countDown(); // the process is ending, by the hook
    }
  }

  private void end() {
    Runnable begun = stop;
    if (begun == null) {
      return;
    }
    hasCome = true;
    begun.run();
    freeSignal(SIGINT);
    freeSignal(SIGTERM);
    err.println("weft: training ends after this step; Ctrl-C again ends it without a result");
    err.flush();
    try {
      over.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** A second signal would wait for the first one's end; so it goes to the system. */
  private static void freeSignal(int signal) {
    Linker linker = Linker.nativeLinker();
    FunctionDescriptor type =
        FunctionDescriptor.of(ValueLayout.ADDRESS, ValueLayout.JAVA_INT, ValueLayout.ADDRESS);
    try {
      MemorySegment ignored =
          (MemorySegment)
              linker
                  .downcallHandle(linker.defaultLookup().findOrThrow("signal"), type)
                  .invokeExact(signal, MemorySegment.NULL); // SIG_DFL
    } catch (Throwable e) {
      throw new IllegalStateException(e);
    }
  }
}
