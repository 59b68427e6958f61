// SPDX-License-Identifier: Apache-2.0
package dev.weft.train;

import static dev.weft.format.Format.format;

import org.jspecify.annotations.Nullable;

/**
 * Ends a run when a metric has not become better for some epochs, and gives the network the
 * parameters of its best epoch back, whatever ended the run: patience, the last epoch, a listener,
 * an interrupt or an exception.
 *
 * <p>What is watched is the metric on the unseen data where there are such, else on the training
 * data. The best epoch is the first with the best value; NaN is never better. Patience counts
 * epochs in a row whose value is not better than the best by more than {@link #minChange}. Each
 * {@link Trainer#fit} begins anew. Restored are values and buffers; what the optimizer remembers is
 * that of the last step.
 *
 * @param metric the name of a metric, or {@link Evaluation#LOSS}
 * @param direction which values are better
 * @param patience so many epochs in a row without improvement end the run; the first one does where
 *     it is 0 or 1
 * @param minChange by how much a value must be better than the best to count as an improvement
 */
public record EarlyStopping(String metric, Direction direction, int patience, double minChange) {

  /** Which values of a metric are better. */
  public enum Direction {
    /** Lower values are better, as of a loss. */
    LOWEST,
    /** Higher values are better, as of an accuracy. */
    HIGHEST;

    /**
     * Whether a value is better than another by more than a change; NaN is not, and to NaN all are.
     */
    boolean isBetter(double value, double than, double change) {
      if (Double.isNaN(value) || Double.isNaN(than)) {
        return !Double.isNaN(value);
      }
      return this == LOWEST ? value < than - change : value > than + change;
    }
  }

  /**
   * Checks the settings.
   *
   * @throws IllegalArgumentException where patience is negative, or the change negative or not
   *     finite
   */
  public EarlyStopping {
    check(patience, minChange);
  }

  static void check(int patience, double minChange) {
    if (patience < 0) {
      throw new IllegalArgumentException(
          format("patience is a number of epochs from 0 on, not %d", patience));
    }
    if (!(minChange >= 0) || Double.isInfinite(minChange)) {
      throw new IllegalArgumentException(
          format("a minimum change must be finite and at least 0, not %s", minChange));
    }
  }

  /** Watches a metric of which lower is better; patience 5, any improvement counts. */
  public static EarlyStopping lowest(String metric) {
    return new EarlyStopping(metric, Direction.LOWEST, 5, 0);
  }

  /** Watches a metric of which higher is better; patience 5, any improvement counts. */
  public static EarlyStopping highest(String metric) {
    return new EarlyStopping(metric, Direction.HIGHEST, 5, 0);
  }

  /** The same with another patience. */
  public EarlyStopping patience(int epochs) {
    return new EarlyStopping(metric, direction, epochs, minChange);
  }

  /** The same with another minimum change. */
  public EarlyStopping minChange(double change) {
    return new EarlyStopping(metric, direction, patience, change);
  }

  /** The epochs of one run as they come. */
  final class Watch {
    private double best = Double.NaN;
    private double improved = Double.NaN; // the value that the last improvement had
    private long bestEpoch;
    private int waited;

    /** Takes an epoch; whether it is the best so far. */
    boolean isBest(History.Epoch epoch) {
      double value = epoch.watched().metric(metric);
      waited = direction.isBetter(value, improved, minChange) ? 0 : waited + 1;
      if (waited == 0) {
        improved = value;
      }
      boolean isBest = direction.isBetter(value, best, 0);
      if (isBest) {
        best = value;
        bestEpoch = epoch.number();
      }
      return isBest;
    }

    /** The number of the best epoch; 0 where there is none. */
    long bestEpoch() {
      return bestEpoch;
    }

    /** Why the run is to end; null where it is not. */
    @Nullable String ended() {
      if (waited < Math.max(1, patience)) {
        return null;
      }
      String lasted = waited == 1 ? "1 epoch" : waited + " epochs";
      return bestEpoch == 0
          ? format("%s was not a number for %s", metric, lasted)
          : format(
              "%s did not become better than %.4g, that of epoch %d, for %s",
              metric, best, bestEpoch, lasted);
    }
  }
}
