// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench;

import static dev.weft.bench.ScriptRows.COMPARED;
import static dev.weft.bench.ScriptRows.RIGHT;
import static dev.weft.bench.ScriptRows.SECOND;
import static dev.weft.bench.ScriptRows.STEPS;
import static dev.weft.bench.ScriptRows.names;
import static dev.weft.format.Format.format;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weft.bench.Script.Left;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * bench/gpu.sh over the emulated driver: the true Weft, and stand-ins for the programs that a
 * machine with a GPU has. Some minutes.
 */
@Tag("long")
@Timeout(value = 20, unit = TimeUnit.MINUTES)
class GpuRehearsalTest {
  @TempDir private Path folder;

  /** What the row of a program says that does this, from start to end. */
  private static String verdict(String program, String how) {
    return switch (how) {
      case "hang" -> program.equals("ncu") || program.equals("torch-compile") ? "-" : "TIME";
      default -> program.equals("nvidia-smi") ? "-" : "FAIL";
    };
  }

  /** The true Weft beside stand-ins that do not do what they should. */
  @Test
  void whateverOtherProgramsDoWeftPasses() throws Exception {
    Map<String, List<String>> parts =
        Map.of(
            "first", List.of("harness", "brief", "memcheck", "steps"),
            "second", List.of("brief", "memcheck", "ncu", "compile"));
    List<Callable<Void>> calls = new ArrayList<>();
    for (String how : List.of("hang", "fail", "flood")) {
      int seconds = how.equals("hang") ? 300 : 240; // limits of parts follow
      for (String name : List.of("first", "second")) {
        // PyTorch is asked for figures where the look at it had succeeded
        String python = name.equals("first") ? "torch:" : "probe:";
        String all = "nvidia-smi:X compute-sanitizer:X ncu:X " + python + "X";
        calls.add(
            () -> {
              Script script = new Script(folder.resolve(how + "-" + name)).emulated();
              List<String> words = names(List.of(name), parts.get(name));
              Left left = script.run(all.replace("X", how), seconds, words.toArray(String[]::new));
              String said = how + ", " + name + "\n" + String.join("\n", left.said());
              assertTrue(left.seconds() < seconds + 10, () -> left.seconds() + " s: " + said);
              assertEquals(how.equals("hang") ? 2 : 1, left.code(), said);
              boolean first = name.equals("first");
              List<String> expected = new ArrayList<>(List.of("doctor", "brief"));
              if (first) {
                expected.addAll(
                    List.of("harness-check", "weft-steps-1", "weft-steps-2", "targets"));
              }
              expected.forEach(row -> assertEquals("PASS", left.rows().get(row).verdict(), said));
              List<String> wrong = new ArrayList<>(List.of("nvidia-smi", "memcheck"));
              wrong.add(first ? "torch-1" : "python");
              if (!first) {
                wrong.add("ncu");
                assertEquals("-", left.rows().get("torch-compile").verdict(), said);
              }
              wrong.forEach(
                  row -> assertEquals(verdict(row, how), left.rows().get(row).verdict(), said));
              return null;
            });
      }
    }
    inTurn(3, calls);
  }

  /** Starts them in this order, so many at a time. */
  private static void inTurn(int atOnce, List<Callable<Void>> calls) throws Exception {
    try (ExecutorService threads = Executors.newFixedThreadPool(atOnce)) {
      for (Future<Void> call : threads.invokeAll(calls)) {
        call.get();
      }
    }
  }

  /** The true Weft, told to stop and killed at moments all over a call. */
  @Test
  void whatWeftHadMeasuredIsThereWheneverItIsKilled() throws Exception {
    long seed = Long.getLong("weft.seed", System.nanoTime());
    System.out.println("repeat: -Plong -Dtest=GpuRehearsalTest -Dweft.seed=" + seed);
    Random random = new Random(seed);
    String[] words = {"first", "brief", "harness", "steps"};
    Left whole = new Script(folder.resolve("whole")).emulated().run("", 330, words);
    assertEquals(0, whole.code(), whole::toString);
    List<Callable<Void>> runs = new ArrayList<>();
    for (int i = 0; i < 10; i++) {
      int run = i;
      // two at a time, each is slower
      long milliseconds = (long) (1.2e3 * random.nextDouble() * whole.seconds());
      runs.add(() -> killedInTruth(run, milliseconds, words));
    }
    inTurn(2, runs);
  }

  private Void killedInTruth(int run, long milliseconds, String... words) throws Exception {
    Script script = new Script(folder.resolve("truly-killed-" + run)).emulated();
    Process process = script.start(words);
    while (process.isAlive() && !Files.exists(script.out().resolve("summary.txt"))) {
      Thread.sleep(10);
    }
    boolean ended = process.waitFor(milliseconds, TimeUnit.MILLISECONDS);
    boolean gently = run % 2 == 0;
    if (gently) {
      process.destroy();
    } else {
      process.destroyForcibly();
    }
    int code = process.waitFor();
    String what =
        format("run %d, after %d ms, exit code %d: %s", run, milliseconds, code, script.said());
    System.out.println(what);
    for (int i = 0; i < 30 && gently && !script.running().isEmpty(); i++) {
      Thread.sleep(100); // one that was killed is not gone at once
    }
    List<String> left = script.running();
    left.forEach(
        pid -> ProcessHandle.of(Long.parseLong(pid)).ifPresent(ProcessHandle::destroyForcibly));
    assertTrue(!gently || left.isEmpty(), () -> left + " still run; " + what);
    Map<String, Script.Row> rows = script.rows();
    List<String> printed = script.said().stream().filter(line -> line.startsWith("PASS ")).toList();
    // the last may have been killed between the line and the file
    for (String line : printed.subList(0, Math.max(0, printed.size() - 1))) {
      String name = line.substring(11).replaceFirst(": .*", "");
      assertTrue(rows.containsKey(name), () -> "no row of " + name + "; " + what);
    }
    boolean complete =
        Files.readString(script.out().resolve("summary.json")).contains("\"complete\": true");
    assertTrue(ended || complete || code == (gently ? 143 : 137), what);
    if (gently && !ended && !complete) {
      assertEquals("TIME", rows.get("gpu.sh").verdict(), what);
    }
    return null;
  }

  /** Some minutes: the true programs, and stand-ins for those that a machine with a GPU has. */
  @Test
  void theEmulatedDriverPassesAllOfIt() throws Exception {
    Map<String, List<String>> calls = new LinkedHashMap<>();
    calls.put(
        "first",
        names(
            List.of("python", "nvidia-smi", "doctor"),
            RIGHT,
            COMPARED,
            STEPS,
            List.of("as on the CPU", "harness-time", "weft-kernels", "profile", "fusion-always"),
            List.of("targets")));
    calls.put("second", names(SECOND, STEPS, List.of("targets")));
    for (var call : calls.entrySet()) {
      Script script = new Script(folder.resolve(call.getKey())).emulated();
      Process process = script.start(call.getKey());
      int code = process.waitFor();
      Map<String, Script.Row> rows = new TreeMap<>(script.rows());
      List<String> expected = new ArrayList<>(call.getValue());
      String all = String.join("\n", script.said());
      assertTrue(rows.keySet().containsAll(expected), all);
      rows.keySet().retainAll(expected);
      rows.values().forEach(row -> assertEquals("PASS", row.verdict(), all));
      assertEquals(0, code, all);
    }
  }
}
