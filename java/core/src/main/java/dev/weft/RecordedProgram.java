// SPDX-License-Identifier: Apache-2.0
package dev.weft;

import dev.weft.device.Call;
import dev.weft.device.Program;
import dev.weft.device.TimedProgram;
import java.util.List;

/**
 * A recorded program that its device's thread and lifetime hold for, and that knows its calls. Made
 * by {@link Device#record}.
 */
public final class RecordedProgram implements Program {
  private final Device device;
  private final Program program;
  private final List<Call> calls;
  private boolean closed;

  RecordedProgram(Device device, Program program, List<Call> calls) {
    this.device = device;
    this.program = program;
    this.calls = calls;
  }

  @Override
  public void run() {
    check();
    program.run();
  }

  private void check() {
    device.check();
    if (closed) {
      throw new IllegalStateException("the recorded program on " + device + " is closed");
    }
  }

  @Override
  public int size() {
    return program.size();
  }

  /** What it runs, in order, each call with the label it was recorded under. */
  public List<Call> calls() {
    return calls;
  }

  /**
   * The same calls with a clock between them. What this program needs must outlive that one, too.
   */
  public TimedProgram timed() {
    check();
    return device.backend().timed(calls);
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
