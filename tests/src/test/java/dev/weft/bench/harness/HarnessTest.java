// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench.harness;

import static dev.weft.format.Format.format;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import dev.weft.device.Kernel;
import dev.weft.device.Precision;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeSet;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code native/harness} over the emulated driver, and what it must not let pass. */
class HarnessTest {
  private static final int PASS = 0;
  private static final int FAIL = 1;
  private static final int WRONG_OPTIONS = 2;
  private static final int LOST = 3;
  private static final String STAND_INS = "WEFT_EMULATOR_KERNELS";

  @TempDir private static Path folder;
  private static Path cases;

  @BeforeAll
  static void write() throws IOException {
    cases = Cases.file();
  }

  private static HarnessRun run(Map<String, String> environment, Object... options)
      throws IOException, InterruptedException {
    return HarnessRun.of(folder, environment, options);
  }

  private static HarnessRun check(Map<String, String> environment, Object... options)
      throws IOException, InterruptedException {
    List<Object> all = new ArrayList<>(List.of("--check", "--cases", cases));
    all.addAll(List.of(options));
    return run(environment, all.toArray());
  }

  /** The symbols of all kernels that a chip has. */
  private static TreeSet<String> symbols(Precision... precisions) {
    TreeSet<String> symbols = new TreeSet<>();
    for (Kernel kernel : Kernel.values()) {
      Stream.of(precisions)
          .filter(p -> kernel.exists(p) && kernel.hasMachineCode())
          .forEach(p -> symbols.add(kernel.symbol(p)));
    }
    return symbols;
  }

  @Test
  void everyKernelPassesItsCases() throws IOException, InterruptedException {
    HarnessRun all = check(Map.of());
    assertEquals(PASS, all.code(), all.output());
    TreeSet<String> checked = new TreeSet<>();
    all.rows().forEach(row -> checked.add(HarnessRun.kernel(row)));
    assertEquals(symbols(Precision.values()), checked);
    assertTrue(all.json().get("complete").getAsBoolean());
    assertTrue(
        all.output().contains("left out, since no code of ours runs them on a GPU: word2vec gemm"),
        all.output());
    assertTrue(all.output().lines().allMatch(line -> line.length() <= 100), all.output());
  }

  @Test
  void workMayRunAsLateAsItCan() throws IOException, InterruptedException {
    HarnessRun late = check(Map.of("WEFT_EMULATOR", "deferred"));
    assertEquals(PASS, late.code(), late.output());
  }

  @Test
  void everyKernelIsTimed() throws IOException, InterruptedException {
    // the emulator is slow where a block has little to do
    HarnessRun all =
        run(
            Map.of(),
            "--time",
            "--cases",
            cases,
            "--repeats",
            1,
            "--types",
            "f32",
            "--except",
            "wide|10 c");
    assertEquals(PASS, all.code(), all.output());
    TreeSet<String> timed = new TreeSet<>();
    all.rows()
        .forEach(
            row -> {
              timed.add(HarnessRun.kernel(row));
              assertTrue(row.get("us").getAsDouble() > 0, row::toString);
              // one kernel has neither bytes nor operations
              boolean counted = row.get("bytes").getAsDouble() > 0;
              assertEquals(counted, !row.get("predicted_us").isJsonNull(), row::toString);
            });
    TreeSet<String> wanted = symbols(Precision.F32);
    wanted.add("cuMemcpyDtoD");
    // what depends on the ids is timed by the bench, on ids like a text's
    wanted.removeIf(
        name ->
            name.matches(
                "(sort|merge)_chunks|negative_samples"
                    + "|(gather_along|scatter_add_along|sum_runs|run_squares|(?!copy|gather|layer).*_rows|embedding_.*|path_loss_.*)_f32"));
    assertEquals(wanted, timed);
    assertTrue(all.output().contains("not timed: kernels of f64"), all.output());
    assertTrue(all.output().lines().allMatch(line -> line.length() <= 100), all.output());
  }

  @Test
  void aChangedByteIsFound() throws Exception {
    byte[] content = Files.readAllBytes(cases);
    String text = new String(content, StandardCharsets.ISO_8859_1);
    long seed = Long.getLong("weft.seed", System.nanoTime());
    System.out.println("repeat: -Dtest=HarnessTest -Dweft.seed=" + seed);
    Random random = new Random(seed);
    int label = text.indexOf("softmax_cross_entropy in place, 1 x 2 x 1501, full");
    TreeSet<String> symbols = symbols(Precision.values());
    List<Future<?>> runs = new ArrayList<>();
    try (ExecutorService threads = Executors.newFixedThreadPool(2)) {
      for (int place : new int[] {0, 9, 12, 20, 24, 4000, label, random.nextInt(content.length)}) {
        byte[] changed = content.clone();
        changed[place] ^= (byte) (1 << random.nextInt(8));
        Path file = Files.write(folder.resolve("changed-" + place), changed);
        runs.add(
            threads.submit(
                () -> {
                  HarnessRun result = run(Map.of(), "--check", "--cases", file);
                  String what = format("byte %d, seed %d: %s", place, seed, result.output());
                  assertEquals(FAIL, result.code(), what);
                  assertTrue(
                      symbols.stream()
                          .anyMatch(symbol -> result.output().contains("FAIL  " + symbol + ": ")),
                      what);
                  return null;
                }));
      }
      for (Future<?> run : runs) {
        run.get();
      }
    }
  }

  @Test
  void aShortFileIsFound() throws IOException, InterruptedException {
    byte[] content = Files.readAllBytes(cases);
    Path file =
        Files.write(folder.resolve("short.bin"), Arrays.copyOf(content, content.length - 9));
    HarnessRun cut = run(Map.of(), "--check", "--cases", file);
    assertEquals(FAIL, cut.code(), cut.output());
    String why = "FAIL  the case file is damaged: it ends too early";
    assertTrue(cut.output().contains(why), cut.output());
  }

  @Test
  void anElementThatIsNotWrittenIsFound() throws IOException, InterruptedException {
    var standIn = Map.of(STAND_INS, "fill_f32=probe_all_but_last");
    check(standIn, "--only", "fill").failed(FAIL, "fill_f32", "y[1080] was not written");
    run(standIn, "--time", "--only", "^fill_f32", "--repeats", 1, "--cases", cases)
        .failed(FAIL, "fill_f32", "y was not written everywhere");
  }

  @Test
  void memoryBesideABufferIsWatched() throws IOException, InterruptedException {
    check(Map.of(STAND_INS, "fill_f32=probe_one_too_many"), "--only", "fill")
        .failed(FAIL, "fill_f32", "y: memory 0 bytes past its end was written");
  }

  @Test
  void aNumberBeyondItsToleranceIsFound() throws IOException, InterruptedException {
    check(Map.of(STAND_INS, "fill_f32=probe_beyond_tolerance"), "--only", "fill")
        .failed(FAIL, "fill_f32", "y[1080] is 2.50005");
    HarnessRun within =
        check(Map.of(STAND_INS, "fill_f32=probe_within_tolerance"), "--only", "^fill_f32");
    assertEquals(PASS, within.code(), within.output());
    double error = within.rows().findFirst().orElseThrow().get("error").getAsDouble();
    assertEquals(1.99e-5, error, 1e-7, within.output());
  }

  @Test
  void aChangedInputIsFound() throws IOException, InterruptedException {
    check(Map.of(STAND_INS, "bf16_to_f32=probe_changes_input"), "--only", "bf16_to_f32|fill")
        .failed(FAIL, "bf16_to_f32", "x[0] was changed");
  }

  @Test
  void aMissingKernelIsFound() throws IOException, InterruptedException {
    check(Map.of(STAND_INS, "fill_f32="), "--only", "fill")
        .failed(FAIL, "fill_f32", "no such kernel");
  }

  @Test
  void aLostDeviceLeavesTheRowsBefore() throws IOException, InterruptedException {
    HarnessRun lost = check(Map.of(STAND_INS, "fill_f32=probe_null", "WEFT_EMULATOR", "sticky"));
    lost.failed(LOST, "fill_f32", "CUDA_ERROR_ILLEGAL_ADDRESS");
    assertTrue(lost.output().contains("the device is lost after fill_f32"), lost.output());
    assertTrue(lost.rows().count() > 40, lost.output());
    HarnessRun others =
        check(
            Map.of(STAND_INS, "fill_f32=probe_null", "WEFT_EMULATOR", "sticky"),
            "--only",
            "fill",
            "--except",
            "^fill_f32\\b");
    assertEquals(PASS, others.code(), others.output());
  }

  @Test
  void allocationsOfTheExactSizeDoAsWell() throws IOException, InterruptedException {
    HarnessRun exact = check(Map.of("WEFT_EMULATOR", "exact"), "--exact", "--only", "f32");
    assertEquals(PASS, exact.code(), exact.output());
    check(
            Map.of(STAND_INS, "fill_f32=probe_one_too_many", "WEFT_EMULATOR", "check"),
            "--exact",
            "--only",
            "fill")
        .failed(FAIL, "fill_f32", "CUDA_ERROR_ILLEGAL_ADDRESS");
  }

  @Test
  void withoutADriverItSaysWhatIsMissing() throws IOException, InterruptedException {
    HarnessRun none = check(Map.of("WEFT_CUDA_DRIVER", folder + "/libcuda.so.1"));
    assertEquals(LOST, none.code(), none.output());
    assertTrue(none.output().contains("no CUDA driver"), none.output());
    assertFalse(none.json().getAsJsonArray("failures").isEmpty());
  }

  @Test
  void aChoiceOfNothingIsNoSuccess() throws IOException, InterruptedException {
    HarnessRun nothing = check(Map.of(), "--only", "nothing");
    assertEquals(WRONG_OPTIONS, nothing.code(), nothing.output());
    assertTrue(nothing.output().contains("no row is left"), nothing.output());
  }

  @Test
  void optionsThatMakeNoSenseEndIt() throws IOException, InterruptedException {
    for (String[] options :
        new String[][] {{"--repeat", "1"}, {"--repeats"}, {"--repeats", "x"}, {"--only", "("}}) {
      HarnessRun wrong = run(Map.of(), (Object[]) options);
      assertEquals(WRONG_OPTIONS, wrong.code(), wrong.output());
      assertTrue(wrong.output().contains("weft-harness: " + options[0]), wrong.output());
    }
  }

  @Test
  void itsHelpFitsTheScreen() throws IOException, InterruptedException {
    HarnessRun help = run(Map.of(), "--help");
    assertEquals(PASS, help.code());
    assertTrue(help.output().contains("--json FILE"), help.output());
    for (String line : help.output().lines().toList()) {
      assertTrue(line.length() <= 100, line);
    }
  }

  /**
   * A changed byte fails the kernels that it concerns and no others: that of a case, also in the
   * name of its kernel; and all that have a case with a blob. One run for three bytes.
   */
  @Test
  void aChangedByteFailsTheKernelsThatItConcerns() throws IOException, InterruptedException {
    byte[] content = Files.readAllBytes(Cases.file());
    CaseFileParts parts = CaseFileParts.of(content);
    long seed = Long.getLong("weft.seed", System.nanoTime());
    System.out.println("repeat: -Dtest=HarnessTest -Dweft.seed=" + seed);
    Random random = new Random(seed);
    List<CaseFileParts.Part> cases = parts.cases();
    CaseFileParts.Part one = cases.get(random.nextInt(cases.size()));
    CaseFileParts.Part first =
        cases.stream().filter(c -> c.kernels().contains("fill_f64")).findFirst().orElseThrow();
    CaseFileParts.Part shared =
        parts.blobs().stream()
            .filter(blob -> blob.kernels().size() > 1 && blob.kernels().size() < 10)
            .skip(random.nextInt(5))
            .findFirst()
            .orElseThrow();
    // not the length of the kernel's name: without it, the neighbour's is as likely
    int inCase = Integer.BYTES + random.nextInt(one.bytes() - Integer.BYTES);
    int inName = Integer.BYTES + random.nextInt("fill_f64".length());
    int[] places = {
      one.start() + inCase, first.start() + inName, shared.start() + random.nextInt(shared.bytes())
    };
    TreeSet<String> concerned = new TreeSet<>();
    for (CaseFileParts.Part part : List.of(one, first, shared)) {
      concerned.addAll(part.kernels());
    }
    for (int place : places) {
      content[place] ^= (byte) (1 << random.nextInt(8));
    }
    HarnessRun result =
        run(Map.of(), "--check", "--cases", Files.write(folder.resolve("changed.bin"), content));
    String what = format("seed %d: %s", seed, result.output());
    assertEquals(FAIL, result.code(), what);
    TreeSet<String> failed = new TreeSet<>();
    for (JsonObject row : result.rows().toList()) {
      if (row.get("verdict").getAsString().equals("FAIL")) {
        failed.add(HarnessRun.kernel(row));
        assertTrue(row.get("message").getAsString().contains("is not what was written"), what);
      }
    }
    assertEquals(concerned, failed, what);
  }
}
