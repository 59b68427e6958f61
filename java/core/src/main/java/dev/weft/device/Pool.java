// SPDX-License-Identifier: Apache-2.0
package dev.weft.device;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Memory that is given back all at once: what one tape, or one recorded program, uses. Blocks
 * released before that are used again within the pool and by nobody else, so a program can be
 * replayed over them for as long as the pool is open. It is used and closed by the thread that may
 * use its device.
 */
public final class Pool implements AutoCloseable {
  // what is too large for a request is lent anyway: it is idle, and new memory would be more
  private static final double WASTE_OF_LENT = 15;

  private final Allocator source;
  private final Runnable mayUse;
  private final List<FreeList.Piece> lent;
  private final Set<Long> lentAddresses;
  private final FreeList lentIdle = new FreeList(WASTE_OF_LENT);
  private final FreeList idle = new FreeList();
  private final List<Block> taken = new ArrayList<>();
  private final List<Block> given = new ArrayList<>();
  private boolean closed;

  /**
   * Makes an empty pool that takes what it needs from {@code source}.
   *
   * @param mayUse returns if the calling thread may use the device, and throws if not
   */
  public Pool(Allocator source, Runnable mayUse) {
    this(source, mayUse, List.of());
  }

  private Pool(Allocator source, Runnable mayUse, List<FreeList.Piece> lent) {
    this.source = source;
    this.mayUse = mayUse;
    this.lent = lent;
    this.lentAddresses = lent.stream().map(FreeList.Piece::address).collect(Collectors.toSet());
    lent.forEach(piece -> lentIdle.put(piece.address(), piece.bytes()));
  }

  /**
   * A pool over the same memory, and more where that does not suffice: for a program that never
   * runs while what this one holds is needed. This one must stay open as long as the other.
   */
  public Pool overlay() {
    check();
    if (source.isExact()) {
      return new Pool(source, mayUse);
    }
    List<FreeList.Piece> pieces = new ArrayList<>(lent);
    taken.forEach(block -> pieces.add(new FreeList.Piece(block.address(), block.bytes())));
    return new Pool(source, mayUse, List.copyOf(pieces));
  }

  private void check() {
    mayUse.run();
    if (closed) {
      throw new IllegalStateException("the pool of device memory is closed");
    }
  }

  /**
   * Gives out memory; its contents are undefined.
   *
   * @throws OutOfDeviceMemoryException where the device has not that much left
   * @throws IllegalStateException where it or its device is closed, or is another thread's
   */
  public Block allocate(long bytes) {
    check();
    long size = source.rounded(bytes);
    FreeList.Piece piece = idle.take(size);
    if (piece == null) {
      piece = lentIdle.take(size);
    }
    if (piece == null) {
      Block block = source.allocate(bytes);
      taken.add(block);
      piece = new FreeList.Piece(block.address(), block.bytes());
    }
    Block block = new Block(piece.address(), piece.bytes());
    given.add(block);
    return block;
  }

  /** Whether it takes what it needs from {@code allocator}. */
  public boolean takesFrom(Allocator allocator) {
    return source == allocator;
  }

  /** Takes a block back for use within the pool. */
  public void release(Block block) {
    check();
    if (block.isLive()) {
      block.markLive(false);
      if (source.isExact()) {
        return; // back to the source when the pool closes, and to nobody before
      }
      FreeList home = lentAddresses.contains(block.address()) ? lentIdle : idle;
      home.put(block.address(), block.bytes());
    }
  }

  /**
   * Gives everything back; blocks that were given out are no longer live. Closing it again, or
   * after its device, does nothing.
   */
  @Override
  public void close() {
    if (closed || source.isClosed()) {
      return;
    }
    mayUse.run();
    closed = true;
    given.forEach(block -> block.markLive(false));
    given.clear();
    idle.drain();
    lentIdle.drain();
    taken.forEach(source::release);
    taken.clear();
  }
}
