// SPDX-License-Identifier: Apache-2.0
package dev.weft.device;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Notes the calls of a recording, each with the label in force: the phase of the step, which the
 * training loop sets, and the layer, which networks and tapes set. Outside a recording a label is
 * kept and used by nobody.
 */
public final class Recorder {
  private Phase phase = Phase.OTHER;
  private String layer = "";
  private @Nullable List<Call> calls;

  /** Sets the phase of the calls that follow, and what they are run for. */
  public void label(Phase phase, String layer) {
    this.phase = phase;
    this.layer = layer;
  }

  /** Sets what the calls that follow are run for. */
  public void layer(String layer) {
    this.layer = layer;
  }

  /** What calls are run for now; empty where nobody said. */
  public String layer() {
    return layer;
  }

  /** Whether a recording is in progress. */
  public boolean isRecording() {
    return calls != null;
  }

  /** Begins to note calls, with no label yet. */
  public void begin() {
    calls = new ArrayList<>();
    label(Phase.OTHER, "");
  }

  /** Notes a call where a recording is in progress and the call has work to do. */
  public void add(Kernel kernel, Precision precision, Arguments arguments) {
    if (calls != null && arguments.work() != 0) {
      calls.add(new Call(kernel, precision, arguments, phase, layer));
    }
  }

  /** Ends the recording and forgets the label; the calls in order. */
  public List<Call> end() {
    List<Call> noted = List.copyOf(calls);
    calls = null;
    label(Phase.OTHER, "");
    return noted;
  }
}
