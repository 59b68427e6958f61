// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench;

import static dev.weft.bench.ScriptRows.AROUND;
import static dev.weft.bench.ScriptRows.COMPARED;
import static dev.weft.bench.ScriptRows.FAST;
import static dev.weft.bench.ScriptRows.RIGHT;
import static dev.weft.bench.ScriptRows.SECOND;
import static dev.weft.bench.ScriptRows.STEPS;
import static dev.weft.bench.ScriptRows.names;
import static dev.weft.format.Format.format;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weft.bench.Script.Left;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * bench/gpu.sh with stand-ins for all that it starts ({@code gpu/standin}) that succeed, fail, hang
 * and print without end.
 */
@Timeout(value = 20, unit = TimeUnit.MINUTES)
class GpuScriptTest {
  /** All but what looks around: of these a first call makes at least one row each. */
  private static final String KNOWN = " probe:succeed nvidia-smi:succeed doctor:succeed";

  private static final String RIGHT_HANGS =
      "selftest:hang gradcheck:hang check:hang train:hang" + KNOWN;

  private static final String SEEN = "stand-in (not a GPU), cuBLAS ";

  @TempDir private Path folder;

  private Left call(String name, String programs, int seconds, String... words) throws Exception {
    return new Script(folder.resolve(name)).standIns().run(programs, seconds, words);
  }

  /** That a call ended in time, and left what it should, in lines that are not too long. */
  private static void holds(Left left, int seconds, List<String> expected) {
    String all = String.join("\n", left.said());
    assertTrue(left.rows().keySet().containsAll(expected), () -> missing(left, expected) + all);
    // eight calls at a time on a machine that may have two cores are allowed more
    assertTrue(left.seconds() < 5 + 2 * seconds, left.seconds() + " s\n" + all);
    for (List<String> lines : List.of(left.said(), left.text())) {
      assertTrue(lines.stream().allMatch(line -> line.length() <= 100), all);
      assertTrue(lastBlock(lines).size() <= 50, all);
      assertTrue(lastBlock(lines).size() >= 11, all);
    }
  }

  /** The files that a call packed, all of whose files are small. */
  private List<String> packed(String name) throws Exception {
    Path out = folder.resolve(name).resolve("out");
    try (Stream<Path> files = Files.list(out)) {
      for (Path file : files.toList()) {
        assertTrue(Files.size(file) < 16e6, file::toString);
      }
    }
    Process tar = new ProcessBuilder("tar", "-tzf", out.resolve("parts.tar.gz").toString()).start();
    List<String> names = tar.inputReader().readAllLines();
    assertEquals(0, tar.waitFor(), "it cannot be unpacked");
    return names;
  }

  /** The lines after the last empty one. */
  private static List<String> lastBlock(List<String> lines) {
    return lines.subList(lines.lastIndexOf("") + 1, lines.size());
  }

  private static boolean hadTime(Left left, String name) {
    return !left.rows().get(name).says().equals("no time was left");
  }

  /** A driver that no loader knows. */
  private String oddDriver() throws Exception {
    return Files.writeString(folder.resolve("odd-libcuda.so"), "").toString();
  }

  private static String missing(Left left, List<String> expected) {
    return expected.stream()
        .filter(name -> !left.rows().containsKey(name))
        .collect(Collectors.joining(", ", "no row of ", "\n"));
  }

  private static boolean has(Path summary, String row) throws IOException {
    return Files.readString(summary).contains("  " + row + ": ");
  }

  private static Set<String> verdicts(Left left, List<String> names) {
    return names.stream().map(name -> left.rows().get(name).verdict()).collect(Collectors.toSet());
  }

  @Test
  void everyPartHasItsRowInTimeWhateverItDoes() throws Exception {
    List<String> first = names(AROUND, RIGHT, COMPARED, STEPS, FAST, List.of("targets"));
    List<String> second = names(AROUND, SECOND, STEPS, List.of("targets"));
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      Future<Left> hung = threads.submit(() -> call("hung", "all:hang" + KNOWN, 8, "second"));
      // a second is all that doctor has there: the others wait for it
      Path summary = folder.resolve("hung/out/summary.txt");
      for (int i = 0; i < 500 && !(Files.exists(summary) && has(summary, "doctor")); i++) {
        Thread.sleep(10);
      }
      Future<Left> good = threads.submit(() -> call("good", "", 60, "first"));
      Future<Left> later = threads.submit(() -> call("later", "", 60, "second"));
      Future<Left> fail = threads.submit(() -> call("fail", "all:fail" + KNOWN, 60, "first"));
      Future<Left> right = threads.submit(() -> call("right", RIGHT_HANGS, 20, "first"));
      Future<Left> flood = threads.submit(() -> call("flood", "all:flood" + KNOWN, 60, "first"));
      Script unseen = new Script(folder.resolve("blind")).standIns();
      unseen.variable("STANDIN_DRIVER", oddDriver());
      Future<Left> blind = threads.submit(() -> unseen.run("doctor:blind", 60, "first"));
      String odd = "torch:partly profile:large gradcheck:killed";
      String[] parts = {"second", "gradcheck", "train", "ncu", "compile", "profile"};
      Future<Left> named = threads.submit(() -> call("named", odd, 60, parts));

      holds(good.get(), 60, first);
      assertEquals(3, good.get().code(), "a target is missed, and nothing worse");
      assertEquals(Set.of("PASS"), verdicts(good.get(), names(RIGHT, COMPARED, STEPS, FAST)));
      assertEquals("MISS", good.get().rows().get("relu_forward: 90 % of a copy").verdict());
      assertTrue(good.get().text().contains("step STRICT      25.0 us"), good.get()::toString);
      assertEquals(
          List.of(
              "cuBLAS of PyTorch: 13.1.0, /opt/libcublas.so.13",
              "cuBLAS that Weft finds: 12.6.4, /opt/found/libcublas.so.12 (loader path)"),
          good.get().text().subList(4, 6));
      assertEquals(
          "PASS: 3 rows, 0 failures; us / predicted: far of rows 10.4, near 1.0",
          good.get().rows().get("harness-time").says());
      holds(later.get(), 60, second);
      assertEquals(Set.of("PASS"), verdicts(later.get(), names(SECOND, STEPS)));

      holds(fail.get(), 60, first);
      assertEquals(1, fail.get().code());
      assertEquals(Set.of("FAIL"), verdicts(fail.get(), names(RIGHT, STEPS, FAST)));
      assertEquals(Set.of("-"), verdicts(fail.get(), COMPARED), "of what failed itself");
      assertEquals("Error: gradcheck fails", fail.get().rows().get("gradcheck").says());

      // what is measured keeps its time whatever hangs before
      Left kept = right.get();
      holds(kept, 20, first);
      assertEquals(2, kept.code());
      List.of("torch-1", "weft-kernels")
          .forEach(name -> assertTrue(hadTime(kept, name), () -> name + kept));
      holds(hung.get(), 8, second);
      assertEquals(Set.of("TIME"), verdicts(hung.get(), List.of("memcheck", "racecheck")));

      holds(flood.get(), 60, first);
      assertEquals(Set.of("FAIL"), verdicts(flood.get(), names(RIGHT, STEPS, FAST)));
      assertTrue(packed("flood").contains("parts/selftest.log"));

      // where the device does not open: what needs no Java, and no more
      holds(blind.get(), 60, List.of("device", "harness-check", "harness-time", "torch-1"));
      assertFalse(blind.get().rows().containsKey("selftest"));
      assertEquals("PASS", blind.get().rows().get("torch-1").verdict());
      assertEquals(
          "PASS", blind.get().rows().get("harness-check").verdict(), "over the odd driver");

      holds(named.get(), 60, names(List.of("train-bf16", "ncu"), COMPARED));
      assertFalse(named.get().rows().containsKey("memcheck"), "it was not asked for");
      Script.Row killed = named.get().rows().get("gradcheck");
      assertEquals("FAIL killed (signal 9)", killed.verdict() + " " + killed.says());
      assertEquals(
          "adam_f32 91.0 % of the memory throughput", named.get().rows().get("ncu").says());
      Script.Row compile = named.get().rows().get("torch-compile");
      assertEquals("-", compile.verdict(), "what PyTorch cannot do");
      assertTrue(compile.says().startsWith("1 of 2 failed: cuda eager bf16"), compile::says);
      List<String> packed = packed("named");
      assertTrue(packed.contains("parts/left-out.txt"), packed::toString);
      assertFalse(packed.contains("parts/trace.json"), packed::toString);
    }
  }

  @Test
  void aCallInWhichAllHangsEndsInItsTime() throws Exception {
    Left hang = call("hang", "all:hang" + KNOWN, 5, "first");
    holds(hang, 5, names(AROUND, RIGHT, COMPARED, STEPS, FAST, List.of("targets")));
    assertTrue(hang.seconds() < 5 + 2.5, hang.seconds() + " s\n" + String.join("\n", hang.said()));
    assertEquals(Set.of("TIME"), verdicts(hang, names(RIGHT, STEPS)));
    assertTrue(hadTime(hang, "weft-kernels"), () -> String.join("\n", hang.said()));
  }

  @Test
  void whatWasMeasuredIsThereWheneverItIsKilled() throws Exception {
    long seed = Long.getLong("weft.seed", System.nanoTime());
    System.out.println("repeat: -Dtest=GpuScriptTest -Dweft.seed=" + seed);
    Random random = new Random(seed);
    List<Future<?>> runs = new ArrayList<>();
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      for (int i = 0; i < 10; i++) {
        int run = i;
        long milliseconds = random.nextLong(5000);
        runs.add(threads.submit(() -> killed(run, milliseconds)));
      }
      for (Future<?> run : runs) {
        run.get();
      }
    }
  }

  private Void killed(int run, long milliseconds) throws Exception {
    Path done = folder.resolve("done-" + run);
    Script script = new Script(folder.resolve("killed-" + run)).standIns();
    script.variable("STANDIN_SECONDS", "0.1").variable("STANDIN_DONE", done.toString());
    Process process = script.start("first");
    while (process.isAlive() && !Files.exists(script.out().resolve("summary.txt"))) {
      Thread.sleep(10);
    }
    Thread.sleep(milliseconds);
    boolean ended = !process.isAlive();
    List<ProcessHandle> children = process.descendants().toList();
    if (run % 2 == 0) {
      process.destroy();
    } else {
      process.destroyForcibly();
    }
    int code = process.waitFor();
    children.forEach(ProcessHandle::destroyForcibly);
    int finished = Files.exists(done) ? Files.readAllLines(done).size() : 0;
    String what =
        format("run %d, after %d ms, exit code %d: %s", run, milliseconds, code, script.said());
    long rows = script.rows().values().stream().filter(row -> row.verdict().equals("PASS")).count();
    // two programs at a time may have ended unseen, and a row may just be written
    assertTrue(rows >= finished - 4, () -> finished + " ended, rows: " + rows + "; " + what);
    // a script that has written all of it cannot be stopped any more
    boolean complete =
        Files.readString(script.out().resolve("summary.json")).contains("\"complete\": true");
    assertTrue(ended || complete || code == (run % 2 == 0 ? 143 : 137), what);
    if (run % 2 == 0 && !ended && !complete) {
      assertTrue(script.rows().get("gpu.sh").says().startsWith("told to stop"), what);
      assertTrue(lastBlock(script.said()).size() >= 11, what);
    }
    return null;
  }

  @Test
  void withoutAGpuOneRowSaysSo() throws Exception {
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      Future<Left> none =
          threads.submit(() -> call("none", "doctor:none nvidia-smi:fail", 60, "first"));
      Future<Left> other = threads.submit(() -> call("other", "doctor:other", 60, "first"));
      for (Future<Left> call : List.of(none, other)) {
        Left left = call.get();
        assertEquals(1, left.code());
        holds(left, 60, List.of("nvidia-smi", "doctor", "device"));
        List<Script.Row> failed =
            left.rows().values().stream().filter(row -> row.verdict().equals("FAIL")).toList();
        assertEquals(List.of(left.rows().get("device")), failed);
      }
      String said = none.get().rows().get("device").says();
      for (String words :
          List.of(
              "no NVIDIA GPU or driver was found: nvidia-smi fails,",
              "libcuda.so.1",
              "install NVIDIA's driver",
              "WEFT_CUDA_DRIVER=")) {
        assertTrue(said.contains(words), said);
      }
      assertFalse(none.get().rows().containsKey("harness-check"));
      assertTrue(none.get().text().stream().anyMatch(line -> line.contains("WEFT_CUDA_DRIVER=")));
      // kernels for other chips: what doctor says, whole, and what can be found out in spite of it
      said = String.join(" ", other.get().text()).replaceAll(" +", " ");
      assertTrue(
          said.contains("sm_70, driver for CUDA 13.0): a build for that chip is needed"), said);
      assertEquals("PASS", other.get().rows().get("harness-check").verdict());
    }
  }

  @Test
  void theLibrariesThatWeftCanUseAreUsed() throws Exception {
    String driver = oddDriver();
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      Script broken = new Script(folder.resolve("broken")).standIns();
      broken.variable("STANDIN_CUBLAS", "/opt/broken/libcublas.so.13");
      Future<Left> unopened =
          threads.submit(() -> broken.run("", 60, "second", "selftest", "steps"));
      Script wrong = new Script(folder.resolve("wrong")).standIns();
      wrong.variable("STANDIN_CUBLAS", "/opt/wrong/libcublas.so.13");
      Future<Left> failing = threads.submit(() -> wrong.run("", 60, "second", "brief", "selftest"));
      // neither the driver nor cuBLAS is where Weft looks
      Script odd = new Script(folder.resolve("odd")).standIns().variable("STANDIN_DRIVER", driver);
      Future<Left> both = threads.submit(() -> odd.run("", 60, "second", "harness", "selftest"));
      // Weft looks where the loader does not
      Script apart = new Script(folder.resolve("apart")).standIns();
      apart.variable("STANDIN_DRIVER", driver);
      Future<Left> found = threads.submit(() -> apart.run("doctor:finds", 60, "second", "harness"));

      assertEquals(1, unopened.get().code());
      assertEquals("FAIL", unopened.get().rows().get("doctor-named-cublas").verdict());
      assertEquals("PASS", unopened.get().rows().get("selftest").verdict());
      assertEquals("PASS", unopened.get().rows().get("weft-steps-2").verdict());

      assertEquals("FAIL", failing.get().rows().get("brief").verdict());
      assertEquals(
          Set.of("PASS"), verdicts(failing.get(), List.of("brief-own-cublas", "selftest")));
      String used = failing.get().rows().get("cuBLAS in use").says();
      assertTrue(used.startsWith("12.6.4, /opt/found/"), used);
      assertTrue(failing.get().text().contains("second on " + SEEN + "12.6.4 with a workspace"));

      assertEquals("-", both.get().rows().get("doctor").verdict());
      assertEquals("WEFT_CUDA_DRIVER=" + driver, both.get().rows().get("driver").says());
      List<String> right = List.of("doctor-named-cublas", "harness-check", "selftest");
      assertEquals(Set.of("PASS"), verdicts(both.get(), right), both::toString);

      assertEquals(Set.of("PASS"), verdicts(found.get(), List.of("doctor", "harness-check")));
    }
  }

  @Test
  void aWordThatIsNoPartIsRefused() throws Exception {
    for (String[] wrong : new String[][] {{"third"}, {"first", "selftests"}}) {
      Script script = new Script(folder.resolve(wrong[0])).standIns();
      assertEquals(64, script.start(wrong).waitFor());
      assertTrue(script.said().getFirst().startsWith("gpu.sh: "), script.said()::toString);
    }
  }
}
