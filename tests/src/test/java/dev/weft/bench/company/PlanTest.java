// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench.company;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weft.bench.company.Row.Beside;
import dev.weft.bench.peer.Side;
import java.util.HashSet;
import java.util.List;
import org.junit.jupiter.api.Test;

class PlanTest {
  private static final List<Row> TWO = Plan.rows(2, List.of());

  private static Row named(String name) {
    List<Row> found = TWO.stream().filter(row -> row.name().equals(name)).toList();
    assertEquals(1, found.size(), name);
    return found.getFirst();
  }

  @Test
  void everyNameIsARowsOwn() {
    List<Row> all = Plan.rows(2, List.of(Side.DJL, Side.TENSORFLOW));
    assertEquals(all.size(), new HashSet<>(all.stream().map(Row::name).toList()).size());
    assertEquals(all.subList(0, TWO.size()), TWO, "peers come last");
    assertEquals(
        List.of(2L, 4L, 4L),
        List.of(Side.WEFT, Side.DJL, Side.TENSORFLOW).stream()
            .map(
                side ->
                    all.stream()
                        .skip(TWO.size())
                        .filter(row -> row.first().work().side() == side)
                        .count())
            .toList());
  }

  @Test
  void theDefaultIsBesideOneThreadAndNothingElse() {
    List<Row> rows = TWO.stream().filter(row -> row.ratio().startsWith("default")).toList();
    assertEquals(16, rows.size());
    for (Row row : rows) {
      assertEquals(0, row.first().work().threads(), row.name());
      assertEquals(row.first().work().on(1), row.second().work(), row.name());
      assertEquals(row.first().beside(), row.second().beside(), row.name());
    }
    for (Row row : Plan.rows(2, List.of(Side.DJL))) {
      if (!rows.contains(row)) {
        assertEquals(row.first().work(), row.second().work(), row.name());
        assertFalse(row.first().beside() == Beside.NOBODY, row.name());
        assertEquals(Beside.NOBODY, row.second().beside(), row.name());
      }
    }
  }

  @Test
  void targetsAreThoseOfTheRow() {
    Row narrow = named("idle, 784-100-100-10 batch 64, Weft STRICT unfused");
    assertEquals(Work.Task.TRAIN_UNFUSED, narrow.first().work().task());
    assertEquals(1.3, narrow.target());
    assertEquals(0.97, narrow.least());
    assertEquals(0.97, named("idle, 784-512-10 batch 128, Weft FAST").target());
    Row middle = named("idle, 784-512-512-10 batch 128, Weft STRICT");
    assertEquals(1.7, middle.target());
    assertEquals(1.7, middle.least());
    assertEquals(1.9, named("idle, 784-2048-2048-10 batch 1024, Weft FAST").target());
    assertEquals(0.95, named("one busy core, 784-100-100-10 batch 64, Weft STRICT").target());
    Row all = named("all cores busy beside idle, 784-2048-2048-10 batch 1024, Weft STRICT");
    assertEquals(0.4, all.target());
    assertEquals(2, all.first().beside().busy(2));
    assertEquals(8, all.first().beside().busy(8));
    Row twins = named("two trainings, 784-512-512-10 batch 128, Weft STRICT");
    assertEquals(0.45, twins.target());
    assertEquals(Beside.ITS_TWIN, twins.first().beside());
    assertEquals(
        0,
        named("idle, 784-512-512-10 prediction of one row, Weft STRICT").target(),
        "a time, not a target");
  }

  @Test
  void quotasAreSharesOfTheMachine() {
    assertEquals(List.of(0.5, 0.5, 1.5, 1.5), quotas(2));
    assertEquals(List.of(2.0, 2.0, 6.0, 6.0), quotas(8));
    assertEquals("quota of 0.5 processors, 784-100-100-10 batch 64, Weft STRICT", named(TWO));
  }

  private static List<Double> quotas(int processors) {
    return Plan.rows(processors, List.of()).stream()
        .map(Row::quota)
        .filter(quota -> quota > 0)
        .toList();
  }

  private static String named(List<Row> rows) {
    return rows.stream().filter(row -> row.quota() > 0).findFirst().orElseThrow().name();
  }

  @Test
  void oneProcessorNeedNotGainByThreads() {
    assertTrue(Plan.rows(1, List.of()).stream().allMatch(row -> row.target() <= 0.97));
    assertTrue(TWO.stream().anyMatch(row -> row.target() > 1), "others must");
  }
}
