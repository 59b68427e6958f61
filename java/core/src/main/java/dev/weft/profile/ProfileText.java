// SPDX-License-Identifier: Apache-2.0
package dev.weft.profile;

import static dev.weft.format.Format.format;

import dev.weft.DeviceKind;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/** A profile as tables of text. */
final class ProfileText {
  private static final String ROW = "%-34s  %5s  %9s  %8s  %9s  %8s  %10s %s";

  private final Profile profile;
  private final StringBuilder text = new StringBuilder();
  private final List<Profile.Above> notes = new ArrayList<>();

  private ProfileText(Profile profile) {
    this.profile = profile;
  }

  static String of(Profile profile) {
    return new ProfileText(profile).all();
  }

  private String all() {
    Profile.Group all = profile.kernels();
    line(
        "step     %s us replayed; %s us in its %d calls when each is timed (median of %d steps)",
        micros(profile.replayed()), micros(all.nanoseconds()), all.calls(), profile.steps());
    line(
        "host     %s us a step%s%s",
        micros(profile.host()),
        profile.hostKind() == Profile.Host.WAITS ? "" : ", while the device works",
        Double.isNaN(profile.epochTurn())
            ? ""
            : format(
                "; %s us an epoch of %d steps for a new order of examples",
                micros(profile.epochTurn()), profile.stepsPerEpoch()));
    if (profile.threads() > 0) {
      line("threads  %.2f in use on average, of at most %s", profile.threads(), profile.hardware());
    }
    if (profile.isFused()) {
      line(
          "fused    two kernels run all layers and products; --fusion never (Fusion.NEVER) shows"
              + " layers");
    } else {
      line(
          "products %s of the step inside matrix products (%s)",
          percent(profile.shareOfProducts()),
          DeviceKind.of(profile.device()) == DeviceKind.CPU ? "oneDNN" : "cuBLAS");
    }
    table("phase", profile.byPhase());
    table("layer", profile.byLayer());
    table("kernel", profile.byKernel());
    line("");
    if (DeviceKind.of(profile.device()) == DeviceKind.CUDA) {
      line(
          "clock: two events around each call, 1 to 2 us of its time; so the replayed step is the"
              + " true one");
    }
    line(
        "ceiling: the least time at this machine's best rates, measured just now for copies and"
            + " products, / the time");
    for (int i = 0; i < notes.size(); i++) {
      line("(%d) above 100 %%: a call among these %s", i + 1, notes.get(i).words());
    }
    return text.toString().stripTrailing();
  }

  /** The numbers of the notes that say why a share is above all. */
  private String marks(Profile.Group group) {
    if (group.shareOfCeiling() <= 1) {
      return "";
    }
    return group.above().stream().map(this::mark).collect(Collectors.joining(" "));
  }

  private String mark(Profile.Above reason) {
    if (!notes.contains(reason)) {
      notes.add(reason);
    }
    return format("(%d)", notes.indexOf(reason) + 1);
  }

  private void table(String what, List<Profile.Group> groups) {
    line("");
    line(ROW, what, "calls", "us", "of step", "GFLOP/s", "GB/s", "of ceiling", "");
    for (Profile.Group group : groups) {
      line(
          ROW,
          group.name(),
          group.calls(),
          micros(group.nanoseconds()),
          percent(group.nanoseconds() / profile.total()),
          number(group.gigaflops()),
          number(group.gigabytes()),
          percent(group.shareOfCeiling()),
          marks(group));
    }
    if (profile.hostKind() == Profile.Host.WAITS) {
      String share = percent(profile.host() / profile.total());
      line(ROW, "host", "", micros(profile.host()), share, "", "", "", "");
    }
  }

  private void line(String form, Object... values) {
    text.append(format(form, values).stripTrailing()).append('\n');
  }

  private static String micros(double nanoseconds) {
    return number(nanoseconds / 1e3);
  }

  private static String number(double value) {
    int digits = value < 10 ? 2 : value < 1000 ? 1 : 0;
    return format("%,." + digits + "f", value);
  }

  private static String percent(double share) {
    return format("%.1f %%", 100 * share);
  }
}
