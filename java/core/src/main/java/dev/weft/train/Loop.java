// SPDX-License-Identifier: Apache-2.0
package dev.weft.train;

import static dev.weft.format.Format.format;

import dev.weft.device.Closing;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Epoch after epoch of a run, with its listeners and early stopping, until something ends it. */
final class Loop {
  private final TrainingRun run;
  private final List<Listener> listeners;
  private final List<History.Epoch> epochs = new ArrayList<>();
  private final EarlyStopping.@Nullable Watch watch;
  private @Nullable BestValues best;
  private @Nullable String ended;

  Loop(TrainingRun run) {
    this.run = run;
    this.listeners = List.copyOf(run.settings().listeners());
    EarlyStopping stopping = run.settings().earlyStopping();
    this.watch = stopping == null ? null : stopping.new Watch();
  }

  History run() {
    Closing closing = new Closing();
    closing.run(this::all);
    closing.run(run::takeAverage);
    if (best != null) {
      closing.run(best::restore);
      closing.run(run::rewind);
      closing.run(best::close);
    }
    listeners.forEach(each -> closing.run(() -> each.onEnd(run)));
    closing.finish();
    long number = watch == null ? 0 : watch.bestEpoch();
    return new History(
        epochs,
        Objects.requireNonNull(ended),
        number > 0 ? number : epochs.isEmpty() ? 0 : epochs.getLast().number());
  }

  private void all() {
    best = watch == null ? null : new BestValues(run.network().arena(), run.average());
    listeners.forEach(each -> each.onStart(run));
    stopIfInterrupted();
    ended = run.stopped();
    while (ended == null) {
      ended = epoch();
      stopIfInterrupted();
      ended = ended == null ? run.stopped() : ended;
    }
  }

  /** Runs what is left of an epoch; why the run ends with it, or null where it does not. */
  private @Nullable String epoch() {
    long start = System.nanoTime();
    int begin = run.batch();
    do {
      run.step();
      for (Listener listener : listeners) {
        if (run.stepsDone() % listener.every() == 0) {
          listener.onStep(run);
        }
      }
      stopIfInterrupted();
    } while (!isOver() && run.stopped() == null);
    Evaluation train = run.measured();
    double seconds = (System.nanoTime() - start) / 1e9;
    int steps = run.stepOfEpoch() - begin;
    @Nullable Evaluation test = null;
    if (isOver()) {
      run.checkParameters();
      test = run.hasTest() ? run.evaluate() : null;
    }
    var epoch = new History.Epoch(run.epoch(), steps, train, test, run.lastRate(), seconds);
    epochs.add(epoch);
    String waited = isOver() ? watched(epoch) : null;
    listeners.forEach(each -> each.onEpoch(run, epoch));
    if (run.stopped() != null) {
      return run.stopped();
    }
    if (waited != null) {
      return waited;
    }
    return run.epoch() == run.lastEpoch()
        ? format("all epochs up to %d are done", run.lastEpoch())
        : null;
  }

  private void stopIfInterrupted() {
    if (Thread.interrupted()) {
      run.stop("the thread was interrupted");
    }
  }

  private boolean isOver() {
    return run.batch() == 0;
  }

  private @Nullable String watched(History.Epoch epoch) {
    if (watch == null || best == null) {
      return null;
    }
    if (watch.isBest(epoch)) {
      run.averaged(best::keep);
    }
    return watch.ended();
  }
}
