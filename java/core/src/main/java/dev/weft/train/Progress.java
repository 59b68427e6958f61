// SPDX-License-Identifier: Apache-2.0
package dev.weft.train;

import dev.weft.Tensor;
import dev.weft.data.BatchOrder;
import dev.weft.nn.Network;
import dev.weft.optim.Groups;
import dev.weft.optim.Updates;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What a trainer remembers between its runs: the position, the optimizer's memory and a learning
 * rate that a listener has set.
 */
final class Progress {
  private long epoch;
  private int batch;
  private long step;
  private long update;
  private @Nullable Updates updates;
  private @Nullable Double rate;
  private long begun; // updates before the optimizer's memory began
  private final Map<String, double[]> remembered = new HashMap<>(); // of parameters without updates
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
      @Nullable Updates updates,
      Map<String, double[]> memory,
      Map<String, double[]> remembered,
      boolean isMoving) {}

  /** What it is. */
  Moment moment() {
    boolean isThere = updates != null && !updates.isClosed();
    return new Moment(
        position(),
        rate,
        begun,
        cut,
        updates,
        isThere && updates != null ? updates.snapshot() : Map.of(),
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
    if (updates != null && updates == to.updates() && !updates.isClosed()) {
      updates.restore(to.memory());
      return;
    }
    if (updates != null) {
      updates.close();
    }
    updates = to.updates();
    remembered.putAll(to.memory());
    isMoving |= !to.memory().isEmpty();
  }

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
    if (updates != null) {
      updates.close();
    }
    updates = null;
    epoch = 0;
    batch = 0;
    step = 0;
    update = 0;
    rate = null;
    begun = 0;
    remembered.clear();
    isMoving = false;
  }

  /**
   * Returns if training can go on.
   *
   * @throws IllegalStateException where the optimizer's memory is gone
   */
  void check(Network network) {
    boolean isGone = updates != null && updates.isClosed() && updates.remembers() && !isMoving;
    if (isGone && network.isOnDevice()) {
      throw new IllegalStateException(
          "what the optimizer remembered went with the memory that the network had then: it was"
              + " put on a device again, or another trainer has trained it; call reset() to start"
              + " the optimizer and the count of epochs anew");
    }
  }

  /**
   * Puts a network where a run wants it; the optimizer's memory goes along. Gradients do not: those
   * that were half added up are added up again.
   *
   * @param isInPlace whether it is there
   */
  Updates place(Network network, Groups groups, boolean isInPlace, Runnable move) {
    Updates before = updates;
    if (before != null && !before.isClosed()) {
      if (isInPlace && network.arena() == before.arena() && before.goOn(groups)) {
        if (!before.arena().hasGradientsOf(this)) {
          rewind();
        }
        return before;
      }
      remembered.putAll(before.snapshot());
      isMoving = true;
    }
    if (!isInPlace) {
      move.run();
    }
    Updates made = new Updates(groups);
    network.arena().keep(made);
    updates = made;
    Set<String> restored = made.restore(remembered);
    isMoving = false;
    if (restored.isEmpty()) { // another rule, which counts its own updates
      remembered.clear();
      begun = update;
    }
    remembered.keySet().removeAll(restored);
    rewind();
    return made;
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

  /** What the optimizer remembers. */
  Map<String, Tensor> remembered() {
    return updates == null || updates.isClosed() ? Map.of() : updates.memory();
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
