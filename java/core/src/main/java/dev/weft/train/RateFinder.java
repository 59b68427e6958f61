// SPDX-License-Identifier: Apache-2.0
package dev.weft.train;

import static dev.weft.format.Format.format;

import dev.weft.data.Dataset;
import dev.weft.device.Closing;
import dev.weft.optim.Schedule;
import java.util.Arrays;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * A range test, which looks for a learning rate: the rate grows by the same factor from update to
 * update, and the loss is read after each (Smith 2017, Cyclical learning rates for training neural
 * networks; fastai's {@code lr_find}). It trains as the trainer would, from where that stands, but
 * without its schedule of the rate, listeners and early stopping.
 *
 * {@snippet file="Examples.java" region="rate-finder"}
 *
 * <p>Afterwards the network has the values that it had, and the trainer's position, rate and
 * optimizer's memory are what they were, so that training gives the same bits as without the test.
 * A network that was on no device yet is on the trainer's then, with the values of its file or
 * those that the seed draws.
 *
 * @param trainer whose network, data settings, loss and optimizer are tried
 * @param from the first rate
 * @param to the last rate
 * @param updates how many there are from one to the other
 * @param limit the test ends where the smoothed loss is above its best by more than {@code limit -
 *     1} times the best: where it is {@code limit} times as large
 */
public record RateFinder(Trainer trainer, double from, double to, int updates, double limit) {
  private static final int LEAST_UPDATES = 20;
  private static final double SMOOTHING = 0.8;

  /**
   * Checks the settings.
   *
   * @throws IllegalArgumentException where the rates are not positive, finite and growing, there
   *     are less than 20 updates, or the limit is not above 1
   */
  public RateFinder {
    if (!(from > 0) || !(to > from) || Double.isInfinite(to)) {
      throw new IllegalArgumentException(
          format(
              "a range test goes from a positive rate to a larger, finite one, not from %s to %s",
              from, to));
    }
    if (updates < LEAST_UPDATES) {
      throw new IllegalArgumentException(
          format(
              "a range test needs at least %d updates to tell a slope from noise, not %d",
              LEAST_UPDATES, updates));
    }
    if (!(limit > 1)) {
      throw new IllegalArgumentException(
          format("a limit of the loss is a multiple of its best above 1, not %s", limit));
    }
  }

  /** A test of 100 rates from 1e-7 to 10, which ends at 4 times the best loss, as fastai's. */
  public static RateFinder of(Trainer trainer) {
    return new RateFinder(trainer, 1e-7, 10, 100, 4);
  }

  /**
   * The same over other rates.
   *
   * @throws IllegalArgumentException where they are not positive, finite and growing
   */
  public RateFinder range(double from, double to) {
    return new RateFinder(trainer, from, to, updates, limit);
  }

  /**
   * The same in more or fewer updates.
   *
   * @throws IllegalArgumentException where they are less than 20
   */
  public RateFinder updates(int updates) {
    return new RateFinder(trainer, from, to, updates, limit);
  }

  /**
   * The same with another end.
   *
   * @throws IllegalArgumentException where the limit is not above 1
   */
  public RateFinder limit(double limit) {
    return new RateFinder(trainer, from, to, updates, limit);
  }

  /**
   * Tries the rates. An interrupt of the thread ends the test before its next step, and is cleared.
   *
   * @throws IllegalArgumentException as {@link Trainer#fit(Dataset, Dataset, int)}
   * @throws IllegalStateException likewise, and where an average of the weights is kept
   */
  public RateCurve run(Dataset train) {
    Progress progress = trainer.progress();
    Progress.Moment before = progress.moment();
    long first = before.position().update();
    double growth = Math.pow(to / from, 1.0 / (updates - 1));
    Schedule schedule =
        (update, epochs) -> Math.pow(growth, Math.clamp(update - first, 0, updates - 1));
    Closing closing = new Closing();
    var curve = new AtomicReference<@Nullable RateCurve>();
    closing.run(
        () -> {
          try (TrainingRun run = trainer.tryRates(train, schedule);
              BestValues values = new BestValues(run.network().arena(), null)) {
            values.keep();
            Closing restoring = new Closing();
            restoring.run(() -> curve.set(tried(run)));
            restoring.run(values::restore);
            // half sums of gradients are none of what was before
            restoring.run(() -> run.network().arena().gradientsOf(this));
            restoring.finish();
          }
        });
    closing.run(() -> progress.back(before));
    closing.finish();
    return Objects.requireNonNull(curve.get());
  }

  private RateCurve tried(TrainingRun run) {
    run.rate(from);
    double[] rates = new double[updates];
    double[] losses = new double[updates];
    double start = loss(run);
    double smoothed = start;
    double best = start;
    int done = 0;
    @Nullable String cut =
        Double.isFinite(start) ? null : format("the loss was %s before the first update", start);
    boolean interrupted = false;
    while (done < updates && cut == null && !interrupted) {
      interrupted = Thread.interrupted();
      double rate = from * Math.pow(to / from, done / (updates - 1.0));
      double loss = interrupted ? 0 : loss(run); // of what the update at this rate has made
      if (!Double.isFinite(loss)) {
        cut = format("the loss was %s after the update at a rate of %.3g", loss, rate);
      } else if (!interrupted) {
        rates[done] = rate;
        losses[done++] = loss;
        smoothed = smoothed * SMOOTHING + loss * (1 - SMOOTHING);
        best = Math.min(best, smoothed);
        if (smoothed > best + (limit - 1) * Math.abs(best)) {
          cut = format("the loss was %s times its least at a rate of %.3g", limit, rate);
        }
      }
    }
    return RateCurve.of(
        start,
        Arrays.copyOf(rates, done),
        Arrays.copyOf(losses, done),
        updates,
        cut != null,
        cut != null
            ? cut
            : interrupted ? "the thread was interrupted" : format("%d rates were tried", updates));
  }

  /** The mean loss of the batches of the next update. */
  private static double loss(TrainingRun run) {
    long before = run.position().update();
    double sum = 0;
    int batches = 0;
    do {
      run.step();
      sum += run.loss();
      batches++;
    } while (run.position().update() == before);
    return sum / batches;
  }
}
