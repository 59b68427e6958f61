// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench;

import java.util.Map;
import org.openjdk.jmh.profile.GCProfiler;
import org.openjdk.jmh.results.Result;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.ChainedOptionsBuilder;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;
import org.openjdk.jmh.runner.options.VerboseMode;
import org.openjdk.jmh.util.Statistics;

/** Runs one benchmark in a Java machine of its own, by JMH. */
final class Jmh {
  /**
   * What a fork measured, in the benchmark's unit of time.
   *
   * @param median of the samples; of the iterations where a benchmark averages
   * @param low the 5th percentile
   * @param high the 95th percentile
   * @param samples how many
   * @param bytesPerOperation garbage made by one operation
   */
  record Sample(double median, double low, double high, long samples, double bytesPerOperation) {}

  private final Settings settings;

  Jmh(Settings settings) {
    this.settings = settings;
  }

  /** Runs {@code method} of a class with one value for each of its parameters. */
  Sample run(Class<?> benchmark, String method, Map<String, ? extends Enum<?>> parameters) {
    IdleMachine.await(settings.patience());
    ChainedOptionsBuilder options =
        new OptionsBuilder()
            .include("^" + benchmark.getName().replace(".", "\\.") + "\\." + method + "$")
            .forks(1)
            .warmupIterations(settings.choose(1, 2))
            .measurementIterations(settings.choose(2, 3))
            .warmupTime(TimeValue.milliseconds(settings.choose(500, 1000)))
            .measurementTime(TimeValue.milliseconds(settings.choose(500, 1000)))
            .jvmArgsAppend(Threads.options(settings.threads()).toArray(String[]::new))
            .addProfiler(GCProfiler.class)
            .shouldFailOnError(true)
            .verbosity(VerboseMode.SILENT);
    parameters.forEach((name, value) -> options.param(name, value.name()));
    try {
      return sample(new Runner(options.build()).runSingle());
    } catch (RunnerException e) {
      throw new IllegalStateException(
          "%s.%s %s failed: %s"
              .formatted(benchmark.getSimpleName(), method, parameters, e.getMessage()),
          e);
    }
  }

  private static Sample sample(RunResult result) {
    Statistics times = result.getPrimaryResult().getStatistics();
    Result<?> garbage = result.getSecondaryResults().get("gc.alloc.rate.norm");
    return new Sample(
        times.getPercentile(50),
        times.getPercentile(5),
        times.getPercentile(95),
        times.getN(),
        garbage == null ? Double.NaN : garbage.getScore());
  }
}
