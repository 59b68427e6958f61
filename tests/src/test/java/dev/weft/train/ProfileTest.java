// SPDX-License-Identifier: Apache-2.0
package dev.weft.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import dev.weft.DType;
import dev.weft.Device;
import dev.weft.Engine;
import dev.weft.MathMode;
import dev.weft.Shape;
import dev.weft.data.Dataset;
import dev.weft.data.Digits;
import dev.weft.device.Arguments;
import dev.weft.device.Call;
import dev.weft.device.Kernel;
import dev.weft.device.Phase;
import dev.weft.device.Precision;
import dev.weft.nn.Activation;
import dev.weft.nn.Dropout;
import dev.weft.nn.Linear;
import dev.weft.nn.Sequential;
import dev.weft.optim.Sgd;
import dev.weft.profile.Ceilings;
import dev.weft.profile.Profile;
import dev.weft.profile.Trace;
import dev.weft.support.Emulator;
import dev.weft.support.OnEachDevice;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** Where the time of a step goes. */
@ExtendWith(Emulator.class)
class ProfileTest {
  private static final int ROWS = 20;
  private static final Dataset DIGITS = Digits.generate(90, 3).train(); // four batches and a half
  private static final int STEPS = 6;
  private static final Call PRODUCT =
      new Call(
          Kernel.GEMM,
          Precision.F32,
          new Arguments.Gemm(
              1, 1, 1, 10, 10, 10, 10, 10, 10, false, false, 1, 0, false, false, 1, 0, 0, 0),
          Phase.FORWARD,
          "0 linear(10,10)");

  private static final Ceilings CEILINGS =
      Ceilings.of(Map.of(1L, 1e12), Map.of(MathMode.STRICT, 1e10));

  @TempDir private Path folder;

  /** Too wide for the whole step to be a few kernels. */
  private static Sequential network() {
    return Sequential.of(
        new Linear(784, 150), Activation.RELU, new Dropout(0.2), new Linear(150, 10));
  }

  private static TrainingRun start(Sequential network, Device device) {
    return Trainer.of(network)
        .on(device)
        .optimizer(Sgd.rate(0.05).momentum(0.9))
        .batch(ROWS)
        .start(DIGITS);
  }

  private static Profile profile(Device device) {
    try (Sequential network = network();
        TrainingRun run = start(network, device)) {
      return run.profile(STEPS, CEILINGS);
    }
  }

  @OnEachDevice
  void partsAddUpToTheStep(OnEachDevice.Place place) {
    try (Device device = place.open()) {
      Profile profile = profile(device);
      Profile.Group all = profile.kernels();
      assertEquals(profile.entries().size(), all.calls());
      assertTrue(all.nanoseconds() > 0 && profile.replayed() > 0 && profile.host() > 0);
      for (List<Profile.Group> parts :
          List.of(profile.byPhase(), profile.byLayer(), profile.byKernel())) {
        assertTrue(parts.size() > 4, parts::toString);
        assertEquals(all.calls(), parts.stream().mapToInt(Profile.Group::calls).sum());
        assertEquals(
            all.nanoseconds(),
            parts.stream().mapToDouble(Profile.Group::nanoseconds).sum(),
            1e-6 * all.nanoseconds());
        assertEquals(all.cost().bytes(), parts.stream().mapToLong(p -> p.cost().bytes()).sum());
      }
      for (Profile.Step step : profile.samples()) {
        assertTrue(step.busy() > 0 && step.busy() <= step.wall(), step::toString);
        assertEquals(profile.entries().size() + 1, step.times().length);
      }
      assertEquals(STEPS, profile.samples().size());
    }
  }

  /** Calls that nobody labelled. */
  private static List<Call> unlabelled(List<Call> calls) {
    return calls.stream()
        .filter(call -> call.phase() == Phase.OTHER || call.layer().isEmpty())
        .toList();
  }

  @OnEachDevice
  void everyCallHasALayerAndAPhase(OnEachDevice.Place place) {
    try (Device device = place.open()) {
      Profile profile = profile(device);
      List<Call> calls = profile.entries().stream().map(Profile.Entry::call).toList();
      assertEquals(List.of(), unlabelled(calls));
      assertEquals(
          Set.of(
              "batch",
              "0 linear(784,150) relu",
              "2 dropout(0.2)",
              "3 linear(150,10)",
              "softmax_cross_entropy",
              "momentum",
              "metrics"),
          calls.stream().map(Call::layer).collect(Collectors.toSet()));
      assertEquals(
          List.of("data", "forward", "loss", "metrics", "backward", "optimizer"),
          profile.byPhase().stream().map(Profile.Group::name).toList());
      // backward belongs to the layer that forward ran for
      Set<String> backward = new TreeSet<>();
      calls.stream().filter(c -> c.phase() == Phase.BACKWARD).forEach(c -> backward.add(c.layer()));
      assertTrue(backward.contains("0 linear(784,150) relu"), backward::toString);
      assertTrue(backward.contains("2 dropout(0.2)"), backward::toString);
    }
  }

  @Test
  void aCallThatNobodyLabelledShows() {
    try (Device device = Device.cpu();
        var x = device.zeros(DType.F32, Shape.of(4));
        var program = Engine.record(device, () -> x.fill(1))) {
      assertEquals(1, unlabelled(program.calls()).size());
    }
  }

  @Test
  void productsCostWhatAHandCounts() {
    try (Device device = Device.cpu()) {
      Profile.Group products =
          profile(device).byKernel().stream()
              .filter(group -> group.name().equals("gemm_f32"))
              .findAny()
              .orElseThrow();
      // forward and the weights' gradients of both layers, and the gradient of the hidden values
      assertEquals(5, products.calls());
      assertEquals(2.0 * ROWS * (2 * 784 * 150 + 3 * 150 * 10), products.cost().flops());
      // arithmetic at 10 GFLOP/s, which takes longer than to move the bytes at 1000 GB/s
      assertEquals(products.cost().flops() / 10, products.least(), 1e-6);
      assertEquals(products.least() / products.nanoseconds(), products.shareOfCeiling(), 1e-9);
    }
  }

  @Test
  void theLeastTimeIsTheLongerOfBytesAndArithmetic() {
    Call fill =
        new Call(Kernel.FILL, Precision.F32, new Arguments.Fill(1, 500, 0), Phase.DATA, "batch");
    Ceilings ceilings = Ceilings.of(Map.of(8L, 4e9), Map.of());
    Profile.Entry entry = Profile.Entry.of(fill, 2000, ceilings);
    assertEquals(2000 / 4.0, entry.least(), 1e-9); // 2000 bytes at 4 bytes a nanosecond
    assertEquals(Profile.Bound.MEMORY, entry.bound());
    assertThrows(IllegalArgumentException.class, () -> Profile.Entry.of(PRODUCT, 2000, ceilings));
    Profile.Entry slow = Profile.Entry.of(PRODUCT, 2000, CEILINGS);
    assertEquals(200, slow.least(), 1e-9); // 2000 operations at 10 a nanosecond
    assertEquals(Profile.Bound.ARITHMETIC, slow.bound());
    Profile profile =
        new Profile(
            "cpu", "", 1, 0, List.of(entry, slow), 0, 1000, Profile.Host.WAITS, 0, 1, List.of());
    assertEquals(5000, profile.total());
    assertEquals(2000 / 5000.0, profile.shareOfProducts());
  }

  @Test
  void itsTextIsTables() {
    Call fill =
        new Call(Kernel.FILL, Precision.F32, new Arguments.Fill(1, 500, 0), Phase.DATA, "batch");
    Profile.Entry entry = Profile.Entry.of(fill, 2000, Ceilings.of(Map.of(8L, 4e9), Map.of()));
    Profile profile =
        new Profile(
            "cpu",
            "2 threads, avx2",
            7,
            1.875,
            List.of(entry),
            2500,
            500,
            Profile.Host.WAITS,
            9000,
            4,
            List.of());
    List<String> lines =
        profile.toString().lines().map(line -> line.replaceAll(" +", " ")).toList();
    assertEquals(
        List.of(
            "step 2.50 us replayed; 2.00 us in its 1 calls when each is timed (median of 7 steps)",
            "host 0.50 us a step; 9.00 us an epoch of 4 steps for a new order of examples",
            "threads 1.88 in use on average, of at most 2 threads, avx2",
            "products 0.0 % of the step inside matrix products (oneDNN)",
            "",
            "phase calls us of step GFLOP/s GB/s of ceiling",
            "data 1 2.00 80.0 % 0.00 1.00 25.0 %",
            "host 0.50 20.0 %"),
        lines.subList(0, 8));
    assertTrue(profile.toString().endsWith("/ the time"), profile::toString);
    assertFalse(profile.isFused());
    String clock = "clock: two events around each call, 1 to 2 us of its time";
    assertFalse(profile.toString().contains(clock), profile::toString);
    String onGpu =
        new Profile(
                "cuda:0",
                "",
                7,
                0,
                List.of(entry),
                2500,
                500,
                Profile.Host.WAITS,
                9000,
                4,
                List.of())
            .toString();
    assertTrue(onGpu.contains(clock), onGpu);
  }

  private static Profile.Entry fill(long elements, double nanoseconds, Ceilings ceilings) {
    var arguments = new Arguments.Fill(1, elements, 0);
    return Profile.Entry.of(
        new Call(Kernel.FILL, Precision.F32, arguments, Phase.DATA, "batch"),
        nanoseconds,
        ceilings);
  }

  /** 4 bytes for each element; copies of 400 and 4,000 bytes, of 40,000 and more. */
  @Test
  void aShareAboveAllSaysWhy() {
    Ceilings ceilings = Ceilings.of(Map.of(400L, 4e9, 4000L, 4e9, 40_000L, 1e9), Map.of());
    assertEquals(Profile.Above.NOT, fill(50, 50, ceilings).above());
    assertEquals(Profile.Above.SMALL, fill(50, 40, ceilings).above());
    assertEquals(Profile.Above.OTHER, fill(500, 400, ceilings).above());
    assertEquals(Profile.Above.BETWEEN, fill(5000, 4000, ceilings).above());
    assertEquals(Profile.Above.OTHER, fill(10_000, 8000, ceilings).above());
    assertEquals(Profile.Above.OTHER, fill(50_000, 8000, ceilings).above());
    Profile.Entry fast = Profile.Entry.of(PRODUCT, 100, CEILINGS);
    assertEquals(Profile.Above.PRODUCT, fast.above());
    List<Profile.Entry> entries = List.of(fill(50, 40, ceilings), fill(50, 100, ceilings), fast);
    String text =
        new Profile("cpu", "", 1, 0, entries, 0, 9, Profile.Host.WAITS, 0, 1, List.of()).toString();
    List<String> marked =
        text.lines().filter(line -> line.matches(".* %  ?\\(\\d\\)")).map(String::strip).toList();
    // data as a whole is below its ceiling: only the product is marked, by phase, layer, kernel
    assertEquals(3, marked.size(), text);
    assertTrue(marked.getFirst().matches("forward .* 200.0 % \\(1\\)"), text);
    assertTrue(text.endsWith("(1) above 100 %: a call among these " + fast.above().words()), text);
    String alone =
        new Profile(
                "cpu", "", 1, 0, entries.subList(0, 1), 0, 9, Profile.Host.WAITS, 0, 1, List.of())
            .toString();
    assertTrue(alone.contains("125.0 % (1)"), alone);
    assertTrue(alone.endsWith(Profile.Above.SMALL.words()), alone);
  }

  @Test
  void ceilingsBetweenTwoSizesLieBetweenThem() {
    Ceilings ceilings = Ceilings.of(Map.of(100L, 9e9, 10_000L, 1e9), Map.of());
    assertEquals(9e9, ceilings.bytesPerSecond(1));
    assertEquals(9e9, ceilings.bytesPerSecond(100));
    assertEquals(5e9, ceilings.bytesPerSecond(1000), 1);
    assertEquals(1e9, ceilings.bytesPerSecond(1L << 40));
  }

  /** As many ordinary steps lead to the same parameters. */
  @OnEachDevice
  void profiledStepsTrain(OnEachDevice.Place place) {
    try (Device device = place.open();
        Sequential profiled = network();
        Sequential trained = network()) {
      try (TrainingRun run = start(profiled, device)) {
        run.profile(STEPS, CEILINGS);
      }
      double[] wanted = profiled.arena().values().toDoubles();
      try (TrainingRun run = start(trained, device)) {
        for (int step = 0; step < 2 * STEPS; step++) {
          run.step();
        }
        assertFalse(Arrays.equals(wanted, trained.arena().values().toDoubles()));
        int most = 10 * STEPS;
        while (most-- > 0 && !Arrays.equals(wanted, trained.arena().values().toDoubles())) {
          run.step();
        }
      }
      assertArrayEquals(wanted, trained.arena().values().toDoubles());
    }
  }

  @OnEachDevice
  void nothingStaysBehind(OnEachDevice.Place place) {
    try (Device device = place.open();
        Sequential network = network();
        TrainingRun run = start(network, device)) {
      run.step();
      long before = device.memory().live();
      long events = place == OnEachDevice.Place.CPU ? 0 : Emulator.liveEvents();
      run.profile(STEPS, CEILINGS);
      assertEquals(before, device.memory().live());
      if (place == OnEachDevice.Place.EMULATED_CUDA) {
        assertEquals(events, Emulator.liveEvents());
      }
      assertThrows(IllegalArgumentException.class, () -> run.profile(0, CEILINGS));
    }
  }

  private static List<JsonObject> events(JsonObject trace, int row) {
    List<JsonObject> events = new ArrayList<>();
    for (JsonElement each : trace.getAsJsonArray("traceEvents")) {
      JsonObject event = each.getAsJsonObject();
      if (event.get("ph").getAsString().equals("X") && event.get("tid").getAsInt() == row) {
        events.add(event);
      }
    }
    return events;
  }

  private static double end(JsonObject event) {
    return event.get("ts").getAsDouble() + event.get("dur").getAsDouble();
  }

  /** Events of the lower row that lie in none of the upper. */
  private static List<JsonObject> outside(List<JsonObject> upper, List<JsonObject> lower) {
    double rounding = 1e-6;
    return lower.stream()
        .filter(
            inner ->
                upper.stream()
                    .noneMatch(
                        outer ->
                            outer.get("ts").getAsDouble()
                                    <= inner.get("ts").getAsDouble() + rounding
                                && end(inner) <= end(outer) + rounding))
        .toList();
  }

  @OnEachDevice
  void theTraceHoldsEveryCallWithinItsPhaseAndStep(OnEachDevice.Place place) throws IOException {
    try (Device device = place.open()) {
      Profile profile = profile(device);
      Path file = folder.resolve("trace.json");
      Trace.write(profile, file);
      JsonObject trace = JsonParser.parseString(Files.readString(file)).getAsJsonObject();
      List<JsonObject> steps = events(trace, 0);
      List<JsonObject> phases = events(trace, 1);
      List<JsonObject> layers = events(trace, 2);
      List<JsonObject> kernels = events(trace, 3);
      assertEquals(STEPS, steps.size());
      assertEquals(STEPS * profile.entries().size(), kernels.size());
      assertEquals(List.of(), outside(steps, phases));
      assertEquals(List.of(), outside(phases, kernels));
      assertEquals(List.of(), outside(layers, kernels));
      assertNotEquals(List.of(), outside(kernels, steps), "the check sees what is outside");
      JsonObject product =
          kernels.stream()
              .filter(k -> k.get("name").getAsString().equals("gemm_f32"))
              .findFirst()
              .orElseThrow()
              .getAsJsonObject("args");
      assertEquals("0 linear(784,150) relu", product.get("layer").getAsString());
      assertEquals("forward", product.get("phase").getAsString());
      assertEquals(2.0 * ROWS * 784 * 150, product.get("flops").getAsDouble());
    }
  }
}
