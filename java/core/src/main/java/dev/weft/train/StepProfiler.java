// SPDX-License-Identifier: Apache-2.0
package dev.weft.train;

import dev.weft.Device;
import dev.weft.DeviceKind;
import dev.weft.device.Call;
import dev.weft.device.TimedProgram;
import dev.weft.profile.Ceilings;
import dev.weft.profile.Profile;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;

/**
 * Times the steps of a training run that are like its first one, of full batches: replayed as
 * usual, and with a clock between the calls. Both in turn, so that a busy moment of the machine
 * hits both.
 */
final class StepProfiler {
  private static final int ROUNDS = 10;
  private static final int LEAST_WARM_UP = 3;
  private static final int MOST_WARM_UP = 500;
  private static final int MOST_TRACED = 50;

  private final TrainingRun run;
  private final Device device;
  private final Profile.Host host;
  private final List<Long> epochs = new ArrayList<>();
  private final List<Profile.Step> timed = new ArrayList<>();
  private final List<Double> replayed = new ArrayList<>();
  private final List<Double> launched = new ArrayList<>();

  StepProfiler(TrainingRun run, Device device) {
    this.run = run;
    this.device = device;
    this.host = device.kind() == DeviceKind.CPU ? Profile.Host.WAITS : Profile.Host.RUNS_AHEAD;
  }

  Profile profile(int steps, Ceilings ceilings) {
    List<Call> calls = run.first().calls();
    double threads;
    try (TimedProgram program = run.first().timed()) {
      int warmUp = Math.clamp(steps / 2, LEAST_WARM_UP, MOST_WARM_UP);
      replay(warmUp);
      time(program, warmUp);
      replayed.clear();
      launched.clear();
      timed.clear();
      int rounds = Math.min(steps, ROUNDS);
      for (int round = 0; round < rounds; round++) {
        int count = steps * (round + 1) / rounds - steps * round / rounds;
        replay(count);
        time(program, count);
      }
      threads = program.threads();
    }
    double hostNanoseconds =
        host == Profile.Host.WAITS
            ? median(timed.stream().mapToDouble(step -> step.wall() - step.busy()))
            : median(launched.stream().mapToDouble(Double::doubleValue));
    List<Profile.Entry> entries = entries(calls, ceilings);
    if (entries.stream().anyMatch(entry -> entry.above() != Profile.Above.NOT)) {
      ceilings.measureAgain();
      entries = entries(calls, ceilings);
    }
    return new Profile(
        device.name(),
        device.description(),
        steps,
        threads,
        entries,
        median(replayed.stream().mapToDouble(Double::doubleValue)),
        hostNanoseconds,
        host,
        epochs.isEmpty() ? Double.NaN : median(epochs.stream().mapToDouble(Long::doubleValue)),
        run.stepsPerEpoch(),
        List.copyOf(timed.subList(Math.max(0, timed.size() - MOST_TRACED), timed.size())));
  }

  private List<Profile.Entry> entries(List<Call> calls, Ceilings ceilings) {
    return IntStream.range(0, calls.size())
        .mapToObj(
            i ->
                Profile.Entry.of(
                    calls.get(i),
                    median(timed.stream().mapToDouble(s -> s.times()[i + 1] - s.times()[i])),
                    ceilings))
        .toList();
  }

  private static double median(DoubleStream values) {
    double[] sorted = values.sorted().toArray();
    int middle = sorted.length / 2;
    return Arrays.stream(sorted, (sorted.length - 1) / 2, middle + 1).average().orElseThrow();
  }

  /** Runs what is not like the other steps: a smaller last batch, and the turn of an epoch. */
  private void comeToUsualStep() {
    while (run.likeFirst() == 0) {
      run.step();
    }
    if (run.beginsEpoch()) {
      long start = System.nanoTime();
      run.moveToBatch();
      epochs.add(System.nanoTime() - start);
    }
  }

  /**
   * Replays so many full steps, and notes the time of one: all of it, and until it was launched.
   * Where the host runs ahead it is not held up between them.
   */
  private void replay(int count) {
    for (int left = count; left > 0; ) {
      comeToUsualStep();
      int some = host == Profile.Host.WAITS ? 1 : Math.min(left, run.likeFirst());
      device.synchronize();
      long start = System.nanoTime();
      for (int i = 0; i < some; i++) {
        run.step();
      }
      launched.add((double) (System.nanoTime() - start) / some);
      device.synchronize();
      replayed.add((double) (System.nanoTime() - start) / some);
      left -= some;
    }
  }

  private void time(TimedProgram program, int count) {
    for (int i = 0; i < count; i++) {
      comeToUsualStep();
      device.synchronize();
      long[] times = new long[program.size() + 1];
      long start = System.nanoTime();
      run.moveToBatch();
      program.run(times);
      run.stepped();
      timed.add(new Profile.Step(start, System.nanoTime() - start, times));
    }
  }
}
