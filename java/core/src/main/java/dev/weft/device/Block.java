// SPDX-License-Identifier: Apache-2.0
package dev.weft.device;

/** A piece of device memory with one owner, who releases it to where it came from. */
public final class Block {
  private final long address;
  private final long bytes;
  private boolean live = true;
  private int version;

  Block(long address, long bytes) {
    this.address = address;
    this.bytes = bytes;
  }

  /** Where it starts on the device. */
  public long address() {
    return address;
  }

  /** Its size, at least what was asked for. */
  public long bytes() {
    return bytes;
  }

  /** Whether its owner may still use it. */
  public boolean isLive() {
    return live;
  }

  /** How often something said that it {@link #changed}. */
  public int version() {
    return version;
  }

  /** Notes that other values were written than an operation may have read. */
  public void changed() {
    version++;
  }

  void markLive(boolean live) {
    this.live = live;
  }
}
