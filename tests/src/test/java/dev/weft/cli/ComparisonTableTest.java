// SPDX-License-Identifier: Apache-2.0
package dev.weft.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.weft.support.Beside;
import dev.weft.train.Evaluation;
import dev.weft.train.History;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** What is the best of runs that did not all come to their end. */
@Beside
class ComparisonTableTest {
  private static final List<Setting> RATES = Setting.all(List.of("rate=1,2"));

  private static ComparedRun run(int rate, int seed, double... losses) {
    Map<String, Double> metrics = Map.of("accuracy", 0.5);
    List<History.Epoch> epochs =
        Stream.iterate(0, i -> i < losses.length, i -> i + 1)
            .map(i -> new Evaluation(losses[i], metrics, 1))
            .map(each -> new History.Epoch(1, 1, each, each, 0.1, 1))
            .toList();
    return new ComparedRun(RATES.get(rate - 1), seed, epochs, "", false);
  }

  private static String best(int seeds, ComparedRun... runs) {
    StringWriter out = new StringWriter();
    ComparisonTable table =
        new ComparisonTable(new PrintWriter(out), RATES, seeds, ComparedRun.By.LOSS, "test");
    Stream.of(runs).forEach(table::add);
    table.end();
    return out.toString().lines().toList().getLast().replaceAll("^best +", "");
  }

  @Test
  void aSettingOfFewerSeedsIsNoRivalOfMeansOverAll() {
    ComparedRun first = run(1, 1, 0.4);
    ComparedRun second = run(1, 2, 0.6);
    assertEquals(
        "rate=1: test loss 0.5000, accuracy 50.00 % in the mean over 2 seeds",
        best(2, first, second, run(2, 1, 0.1)));
    assertEquals(
        "rate=2: test loss 0.2000, accuracy 50.00 % in the mean over 2 seeds",
        best(2, first, second, run(2, 1, 0.1), run(2, 2, 0.3)));
  }

  @Test
  void aRunThatEndedEarlyCountsByTheEpochsItHas() {
    String none = "none: every setting has a run that diverged, or ended no epoch";
    assertEquals(none, best(1, run(1, 1)));
    assertEquals(none, best(2, run(1, 1, 0.4)));
    assertEquals(
        "rate=2: test loss 0.3000, accuracy 50.00 % at epoch 1",
        best(1, run(1, 1), run(2, 1, 0.3)));
  }
}
