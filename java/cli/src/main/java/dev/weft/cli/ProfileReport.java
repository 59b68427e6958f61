// SPDX-License-Identifier: Apache-2.0
package dev.weft.cli;

import dev.weft.Device;
import dev.weft.device.Phase;
import dev.weft.profile.Ceilings;
import dev.weft.profile.Profile;
import dev.weft.profile.Trace;
import dev.weft.train.TrainingRun;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;

/** Takes a profile of a training run and prints where the time goes. */
final class ProfileReport {
  private static final double SECONDS = 2;
  private static final double SECONDS_PER_CEILING = 0.05;
  private static final int LEAST_STEPS = 10;
  private static final int MOST_STEPS = 1000;
  private static final int TRIAL_STEPS = 3;
  private static final int NAME_WIDTH = 34;

  private final PrintWriter out;

  ProfileReport(PrintWriter out) {
    this.out = out;
  }

  /**
   * Profiles as many steps as take some seconds.
   *
   * @param trace where to write a timeline, or null
   */
  void run(TrainingRun run, Device device, Path trace) throws IOException {
    Profile profile = run.profile(steps(run, device), new Ceilings(device, SECONDS_PER_CEILING));
    print(profile);
    if (trace != null) {
      Trace.write(profile, trace);
      line("wrote    %s: open it in chrome://tracing or ui.perfetto.dev", trace);
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

  void print(Profile profile) {
    Profile.Group all = profile.kernels();
    line("");
    line(
        "step     %s us replayed; %s us in its %d calls when each is timed (median of %d steps)",
        micros(profile.replayed()), micros(all.nanoseconds()), all.calls(), profile.steps());
    line(
        "host     %s us a step%s%s",
        micros(profile.host()),
        profile.hostKind() == Profile.Host.WAITS ? "" : ", while the device works",
        Double.isNaN(profile.epochTurn())
            ? ""
            : "; %s us an epoch of %d steps for a new order of examples"
                .formatted(micros(profile.epochTurn()), profile.stepsPerEpoch()));
    boolean fused =
        profile.entries().stream().anyMatch(entry -> entry.call().phase() == Phase.FUSED);
    if (fused) {
      line("products are inside the two fused kernels");
    } else {
      line(
          "products %s of the step inside matrix products (%s)",
          Amount.percent(profile.shareOfProducts()),
          profile.device().equals("cpu") ? "oneDNN" : "cuBLAS");
    }
    table("phase", profile.byPhase(), profile);
    table("layer", profile.byLayer(), profile);
    table("kernel", profile.byKernel(), profile);
    line("");
    line(
        "ceiling: the least time at this machine's best rates, measured just now for copies and"
            + " products, / the time");
  }

  private void table(String what, List<Profile.Group> groups, Profile profile) {
    line("");
    Table table =
        new Table(
            out,
            Table.left(what, NAME_WIDTH),
            Table.right("calls", 5),
            Table.right("us", 9),
            Table.right("of step", 8),
            Table.right("GFLOP/s", 9),
            Table.right("GB/s", 8),
            Table.right("of ceiling", 10));
    for (Profile.Group group : groups) {
      table.row(
          group.name(),
          group.calls(),
          micros(group.nanoseconds()),
          percent(group.nanoseconds() / profile.total()),
          number(group.gigaflops()),
          number(group.gigabytes()),
          percent(group.shareOfCeiling()));
    }
    if (profile.hostKind() == Profile.Host.WAITS) {
      table.row("host", "", micros(profile.host()), percent(profile.host() / profile.total()));
    }
  }

  private void line(String form, Object... values) {
    out.println(String.format(Locale.ROOT, form, values));
    out.flush();
  }

  private static String micros(double nanoseconds) {
    return number(nanoseconds / 1e3);
  }

  private static String number(double value) {
    int digits = value < 10 ? 2 : value < 1000 ? 1 : 0;
    return String.format(Locale.ROOT, "%,." + digits + "f", value);
  }

  private static String percent(double share) {
    return String.format(Locale.ROOT, "%.1f %%", 100 * share);
  }
}
