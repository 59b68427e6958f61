// SPDX-License-Identifier: Apache-2.0
package dev.weft.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weft.Device;
import dev.weft.Engine;
import dev.weft.MathMode;
import dev.weft.Tensor;
import dev.weft.data.Dataset;
import dev.weft.data.ToySets;
import dev.weft.nn.Sequential;
import dev.weft.optim.Adam;
import dev.weft.optim.Clip;
import dev.weft.optim.Lion;
import dev.weft.optim.Optimizer;
import dev.weft.optim.RmsProp;
import dev.weft.optim.Schedule;
import dev.weft.optim.Sgd;
import dev.weft.support.OnEachDevice;
import dev.weft.support.OnEachDevice.Place;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** A run that is stopped and gone on with ends in the bits of one that never stopped. */
class GoingOnTest {
  private static final int EPOCHS = 4;
  private static final int BATCHES = 7; // the last one is smaller
  private static final Dataset DATA = ToySets.moons(50, 0.1, 1);
  private static final Dataset MORE = ToySets.moons(30, 0.1, 2);
  @TempDir private Path folder;

  /** What a trainer is told beside the network and the device. */
  private record Way(String name, UnaryOperator<Trainer> tell) {
    @Override
    public String toString() {
      return name;
    }
  }

  private static List<Way> ways() {
    return List.of(
        new Way("fused", t -> t.fusion(Fusion.ALWAYS).optimizer(Adam.rate(0.02))),
        new Way("plain", t -> t.fusion(Fusion.NEVER).optimizer(Adam.rate(0.02))),
        new Way("fused, streamed", t -> t.fusion(Fusion.ALWAYS).dataMemory(520)),
        new Way("plain, streamed", t -> t.fusion(Fusion.NEVER).dataMemory(520)),
        new Way(
            "everything",
            t ->
                t.optimizer(Sgd.rate(0.1).momentum(0.9).l2(0.001).weightDecay(0.01))
                    .schedule(Schedule.cosine(EPOCHS).warmUp(5))
                    .clip(Clip.norm(0.5))
                    .accumulate(3)
                    .metrics(new Accuracy(), Accuracy.top(2))
                    .dataMemory(520)),
        new Way(
            "bf16, groups",
            t -> t.math(MathMode.BF16).group("*.bias", Adam.rate(0.05)).clip(Clip.value(0.01))));
  }

  private static Stream<Arguments> cases() {
    return Arrays.stream(Place.values())
        .flatMap(place -> ways().stream().map(way -> Arguments.of(place, way)));
  }

  private static Sequential network() {
    return Sequential.parse("linear(2,8) relu dropout(0.3) linear(8,2)");
  }

  private static Trainer trainer(Sequential network, Device device, Way way) {
    return way.tell().apply(Trainer.of(network).on(device).batch(8).seed(5));
  }

  /** A run ends after so many steps, the next one goes on. */
  private static void stopOnceAt(long step, Trainer trainer) {
    boolean[] stopped = {false};
    trainer.onStep(
        1,
        run -> {
          if (run.position().step() == step && !stopped[0]) {
            stopped[0] = true;
            run.stop("enough");
          }
        });
  }

  private static double[] whole(Place place, Way way) {
    try (Device device = place.open();
        Sequential network = network()) {
      trainer(network, device, way).fit(DATA, MORE, EPOCHS);
      return network.arena().values().toDoubles();
    }
  }

  @ParameterizedTest
  @MethodSource("cases")
  void epochByEpochIsAllAtOnce(Place place, Way way) {
    double[] expected = whole(place, way);
    try (Device device = place.open();
        Sequential network = network()) {
      Trainer trainer = trainer(network, device, way);
      List<Long> numbers = new ArrayList<>();
      for (int epoch = 0; epoch < EPOCHS; epoch++) {
        // evaluating between, or not, changes nothing
        History history = epoch % 2 == 0 ? trainer.fit(DATA, 1) : trainer.fit(DATA, MORE, 1);
        numbers.add(history.last().number());
      }
      assertEquals(List.of(1L, 2L, 3L, 4L), numbers);
      assertArrayEquals(expected, network.arena().values().toDoubles());
    }
  }

  @ParameterizedTest
  @MethodSource("cases")
  void stoppedAtAnyStepItGoesOnAsIfItHadNot(Place place, Way way) {
    double[] expected = whole(place, way);
    for (int stop = 1; stop < EPOCHS * BATCHES; stop += place == Place.CPU ? 1 : 4) {
      long at = stop;
      try (Device device = place.open();
          Sequential network = network()) {
        Trainer trainer = trainer(network, device, way);
        stopOnceAt(at, trainer);
        History cut = trainer.fit(DATA, MORE, EPOCHS);
        assertEquals("enough", cut.ended());
        assertEquals(at, trainer.position().step());
        int done = (int) trainer.position().epoch();
        History rest = trainer.fit(DATA, MORE, EPOCHS - done);
        long updates = EPOCHS * (way.name().equals("everything") ? 3 : BATCHES);
        assertEquals(new Position(EPOCHS, 0, EPOCHS * BATCHES, updates), trainer.position());
        assertEquals(EPOCHS, rest.last().number());
        assertArrayEquals(expected, network.arena().values().toDoubles(), "stopped at " + at);
      }
    }
  }

  /** Each epoch has its own order, masks and moments: the same step over and over learns less. */
  @Test
  void resetStartsAnew() {
    try (Device device = Device.cpu();
        Sequential network = network()) {
      Trainer trainer = trainer(network, device, ways().get(0));
      double[] first = losses(trainer.fit(DATA, 2));
      double[] second = losses(trainer.fit(DATA, 2));
      assertFalse(Arrays.equals(first, second));
      assertEquals(4, trainer.position().epoch());
      trainer.reset();
      assertEquals(Position.START, trainer.position());
      assertEquals(1, trainer.fit(DATA, 1).last().number());
    }
  }

  private static double[] losses(History history) {
    return history.epochs().stream().mapToDouble(epoch -> epoch.train().loss()).toArray();
  }

  @Test
  void aTrainerAnewOverTheSameValuesGivesTheSameRun() {
    double[][] ends = new double[2][];
    for (int i = 0; i < 2; i++) {
      try (Device device = Device.cpu();
          Sequential network = network()) {
        Trainer trainer = trainer(network, device, ways().get(1));
        trainer.fit(DATA, 1);
        if (i == 0) {
          trainer.reset().fit(DATA, 1);
        } else {
          trainer(network, device, ways().get(1)).fit(DATA, 1);
        }
        ends[i] = network.arena().values().toDoubles();
      }
    }
    assertArrayEquals(ends[0], ends[1]);
  }

  /** What the optimizer remembers goes along to another device, and to other frozen parameters. */
  @Test
  void theOptimizersMemoryGoesAlong() {
    double[] expected;
    try (Device device = Device.cpu();
        Sequential network = network()) {
      Trainer trainer = trainer(network, device, ways().get(1));
      trainer.fit(DATA, 2);
      expected = network.arena().values().toDoubles();
    }
    try (Device one = Device.cpu();
        Device two = Device.cpu();
        Sequential network = network()) {
      Trainer trainer = trainer(network, one, ways().get(1));
      trainer.fit(DATA, 1);
      trainer.on(two).fit(DATA, 1);
      assertArrayEquals(expected, network.arena().values().toDoubles());
      assertEquals(0, one.memory().live());
    }
    try (Device device = Device.cpu();
        Sequential network = network()) {
      Trainer trainer = trainer(network, device, ways().get(1));
      trainer.fit(DATA, 1);
      double[] before = moment(trainer);
      network.freeze("0.*");
      trainer.fit(DATA, 1);
      network.unfreeze("0.*");
      try (TrainingRun run = trainer.start(DATA)) {
        assertArrayEquals(before, moment(trainer));
        run.step();
        assertFalse(Arrays.equals(before, moment(trainer)));
      }
    }
  }

  private static double[] moment(Trainer trainer) {
    return trainer.remembered().get("0.weight.first").toDoubles();
  }

  /** Adam's corrections go by its own updates: the first step is as long as the rate. */
  @Test
  void anotherRuleBeginsItsOwnCount() {
    try (Device device = Device.cpu();
        Sequential network = Sequential.parse("linear(2,2)")) {
      Trainer trainer = Trainer.of(network).on(device).batch(50).optimizer(Sgd.rate(1e-4));
      trainer.fit(DATA, 100);
      double[] before = network.arena().values().toDoubles();
      trainer.optimizer(Adam.rate(0.01)).fit(DATA, 1);
      double[] after = network.arena().values().toDoubles();
      for (int i = 0; i < 4; i++) {
        assertEquals(0.01, Math.abs(after[i] - before[i]), 1e-5);
      }
      assertEquals(101, trainer.position().update());
    }
  }

  /** What a closed run goes by is there until it is closed. */
  @Test
  void resetWaitsForTheRun() {
    try (Device device = Device.cpu();
        Sequential network = network()) {
      Trainer trainer = trainer(network, device, ways().get(1));
      trainer.onEpoch((run, epoch) -> trainer.reset());
      String said =
          assertThrows(IllegalStateException.class, () -> trainer.fit(DATA, 1)).getMessage();
      assertTrue(said.contains("a run of this trainer is open"), said);
      trainer.reset();
      assertEquals(Position.START, trainer.position());
    }
  }

  /** A run that is closed once more says nothing of one that has begun since. */
  @Test
  void aRunClosedTwiceLeavesTheNextOne() {
    try (Device device = Device.cpu();
        Sequential network = network()) {
      Trainer trainer = trainer(network, device, ways().get(1));
      TrainingRun first = trainer.start(DATA);
      first.close();
      try (TrainingRun second = trainer.start(DATA)) {
        first.close();
        assertThrows(IllegalStateException.class, trainer::reset);
        second.step();
      }
      trainer.reset();
    }
  }

  /** The memory of a group alone is as good as that of all. */
  @Test
  void memoryOfAGroupThatIsGoneIsSaid() {
    try (Device device = Device.cpu()) {
      Sequential network = network();
      Trainer trainer = Trainer.of(network).on(device).optimizer(Sgd.rate(0.1));
      trainer.group("*.bias", Adam.rate(0.1)).fit(DATA, 1);
      Trainer.of(network).on(device).fit(DATA, 1);
      assertThrows(IllegalStateException.class, () -> trainer.fit(DATA, 1));
      network.close();
      assertTrue(network.isClosed());
      String said =
          assertThrows(IllegalStateException.class, () -> trainer.fit(DATA, 1)).getMessage();
      assertTrue(said.startsWith("the network is closed"), said);
    }
  }

  /** An evaluation takes the memory of the step before it. */
  @OnEachDevice
  void theLossOfTheLastStepIsThereAfterAnEvaluation(Place place) {
    try (Device device = place.open();
        Sequential network = network();
        TrainingRun run = trainer(network, device, ways().get(1)).start(DATA, MORE)) {
      run.step();
      double loss = run.loss();
      Evaluation evaluation = run.evaluate();
      assertEquals(loss, run.loss());
      assertEquals(evaluation, run.evaluate());
    }
  }

  /**
   * A loop by hand between takes the gradients that were half added up: they are added up again.
   */
  @Test
  void gradientsThatAreGoneAreAddedUpAgain() {
    double[][] ends = new double[2][];
    for (int i = 0; i < 2; i++) {
      try (Device device = Device.cpu();
          Sequential network = network()) {
        Trainer trainer = trainer(network, device, ways().get(1)).accumulate(3);
        stopOnceAt(5, trainer);
        trainer.fit(DATA, 1);
        if (i == 1) {
          network.arena().zeroGradients();
          network.named().values().forEach(each -> gradient(each.tensor()).fill(7));
        }
        trainer.fit(DATA, 1);
        ends[i] = network.arena().values().toDoubles();
      }
    }
    assertArrayEquals(ends[0], ends[1]);
  }

  private static Tensor gradient(Tensor parameter) {
    return Objects.requireNonNull(Engine.gradMemory(parameter));
  }

  @Test
  void anotherSizeOfBatchBeginsAnotherEpoch() {
    try (Device device = Device.cpu();
        Sequential network = network()) {
      Trainer trainer = trainer(network, device, ways().get(1));
      stopOnceAt(3, trainer);
      trainer.fit(DATA, 1);
      assertEquals(2, trainer.batch(9).fit(DATA.slice(0, 50), 1).last().number());
    }
  }

  @Test
  void memoryThatIsGoneIsSaid() {
    try (Device device = Device.cpu();
        Sequential network = network()) {
      Trainer trainer = trainer(network, device, ways().get(1));
      trainer.fit(DATA, 1);
      double[] before = network.arena().values().toDoubles();
      Trainer other = trainer(network, device, ways().get(1));
      other.fit(DATA, 1);
      String said =
          assertThrows(IllegalStateException.class, () -> trainer.fit(DATA, 1)).getMessage();
      assertTrue(said.contains("another trainer") && said.contains("reset()"), said);
      trainer.reset().fit(DATA, 1);
      assertFalse(Arrays.equals(before, network.arena().values().toDoubles()));
    }
  }

  /** Off its device a network keeps its values alone; what the optimizer remembers, a file may. */
  @Test
  void memoryThatOffGaveBackIsSaid() throws Exception {
    double[] expected = whole(Place.CPU, ways().get(1));
    Path file = folder.resolve("optimizer.safetensors");
    try (Device device = Device.cpu();
        Sequential network = network()) {
      Trainer trainer = trainer(network, device, ways().get(1));
      trainer.fit(DATA, 2);
      trainer.saveOptimizer(file);
      network.off();
      assertFalse(network.isClosed());
      String said =
          assertThrows(IllegalStateException.class, () -> trainer.fit(DATA, 1)).getMessage();
      assertTrue(said.contains("taken off its device") && said.contains("loadOptimizer"), said);
      assertFalse(network.isOnDevice(), "nothing was begun");
      trainer.loadOptimizer(file).fit(DATA, EPOCHS - 2);
      assertArrayEquals(expected, network.arena().values().toDoubles());
    }
  }

  /** SGD's velocity adds up gradients, RMSProp's scaled ones; a mean without squares is none. */
  @Test
  void memoriesOfAnotherMeaningBeginAnew() {
    for (Optimizer before : List.of(Sgd.rate(0.01).momentum(0.9), Lion.rate(1e-3))) {
      try (Device device = Device.cpu();
          Sequential network = network()) {
        Trainer trainer = trainer(network, device, ways().get(1)).optimizer(before);
        trainer.fit(DATA, 1);
        trainer.optimizer(RmsProp.rate(0.01).momentum(0.9).centred());
        try (TrainingRun run = trainer.start(DATA)) {
          trainer
              .remembered()
              .forEach(
                  (name, memory) ->
                      assertEquals(0, Arrays.stream(memory.toDoubles()).max().orElse(0), name));
          run.step();
          assertTrue(
              Arrays.stream(trainer.remembered().get("0.weight.scaled_velocity").toDoubles())
                  .anyMatch(v -> v != 0));
        }
      }
    }
  }

  @Test
  void twoRunsAtOnceAreRefused() {
    try (Device device = Device.cpu();
        Sequential network = network()) {
      Trainer first = trainer(network, device, ways().get(1));
      Trainer second = trainer(network, device, ways().get(1));
      try (TrainingRun run = first.start(DATA)) {
        run.step();
        String said =
            assertThrows(IllegalStateException.class, () -> second.fit(DATA, 1)).getMessage();
        assertTrue(said.contains("being trained by another run"), said);
        assertThrows(IllegalStateException.class, () -> first.start(DATA));
        run.step();
      }
      first.fit(DATA, 1);
    }
  }

  @Test
  void anEpochThatOtherDataCannotFinishIsLeft() {
    try (Device device = Device.cpu();
        Sequential network = network()) {
      Trainer trainer = trainer(network, device, ways().get(1));
      stopOnceAt(3, trainer);
      History cut = trainer.fit(DATA, 2);
      assertEquals(3, cut.last().steps());
      History next = trainer.fit(MORE, 1);
      assertEquals(2, next.last().number());
      assertEquals(4, next.last().steps());
    }
  }

  /** The memory of the optimizer belongs to the network; all else is given back. */
  @OnEachDevice
  void nothingElseStays(Place place) {
    try (Device device = place.open()) {
      Sequential network = network();
      network.seed(5).on(device);
      long before = device.memory().live();
      Trainer trainer = trainer(network, device, ways().get(1));
      trainer.fit(DATA, MORE, 1);
      long live = device.memory().live();
      trainer.fit(DATA, MORE, 1);
      assertEquals(live, device.memory().live());
      trainer.reset();
      assertEquals(before, device.memory().live());
      trainer.fit(DATA, 1);
      network.close();
      assertEquals(0, device.memory().live());
    }
  }
}
