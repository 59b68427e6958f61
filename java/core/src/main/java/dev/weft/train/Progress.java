// SPDX-License-Identifier: Apache-2.0
package dev.weft.train;

import dev.weft.Tensor;
import dev.weft.data.BatchOrder;
import dev.weft.nn.Network;
import dev.weft.optim.Groups;
import dev.weft.optim.OptimizerFile;
import dev.weft.optim.Updates;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What a trainer remembers between its runs: the position, the optimizer's memory, the average of
 * the weights and a learning rate that a listener has set.
 */
final class Progress {
  private long epoch;
  private int batch;
  private long step;
  private long update;
  private @Nullable Kept kept;
  private @Nullable Double rate;
  private long begun; // updates before the optimizer's memory began
  private final Map<String, double[]> remembered = new HashMap<>(); // of parameters without updates
  private @Nullable Moved moved; // likewise
  private boolean isMoving; // whether all of it is in there
  private Cut cut = new Cut(0, 0, 0, 1, 0);
  private @Nullable Object open;

  /** How the epoch of the position is cut into batches and updates. */
  record Cut(int batches, int rows, int batch, int accumulated, long seed) {}

  /** All of it at some time, what the optimizer remembered in host memory. */
  record Moment(
      Position position,
      @Nullable Double rate,
      long begun,
      Cut cut,
      @Nullable Kept kept,
      Map<String, double[]> memory,
      Map<String, double[]> remembered,
      boolean isMoving) {}

  /**
   * What it is.
   *
   * @throws IllegalStateException where there is an average of the weights
   */
  Moment moment() {
    if (average() != null) {
      throw new IllegalStateException(
          "an average of the weights is kept, which trying rates would spoil: look for a rate"
              + " before training with averaging, or averaging(null) and reset() first");
    }
    boolean isThere = kept != null && !kept.isClosed();
    return new Moment(
        position(),
        rate,
        begun,
        cut,
        kept,
        isThere && kept != null ? kept.updates().snapshot() : Map.of(),
        Map.copyOf(remembered),
        isMoving);
  }

  /**
   * Goes back to what it was. Memory of an optimizer that has been replaced since comes back when
   * training goes on.
   */
  void back(Moment to) {
    epoch = to.position().epoch();
    batch = to.position().batch();
    step = to.position().step();
    update = to.position().update();
    rate = to.rate();
    begun = to.begun();
    cut = to.cut();
    remembered.clear();
    remembered.putAll(to.remembered());
    isMoving = to.isMoving();
    if (kept != null && kept == to.kept() && !kept.isClosed()) {
      kept.updates().restore(to.memory());
      return;
    }
    if (kept != null) {
      kept.close();
    }
    kept = to.kept();
    remembered.putAll(to.memory());
    isMoving |= !to.memory().isEmpty();
  }

  /** An average on its way to other memory. */
  private record Moved(Averaging rule, Map<String, double[]> values, long count) {}

  /** Notes the run that is open. */
  void open(Object run) {
    open = run;
  }

  /** Notes that a run is closed, which may be said again when another one is open. */
  void closed(Object run) {
    if (open == run) {
      open = null;
    }
  }

  /**
   * Forgets all of it.
   *
   * @throws IllegalStateException where a run is open, which goes by it
   */
  void reset() {
    if (open != null) {
      throw new IllegalStateException(
          "a run of this trainer is open: reset() when fit has returned, or close the run first");
    }
    if (kept != null) {
      kept.close();
    }
    kept = null;
    epoch = 0;
    batch = 0;
    step = 0;
    update = 0;
    rate = null;
    begun = 0;
    remembered.clear();
    moved = null;
    isMoving = false;
  }

  /** The position, the rate and how the epoch is cut, for a file. */
  Map<String, Object> numbers() {
    Map<String, Object> numbers = new LinkedHashMap<>();
    numbers.put("epoch", epoch);
    numbers.put("batch", batch);
    numbers.put("step", step);
    numbers.put("update", update);
    numbers.put("begun", begun);
    numbers.put("batches", cut.batches());
    numbers.put("rows", cut.rows());
    numbers.put("batch_rows", cut.batch());
    numbers.put("accumulated", cut.accumulated());
    numbers.put("seed", cut.seed());
    if (rate != null) {
      numbers.put("rate", Double.toHexString(rate));
    }
    return numbers;
  }

  /**
   * Goes on from a file, in place of what was remembered.
   *
   * @throws IOException where the file lacks a number, or its numbers are of no position; nothing
   *     is changed then
   * @throws IllegalStateException where a run is open
   */
  void load(Path path, OptimizerFile file) throws IOException {
    @Nullable Double given = file.notes().containsKey("rate") ? file.rate(path) : null;
    long all = file.number(path, "update", 0, Long.MAX_VALUE);
    long before = file.number(path, "begun", 0, all);
    long steps = file.number(path, "step", 0, Long.MAX_VALUE);
    int epochs = (int) file.number(path, "epoch", 0, Integer.MAX_VALUE);
    Cut then =
        new Cut(
            (int) file.number(path, "batches", 0, Integer.MAX_VALUE),
            (int) file.number(path, "rows", 0, Integer.MAX_VALUE),
            (int) file.number(path, "batch_rows", 0, Integer.MAX_VALUE),
            (int) file.number(path, "accumulated", 1, Integer.MAX_VALUE),
            file.number(path, "seed", Long.MIN_VALUE, Long.MAX_VALUE));
    int done = (int) file.number(path, "batch", 0, Math.max(0, then.batches() - 1));
    reset();
    epoch = epochs;
    batch = done;
    step = steps;
    update = all;
    begun = before;
    cut = then;
    rate = given;
    remembered.putAll(file.memory());
  }

  /**
   * Returns if training can go on.
   *
   * @throws IllegalStateException where the optimizer's memory is gone, or what a run with
   *     averaging has left in the network was changed
   */
  void check(Network network) {
    boolean isGone = kept != null && kept.isClosed() && kept.remembers() && !isMoving;
    if (isGone && !network.isClosed()) {
      throw new IllegalStateException(
          "what the optimizer remembered, and the average of the weights where one was taken, went"
              + " with the memory that the network had then: it was taken off its device or put on"
              + " one again, or another trainer has trained it; call reset() to start the optimizer"
              + " and the count of epochs anew, or loadOptimizer(file) where you have saved them");
    }
    if (average() instanceof AveragedValues average && average.isChanged()) {
      throw new IllegalStateException(
          (average.count() == 0
                  ? "the weights of the network were changed since training left them"
                  : "the network has the average of its weights, which was changed since training"
                      + " left it there")
              + ", and training would go on from the weights that it had itself: call reset() to go"
              + " on from what the network has");
    }
  }

  /**
   * Puts a network where a run wants it; the optimizer's memory goes along. Gradients do not: those
   * that were half added up are added up again.
   *
   * @param isInPlace whether it is there
   */
  Updates place(Network network, Groups groups, boolean isInPlace, Runnable move) {
    @Nullable Kept before = kept == null || kept.isClosed() ? null : kept;
    @Nullable AveragedValues average = before == null ? null : before.average();
    if (average != null) {
      average.leave();
    }
    if (before != null) {
      Updates updates = before.updates();
      boolean stays = isInPlace && network.arena() == updates.arena();
      if (stays && updates.goOn(groups)) {
        if (!updates.arena().hasGradientsOf(this)) {
          rewind();
        }
        return updates;
      }
      remembered.putAll(updates.snapshot());
      isMoving = true;
      if (average != null && !stays) {
        moved = new Moved(average.rule(), average.snapshot(network), average.count());
        average = null;
      }
    }
    if (!isInPlace) {
      move.run();
    }
    Updates made = new Updates(groups);
    Kept keeping = new Kept(made, average);
    if (before != null && average != null) {
      before.average(null);
    }
    network.arena().keep(keeping);
    kept = keeping;
    Set<String> restored = made.restore(remembered);
    isMoving = false;
    if (restored.isEmpty() && made.remembers()) { // another rule, which counts its own updates
      remembered.clear();
      begun = update;
    }
    remembered.keySet().removeAll(restored);
    rewind();
    return made;
  }

  /**
   * The average of the weights of a network that {@link #place} has placed: the one that was, where
   * that is of the same kind, else one that is to begin; null where none is asked for.
   */
  @Nullable AveragedValues average(@Nullable Averaging rule, Network network) {
    Kept keeping = Objects.requireNonNull(kept, "placed");
    @Nullable AveragedValues before = keeping.average();
    if (before != null && isLike(before.rule(), rule)) {
      before.rule(Objects.requireNonNull(rule));
      return before;
    }
    if (before != null) {
      keeping.average(null);
      before.close();
    }
    @Nullable AveragedValues made = null;
    if (rule != null) {
      made = new AveragedValues(network.arena(), rule);
      keeping.average(made);
      if (moved != null && isLike(moved.rule(), rule)) {
        made.restore(network, moved.values(), moved.count());
      }
    }
    moved = null;
    return made;
  }

  /** The average of the weights; null where none is taken. */
  @Nullable AveragedValues average() {
    return kept == null || kept.isClosed() ? null : kept.average();
  }

  /** Whether the network has the average of its weights. */
  boolean isAveraged() {
    return average() instanceof AveragedValues average && average.isInNetwork();
  }

  /** Gives the network the average of its weights, where there is one. */
  void takeAverage() {
    if (average() instanceof AveragedValues average) {
      average.enter();
    }
  }

  private static boolean isLike(Averaging rule, @Nullable Averaging other) {
    return other != null && rule.getClass() == other.getClass();
  }

  /** Goes back to where the gradients begin to add up that the position is in the midst of. */
  void rewind() {
    int half = batch % cut.accumulated();
    batch -= half;
    step -= half;
  }

  /** Where a run begins: other data, batches, updates or orders begin a new epoch. */
  void begin(BatchOrder order, int accumulated, long seed) {
    Cut now = new Cut(order.batches(), order.rows(), order.rowsIn(0), accumulated, seed);
    if (batch > 0 && !now.equals(cut)) {
      epoch++;
      batch = 0;
    }
    cut = now;
  }

  /** Goes on by a batch, which ended an update or did not. */
  void next(boolean updated) {
    step++;
    batch++;
    if (updated) {
      update++;
    }
    if (batch == cut.batches()) {
      batch = 0;
      epoch++;
    }
  }

  /** Whether there is an optimizer at work whose memory is there. */
  boolean isSavable() {
    return kept != null && !kept.isClosed();
  }

  /** What the optimizer remembers. */
  Map<String, Tensor> remembered() {
    return kept == null || kept.isClosed() ? Map.of() : kept.updates().memory();
  }

  Position position() {
    return new Position(epoch, batch, step, update);
  }

  long epoch() {
    return epoch;
  }

  int batch() {
    return batch;
  }

  long step() {
    return step;
  }

  long update() {
    return update;
  }

  /** Updates since the optimizer's memory began: what its corrections go by. */
  long updatesOfMemory() {
    return update - begun;
  }

  /** The learning rate that a listener has set; else the given one. */
  double rateOr(double otherwise) {
    return rate == null ? otherwise : rate;
  }

  void rate(@Nullable Double rate) {
    this.rate = rate;
  }
}
