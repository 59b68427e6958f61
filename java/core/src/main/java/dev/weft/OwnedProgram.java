// SPDX-License-Identifier: Apache-2.0
package dev.weft;

import dev.weft.device.Program;

/** A recorded program that its device's thread and lifetime hold for. */
final class OwnedProgram implements Program {
  private final Device device;
  private final Program program;
  private boolean closed;

  OwnedProgram(Device device, Program program) {
    this.device = device;
    this.program = program;
  }

  @Override
  public void run() {
    device.check();
    if (closed) {
      throw new IllegalStateException("the recorded program on " + device + " is closed");
    }
    program.run();
  }

  @Override
  public int size() {
    return program.size();
  }

  /** A device that is closed has freed its programs already. */
  @Override
  public void close() {
    if (!closed && !device.isClosed()) {
      device.check();
      closed = true;
      program.close();
    }
  }
}
