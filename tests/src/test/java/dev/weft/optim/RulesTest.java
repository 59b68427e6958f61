// SPDX-License-Identifier: Apache-2.0
package dev.weft.optim;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weft.DType;
import dev.weft.Device;
import dev.weft.MathMode;
import dev.weft.Shape;
import dev.weft.StepState;
import dev.weft.Tape;
import dev.weft.Tensor;
import dev.weft.nn.Embedding;
import dev.weft.nn.Network;
import dev.weft.nn.Sequential;
import dev.weft.support.OnEachDevice;
import dev.weft.support.OnEachDevice.Place;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/**
 * Every rule with its settings beside PyTorch's, NAdam and Lion beside their formulas in numpy: 20
 * steps whose gradients and results {@code rules.py} wrote, over an arena and over a table's rows;
 * and what a table's lazy step is.
 */
class RulesTest {
  private static final Path FILE =
      Path.of(System.getProperty("weft.root")).resolve("tests/src/test/resources/optim/rules.txt");
  private static final Map<String, double[]> NUMBERS = numbers();
  private static final int N = of("values").length;
  private static final int STEPS = of("gradients").length / N;
  private static final double NEAR = 1e-10;

  private static final Map<String, KernelRule<?>> RULES =
      Map.ofEntries(
          Map.entry("sgd", Sgd.rate(0.05).l2(0.01)),
          Map.entry("momentum", Sgd.rate(0.05).momentum(0.9).l2(0.01)),
          Map.entry("nesterov", Sgd.rate(0.05).momentum(0.9).nesterov()),
          Map.entry("adam", Adam.rate(0.01).betas(0.8, 0.99).l2(0.1)),
          Map.entry("amsgrad", Adam.rate(0.01).betas(0.9, 0.9).amsgrad()),
          Map.entry("adamw", Adam.rate(0.01).weightDecay(0.1)),
          Map.entry("adamw_amsgrad", Adam.rate(0.01).betas(0.9, 0.9).amsgrad().weightDecay(0.1)),
          Map.entry("nadam", NAdam.rate(0.002)),
          Map.entry(
              "nadam_settings",
              NAdam.rate(0.01).betas(0.8, 0.99).epsilon(1e-6).momentumDecay(0.3).l2(0.1)),
          Map.entry("adagrad", Adagrad.rate(0.01)),
          Map.entry(
              "adagrad_settings",
              Adagrad.rate(0.1).rateDecay(0.1).initial(0.2).epsilon(1e-6).l2(0.1)),
          Map.entry("rmsprop", RmsProp.rate(0.01)),
          Map.entry("rmsprop_momentum", RmsProp.rate(0.01).alpha(0.9).momentum(0.8).l2(0.1)),
          Map.entry("rmsprop_centred", RmsProp.rate(0.01).alpha(0.9).centred()),
          Map.entry(
              "rmsprop_all",
              RmsProp.rate(0.01).alpha(0.9).epsilon(1e-6).momentum(0.8).centred().l2(0.1)),
          Map.entry("adadelta", Adadelta.rate(1)),
          Map.entry("adadelta_settings", Adadelta.rate(0.5).rho(0.8).epsilon(1e-4).l2(0.1)),
          Map.entry("lion", Lion.rate(1e-4)),
          Map.entry("lion_settings", Lion.rate(0.01).betas(0.8, 0.95).weightDecay(0.1)));

  private static Map<String, double[]> numbers() {
    Map<String, double[]> numbers = new HashMap<>();
    try {
      for (String line : Files.readAllLines(FILE)) {
        String[] words = line.split(" ");
        numbers.put(
            words[0],
            Arrays.stream(words)
                .skip(1)
                .filter(word -> !words[0].equals("#"))
                .mapToDouble(Double::parseDouble)
                .toArray());
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return numbers;
  }

  private static double[] of(String name) {
    return Objects.requireNonNull(NUMBERS.get(name), name);
  }

  private static double[] gradient(int step) {
    return Arrays.copyOfRange(of("gradients"), step * N, (step + 1) * N);
  }

  /** What the learning rate and the factor of momentum are in a step. */
  private interface Rates {
    double[] of(int step);
  }

  private static double[] dense(Device device, KernelRule<?> rule, DType dtype, Rates rates) {
    try (StepState state = new StepState(device, 0);
        Tensor values = device.tensor(dtype, Shape.of(N), of("values"));
        Tensor gradients = device.zeros(dtype, Shape.of(N));
        RunningRule running = rule.start(values, gradients)) {
      for (int step = 0; step < STEPS; step++) {
        double[] now = rates.of(step);
        state.set(0, step, step, 0, now[0], now[1], 1);
        gradients.copyFrom(gradient(step));
        running.step(state);
      }
      return values.toDoubles();
    }
  }

  /** Adds up the products of some rows of a table and their gradients, and steps. */
  private static void step(Stepper stepper, Network network, int[] rows, double[] gradient) {
    Tensor table = network.named().get("0.table").tensor();
    try (Tape tape = stepper.tape();
        Tensor ids = tape.device().tensor(rows);
        Tensor g =
            tape.device()
                .tensor(table.dtype(), Shape.of(rows.length, table.shape().size(1)), gradient)) {
      tape.backward(tape.sum(tape.multiply(tape.gather(table, ids), g)));
      stepper.step();
    }
  }

  private static double[] rows(Device device, KernelRule<?> rule) {
    try (Network network =
            Network.over(Sequential.of(new Embedding(N, 1))).on(device, MathMode.DOUBLE);
        Stepper stepper = rule.stepper(network)) {
      network.named().get("0.table").tensor().copyFrom(of("values"));
      int[] ids = IntStream.range(0, N).map(i -> i * 7 % N).toArray();
      for (int step = 0; step < STEPS; step++) {
        double[] g = gradient(step);
        step(stepper, network, ids, Arrays.stream(ids).mapToDouble(i -> g[i]).toArray());
      }
      return network.named().get("0.table").tensor().toDoubles();
    }
  }

  private static double distance(double[] x, double[] y) {
    return IntStream.range(0, N).mapToDouble(i -> Math.abs(x[i] - y[i])).max().orElseThrow();
  }

  @OnEachDevice
  void everyRuleAgreesWithPyTorchOrItsFormula(Place place) {
    try (Device device = place.open()) {
      RULES.forEach(
          (name, rule) -> {
            Rates constant = step -> new double[] {rule.rate(), 1};
            double[] expected = of(name);
            assertTrue(distance(expected, of("values")) > 1e-4, name + " moves");
            double dense = distance(expected, dense(device, rule, DType.F64, constant));
            assertTrue(dense < NEAR, () -> name + ": " + dense);
            double rows = distance(expected, rows(device, rule));
            assertTrue(rows < NEAR, () -> name + " of rows: " + rows);
            double single = distance(expected, dense(device, rule, DType.F32, constant));
            assertTrue(single < 2e-5, () -> name + " in float32: " + single);
          });
    }
  }

  /** Every array of the file is a rule's, or stands for one with a schedule. */
  @Test
  void everyResultIsCompared() {
    List<String> others =
        List.of("#", "values", "gradients", "adam_scheduled", "momentum_scheduled");
    NUMBERS.keySet().stream()
        .filter(name -> !others.contains(name))
        .forEach(name -> assertTrue(RULES.containsKey(name), name));
  }

  /** beta1 and rate as OneCycleLR moves them; momentum. */
  @OnEachDevice
  void momentumFollowsItsFactor(Place place) {
    Rates cycle = step -> new double[] {0.01 * (1 + step % 5), 1 - 0.05 * (step % 4)};
    Rates momenta = step -> new double[] {0.05, 1 - 0.05 * (step % 4)};
    try (Device device = place.open()) {
      double[] adam = dense(device, Adam.rate(0.01), DType.F64, cycle);
      assertTrue(distance(of("adam_scheduled"), adam) < NEAR);
      double[] sgd = dense(device, Sgd.rate(0.05).momentum(0.9), DType.F64, momenta);
      assertTrue(distance(of("momentum_scheduled"), sgd) < NEAR);
      Rates unmoved = step -> new double[] {0.01 * (1 + step % 5), 1};
      double[] other = dense(device, Adam.rate(0.01), DType.F64, unmoved);
      assertTrue(distance(of("adam_scheduled"), other) > 1e-4);
    }
  }

  /** Each setting matters by far more than what is allowed. */
  @Test
  void anotherSettingFails() {
    Map<String, KernelRule<?>> others =
        Map.ofEntries(
            Map.entry("momentum", Sgd.rate(0.05).momentum(0.9001).l2(0.01)),
            Map.entry("nesterov", Sgd.rate(0.05).momentum(0.9)),
            Map.entry("amsgrad", Adam.rate(0.01).betas(0.9, 0.9)),
            Map.entry("adamw", Adam.rate(0.01).l2(0.1)),
            Map.entry("nadam", NAdam.rate(0.002).momentumDecay(5e-3)),
            Map.entry("adagrad", Adagrad.rate(0.01).initial(0.001)),
            Map.entry("adagrad_settings", Adagrad.rate(0.1).initial(0.2).epsilon(1e-6).l2(0.1)),
            Map.entry("rmsprop", RmsProp.rate(0.01).alpha(0.989)),
            Map.entry("rmsprop_momentum", RmsProp.rate(0.01).alpha(0.9).l2(0.1)),
            Map.entry("rmsprop_centred", RmsProp.rate(0.01).alpha(0.9)),
            Map.entry("adadelta", Adadelta.rate(1).epsilon(2e-6)),
            Map.entry("lion_settings", Lion.rate(0.01).betas(0.8, 0.9).weightDecay(0.1)));
    try (Device cpu = Device.cpu()) {
      others.forEach(
          (name, rule) -> {
            double[] values = dense(cpu, rule, DType.F64, step -> new double[] {rule.rate(), 1});
            assertTrue(distance(of(name), values) > 1e-7, name);
          });
    }
  }

  /**
   * A row of a table steps as it would by itself, in the steps that use it, whose number counts all
   * updates; the others keep their bits.
   */
  @OnEachDevice
  void aRowStepsInTheStepsThatUseIt(Place place) {
    final int count = 5;
    final int width = 3;
    int[][] used = {{0, 1, 3}, {1}, {3, 0}, {1, 4, 0}, {}, {3}, {0, 1}};
    try (Device device = place.open()) {
      RULES.forEach(
          (name, rule) -> {
            KernelRule<?> penalised = rule.weightDecay(0.05).l1(0.01);
            Random random = new Random(5);
            double[] start = random.doubles(count * width, -1, 1).toArray();
            try (Network network =
                    Network.over(Sequential.of(new Embedding(count, width)))
                        .on(device, MathMode.DOUBLE);
                Stepper stepper = penalised.stepper(network)) {
              Tensor table = network.named().get("0.table").tensor();
              table.copyFrom(start);
              double[][] gradients = new double[used.length][];
              for (int t = 0; t < used.length; t++) {
                gradients[t] = random.doubles((long) used[t].length * width, -1, 1).toArray();
                if (used[t].length > 0) {
                  step(stepper, network, used[t], gradients[t]);
                } else { // a step of a row that is not there: an update all the same
                  step(stepper, network, new int[] {-1}, new double[width]);
                }
              }
              double[] values = table.toDoubles();
              for (int row = 0; row < count; row++) {
                double[] expected = alone(device, penalised, start, row, used, gradients);
                double[] actual = Arrays.copyOfRange(values, row * width, (row + 1) * width);
                assertArrayEquals(expected, actual, row == 2 ? 0 : 1e-14, name + ", row " + row);
              }
            }
          });
    }
  }

  private static double[] alone(
      Device device,
      KernelRule<?> rule,
      double[] start,
      int row,
      int[][] used,
      double[][] gradients) {
    int width = 3;
    double[] own = Arrays.copyOfRange(start, row * width, (row + 1) * width);
    try (StepState state = new StepState(device, 0);
        Tensor values = device.tensor(DType.F64, own);
        Tensor gradient = device.zeros(DType.F64, Shape.of(width));
        RunningRule running = rule.start(values, gradient)) {
      for (int t = 0; t < used.length; t++) {
        for (int k = 0; k < used[t].length; k++) {
          if (used[t][k] == row) {
            gradient.copyFrom(Arrays.copyOfRange(gradients[t], k * width, (k + 1) * width));
            state.set(0, t, t, 0, rule.rate());
            running.step(state);
          }
        }
      }
      return values.toDoubles();
    }
  }

  /** By the formula, in double: also where its momentum is nearly all of beta1, and after long. */
  @OnEachDevice
  void nAdamsProductOfMomentaIsThatOfAllUpdates(Place place) {
    try (Device device = place.open();
        StepState state = new StepState(device, 0);
        Tensor values = device.zeros(DType.F64, Shape.of(1));
        Tensor gradient = device.full(DType.F64, Shape.of(1), 1)) {
      for (double fade : new double[] {0, 4e-3, 0.3, 20}) {
        for (double beta : new double[] {0, 0.9, 0.9999}) {
          for (int t : new int[] {1, 2, 70, 5000}) {
            values.fill(0);
            try (RunningRule rule =
                NAdam.rate(1).betas(beta, 0.999).momentumDecay(fade).start(values, gradient)) {
              state.set(0, 0, t - 1, 0, 1);
              rule.step(state);
            }
            double product =
                IntStream.rangeClosed(1, t)
                    .mapToDouble(i -> grown(beta, fade, i))
                    .reduce(1, (a, b) -> a * b);
            double next = grown(beta, fade, t + 1);
            double step =
                (1 - grown(beta, fade, t)) / (1 - product)
                    + (1 - beta) * next / (1 - product * next);
            double root = Math.sqrt(0.001 / (1 - Math.pow(0.999, t))) + 1e-8;
            assertEquals(
                -step / root,
                values.toDoubles()[0],
                1e-10 * step / root,
                "momentum decay " + fade + ", beta1 " + beta + ", update " + t);
          }
        }
      }
    }
  }

  private static double grown(double beta, double fade, int t) {
    return beta * (1 - 0.5 * Math.pow(0.96, t * fade));
  }

  @Test
  void settingsThatAreNoneAreRefusedByName() {
    refused("learning rate", () -> Lion.rate(-1));
    refused("beta1", () -> Lion.rate(1).betas(1, 0.9));
    refused("beta2", () -> NAdam.rate(1).betas(0.9, 1));
    refused("momentum decay", () -> NAdam.rate(1).momentumDecay(-1));
    refused("alpha", () -> RmsProp.rate(1).alpha(1));
    refused("momentum", () -> RmsProp.rate(1).momentum(1));
    refused("rho", () -> Adadelta.rate(1).rho(1));
    refused("epsilon", () -> Adadelta.rate(1).epsilon(-1));
    refused("rate decay", () -> Adagrad.rate(1).rateDecay(Double.NaN));
    refused("initial sum of squares", () -> Adagrad.rate(1).initial(-0.1));
    refused("weight decay", () -> Adagrad.rate(1).weightDecay(-1));
    refused("l1", () -> Sgd.rate(1).l1(-1));
    refused("l2", () -> Adam.rate(1).l2(Double.POSITIVE_INFINITY));
  }

  private static void refused(String words, Supplier<?> made) {
    var thrown = assertThrows(IllegalArgumentException.class, made::get);
    assertTrue(thrown.getMessage().contains(words), thrown.getMessage());
  }

  /** What a rule is called in files and on the command line. */
  @Test
  void rulesAreNamed() {
    assertEquals("amsgrad", Adam.rate(1).amsgrad().weightDecay(0.1).spec());
    assertEquals("adamw", Adam.rate(1).weightDecay(0.1).spec());
    assertEquals("nadam", NAdam.rate(1).spec());
    assertEquals("rmsprop", RmsProp.rate(1).centred().spec());
    assertEquals(
        List.of("scaled_velocity", "squares", "centre"),
        RmsProp.rate(1).momentum(0.5).centred().memory());
    assertEquals(List.of("sum"), Adagrad.rate(1).memory());
    assertEquals(List.of("first", "second", "largest"), Adam.rate(1).amsgrad().memory());
  }

  @Test
  void adagradsSumBeginsWhereItIsTold() {
    try (Device cpu = Device.cpu();
        Tensor values = cpu.zeros(DType.F32, Shape.of(3));
        Tensor gradients = cpu.zeros(DType.F32, Shape.of(3));
        RunningRule rule = Adagrad.rate(1).initial(0.5).start(values, gradients)) {
      assertArrayEquals(new double[] {0.5, 0.5, 0.5}, rule.memory().get("sum").toDoubles());
    }
  }
}
