// SPDX-License-Identifier: Apache-2.0
package dev.weft.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weft.Device;
import dev.weft.Inputs;
import dev.weft.MathMode;
import dev.weft.Operations;
import dev.weft.RowType;
import dev.weft.Tensor;
import dev.weft.data.Dataset;
import dev.weft.nn.Linear;
import dev.weft.nn.Loss;
import dev.weft.nn.MeanSquaredError;
import dev.weft.nn.Sequential;
import dev.weft.nn.SoftmaxCrossEntropy;
import dev.weft.optim.Schedule;
import dev.weft.optim.Sgd;
import dev.weft.support.NamedNumbers;
import java.util.Arrays;
import java.util.function.DoubleBinaryOperator;
import java.util.function.ToDoubleFunction;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Linear models by full-batch descent reach the coefficients that scikit-learn finds for the same
 * data, which {@code models.py} wrote beside its data. Penalties are of means over n rows:
 * scikit-learn's alpha and C are converted where a test names them.
 *
 * <p>This class is long because all models share the reading of that file, the fit and what counts
 * as agreement.
 */
class LinearModelsTest {
  private static final NamedNumbers NUMBERS = new NamedNumbers("linear/models.txt");
  private static final int REGRESSION = 60;
  private static final int BINARY = 80;
  private static final int CLASSES = 90;
  private static final double C = 0.5;
  private static final double SVM_C = 0.1;

  /** Arithmetic, and how near the largest coefficient the others come, relative to it. */
  enum In {
    FLOAT64(MathMode.DOUBLE, 1e-9),
    FLOAT32(MathMode.STRICT, 1e-6);

    private final MathMode math;
    private final double tolerance;

    In(MathMode math, double tolerance) {
      this.math = math;
      this.tolerance = tolerance;
    }
  }

  private static double[] of(String name) {
    return NUMBERS.of(name);
  }

  private static double[][] rows(String name, int rows) {
    double[] all = of(name);
    int width = all.length / rows;
    double[][] matrix = new double[rows][];
    for (int i = 0; i < rows; i++) {
      matrix[i] = Arrays.copyOfRange(all, i * width, (i + 1) * width);
    }
    return matrix;
  }

  private static Dataset regression() {
    return Dataset.of(rows("regression.x", REGRESSION), of("regression.y"));
  }

  private static Dataset labelled(String set, int rows) {
    int[] labels = Arrays.stream(of(set + ".y")).mapToInt(y -> (int) y).toArray();
    return Dataset.of(rows(set + ".x", rows), labels);
  }

  /** Coefficients (in, out), row by row, and intercepts. */
  private record Fitted(double[] weight, double[] bias) {}

  /** One rule for the weights, and the same without penalties for the biases. */
  private static Fitted fit(
      Sequential network, Dataset data, Loss loss, MathMode math, Sgd rule, int steps) {
    try (Device device = Device.cpu();
        network) {
      trainer(network, loss, rule)
          .on(device)
          .math(math)
          .group("0.bias", rule.l1(0).l2(0))
          .fit(data, steps);
      return fitted(network);
    }
  }

  private static Trainer trainer(Sequential network, Loss loss, Sgd rule) {
    return Trainer.of(network).loss(loss).metrics().batch(CLASSES).optimizer(rule);
  }

  private static Fitted fitted(Sequential network) {
    return new Fitted(
        network.named().get("0.weight").tensor().toDoubles(),
        network.named().get("0.bias").tensor().toDoubles());
  }

  private static void agrees(String model, Fitted fitted, double tolerance) {
    near(of(model + ".weight"), fitted.weight(), tolerance, model);
    near(of(model + ".bias"), fitted.bias(), tolerance, model + "'s intercept");
  }

  private static void near(double[] expected, double[] actual, double tolerance, String what) {
    double largest = Arrays.stream(expected).map(Math::abs).max().orElseThrow();
    double worst = 0;
    for (int i = 0; i < expected.length; i++) {
      worst = Math.max(worst, Math.abs(expected[i] - actual[i]) / largest);
    }
    String message = what + " is off by " + worst + " of its largest: " + Arrays.toString(actual);
    assertEquals(expected.length, actual.length, message);
    assertTrue(worst <= tolerance, message);
  }

  private static Fitted regress(Sgd rule, MathMode math, int steps) {
    return fit(
        Sequential.of(new Linear(6, 1)), regression(), new MeanSquaredError(), math, rule, steps);
  }

  private static Sgd descent(double rate) {
    return Sgd.rate(rate).momentum(0.9);
  }

  @ParameterizedTest
  @EnumSource
  void linearRegressionAgrees(In in) {
    agrees("linear", regress(descent(0.1), in.math, 800), in.tolerance);
  }

  /** MSE + alpha / n |w|². */
  @ParameterizedTest
  @EnumSource
  void ridgeAgrees(In in) {
    Sgd rule = descent(0.1).l2(2 * 5.0 / REGRESSION);
    agrees("ridge", regress(rule, in.math, 800), in.tolerance);
  }

  /** MSE + 2 alpha Σ |w|: with momentum, without it, which is ISTA, and as a moving average. */
  @ParameterizedTest
  @EnumSource
  void lassoAgreesAndItsZerosAreExact(In in) {
    double l1 = 2 * 0.3;
    for (Sgd rule : new Sgd[] {descent(0.1), descent(0.5).dampening(0.9), Sgd.rate(0.2)}) {
      Fitted fitted = regress(rule.l1(l1), in.math, 800);
      agrees("lasso", fitted, in.tolerance);
      for (int i = 0; i < 6; i++) {
        assertEquals(of("lasso.weight")[i] == 0, fitted.weight()[i] == 0, rule + ", weight " + i);
      }
    }
  }

  /** The intercept is as large as the data have it only where no penalty is on it. */
  @Test
  void aPenaltyOnTheInterceptIsAnotherModel() {
    try (Device device = Device.cpu();
        Sequential network = Sequential.of(new Linear(6, 1))) {
      trainer(network, new MeanSquaredError(), descent(0.1).l2(2 * 5.0 / REGRESSION))
          .on(device)
          .math(MathMode.DOUBLE)
          .fit(regression(), 800);
      assertThrows(AssertionError.class, () -> agrees("ridge", fitted(network), 1e-2));
    }
  }

  /** The penalty of a loss by hand: MSE + l1 Σ |w| + l2/2 |w|², w the weights of a layer. */
  private record Penalised(Linear layer, double l1, double l2) implements Loss {
    private static final MeanSquaredError ERROR = new MeanSquaredError();

    @Override
    public void check(RowType output, Inputs<RowType> data) {
      ERROR.check(output, data);
    }

    @Override
    public Tensor apply(Operations o, Tensor output, Inputs<Tensor> data) {
      Tensor w = layer.weight().tensor();
      Tensor penalty = o.add(o.scale(o.sum(o.abs(w)), l1), o.scale(o.squaredNorm(w), l2 / 2));
      return o.add(ERROR.apply(o, output, data), penalty);
    }
  }

  /** The same minimum; but where the rule rests at 0 the subgradient swings around it. */
  @Test
  void penaltiesInTheLossComeNearTheSame() {
    Linear layer = new Linear(6, 1);
    Loss ridge = new Penalised(layer, 0, 2 * 5.0 / REGRESSION);
    Sequential network = Sequential.of(layer);
    agrees("ridge", fit(network, regression(), ridge, MathMode.DOUBLE, descent(0.1), 800), 1e-9);
    Linear other = new Linear(6, 1);
    Loss lasso = new Penalised(other, 2 * 0.3, 0);
    Fitted fitted =
        fit(Sequential.of(other), regression(), lasso, MathMode.DOUBLE, Sgd.rate(0.001), 8000);
    agrees("lasso", fitted, 2e-3);
    assertTrue(Arrays.stream(fitted.weight()).noneMatch(w -> w == 0), "no weight is exactly 0");
  }

  /** Two classes by softmax: w = w_1 - w_0, whose penalty is half that of w_0 and w_1. */
  @ParameterizedTest
  @EnumSource
  void logisticRegressionAgrees(In in) {
    Fitted two =
        fit(
            Sequential.of(new Linear(4, 2)),
            labelled("binary", BINARY),
            new SoftmaxCrossEntropy(),
            in.math,
            descent(0.5).l2(2 / (C * BINARY)),
            1500);
    double[] weight = new double[4];
    for (int i = 0; i < 4; i++) {
      weight[i] = two.weight()[2 * i + 1] - two.weight()[2 * i];
    }
    double[] bias = {two.bias()[1] - two.bias()[0]};
    agrees("logistic", new Fitted(weight, bias), in.tolerance);
  }

  /** scikit-learn has a row a class; its intercepts, which one number may be added to, sum to 0. */
  @ParameterizedTest
  @EnumSource
  void softmaxRegressionAgrees(In in) {
    Fitted fitted =
        fit(
            Sequential.of(new Linear(3, 3)),
            labelled("classes", CLASSES),
            new SoftmaxCrossEntropy(),
            in.math,
            descent(0.5).l2(1 / (C * CLASSES)),
            1500);
    double[] weight = new double[9];
    for (int i = 0; i < 9; i++) {
      weight[i] = fitted.weight()[i % 3 * 3 + i / 3];
    }
    double mean = Arrays.stream(fitted.bias()).average().orElseThrow();
    double[] bias = Arrays.stream(fitted.bias()).map(b -> b - mean).toArray();
    agrees("softmax", new Fitted(weight, bias), in.tolerance);
  }

  /** A loss an element, of what the network gives and what it should be; its mean. */
  private record Mean(Elementwise loss) implements Loss {
    private interface Elementwise {
      Tensor of(Operations o, Tensor y, Tensor t);
    }

    @Override
    public void check(RowType output, Inputs<RowType> data) {
      data.get(Inputs.TARGETS);
    }

    @Override
    public Tensor apply(Operations o, Tensor output, Inputs<Tensor> data) {
      return o.mean(loss.of(o, output, data.get(Inputs.TARGETS)));
    }
  }

  /** max(0, 1 - t y), t -1 or 1. */
  private static Tensor hinge(Operations o, Tensor y, Tensor t) {
    return o.relu(o.shift(o.negate(o.multiply(t, y)), 1));
  }

  private static Tensor squaredHinge(Operations o, Tensor y, Tensor t) {
    return o.square(hinge(o, y, t));
  }

  /** max(0, |y - t| - 0.25). */
  private static Tensor insensitive(Operations o, Tensor y, Tensor t) {
    return o.relu(o.shift(o.abs(o.subtract(y, t)), -0.25));
  }

  /** -t log σ(y) - (1 - t) log(1 - σ(y)). */
  private static Tensor logistic(Operations o, Tensor y, Tensor t) {
    return o.subtract(o.softplus(y), o.multiply(y, t));
  }

  private static Dataset binary(double first, double second) {
    double[] targets = Arrays.stream(of("binary.y")).map(y -> y == 0 ? first : second).toArray();
    return Dataset.of(rows("binary.x", BINARY), targets);
  }

  @ParameterizedTest
  @EnumSource
  void logisticRegressionOfOneOutputAgrees(In in) {
    Fitted fitted =
        fit(
            Sequential.of(new Linear(4, 1)),
            binary(0, 1),
            new Mean(LinearModelsTest::logistic),
            in.math,
            descent(0.5).l2(1 / (C * BINARY)),
            1500);
    agrees("logistic", fitted, in.tolerance);
  }

  /** One rule for weights and bias: these models penalise the intercept. */
  private static Fitted fitAll(Dataset data, Loss loss, Sgd rule, Schedule schedule, int steps) {
    int width = (int) data.column(Inputs.FEATURES).shape().size(0);
    try (Device device = Device.cpu();
        Sequential network = Sequential.of(new Linear(width, 1))) {
      trainer(network, loss, rule)
          .on(device)
          .math(MathMode.DOUBLE)
          .schedule(schedule)
          .fit(data, steps);
      return fitted(network);
    }
  }

  @Test
  void theSquaredHingeAgrees() {
    Sgd rule = descent(0.2).l2(1 / (SVM_C * BINARY));
    Loss loss = new Mean(LinearModelsTest::squaredHinge);
    agrees("squared_hinge", fitAll(binary(-1, 1), loss, rule, Schedule.CONSTANT, 800), 1e-9);
  }

  /**
   * Losses with a kink, whose subgradients do not vanish at the minimum: the rate falls as 1 /
   * update. The objective comes nearer than the coefficients.
   */
  private static void agreesByFallingRates(
      String model, Dataset data, Loss loss, double rows, ToDoubleFunction<Fitted> objective) {
    double l2 = 1 / (SVM_C * rows);
    Schedule falling = (update, epochs) -> 1 / (1 + update * l2);
    Fitted fitted = fitAll(data, loss, Sgd.rate(1).l2(l2), falling, 15_000);
    agrees(model, fitted, 1e-4);
    Fitted theirs = new Fitted(of(model + ".weight"), of(model + ".bias"));
    double least = objective.applyAsDouble(theirs);
    assertEquals(least, objective.applyAsDouble(fitted), 1e-6 * least, model + "'s objective");
    Fitted shrunk =
        new Fitted(Arrays.stream(fitted.weight).map(w -> 0.99 * w).toArray(), fitted.bias);
    assertTrue(objective.applyAsDouble(shrunk) > least * (1 + 1e-5), "another has another one");
  }

  /** The mean of a loss of score and target over rows, and the penalty. */
  private static double objective(
      Fitted fitted, double[][] x, double[] targets, DoubleBinaryOperator loss) {
    double[] scores = scores(fitted, x);
    double sum = 0;
    for (int i = 0; i < x.length; i++) {
      sum += loss.applyAsDouble(scores[i], targets[i]);
    }
    double squares = dot(fitted.weight, fitted.weight) + dot(fitted.bias, fitted.bias);
    return (sum + squares / (2 * SVM_C)) / x.length;
  }

  @Test
  void theHingeAgrees() {
    double[][] x = rows("binary.x", BINARY);
    double[] signs = Arrays.stream(of("binary.y")).map(y -> 2 * y - 1).toArray();
    agreesByFallingRates(
        "hinge",
        binary(-1, 1),
        new Mean(LinearModelsTest::hinge),
        BINARY,
        fitted -> objective(fitted, x, signs, (y, t) -> Math.max(0, 1 - t * y)));
  }

  @Test
  void theEpsilonInsensitiveLossAgrees() {
    double[][] x = rows("regression.x", REGRESSION);
    agreesByFallingRates(
        "svr",
        regression(),
        new Mean(LinearModelsTest::insensitive),
        REGRESSION,
        fitted ->
            objective(
                fitted, x, of("regression.y"), (y, t) -> Math.max(0, Math.abs(y - t) - 0.25)));
  }

  /** A network without activations is one linear map, W1 W2 with b1 W2 + b2. */
  @Test
  void layersWithoutActivationsAreOneLinearMap() {
    double[][] x = rows("regression.x", REGRESSION);
    try (Device device = Device.cpu();
        Sequential network = Sequential.of(new Linear(6, 4), new Linear(4, 1))) {
      Trainer trainer =
          Trainer.of(network)
              .on(device)
              .math(MathMode.DOUBLE)
              .loss(new MeanSquaredError())
              .batch(REGRESSION)
              .optimizer(descent(0.02));
      trainer.fit(regression(), 1);
      near(scores(network, x), scores(product(network), x), 1e-14, "the map before");
      trainer.fit(regression(), 1500);
      Fitted map = product(network);
      near(scores(network, x), scores(map, x), 1e-14, "the map after");
      agrees("linear", map, 1e-9);
    }
  }

  private static double[] scores(Sequential network, double[][] x) {
    return Arrays.stream(network.scores(x)).mapToDouble(row -> row[0]).toArray();
  }

  private static double[] scores(Fitted map, double[][] x) {
    return Arrays.stream(x).mapToDouble(row -> map.bias()[0] + dot(row, map.weight())).toArray();
  }

  private static double dot(double[] a, double[] b) {
    double sum = 0;
    for (int i = 0; i < a.length; i++) {
      sum += a[i] * b[i];
    }
    return sum;
  }

  private static Fitted product(Sequential network) {
    double[] first = network.named().get("0.weight").tensor().toDoubles();
    double[] second = network.named().get("1.weight").tensor().toDoubles();
    double[] weight = new double[6];
    for (int i = 0; i < 6; i++) {
      weight[i] = dot(Arrays.copyOfRange(first, 4 * i, 4 * i + 4), second);
    }
    double bias = network.named().get("1.bias").tensor().toDoubles()[0];
    return new Fitted(
        weight,
        new double[] {bias + dot(network.named().get("0.bias").tensor().toDoubles(), second)});
  }
}
