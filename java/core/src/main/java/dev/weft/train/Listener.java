// SPDX-License-Identifier: Apache-2.0
package dev.weft.train;

import java.util.function.BiConsumer;
import java.util.function.Consumer;

/**
 * Watches a training run, and may change it: by {@link TrainingRun#stop}, {@link TrainingRun#rate}
 * and {@link TrainingRun#save}. All methods are called on the thread that trains. Where one throws,
 * the run ends, and the exception arrives at whoever called {@link Trainer#fit}.
 *
 * <pre>{@code
 * trainer.onStep(100, run -> System.out.println(run.measured()));
 * trainer.onEpoch((run, epoch) -> {
 *   if (epoch.watched().accuracy() > 0.99) {
 *     run.stop("99 % are enough");
 *   }
 * });
 * }</pre>
 */
public interface Listener {

  /** Called before the first step. */
  default void onStart(TrainingRun run) {}

  /**
   * The number of steps between two calls of {@link #onStep}, over all epochs. A call that asks for
   * what was {@link TrainingRun#measured} waits for the device, so a small number costs speed.
   * Every step, until told otherwise.
   */
  default int every() {
    return 1;
  }

  /** Called after every so many steps. */
  default void onStep(TrainingRun run) {}

  /** Called after an epoch and its evaluation, also after one that was cut short. */
  default void onEpoch(TrainingRun run, History.Epoch epoch) {}

  /** Called when the run is over, whatever ended it, and the best parameters are back. */
  default void onEnd(TrainingRun run) {}

  /** A listener of steps alone. */
  static Listener ofSteps(int every, Consumer<TrainingRun> onStep) {
    if (every < 1) {
      throw new IllegalArgumentException("every 1st step or more rarely, not " + every);
    }
    return new Listener() {
      @Override
      public int every() {
        return every;
      }

      @Override
      public void onStep(TrainingRun run) {
        onStep.accept(run);
      }
    };
  }

  /** A listener of epochs alone. */
  static Listener ofEpochs(BiConsumer<TrainingRun, History.Epoch> onEpoch) {
    return new Listener() {
      @Override
      public void onEpoch(TrainingRun run, History.Epoch epoch) {
        onEpoch.accept(run, epoch);
      }
    };
  }
}
