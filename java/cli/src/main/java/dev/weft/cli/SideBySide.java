// SPDX-License-Identifier: Apache-2.0
package dev.weft.cli;

import static dev.weft.format.Format.format;
import static java.util.Locale.ROOT;

import dev.weft.Device;
import dev.weft.data.Split;
import dev.weft.nn.Sequential;
import dev.weft.train.DivergedException;
import dev.weft.train.History;
import dev.weft.train.Listener;
import dev.weft.train.SharedData;
import dev.weft.train.Trainer;
import dev.weft.train.TrainingRun;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/** Several runs over one copy of the data, one after another, until Ctrl-C. */
final class SideBySide {
  private static final String STOPPED = "Ctrl-C, or another signal to end";

  /** A run to come. */
  record Planned(Setting setting, TrainingOptions options) {}

  private final List<Planned> runs;
  private final Device device;
  private final Split parts;
  private final SharedData shared;
  private final Interruption interruption;
  private final List<ComparedRun> done = new ArrayList<>();
  private volatile boolean stopped;

  /**
   * Begins every run and ends it before its first step, so that what is refused is so at once.
   *
   * @throws IllegalArgumentException that says which setting was refused
   */
  SideBySide(
      List<Planned> runs,
      Device device,
      Split parts,
      SharedData shared,
      Interruption interruption) {
    this.runs = runs;
    this.device = device;
    this.parts = parts;
    this.shared = shared;
    this.interruption = interruption;
    for (Planned planned : runs) {
      try (Sequential network = planned.options().network(parts.train())) {
        trainer(planned, network).start(parts.train(), parts.test()).close();
      } catch (IllegalArgumentException e) {
        throw planned.setting().refused(e);
      }
    }
  }

  private Trainer trainer(Planned planned, Sequential network) {
    return planned
        .options()
        .trainer(network, device, planned.options().losses().of(parts.train()))
        .sharedData(shared);
  }

  /** Trains, adds a row for each run to a table and its epochs to a log; what has been done. */
  List<ComparedRun> train(Screen screen, ComparisonTable table, @Nullable EpochLog lines) {
    ProgressLine progress = new ProgressLine(screen);
    for (Planned planned : runs) {
      if (stopped) {
        break;
      }
      String run = format("run %d/%d  %s", done.size() + 1, runs.size(), planned.setting());
      show(screen, progress, run);
      List<History.Epoch> epochs = new ArrayList<>();
      ComparedRun ended =
          run(
              planned,
              epochs,
              (now, epoch) -> {
                if (lines != null) {
                  lines.write(described(planned), epoch);
                }
                if (epoch.test() != null) {
                  epochs.add(epoch);
                  String at = "%s  epoch %d/%d: loss %.4f";
                  double loss = epoch.test().loss();
                  show(screen, progress, format(at, run, epoch.number(), now.lastEpoch(), loss));
                }
              });
      done.add(ended);
      progress.clear();
      table.add(ended);
    }
    if (stopped) {
      screen
          .out()
          .printf(ROOT, "ended    %s, in run %d of %d%n", STOPPED, done.size(), runs.size());
    }
    return done;
  }

  private static void show(Screen screen, ProgressLine progress, String line) {
    if (screen.kind() == Screen.Kind.TERMINAL) {
      progress.show(line);
    }
  }

  /** What the lines of a run begin with. */
  private Map<String, Object> described(Planned planned) {
    Map<String, Object> first = new LinkedHashMap<>();
    first.put("run", done.size() + 1);
    first.putAll(planned.setting().values());
    first.put("seed", planned.options().seed());
    return first;
  }

  private ComparedRun run(
      Planned planned, List<History.Epoch> epochs, BiConsumer<TrainingRun, History.Epoch> onEpoch) {
    String fault = "";
    boolean diverged = false;
    try (Sequential network = planned.options().network(parts.train())) {
      trainer(planned, network)
          .onEpoch(onEpoch)
          .listener(
              new Listener() {
                @Override
                public void onStart(TrainingRun run) {
                  interruption.onStart(() -> stop(run));
                  if (stopped) {
                    stop(run);
                  }
                }
              })
          .fit(parts.train(), parts.test(), planned.options().epochs());
      fault = stopped ? "ended early" : "";
    } catch (DivergedException e) {
      diverged = true;
      fault = ComparedRun.fault(e);
    }
    return new ComparedRun(
        planned.setting(), planned.options().seed(), List.copyOf(epochs), fault, diverged);
  }

  private void stop(TrainingRun run) {
    stopped = true;
    run.stop(STOPPED);
  }
}
