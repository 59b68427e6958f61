// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench.harness;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What {@code native/harness} times, and what it looks at there; over the emulated driver. */
class HarnessTimingTest {
  private static final int PASS = 0;
  private static final int FAIL = 1;
  private static final String STAND_INS = "WEFT_EMULATOR_KERNELS";

  @TempDir private static Path folder;

  private static HarnessRun run(
      Map<String, String> environment, double megabytes, Object... options)
      throws IOException, InterruptedException {
    Path cases = folder.resolve(megabytes + ".bin");
    CaseFile.write(cases, megabytes, List.of());
    List<Object> all = new ArrayList<>(List.of("--repeats", 1, "--cases", cases));
    all.addAll(List.of(options));
    return HarnessRun.of(folder, environment, all.toArray());
  }

  private static HarnessRun time(double megabytes, Object... options)
      throws IOException, InterruptedException {
    List<Object> all = new ArrayList<>(List.of("--time"));
    all.addAll(List.of(options));
    return run(Map.of(), megabytes, all.toArray());
  }

  /** Wrong where an array ends, and right in the first of the periods that must be the same. */
  @Test
  void aResultThatIsWrongBehindItsFirstPeriodIsFound() throws IOException, InterruptedException {
    Object[] fill = {"--time", "--only", "^fill_f32"};
    HarnessRun wrong = run(Map.of(STAND_INS, "fill_f32=probe_wrong_last"), 0.064, fill);
    assertEquals(FAIL, wrong.code(), wrong.output());
    String why = "FAIL  fill_f32: 62.5 KiB, y[15359] is not what y[1023] is";
    assertTrue(wrong.output().contains(why), wrong.output());
    assertEquals(PASS, run(Map.of(), 0.064, fill).code());
  }

  @Test
  void aValueThatIsNotChangedInPlaceIsFound() throws IOException, InterruptedException {
    HarnessRun idle =
        run(Map.of(STAND_INS, "sgd_f32=probe_nothing"), 0.016, "--time", "--only", "^sgd_f32");
    assertEquals(FAIL, idle.code(), idle.output());
    String why = ", value was not written: 0 of its first 1024 numbers have changed";
    assertTrue(idle.output().contains(why), idle.output());
    assertEquals(4, idle.json().getAsJsonArray("failures").size(), idle.output());
  }

  /**
   * Every output of every large call must repeat, but for random numbers, sums up to each place, a
   * column's numbers, several of each row and what stands in another order.
   */
  @Test
  void whatIsWrittenMustRepeat() throws IOException, InterruptedException {
    HarnessRun list = run(Map.of(), 256, "--list", "--only", "256 MB", "--types", "f32,f64,bf16");
    assertEquals(PASS, list.code(), list.output());
    Map<Boolean, Set<String>> repeats =
        list.rows()
            .collect(
                Collectors.partitioningBy(
                    row -> row.get("repeats").getAsInt() > 0,
                    Collectors.mapping(HarnessRun::kernel, Collectors.toSet())));
    assertEquals(
        Set.of(
            "dropout_f32",
            "dropout_f64",
            "dropout_bf16",
            "random_uniform_f32",
            "random_uniform_f64",
            "random_normal_f32",
            "random_normal_f64",
            "cumulative_sum_f32",
            "cumulative_sum_f64",
            "cumulative_sum_bf16",
            "batch_norm_finish_f32",
            "batch_norm_finish_f64",
            "strided_copy_f32",
            "strided_copy_f64",
            "strided_copy_bf16",
            "top_k_f32",
            "top_k_f64",
            "top_k_bf16"),
        repeats.get(false));
    assertTrue(repeats.get(true).size() > 40, repeats::toString);
  }

  @Test
  void otherPrecisionsAreTimed() throws IOException, InterruptedException {
    String only = "^(gather_rows|transpose|copy_rows|reduce|argmax|adam)_(bf16|f64)";
    HarnessRun all = time(0.02, "--types", "bf16,f64", "--only", only);
    assertEquals(PASS, all.code(), all.output());
    Set<String> timed =
        all.rows().map(HarnessRun::kernel).collect(Collectors.toCollection(TreeSet::new));
    assertEquals(
        "[adam_f64, argmax_bf16, argmax_f64, copy_rows_bf16, copy_rows_f64, cuMemcpyDtoD,"
            + " gather_rows_bf16, gather_rows_f64, reduce_bf16, reduce_f64, transpose_bf16,"
            + " transpose_f64]",
        timed.toString());
    List<JsonObject> rows = all.rows().toList();
    for (int i = 0; i < rows.size(); i++) {
      JsonObject row = rows.get(i);
      assertTrue(row.get("us").getAsDouble() > 0, row::toString);
      boolean graph = i >= rows.size() / 2; // the same rows once more
      assertEquals(graph ? 20 : 1, row.get("calls").getAsInt(), row::toString);
      assertEquals(graph ? 1 : 64, row.get("sets").getAsInt(), row::toString);
      assertFalse(row.get("predicted_us").isJsonNull(), row::toString);
    }
  }

  /** So no call finds in the cache what the one before with the same operands left there. */
  @Test
  void setsInTurnExceedTheCache() throws IOException, InterruptedException {
    HarnessRun fill = time(3.2, "--only", "^fill_f32, 3.2 MB");
    assertEquals(PASS, fill.code(), fill.output());
    double cache = fill.json().getAsJsonObject("device").get("l2_bytes").getAsDouble();
    assertTrue(cache > 1 << 20, fill.output());
    assertEquals(2, fill.rows().count());
    for (JsonObject row : fill.rows().toList()) {
      int others = row.get("sets").getAsInt() - 1;
      assertTrue(others * row.get("bytes").getAsDouble() >= 3 * cache, row::toString);
    }
  }
}
