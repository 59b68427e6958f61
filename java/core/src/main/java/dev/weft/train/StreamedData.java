// SPDX-License-Identifier: Apache-2.0
package dev.weft.train;

import dev.weft.DType;
import dev.weft.Device;
import dev.weft.DeviceKind;
import dev.weft.Engine;
import dev.weft.Shape;
import dev.weft.StepState;
import dev.weft.data.BatchOrder;
import dev.weft.data.Column;
import dev.weft.data.Dataset;
import dev.weft.data.Storage;
import dev.weft.device.Closing;
import dev.weft.device.CopyQueue;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.SequencedMap;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * A data set of which two blocks of batches are in device memory: the one that is computed on, and
 * the next. A thread collects the rows of a block in the epoch's order, and its copy runs beside
 * the kernels; the first block of an epoch is collected while the epoch before it ends.
 *
 * <p>Block after block goes to the other half of the device memory. The state's cursor is set to
 * the half's beginning when its block begins, or to the place in it where a run does, so that a
 * recorded step need not know of blocks.
 */
final class StreamedData extends BatchData {
  /** Larger blocks would hide no more: a copy of this takes milliseconds. */
  private static final long LARGEST_BLOCK = 256L << 20;

  static final int HALVES = 2;
  private static final int ROWS_A_TASK = 1024;

  private final BatchOrder batches;
  private final EpochOrder epochs;
  private final int blockBatches;
  private final int blockRows;
  private final List<Stream> streams = new ArrayList<>();
  private final MemorySegment[] hostCursor = new MemorySegment[HALVES];
  private MemorySegment hostPlace; // the cursor where a run begins within a block
  private final MemorySegment rows;
  private CopyQueue copies;
  private long orderedEpoch = -1;
  private int halfInUse = HALVES - 1;
  private @Nullable Block current;
  private @Nullable Block next;

  /** A column on its way: from where, through host memory for each half, to where. */
  private record Stream(Column column, Storage stored, MemorySegment[] host, Source source) {
    long rowBytes() {
      return source.width() * stored.bytes();
    }
  }

  /** Rows of the epoch's order that are collected, copied, or in use. */
  private final class Block {
    final long epoch;
    final int number;
    final int half;
    final int count;
    private final Background collecting;
    private boolean copied;

    /** Begins to collect for the half that is not in use. */
    Block(long epoch, int number) {
      this.epoch = epoch;
      this.number = number;
      half = HALVES - 1 - halfInUse;
      count = Math.min(blockRows, batches.rows() - number * blockRows);
      copies.await(half);
      collecting = new Background("weft data", this::collect);
    }

    /** Runs on a thread of its own; there is one block at a time for which it does. */
    private void collect() {
      if (orderedEpoch != epoch) {
        epochs.write(epoch, rows);
        orderedEpoch = epoch;
      }
      int first = number * blockRows;
      IntStream tasks = IntStream.range(0, (count + ROWS_A_TASK - 1) / ROWS_A_TASK);
      // beside a GPU the processors have nothing else to do
      (device.kind() == DeviceKind.CPU ? tasks : tasks.parallel())
          .forEach(
              task -> {
                int from = task * ROWS_A_TASK;
                int to = Math.min(count, from + ROWS_A_TASK);
                streams.forEach(stream -> gather(stream, first, from, to));
              });
    }

    private void gather(Stream stream, int first, int from, int to) {
      MemorySegment target = stream.host()[half].asSlice(from * stream.rowBytes());
      stream.column().gather(stream.stored(), rows, first + from, first + to, target);
    }

    /** Queues the copy, once, when the rows are collected. */
    void copy() {
      if (!copied) {
        collecting.await();
        streams.forEach(this::copy);
        copied = true;
      }
    }

    private void copy(Stream stream) {
      copies.copyIn(
          half,
          stream.host()[half].asSlice(0, count * stream.rowBytes()),
          Engine.address(stream.source().tensor()) + (long) half * blockRows * stream.rowBytes());
    }
  }

  /** Takes device memory for two blocks, and as much page-locked host memory. */
  StreamedData(
      Device device,
      SequencedMap<String, DType> wanted,
      Dataset data,
      BatchOrder batches,
      EpochOrder epochs,
      long memory) {
    super(device);
    this.batches = batches;
    this.epochs = epochs;
    int batch = batches.rowsIn(0);
    long batchBytes = batch * rowBytes(wanted, data);
    long block = Math.max(1, Math.min(memory / HALVES, LARGEST_BLOCK) / batchBytes);
    blockBatches = (int) Math.min(block, batches.batches());
    blockRows = Math.multiplyExact(blockBatches, batch);
    rows = Arena.ofAuto().allocate((long) batches.rows() * DType.I32.bytes(), 64);
    try {
      wanted.forEach((name, type) -> stream(name, type, data.column(name)));
      order(device.allocate(DType.I32, Shape.of((long) HALVES * blockRows)));
      MemorySegment places = Arena.ofAuto().allocate(order().bytes(), 64);
      EpochOrder.ASCENDING.write(0, places);
      order().copyFrom(places);
      copies = Engine.copyQueue(device, HALVES);
      for (int half = 0; half < HALVES; half++) {
        for (Stream stream : streams) {
          stream.host()[half] = copies.hostMemory(blockRows * stream.rowBytes());
        }
        hostCursor[half] = copies.hostMemory(Long.BYTES);
        hostCursor[half].set(ValueLayout.JAVA_LONG, 0, (long) half * blockRows);
      }
      hostPlace = copies.hostMemory(Long.BYTES);
    } catch (Throwable e) {
      Closing.after(e, this::close);
      throw e;
    }
  }

  private void stream(String name, DType wanted, Column column) {
    Source source = space(device, name, wanted, column, (long) HALVES * blockRows, column.width());
    sources.put(name, source);
    streams.add(new Stream(column, stored(wanted, column), new MemorySegment[HALVES], source));
  }

  @Override
  void moveTo(long epoch, int batch, StepState state) {
    int number = batch / blockBatches;
    if (current != null && current.epoch == epoch && current.number == number) {
      if (next != null && next.collecting.isDone()) {
        next.copy();
      }
      return;
    }
    current = null; // until all of what follows was given to the device
    Block block = take(epoch, number);
    copies.used(halfInUse);
    block.copy();
    copies.use(block.half);
    copies.copyInOrder(cursor(block, batch % blockBatches), Engine.cursorAddress(state));
    halfInUse = block.half;
    current = block;
    next = null;
    boolean last = (number + 1) * blockBatches >= batches.batches();
    next = last ? new Block(epoch + 1, 0) : new Block(epoch, number + 1);
  }

  @Override
  void leave() {
    current = null;
  }

  /** Where a batch of a block begins. */
  private MemorySegment cursor(Block block, int batchOfBlock) {
    if (batchOfBlock == 0) {
      return hostCursor[block.half];
    }
    long place = (long) block.half * blockRows + (long) batchOfBlock * batches.rowsIn(0);
    hostPlace.set(ValueLayout.JAVA_LONG, 0, place);
    return hostPlace;
  }

  /** The block that was collected ahead, or another where the caller did not go on in order. */
  private Block take(long epoch, int number) {
    if (next == null || next.epoch != epoch || next.number != number) {
      settle();
      next = new Block(epoch, number);
    }
    return next;
  }

  /** Nothing is collected any more. */
  private void settle() {
    if (next != null) {
      next.collecting.settle();
      next = null;
    }
  }

  @Override
  public void close() {
    device.checkMayClose();
    Closing closing = new Closing();
    closing.run(this::settle);
    if (copies != null) {
      closing.run(copies::close);
    }
    closing.run(super::close);
    closing.finish();
  }
}
