// SPDX-License-Identifier: Apache-2.0
package dev.weft.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weft.Device;
import dev.weft.Tensor;
import dev.weft.data.Dataset;
import dev.weft.data.Digits;
import dev.weft.data.Split;
import dev.weft.data.ToySets;
import dev.weft.nn.Sequential;
import dev.weft.optim.Adam;
import dev.weft.optim.Optimizer;
import dev.weft.optim.Schedule;
import dev.weft.optim.Sgd;
import dev.weft.support.OnEachDevice;
import dev.weft.support.OnEachDevice.Place;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.DoubleUnaryOperator;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a range test suggests, why, and that it leaves everything as it was. */
class RateFinderTest {
  private static final Dataset MOONS = ToySets.moons(50, 0.1, 1);

  private static Sequential network() {
    return Sequential.parse("linear(2,8) batch_norm(8) relu dropout(0.3) linear(8,2)");
  }

  private static Map<String, List<Double>> all(Map<String, Tensor> tensors) {
    Map<String, List<Double>> values = new LinkedHashMap<>();
    tensors.forEach(
        (name, tensor) -> values.put(name, Arrays.stream(tensor.toDoubles()).boxed().toList()));
    return values;
  }

  private static Map<String, List<Double>> values(Sequential network) {
    Map<String, Tensor> tensors = new LinkedHashMap<>();
    network.named().forEach((name, each) -> tensors.put(name, network.arena().values(each)));
    return all(tensors);
  }

  private static Trainer trainer(Sequential network, Device device, Optimizer optimizer) {
    return Trainer.of(network)
        .on(device)
        .optimizer(optimizer)
        .schedule(Schedule.cosine(4).warmUp(3))
        .accumulate(3)
        .batch(8)
        .seed(5);
  }

  /** Until NaN, within an epoch and amid the batches of an update, and between optimizers. */
  @OnEachDevice
  void trainingIsTheSameWithTheTestAndWithout(Place place) {
    for (Optimizer optimizer : List.of(Adam.rate(0.05), Sgd.rate(0.1).momentum(0.9))) {
      double[][] ends = new double[2][];
      for (int tested = 0; tested < 2; tested++) {
        try (Device device = place.open();
            Sequential network = network()) {
          Trainer trainer = trainer(network, device, optimizer);
          trainer.onStep(
              1,
              run -> {
                if (run.position().step() == 10) {
                  run.stop("within an epoch");
                }
              });
          test(trainer, tested);
          trainer.fit(MOONS, 1);
          test(trainer, tested);
          trainer.fit(MOONS, 1);
          assertEquals(10, trainer.position().step(), "the third batch of an update");
          test(trainer, tested);
          trainer.fit(MOONS, 2);
          ends[tested] = network.arena().values().toDoubles();
        }
      }
      assertArrayEquals(ends[0], ends[1]);
    }
  }

  private static void test(Trainer trainer, int times) {
    Map<String, List<Double>> remembered = all(trainer.remembered());
    Position position = trainer.position();
    boolean isThere = trainer.network().isOnDevice();
    Map<String, List<Double>> before = isThere ? values((Sequential) trainer.network()) : Map.of();
    for (int i = 0; i < times; i++) {
      RateCurve curve = RateFinder.of(trainer).range(1e-3, 1e30).run(MOONS);
      assertTrue(curve.ended().contains("loss was"), curve.ended());
      assertEquals(position, trainer.position());
      assertEquals(remembered, all(trainer.remembered()));
      if (isThere) {
        assertEquals(before, values((Sequential) trainer.network()));
      }
    }
  }

  /** What another optimizer remembered is there again when training goes on with it. */
  @Test
  void anOptimizerThatWasReplacedForTheTestComesBack() {
    double[][] ends = new double[2][];
    for (int tested = 0; tested < 2; tested++) {
      try (Device device = Device.cpu();
          Sequential network = network()) {
        Optimizer adam = Adam.rate(0.05);
        Trainer trainer = trainer(network, device, adam);
        trainer.fit(MOONS, 1);
        if (tested == 1) {
          trainer.optimizer(Sgd.rate(0.1).momentum(0.5));
          RateFinder.of(trainer).run(MOONS);
          trainer.optimizer(adam);
        }
        trainer.fit(MOONS, 2);
        ends[tested] = network.arena().values().toDoubles();
      }
    }
    assertArrayEquals(ends[0], ends[1]);
  }

  /** The twin: one step at a rate moves the weights, so that the tests above could fail. */
  @Test
  void aTestThatKeptItsUpdatesWouldBeSeen() {
    try (Device device = Device.cpu();
        Sequential network = network()) {
      Trainer trainer = trainer(network, device, Sgd.rate(0.1));
      RateFinder.of(trainer).run(MOONS);
      Map<String, List<Double>> before = values(network);
      trainer.fit(MOONS, 1);
      assertFalse(before.equals(values(network)));
    }
  }

  /** A rule that sets the parameters to the rate gives the loss that belongs to it. */
  @Test
  void ratesGrowByTheSameFactorAndBelongToTheLossBehindThem() {
    double growth = Math.pow(1e4, 1 / 19.0);
    try (Device device = Device.cpu();
        Script script = new Script(device, null, 0)) {
      RateCurve curve =
          RateFinder.of(script.trainer.optimizer(new ListenerTest.SetToRate(7)))
              .range(1e-3, 10)
              .updates(20)
              .limit(1e9)
              .run(Script.DATA);
      assertEquals(20, curve.points().size());
      for (int i = 0; i < 20; i++) {
        double rate = curve.points().get(i).rate();
        assertEquals(1e-3 * Math.pow(growth, i), rate, 1e-6 * rate);
        // that of one of the three rows, of w = b = rate
        double loss = curve.points().get(i).loss();
        assertTrue(
            IntStream.rangeClosed(1, 3)
                .mapToDouble(row -> rate * row + rate - (4 * row + 1))
                .anyMatch(error -> Math.abs(error * error - loss) <= 1e-4 * (1 + loss)),
            () -> "loss " + loss + " at " + rate);
      }
    }
  }

  /** Near the best of a grid: at most twice its loss, where a tenth or ten times it is worse. */
  @ParameterizedTest
  @ValueSource(strings = {"sgd", "momentum", "adam"})
  void theSuggestionTrainsNearTheBestOfAGrid(String rule) {
    Split digits = Digits.generate(4_000, 7);
    DoubleUnaryOperator trained = rate -> loss(rule, rate, digits);
    double best =
        IntStream.rangeClosed(-8, 1)
            .mapToDouble(half -> trained.applyAsDouble(Math.pow(10, half / 2.0)))
            .min()
            .orElseThrow();
    try (Device device = Device.cpu();
        Sequential network = digitsNetwork()) {
      Trainer trainer = Trainer.of(network).on(device).optimizer(rule(rule, 1)).batch(64);
      RateCurve curve = RateFinder.of(trainer).run(digits.train());
      double rate = curve.suggestion().orElseThrow();
      double loss = trained.applyAsDouble(rate);
      assertTrue(loss < 2 * best, () -> loss + " at " + rate + ", best " + best);
      assertTrue(trained.applyAsDouble(rate / 100) > 2 * best, "a rate far off would be seen");
      assertTrue(curve.why().startsWith("the loss fell fastest there, on its way "), curve.why());
    }
  }

  private static Sequential digitsNetwork() {
    return Sequential.parse("linear(784,64) relu linear(64,10)");
  }

  private static Optimizer rule(String name, double rate) {
    return switch (name) {
      case "sgd" -> Sgd.rate(rate);
      case "momentum" -> Sgd.rate(rate).momentum(0.9);
      default -> Adam.rate(rate);
    };
  }

  private static double loss(String rule, double rate, Split digits) {
    try (Device device = Device.cpu();
        Sequential network = digitsNetwork()) {
      return Trainer.of(network)
          .on(device)
          .optimizer(rule(rule, rate))
          .batch(64)
          .fit(digits.train(), digits.test(), 2)
          .last()
          .test()
          .loss();
    } catch (DivergedException e) {
      return Double.POSITIVE_INFINITY;
    }
  }

  private static RateCurve curve(DoubleUnaryOperator loss, boolean isCut, int points) {
    double[] rates = IntStream.range(0, points).mapToDouble(i -> Math.pow(10, i / 10.0)).toArray();
    double[] losses =
        IntStream.range(0, points).mapToDouble(i -> loss.applyAsDouble(i / 100.0)).toArray();
    return RateCurve.of(loss.applyAsDouble(0), rates, losses, 100, isCut, "the end");
  }

  /** A fall between 0.3 and 0.6 of the range, steepest in its middle, then a rise. */
  private static double valley(double at) {
    double fall = 1 / (1 + Math.exp(-(at - 0.45) * 40));
    return 2.3 - fall + (at > 0.7 ? 20 * (at - 0.7) : 0);
  }

  @Test
  void theSteepestPlaceIsSuggested() {
    RateCurve curve = curve(RateFinderTest::valley, true, 100);
    assertEquals(Math.pow(10, 4.5), curve.suggestion().orElseThrow(), 1e-6 * Math.pow(10, 4.5));
    // Lightning-AI/pytorch-lightning #1767: a spike before the fall is steeper, and no place to be
    RateCurve spike = curve(at -> valley(at) + (at > 0.095 && at < 0.105 ? 3 : 0), true, 100);
    assertEquals(curve.suggestion(), spike.suggestion());
    // losses below zero fall, too
    RateCurve below = curve(at -> valley(at) - 5, true, 100);
    assertEquals(curve.suggestion().orElseThrow(), below.suggestion().orElseThrow(), 1e-6 * 1e5);
  }

  /** The square of 46,341 is no int. */
  @Test
  void manyRatesAreSmoothedToo() {
    int count = 46_400;
    double[] rates = IntStream.range(0, count).mapToDouble(i -> 1 + i).toArray();
    double[] losses = IntStream.range(0, count).mapToDouble(i -> valley(i / 1e5)).toArray();
    RateCurve curve = RateCurve.of(2.3, rates, losses, count, true, "the end");
    assertTrue(curve.points().stream().allMatch(each -> Double.isFinite(each.smoothed())));
    assertTrue(curve.suggestion().isPresent(), curve::why);
  }

  @Test
  void whereNothingCanBeSuggestedTheReasonIsSaid() {
    assertNone(curve(at -> 2.3, false, 100), "the loss did not fall by more than its noise");
    assertNone(curve(at -> 2.3 + at, false, 100), "the loss did not fall by more than its noise");
    assertNone(curve(at -> 2.3 - 9 * at * at * at, false, 100), "go on above 7.94e+09");
    assertNone(curve(at -> 1 / (0.001 + at), true, 100), "begin below 1.00");
    assertNone(curve(at -> 2.3, true, 4), "the end: begin with a smaller rate");
    assertNone(curve(at -> 2.3, false, 4), "the end: 4 rates show no slope");
  }

  /** By chance one of a hundred curves of noise has a fall. */
  @Test
  void noiseIsNoFall() {
    int suggested = 0;
    for (int seed = 0; seed < 100; seed++) {
      Random noise = new Random(seed);
      suggested +=
          curve(at -> 2.3 + 0.1 * noise.nextGaussian(), false, 100).suggestion().isPresent()
              ? 1
              : 0;
    }
    assertTrue(suggested <= 3, "suggested " + suggested + " times");
  }

  private static void assertNone(RateCurve curve, String why) {
    assertTrue(curve.suggestion().isEmpty(), curve::why);
    assertTrue(curve.why().contains(why), curve::why);
  }

  @Test
  void aLossThatIsNoNumberAtFirstIsSaid() {
    try (Device device = Device.cpu();
        Sequential network = network()) {
      Trainer trainer = trainer(network, device, Sgd.rate(0.1));
      trainer.fit(MOONS, 1);
      network.arena().values().fill(Double.NaN);
      RateCurve curve = RateFinder.of(trainer).run(MOONS);
      assertNone(curve, "the loss was NaN before the first update");
      assertEquals(List.of(), curve.points());
      assertEquals(null, curve.least());
    }
  }

  @Test
  void anInterruptEndsTheTest() {
    try (Device device = Device.cpu();
        Sequential network = network()) {
      Thread.currentThread().interrupt();
      RateCurve curve = RateFinder.of(trainer(network, device, Sgd.rate(0.1))).run(MOONS);
      assertEquals("the thread was interrupted", curve.ended());
      assertFalse(Thread.interrupted());
    }
  }

  /** Trying rates takes no average; one that is kept would be spoilt. */
  @Test
  void anAverageIsNeitherTakenNorSpoilt() {
    try (Device device = Device.cpu();
        Sequential network = network()) {
      var trainer = Trainer.of(network).on(device).batch(8).averaging(Averaging.exponential(0.9));
      RateFinder.of(trainer).updates(20).run(MOONS);
      trainer.fit(MOONS, 1);
      double[] average = network.scores(MOONS)[0];
      RateFinder finder = RateFinder.of(trainer).updates(20);
      String said = assertThrows(IllegalStateException.class, () -> finder.run(MOONS)).getMessage();
      assertTrue(said.contains("an average of the weights is kept"), said);
      assertArrayEquals(average, network.scores(MOONS)[0]);
      assertEquals(1, trainer.position().epoch());
    }
  }

  @Test
  void settingsThatAreNoneAreRefused() {
    try (Sequential network = network()) {
      RateFinder finder = RateFinder.of(Trainer.of(network));
      Map<String, Supplier<RateFinder>> none =
          Map.of(
              "a range test goes from a positive rate to a larger, finite one, not from 0.0 to 1.0",
              () -> finder.range(0, 1),
              "a range test goes from a positive rate to a larger, finite one, not from 1.0 to 1.0",
              () -> finder.range(1, 1),
              "a range test needs at least 20 updates to tell a slope from noise, not 19",
              () -> finder.updates(19),
              "a limit of the loss is a multiple of its best above 1, not 1.0",
              () -> finder.limit(1));
      none.forEach(
          (said, each) ->
              assertEquals(
                  said, assertThrows(IllegalArgumentException.class, each::get).getMessage()));
      assertThrows(IllegalStateException.class, () -> finder.run(MOONS), "no device");
    }
  }
}
