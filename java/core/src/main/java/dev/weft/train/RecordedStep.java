// SPDX-License-Identifier: Apache-2.0
package dev.weft.train;

import dev.weft.Device;
import dev.weft.Engine;
import dev.weft.RecordedProgram;
import dev.weft.StepState;
import dev.weft.Tape;
import dev.weft.Tensor;
import dev.weft.device.Call;
import dev.weft.device.Closing;
import dev.weft.device.Pool;
import dev.weft.device.TimedProgram;
import java.util.List;
import java.util.Objects;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** A step of fixed shapes as a program, with the tape that holds its memory. */
final class RecordedStep implements AutoCloseable {
  private final Tensor parameters;
  private final Pool pool;
  private final Tape tape;
  private final RecordedProgram program;
  private @Nullable Tensor result;

  /**
   * Records a step.
   *
   * @param parameters memory that must be live whenever the step runs, beside the step's own
   * @param over a step whose memory this one may use, because they never run at the same time; it
   *     must stay open as long as this one, and its result is lost when this one runs; or null
   * @param body runs the step on the tape and returns what {@link #result} gives
   */
  RecordedStep(
      Tensor parameters,
      StepState state,
      Tape.Mode mode,
      @Nullable RecordedStep over,
      Function<Tape, Tensor> body) {
    Device device = parameters.device();
    this.parameters = parameters;
    pool = over == null ? Engine.pool(device) : over.pool.overlay();
    tape = new Tape(device, state, mode, pool).releaseResults();
    try {
      program = Engine.record(device, () -> result = body.apply(tape));
    } catch (Throwable e) {
      Closing.after(e, tape::close);
      throw e;
    }
  }

  /**
   * Replays the step.
   *
   * @throws IllegalStateException where the network was closed or moved, or the step is closed
   */
  void run() {
    check();
    program.run();
  }

  /**
   * Returns if {@link #run} would not be refused; called before anything that a step begins with.
   */
  void check() {
    Engine.address(parameters);
    program.check();
  }

  /** What it runs. */
  List<Call> calls() {
    return program.calls();
  }

  /** The same step with a clock between its calls; closed before this one. */
  TimedProgram timed() {
    return program.timed();
  }

  /** What the body returned: valid after each run until the next, of this or of a step over it. */
  Tensor result() {
    return Objects.requireNonNull(result, "the body has returned it");
  }

  @Override
  public void close() {
    tape.device().checkMayClose();
    Closing.all(program, tape);
  }
}
