// SPDX-License-Identifier: Apache-2.0
package dev.weft.optim;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weft.Device;
import dev.weft.MathMode;
import dev.weft.Operations;
import dev.weft.Tape;
import dev.weft.Tensor;
import dev.weft.data.Column;
import dev.weft.data.Dataset;
import dev.weft.data.ToySets;
import dev.weft.nn.Embedding;
import dev.weft.nn.Flatten;
import dev.weft.nn.Initializers;
import dev.weft.nn.Linear;
import dev.weft.nn.ParameterArena;
import dev.weft.nn.Sequential;
import dev.weft.support.OnEachDevice;
import dev.weft.support.OnEachDevice.Place;
import dev.weft.train.Trainer;
import dev.weft.train.TrainingRun;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Clipped steps against the same arithmetic written out here, over the gradients on the device. */
class ClipTest {
  private static final Dataset DATA = ToySets.moons(40, 0.1, 1);
  private static final int STEPS = 3;

  /** A user's rule: what is taken is rate · tanh of a moving average of gradients. */
  private record Mine(double rate, double decay) implements Optimizer {
    @Override
    public List<String> memory() {
      return List.of("average");
    }

    @Override
    public void update(Update u) {
      Operations o = u.operations();
      Tensor m = u.memory("average");
      o.assign(m, o.add(o.scale(m, decay), o.scale(u.gradient(), 1 - decay)));
      o.assign(u.values(), o.subtract(u.values(), o.multiply(u.rate(), o.tanh(m))));
    }
  }

  /** A rule and its clipping, in float64 on the host. */
  private static final class Written {
    private final Optimizer rule;
    private final Clip clip;
    private double[] one;
    private double[] two;
    private int steps;
    private boolean shortened; // whether clipping ever changed something

    Written(Optimizer rule, Clip clip) {
      this.rule = rule;
      this.clip = clip;
    }

    /** What values become. */
    double[] step(double[] values, double[] gradients) {
      if (one == null) {
        one = new double[values.length];
        two = new double[values.length];
      }
      steps++;
      double[] g = clip.of() == Clip.Of.GRADIENT ? clipped(gradients) : gradients;
      double[] taken = new double[g.length];
      for (int i = 0; i < g.length; i++) {
        taken[i] = taken(i, g[i]);
      }
      if (clip.of() == Clip.Of.UPDATE) {
        taken = clipped(taken);
      }
      double[] after = values.clone();
      for (int i = 0; i < after.length; i++) {
        after[i] -= taken[i];
      }
      return after;
    }

    private double taken(int i, double g) {
      return switch (rule) {
        case Sgd sgd -> {
          one[i] = sgd.momentum() * one[i] + g;
          yield sgd.rate() * one[i];
        }
        case Adam adam -> {
          one[i] = adam.beta1() * one[i] + (1 - adam.beta1()) * g;
          two[i] = adam.beta2() * two[i] + (1 - adam.beta2()) * g * g;
          double m = one[i] / (1 - Math.pow(adam.beta1(), steps));
          double v = two[i] / (1 - Math.pow(adam.beta2(), steps));
          yield adam.rate() * m / (Math.sqrt(v) + adam.epsilon());
        }
        default -> {
          Mine mine = (Mine) rule;
          one[i] = mine.decay() * one[i] + (1 - mine.decay()) * g;
          yield mine.rate() * Math.tanh(one[i]);
        }
      };
    }

    private double[] clipped(double[] x) {
      double norm = Math.sqrt(Arrays.stream(x).map(each -> each * each).sum());
      double factor = Math.min(1, clip.most() / (norm + 1e-6));
      double[] y = new double[x.length];
      for (int i = 0; i < x.length; i++) {
        y[i] =
            clip.by() == Clip.By.NORM ? x[i] * factor : Math.clamp(x[i], -clip.most(), clip.most());
        shortened |= y[i] != x[i];
      }
      return y;
    }
  }

  private static final List<Optimizer> RULES =
      List.of(Sgd.rate(0.5), Sgd.rate(0.5).momentum(0.9), Adam.rate(0.1), new Mine(0.5, 0.5));

  private static final List<Clip> CLIPS =
      List.of(
          Clip.norm(0.05),
          Clip.value(0.01),
          Clip.norm(0.03).ofUpdate(),
          Clip.value(4e-3).ofUpdate());

  private static Sequential network() {
    return Sequential.parse("linear(2,5) tanh linear(5,2)");
  }

  /** All on the CPU; on the emulated GPU what its users compute in. */
  static Stream<Arguments> cases() {
    return Stream.of(Place.values())
        .flatMap(
            place ->
                Stream.of(MathMode.STRICT, MathMode.BF16, MathMode.DOUBLE)
                    .limit(place == Place.CPU ? 3 : 2)
                    .map(math -> Arguments.of(place, math)));
  }

  @ParameterizedTest
  @MethodSource("cases")
  void stepsAreThoseWrittenOut(Place place, MathMode math) {
    try (Device device = place.open()) {
      for (Clip clip : CLIPS) {
        for (Optimizer rule : RULES) {
          try (Sequential network = network()) {
            Trainer trainer = Trainer.of(network).on(device).math(math).optimizer(rule).clip(clip);
            assertWritten(trainer, math, List.of(new Written(rule, clip)));
          }
        }
      }
    }
  }

  /** Each group by its own, together with the rule of its own. */
  @ParameterizedTest
  @MethodSource("cases")
  void groupsAreClippedApart(Place place, MathMode math) {
    try (Device device = place.open()) {
      for (Clip clip : CLIPS) {
        try (Sequential network = network()) {
          Clip other = new Clip(clip.by(), clip.of(), clip.most() / 5);
          Trainer trainer =
              Trainer.of(network)
                  .on(device)
                  .math(math)
                  .optimizer(Adam.rate(0.1))
                  .group("*.bias", new Mine(0.5, 0.5))
                  .clip(clip)
                  .clip("*.bias", other);
          assertWritten(
              trainer,
              math,
              List.of(new Written(Adam.rate(0.1), clip), new Written(new Mine(0.5, 0.5), other)));
        }
      }
    }
  }

  /** Steps of a trainer, in each group those that are written out. */
  private static void assertWritten(Trainer trainer, MathMode math, List<Written> groups) {
    double tolerance = math == MathMode.DOUBLE ? 1e-13 : 2e-6;
    try (TrainingRun run = trainer.batch(10).start(DATA)) {
      ParameterArena arena = run.network().arena();
      for (int step = 0; step < STEPS; step++) {
        double[][] before = new double[groups.size()][];
        Arrays.setAll(before, g -> arena.group(arena.values(), g).toDoubles());
        run.step();
        for (int g = 0; g < before.length; g++) {
          double[] gradients = arena.group(arena.gradients(), g).toDoubles();
          double[] expected = groups.get(g).step(before[g], gradients);
          assertArrayEquals(expected, arena.group(arena.values(), g).toDoubles(), tolerance);
        }
      }
      groups.forEach(each -> assertTrue(each.shortened, "the bound is one that clips"));
      if (arena.copy() != null) {
        double[] values = arena.values().toDoubles();
        double[] copy = arena.copy().toDoubles();
        for (int i = 0; i < values.length; i++) {
          assertEquals(values[i], copy[i], Math.abs(values[i]) / 256, "the copy is rounded anew");
        }
      }
    }
  }

  @Test
  void aBoundAboveAllChangesNothing() {
    double[][] ends = new double[5][];
    for (int i = 0; i < ends.length; i++) {
      try (Device device = Device.cpu();
          Sequential network = network()) {
        Trainer trainer =
            Trainer.of(network).on(device).math(MathMode.DOUBLE).optimizer(RULES.get(1)).batch(10);
        if (i > 0) {
          Clip clip = CLIPS.get(i - 1);
          trainer.clip(new Clip(clip.by(), clip.of(), 1e3));
        }
        trainer.fit(DATA, 1);
        ends[i] = network.arena().values().toDoubles();
      }
      assertArrayEquals(ends[0], ends[i], 1e-15);
    }
  }

  private static final int WORDS = 7;

  private static Dataset text() {
    int[] ids = new int[31];
    Arrays.setAll(ids, i -> i * i % WORDS);
    Column tokens = Column.ids(ids, WORDS);
    return Dataset.of(tokens.window(3).slice(0, 28), tokens.slice(3, 31));
  }

  private static Sequential words(Embedding.Gradient gradient) {
    return Sequential.of(
        new Embedding(WORDS, 4, Initializers.normal(0, 1), gradient),
        new Flatten(),
        new Linear(12, WORDS));
  }

  /** A norm over dense gradients and over rows, which come several times, is that of all dense. */
  @OnEachDevice
  void rowsAreClippedAsDenseGradientsAre(Place place) {
    for (Clip clip :
        List.of(Clip.norm(0.1), Clip.value(0.01), Clip.value(1e-3).ofUpdate(), Clip.norm(100))) {
      double[][] ends = new double[2][];
      for (Embedding.Gradient gradient : Embedding.Gradient.values()) {
        try (Device device = place.open();
            Sequential network = words(gradient)) {
          Trainer.of(network)
              .on(device)
              .math(MathMode.DOUBLE)
              .optimizer(Sgd.rate(0.5))
              .clip(clip)
              .batch(8)
              .fit(text(), 2);
          ends[gradient.ordinal()] =
              network.named().values().stream()
                  .flatMapToDouble(each -> Arrays.stream(each.tensor().toDoubles()))
                  .toArray();
        }
      }
      assertArrayEquals(ends[0], ends[1], 1e-12, clip.toString());
    }
  }

  /** The norm of a step of plain descent is the bound times the rate, over table and layer. */
  @OnEachDevice
  void theNormIsThatOfDenseGradientsAndRowsTogether(Place place) {
    for (MathMode math : List.of(MathMode.STRICT, MathMode.DOUBLE, MathMode.BF16)) {
      try (Device device = place.open();
          Sequential network = words(Embedding.Gradient.ROWS)) {
        network.on(device, math);
        Trainer trainer =
            Trainer.of(network)
                .on(device)
                .math(math)
                .optimizer(Sgd.rate(0.5))
                .clip(Clip.norm(0.2))
                .batch(8);
        try (TrainingRun run = trainer.start(text())) {
          double[] before = network.arena().values().toDoubles();
          run.step();
          double[] after = network.arena().values().toDoubles();
          double squares = 0;
          for (int i = 0; i < before.length; i++) {
            squares += Math.pow(after[i] - before[i], 2);
          }
          assertEquals(0.1, Math.sqrt(squares), 1e-5);
        }
      }
    }
  }

  @Test
  void updatesOfTablesAreRefusedWhereTheyCannotBeClipped() {
    try (Device device = Device.cpu();
        Sequential network = words(Embedding.Gradient.ROWS)) {
      Trainer trainer = Trainer.of(network).on(device).optimizer(Sgd.rate(0.1)).batch(8);
      trainer.clip(Clip.norm(1).ofUpdate());
      assertSaid(
          "updates are not clipped by the norm of gradients of rows, as 0.table has: make it dense"
              + " where its layer is built, or give it a group of its own",
          () -> trainer.fit(text(), 1));
      assertFalse(network.isOnDevice(), "a refused call has no effect");
      trainer.group("0.*", Sgd.rate(0.1)).fit(text(), 1);
    }
  }

  /** What rules that are made of operations are given, as PyTorch clips it. */
  @OnEachDevice
  void infiniteGradientsAreClippedToTheBoundOrByANormThatIsInfinite(Place place) {
    double inf = Double.POSITIVE_INFINITY;
    try (Device device = place.open();
        Tape tape = new Tape(device)) {
      Tensor g = device.tensor(new double[] {inf, -inf, Double.NaN, 0.25});
      Clipping byValue = new Clipping(1, null, 0, 0.5, inf);
      assertArrayEquals(
          new double[] {0.5, -0.5, Double.NaN, 0.25}, byValue.applied(tape, g).toDoubles());
      Tensor squares = device.tensor(new double[] {inf});
      Clipping byNorm = new Clipping(1, squares, 1, inf, inf);
      assertArrayEquals(
          new double[] {Double.NaN, Double.NaN, Double.NaN, 0},
          byNorm.applied(tape, g).toDoubles());
    }
  }

  @Test
  void boundsThatAreNoneAreRefused() {
    for (double none : new double[] {0, -1, Double.NaN, Double.POSITIVE_INFINITY}) {
      assertSaid(
          "a norm to clip at must be positive and finite, not " + none, () -> Clip.norm(none));
      assertSaid(
          "a value to clip at must be positive and finite, not " + none, () -> Clip.value(none));
    }
  }

  private static void assertSaid(String words, Runnable action) {
    String said = assertThrows(IllegalArgumentException.class, action::run).getMessage();
    assertTrue(said.contains(words), said);
  }
}
