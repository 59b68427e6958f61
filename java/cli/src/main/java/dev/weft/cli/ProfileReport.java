// SPDX-License-Identifier: Apache-2.0
package dev.weft.cli;

import static java.util.Locale.ROOT;

import dev.weft.Device;
import dev.weft.profile.Ceilings;
import dev.weft.profile.Profile;
import dev.weft.profile.Trace;
import dev.weft.train.TrainingRun;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** Takes a profile of a training run and prints where the time goes. */
final class ProfileReport {
  private static final double SECONDS = 2;
  private static final double SECONDS_PER_CEILING = 0.05;
  private static final int LEAST_STEPS = 10;
  private static final int MOST_STEPS = 1000;
  private static final int TRIAL_STEPS = 3;

  private final PrintWriter out;

  ProfileReport(PrintWriter out) {
    this.out = out;
  }

  /**
   * Profiles as many steps as take some seconds.
   *
   * @param trace where to write a timeline, or null
   */
  void run(TrainingRun run, Device device, @Nullable Path trace) throws IOException {
    Profile profile = run.profile(steps(run, device), new Ceilings(device, SECONDS_PER_CEILING));
    out.println();
    out.println(profile);
    if (trace != null) {
      Trace.write(profile, trace);
      out.printf(ROOT, "wrote    %s: open it in chrome://tracing or ui.perfetto.dev%n", trace);
    }
  }

  private static int steps(TrainingRun run, Device device) {
    run.step();
    device.synchronize();
    long start = System.nanoTime();
    for (int i = 0; i < TRIAL_STEPS; i++) {
      run.step();
    }
    device.synchronize();
    double seconds = (System.nanoTime() - start) / 1e9 / TRIAL_STEPS;
    return (int) Math.clamp(SECONDS / seconds, LEAST_STEPS, MOST_STEPS);
  }
}
