// SPDX-License-Identifier: Apache-2.0
package dev.weft;

import static dev.weft.format.Format.format;

import dev.weft.device.Block;

/** What is left of a tensor that became unreachable: its memory, and what it was called. */
final class Unclosed implements Runnable {
  private final Device device;
  private final Block block;
  private final DType dtype;
  private final Shape shape;
  private volatile String name = Tensor.UNNAMED;

  Unclosed(Device device, DType dtype, Shape shape, Block block) {
    this.device = device;
    this.dtype = dtype;
    this.shape = shape;
    this.block = block;
  }

  Block block() {
    return block;
  }

  void name(String name) {
    this.name = name;
  }

  String description() {
    return format("%s %s %s on %s", name, dtype, shape, device);
  }

  /** Called by the cleaner's thread. */
  @Override
  public void run() {
    device.releaseLater(this);
  }
}
