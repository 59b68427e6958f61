// SPDX-License-Identifier: Apache-2.0
package dev.weft.device;

import static dev.weft.format.Format.format;

/**
 * The caching allocator of one device: memory that is released waits for the next request of about
 * its size. Sizes are rounded up to 512 bytes. When the device refuses, the cache is given back to
 * it and the request tried once more.
 *
 * <p>The system property {@code weft.allocator=exact} turns rounding, caching and the reuse within
 * a {@link Pool} off, so that a checking driver sees every access outside what was asked for, and
 * what is read before it was written.
 */
public final class Allocator implements AutoCloseable {
  private static final long GRAIN = 512;

  private final Backend backend;
  private final boolean exact = "exact".equals(System.getProperty("weft.allocator"));
  private final FreeList cache = new FreeList();
  private long live;
  private long peak;
  private boolean closed;

  /** Makes the allocator of a backend. */
  public Allocator(Backend backend) {
    this.backend = backend;
  }

  /**
   * Takes memory; its contents are undefined.
   *
   * @param bytes at least 0; 0 gives a block at a valid address all the same
   * @throws OutOfDeviceMemoryException where the device has not that much left
   */
  public Block allocate(long bytes) {
    long size = rounded(bytes);
    FreeList.Piece piece = cache.take(size);
    if (piece == null) {
      piece = new FreeList.Piece(fromBackend(size), size);
    }
    live += piece.bytes();
    peak = Math.max(peak, live);
    return new Block(piece.address(), piece.bytes());
  }

  /** Whether memory is neither rounded up nor used again. */
  boolean isExact() {
    return exact;
  }

  /** The size of the block that a request gets. */
  long rounded(long bytes) {
    return exact ? Math.max(1, bytes) : Math.max(GRAIN, (bytes + GRAIN - 1) / GRAIN * GRAIN);
  }

  private long fromBackend(long size) {
    long address = backend.allocate(size);
    if (address == 0 && cache.bytes() > 0) {
      trim();
      address = backend.allocate(size);
    }
    if (address == 0) {
      throw new OutOfDeviceMemoryException(
          format(
              "%s is out of memory: asked for %s, %s live, %s cached; use a smaller batch or"
                  + " network",
              backend.name(), readable(size), readable(live), readable(cache.bytes())));
    }
    return address;
  }

  /** Whether it was closed, and all memory that it gave out is gone. */
  boolean isClosed() {
    return closed;
  }

  /** Releases a block; releasing it again, or after closing, does nothing. */
  public void release(Block block) {
    if (closed || !block.isLive()) {
      return;
    }
    block.markLive(false);
    live -= block.bytes();
    if (exact) {
      backend.free(block.address());
    } else {
      cache.put(block.address(), block.bytes());
    }
  }

  /** Gives all cached memory back to the device. */
  public void trim() {
    cache.drain().forEach(backend::free);
  }

  /** Bytes in use, the most there ever were, and bytes cached for the next request. */
  public MemoryUse use() {
    return new MemoryUse(live, peak, cache.bytes());
  }

  private static String readable(long bytes) {
    return bytes < 1 << 20
        ? format("%,d bytes", bytes)
        : format("%,.1f MiB", bytes / (double) (1 << 20));
  }

  /** Gives the cache back; what is still live goes with the backend. */
  @Override
  public void close() {
    closed = true;
    live = 0;
    trim();
  }
}
