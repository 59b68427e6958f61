// SPDX-License-Identifier: Apache-2.0
package dev.weft;

import dev.weft.device.Call;
import dev.weft.device.Closing;
import dev.weft.device.Program;
import dev.weft.device.TimedProgram;
import java.util.ArrayList;
import java.util.List;

/**
 * A recorded program that its device's thread and lifetime hold for, and that knows its calls. Made
 * by {@link Device#record}.
 */
public final class RecordedProgram implements Program {
  private final Device device;
  private final Program program;
  private final List<Call> calls;
  private final List<Timed> timed = new ArrayList<>();
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

  /**
   * Returns if the program can be run.
   *
   * @throws IllegalStateException where it or its device is closed, or is another thread's
   */
  public void check() {
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
   * The same calls with a clock between them, for the same thread. Closing this program closes that
   * one, too.
   */
  public TimedProgram timed() {
    check();
    Timed made = new Timed(device.backend().timed(calls));
    timed.add(made);
    return made;
  }

  /** The backend's timed program, behind the checks of this one. */
  private final class Timed implements TimedProgram {
    private final TimedProgram program;

    Timed(TimedProgram program) {
      this.program = program;
    }

    @Override
    public void run(long[] nanoseconds) {
      check();
      if (!timed.contains(this)) {
        throw new IllegalStateException("the timed program on " + device + " is closed");
      }
      program.run(nanoseconds);
    }

    @Override
    public double threads() {
      return program.threads();
    }

    @Override
    public int size() {
      return program.size();
    }

    @Override
    public void close() {
      device.checkMayClose();
      if (timed.remove(this)) {
        program.close();
      }
    }
  }

  @Override
  public void close() {
    if (!closed) {
      device.checkMayClose();
      closed = true;
      Closing closing = new Closing();
      List.copyOf(timed).forEach(each -> closing.run(each::close));
      closing.run(program::close);
      closing.finish();
    }
  }
}
