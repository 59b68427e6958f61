// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * bench/gpu.sh with stand-ins for all that it starts ({@code gpu/standin}) that succeed, fail, hang
 * and print without end, and over the emulated driver.
 */
class GpuScriptTest {
  private static final List<String> AROUND =
      List.of(
          "python",
          "nvidia-smi",
          "doctor",
          "cuBLAS of PyTorch",
          "doctor-named-cublas",
          "cuBLAS in use");

  private static final List<String> RIGHT =
      List.of(
          "selftest",
          "gradcheck",
          "brief",
          "harness-check",
          "train-cuda-1",
          "train-cuda-2",
          "train-streamed",
          "train-fast",
          "train-bf16",
          "train-cpu");

  private static final List<String> COMPARED =
      List.of(
          "two runs, one seed",
          "streamed and resident data",
          "GPU and CPU",
          "strict and fast",
          "strict and bf16");

  private static final List<String> STEPS = List.of("weft-steps-1", "torch-1", "weft-steps-2");

  private static final List<String> FAST =
      List.of(
          "harness-time", "weft-kernels", "weft-wide", "profile", "fusion-never", "fusion-always");

  private static final List<String> SECOND =
      List.of("memcheck", "racecheck", "ncu", "torch-compile");

  /** All but what looks around: of these a first call makes at least one row each. */
  private static final String KNOWN = " probe:succeed nvidia-smi:succeed doctor:succeed";

  private static final String RIGHT_HANGS =
      "selftest:hang gradcheck:hang check:hang train:hang" + KNOWN;

  private static final String SEEN = "stand-in (not a GPU), cuBLAS ";

  @TempDir private Path folder;

  /** What a call left. */
  private record Left(
      int code,
      double seconds,
      List<String> said,
      Map<String, Script.Row> rows,
      List<String> text) {}

  private Left call(String name, String programs, int seconds, String... words) throws Exception {
    Script script = new Script(folder.resolve(name)).standIns();
    return call(script.variable("STANDIN", programs), seconds, words);
  }

  private static Left call(Script script, int seconds, String... words) throws Exception {
    script.variable("WEFT_GPU_SECONDS", Integer.toString(seconds));
    double start = System.nanoTime();
    Process process = script.start(words);
    int code = process.waitFor();
    double took = (System.nanoTime() - start) / 1e9;
    return new Left(code, took, script.said(), script.rows(), script.summary());
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
    return Files.writeString(folder.resolve("libcuda.so.1"), "").toString();
  }

  private static String missing(Left left, List<String> expected) {
    return expected.stream()
        .filter(name -> !left.rows().containsKey(name))
        .collect(Collectors.joining(", ", "no row of ", "\n"));
  }

  private static List<String> names(List<?>... parts) {
    return Stream.of(parts).flatMap(List::stream).map(String::valueOf).toList();
  }

  private static Set<String> verdicts(Left left, List<String> names) {
    return names.stream().map(name -> left.rows().get(name).verdict()).collect(Collectors.toSet());
  }

  @Test
  void everyPartHasItsRowInTimeWhateverItDoes() throws Exception {
    List<String> first = names(AROUND, RIGHT, COMPARED, STEPS, FAST, List.of("targets"));
    List<String> second = names(AROUND, SECOND, STEPS, List.of("targets"));
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      Future<Left> good = threads.submit(() -> call("good", "", 60, "first"));
      Future<Left> later = threads.submit(() -> call("later", "", 60, "second"));
      Future<Left> fail = threads.submit(() -> call("fail", "all:fail" + KNOWN, 60, "first"));
      Future<Left> right = threads.submit(() -> call("right", RIGHT_HANGS, 20, "first"));
      Future<Left> hung = threads.submit(() -> call("hung", "all:hang" + KNOWN, 12, "second"));
      Future<Left> flood = threads.submit(() -> call("flood", "all:flood" + KNOWN, 60, "first"));
      Script unseen = new Script(folder.resolve("blind")).standIns();
      unseen.variable("STANDIN", "doctor:blind").variable("STANDIN_DRIVER", oddDriver());
      Future<Left> blind = threads.submit(() -> call(unseen, 60, "first"));
      String odd = "torch:partly profile:large";
      String[] parts = {"second", "train", "ncu", "compile", "profile"};
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
      assertEquals(Set.of("TIME"), verdicts(kept, RIGHT));
      names(STEPS, List.of("harness-time", "weft-kernels"))
          .forEach(name -> assertTrue(hadTime(kept, name), () -> name + kept));
      holds(hung.get(), 12, second);
      assertEquals(Set.of("TIME"), verdicts(hung.get(), List.of("memcheck", "racecheck")));

      holds(flood.get(), 60, first);
      assertEquals(Set.of("FAIL"), verdicts(flood.get(), names(RIGHT, STEPS, FAST)));
      assertTrue(packed("flood").contains("parts/selftest.log"));

      // where the device does not open: what needs no Java, and no more
      holds(blind.get(), 60, List.of("device", "harness-check", "harness-time", "torch-1"));
      assertFalse(blind.get().rows().containsKey("selftest"));
      assertEquals("PASS", blind.get().rows().get("torch-1").verdict());
      assertEquals("PASS", blind.get().rows().get("harness-check").verdict(), "over the odd driver");

      holds(named.get(), 60, names(List.of("train-bf16", "ncu"), COMPARED));
      assertFalse(named.get().rows().containsKey("memcheck"), "it was not asked for");
      assertEquals("adam_f32 91.0 % of the memory throughput", named.get().rows().get("ncu").says());
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
    Left hang = call("hang", "all:hang" + KNOWN, 8, "first");
    holds(hang, 8, names(AROUND, RIGHT, COMPARED, STEPS, FAST, List.of("targets")));
    assertTrue(hang.seconds() < 8 + 2.5, hang.seconds() + " s\n" + String.join("\n", hang.said()));
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
        long milliseconds = random.nextLong(8000);
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
        "run %d, after %d ms, exit code %d: %s".formatted(run, milliseconds, code, script.said());
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
  void theLibrariesThatWeftCanUseAreUsed() throws Exception {
    String driver = oddDriver();
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      Script broken = new Script(folder.resolve("broken")).standIns();
      broken.variable("STANDIN_CUBLAS", "/opt/broken/libcublas.so.13");
      Future<Left> unopened = threads.submit(() -> call(broken, 60, "second", "selftest", "steps"));
      Script wrong = new Script(folder.resolve("wrong")).standIns();
      wrong.variable("STANDIN_CUBLAS", "/opt/wrong/libcublas.so.13");
      Future<Left> failing = threads.submit(() -> call(wrong, 60, "second", "brief", "selftest"));
      // neither the driver nor cuBLAS is where Weft looks
      Script odd = new Script(folder.resolve("odd")).standIns().variable("STANDIN_DRIVER", driver);
      Future<Left> both = threads.submit(() -> call(odd, 60, "second", "harness", "selftest"));
      // Weft looks where the loader does not
      Script apart = new Script(folder.resolve("apart")).standIns();
      apart.variable("STANDIN_DRIVER", driver).variable("STANDIN", "doctor:finds");
      Future<Left> found = threads.submit(() -> call(apart, 60, "second", "harness"));

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

      assertEquals("FAIL", both.get().rows().get("doctor").verdict());
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

  /** Some minutes: the true programs, and stand-ins for those that a machine with a GPU has. */
  @Test
  @Tag("long")
  void theEmulatedDriverPassesAllOfIt() throws Exception {
    Map<String, List<String>> calls = new LinkedHashMap<>();
    calls.put(
        "first",
        names(
            List.of("python", "nvidia-smi", "doctor"),
            RIGHT,
            COMPARED,
            STEPS,
            List.of("as on the CPU", "weft-kernels", "profile", "fusion-always", "targets")));
    calls.put("second", names(List.of("memcheck", "racecheck", "targets"), STEPS));
    for (var call : calls.entrySet()) {
      Script script = new Script(folder.resolve(call.getKey())).emulated();
      Process process = script.start(call.getKey());
      int code = process.waitFor();
      Map<String, Script.Row> rows = new TreeMap<>(script.rows());
      List<String> expected = new ArrayList<>(call.getValue());
      expected.remove("harness-check");
      String all = String.join("\n", script.said());
      assertTrue(rows.keySet().containsAll(expected), all);
      rows.keySet().retainAll(expected);
      rows.values().forEach(row -> assertEquals("PASS", row.verdict(), all));
      assertEquals(0, code, all);
    }
  }
}
