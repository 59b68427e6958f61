// SPDX-License-Identifier: Apache-2.0
package dev.weft.device;

import java.util.ArrayList;
import java.util.List;

/**
 * Memory that is given back all at once: what one tape, or one recorded program, uses. Blocks
 * released before that are used again within the pool and by nobody else, so a program can be
 * replayed over them for as long as the pool is open.
 */
public final class Pool implements AutoCloseable {
  private final Allocator source;
  private final FreeList idle = new FreeList();
  private final List<Block> taken = new ArrayList<>();
  private final List<Block> given = new ArrayList<>();

  /** Makes an empty pool that takes what it needs from {@code source}. */
  public Pool(Allocator source) {
    this.source = source;
  }

  /**
   * Gives out memory; its contents are undefined.
   *
   * @throws OutOfDeviceMemoryException where the device has not that much left
   */
  public Block allocate(long bytes) {
    FreeList.Piece piece = idle.take(bytes);
    if (piece == null) {
      Block block = source.allocate(bytes);
      taken.add(block);
      piece = new FreeList.Piece(block.address(), block.bytes());
    }
    Block block = new Block(piece.address(), piece.bytes());
    given.add(block);
    return block;
  }

  /** Takes a block back for use within the pool. */
  public void release(Block block) {
    if (block.isLive()) {
      block.markLive(false);
      idle.put(block.address(), block.bytes());
    }
  }

  /** Gives everything back; blocks that were given out are no longer live. */
  @Override
  public void close() {
    given.forEach(block -> block.markLive(false));
    given.clear();
    idle.drain();
    taken.forEach(source::release);
    taken.clear();
  }
}
