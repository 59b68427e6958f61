// SPDX-License-Identifier: Apache-2.0
package dev.weft.train;

import static dev.weft.train.Script.DATA;
import static dev.weft.train.Script.METRIC;
import static dev.weft.train.Script.STEPS;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weft.Device;
import dev.weft.optim.Schedule;
import dev.weft.optim.Sgd;
import dev.weft.support.NamedNumbers;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** When the rate falls, and how far: as PyTorch's, and by what users of others reported. */
class OnPlateauTest {
  private static final NamedNumbers TORCH = new NamedNumbers("schedules/schedules.txt");
  private static final OnPlateau LOWEST = OnPlateau.lowest(METRIC);

  /** The rates of the epochs behind each value. */
  private static double[] rates(OnPlateau listener, double rate, double... values) {
    try (Device device = Device.cpu();
        Script script = new Script(device, null, values)) {
      List<Double> rates = new ArrayList<>();
      script
          .trainer
          .optimizer(Sgd.rate(rate))
          .listener(listener)
          .onEpoch((run, epoch) -> rates.add(run.rate()))
          .fit(DATA, values.length);
      return rates.stream().mapToDouble(Double::doubleValue).toArray();
    }
  }

  static IntStream cases() {
    return IntStream.range(0, 40);
  }

  /** Patience is one epoch more in PyTorch, which lowers the rate in the epoch behind it. */
  @ParameterizedTest
  @MethodSource("cases")
  void ratesAreThoseOfPyTorch(int number) {
    double[] s = TORCH.of("plateau." + number + ".settings");
    double[] values = TORCH.of("plateau." + number + ".values");
    OnPlateau listener =
        (s[0] == 0 ? LOWEST : OnPlateau.highest(METRIC))
            .patience((int) s[1] + 1)
            .minChange(s[2])
            .cooldown((int) s[3])
            .factor(s[4])
            .atLeast(s[5]);
    double[] expected = TORCH.of("plateau." + number + ".rates");
    assertTrue(expected[expected.length - 1] < 1, "it falls at all");
    // a rate of 1 would diverge; the rates that PyTorch has are those of 1
    OnPlateau scaled = listener.atLeast(s[5] * 1e-3);
    double[] rates = Arrays.stream(rates(scaled, 1e-3, values)).map(rate -> rate * 1e3).toArray();
    assertArrayEquals(expected, rates, 1e-12);
  }

  @ParameterizedTest(name = "{0}")
  @CsvSource({
    // an epoch without progress is patience used up, not the one behind it
    "pytorch/pytorch #119763,      1, 0, 0,     5 5 5,             1 0.1 0.01",
    "pytorch/pytorch #2545,        2, 0, 0,     5 5 5 5 5,         1 1 0.1 0.1 0.01",
    "0 is 1,                       0, 0, 0,     5 4 4 3,           1 1 0.1 0.1",
    // so many epochs are not counted, and no more
    "pytorch/pytorch #2545,        2, 1, 0,     5 5 5 5 5 5,       1 1 0.1 0.1 0.1 0.01",
    // without a cooldown the count begins anew, too
    "keras-team/keras #3991,       4, 0, 0,     5 5 5 5 5 5 5 5 5, 1 1 1 1 0.1 0.1 0.1 0.1 0.01",
    // what becomes better in a cooldown is the best from then on
    "nitrain/nitrain #23,          1, 2, 0,     5 5 1 4 4,         1 0.1 0.1 0.1 0.01",
    // as far as the least rate, which is reached, and then it stays
    "fastai/fastai2 #307,          1, 0, 0.05,  5 5 5 5,           1 0.1 0.05 0.05",
    "a rate below the least,       1, 0, 2,     5 5 5 5,           1 1 1 1",
    // NaN is no progress, and everything is progress beside it
    "NaN at first,                 2, 0, 0,     NaN 5 5 5,         1 1 1 0.1",
    "NaN later,                    2, 0, 0,     5 NaN NaN 4,       1 1 0.1 0.1",
    // the best value of all counts, not the one before
    "pytorch/pytorch #30873,       3, 0, 0,     1 9 8 7 6,         1 1 1 0.1 0.1"
  })
  void theRateFalls(
      String report, int patience, int cooldown, double least, String values, String rates) {
    OnPlateau listener = LOWEST.patience(patience).cooldown(cooldown).atLeast(least * 1e-3);
    double[] expected = Arrays.stream(Script.numbers(rates)).map(rate -> rate * 1e-3).toArray();
    assertArrayEquals(expected, rates(listener, 1e-3, Script.numbers(values)), 1e-15);
  }

  /** Fitting again and again, within an epoch too, is fitting once; a reset is a new beginning. */
  @Test
  void fittingAgainGoesOn() {
    double[] expected = {1e-3, 1e-3, 1e-4, 1e-4, 1e-5};
    try (Device device = Device.cpu();
        Script script = new Script(device, null, 5)) {
      List<Double> rates = new ArrayList<>();
      Trainer trainer =
          script
              .trainer
              .optimizer(Sgd.rate(1e-3))
              .listener(LOWEST.patience(2))
              .onStep(
                  1,
                  run -> {
                    if (run.position().step() % 4 == 0) {
                      run.stop("enough");
                    }
                  })
              .onEpoch(
                  (run, epoch) -> {
                    if (run.stepOfEpoch() == STEPS) {
                      rates.add(run.rate());
                    }
                  });
      for (int again = 0; again < 2; again++) {
        rates.clear();
        int fits = 0;
        while (trainer.position().epoch() < expected.length) {
          trainer.fit(DATA, 1);
          fits++;
        }
        assertTrue(fits > expected.length, "epochs were cut");
        assertArrayEquals(
            expected, rates.stream().mapToDouble(Double::doubleValue).toArray(), 1e-15);
        trainer.reset();
      }
    }
  }

  /**
   * A warm-up, or another schedule, is a factor of the rate that falls (keras-team/keras #9847).
   */
  @Test
  void aScheduleAndEarlyStoppingGoTogetherWithIt() {
    try (Device device = Device.cpu();
        Script script = new Script(device, EarlyStopping.lowest(METRIC).patience(3), 5)) {
      History history =
          script
              .trainer
              .optimizer(Sgd.rate(1e-3))
              .schedule(Schedule.steps(1, 0.5))
              .listener(LOWEST.patience(2))
              .fit(DATA, 9);
      assertArrayEquals(
          new double[] {1e-3, 5e-4, 2.5e-4, 1.25e-5},
          history.epochs().stream().mapToDouble(History.Epoch::rate).toArray(),
          1e-15);
      assertEquals(
          "foo_loss did not become better than 5.000, that of epoch 1, for 3 epochs",
          history.ended());
    }
  }

  @Test
  void theFirstEpochOfANewRateTellsIt() {
    StringWriter text = new StringWriter();
    try (Device device = Device.cpu();
        Script script = new Script(device, null, 5)) {
      script
          .trainer
          .optimizer(Sgd.rate(1e-3))
          .listener(ConsoleListener.lines(new PrintWriter(text)))
          .listener(LOWEST.patience(2))
          .fit(DATA, 4);
    }
    List<String> lines = text.toString().lines().toList();
    assertTrue(lines.get(2).endsWith("samples/s"), lines::toString);
    assertTrue(lines.get(3).endsWith("; learning rate 0.000100"), lines::toString);
  }

  @Test
  void aMetricThatIsNotMeasuredIsRefusedBeforeTheFirstStep() {
    try (Device device = Device.cpu();
        Script script = new Script(device, null, 5)) {
      script.trainer.listener(OnPlateau.lowest("val_loss"));
      assertEquals(
          "a lower rate on a plateau watches 'val_loss', which is not measured: there is loss,"
              + " foo_loss",
          assertThrows(IllegalArgumentException.class, () -> script.trainer.fit(DATA, 1))
              .getMessage());
      assertEquals(Position.START, script.trainer.position());
    }
  }

  @Test
  void settingsThatAreNoneAreRefused() {
    Map<String, Supplier<OnPlateau>> none =
        Map.of(
            "patience is a number of epochs from 0 on, not -1",
            () -> LOWEST.patience(-1),
            "a cooldown is a number of epochs from 0 on, not -1",
            () -> LOWEST.cooldown(-1),
            "a factor that lowers the rate is in (0, 1), not 1.0",
            () -> LOWEST.factor(1),
            "a minimum change must be finite and at least 0, not NaN",
            () -> LOWEST.minChange(Double.NaN),
            "a least learning rate must be finite and at least 0, not -1.0",
            () -> LOWEST.atLeast(-1));
    none.forEach(
        (said, each) ->
            assertEquals(
                said, assertThrows(IllegalArgumentException.class, each::get).getMessage()));
  }
}
