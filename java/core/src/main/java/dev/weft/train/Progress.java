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
  private record Cut(int batches, int rows, int batch, int accumulated, long seed) {}

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
   * @throws IOException where the file lacks a number; nothing is changed then
   * @throws IllegalStateException where a run is open
   */
  void load(Path path, OptimizerFile file) throws IOException {
    Double given = file.notes().containsKey("rate") ? file.real(path, "rate") : null;
    long[] position = numbers(path, file, "epoch", "batch", "step", "update", "begun");
    long[] cuts = numbers(path, file, "batches", "rows", "batch_rows", "accumulated", "seed");
    reset();
    epoch = position[0];
    batch = (int) position[1];
    step = position[2];
    update = position[3];
    begun = position[4];
    cut = new Cut((int) cuts[0], (int) cuts[1], (int) cuts[2], (int) cuts[3], cuts[4]);
    rate = given;
    remembered.putAll(file.memory());
  }

  private static long[] numbers(Path path, OptimizerFile file, String... names) throws IOException {
    long[] numbers = new long[names.length];
    for (int i = 0; i < names.length; i++) {
      numbers[i] = file.number(path, names[i]);
    }
    return numbers;
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
    if (restored.isEmpty() && made.remembers()) { // another rule, which counts its own updates
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

  /** Whether there is an optimizer at work whose memory is there. */
  boolean isSavable() {
    return updates != null && !updates.isClosed();
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
