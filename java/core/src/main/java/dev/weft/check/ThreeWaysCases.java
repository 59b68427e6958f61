// SPDX-License-Identifier: Apache-2.0
package dev.weft.check;

import static dev.weft.check.PlainMatrix.oneHot;

import dev.weft.Operations;
import dev.weft.Shape;
import dev.weft.Tensor;
import dev.weft.TensorFunction;
import java.util.Arrays;
import java.util.List;

/**
 * Functions that lectures differentiate by hand: scalar ones, a neuron, losses, two-layer networks.
 * Rows are examples, n of them; p is the softmax of a row, e its one-hot label, ∘ goes element by
 * element, and 1ᵀ adds up rows.
 */
public final class ThreeWaysCases {
  private static final int N = 4;
  private static final int IN = 3;
  private static final int HIDDEN = 5;
  private static final int OUT = 3;
  private static final long SEED = 1;

  /** The mask of this seed at rate 0.3 keeps the first and the third of three elements. */
  static final long KEPT_DROPPED_KEPT = 3;

  private ThreeWaysCases() {}

  /** The functions whose gradients are found in three ways. */
  public static List<ThreeWays> all() {
    return List.of(
        scalars(
            "(x + y) x y²",
            "(2xy² + y³, 2x²y + 3xy²)",
            (t, in) -> t.multiply(t.multiply(t.add(in[0], in[1]), in[0]), t.square(in[1])),
            v -> {
              double x = v[0][0];
              double y = v[1][0];
              return new double[][] {{2 * x * y * y + y * y * y}, {2 * x * x * y + 3 * x * y * y}};
            },
            1,
            2),
        scalars(
            "(x + y) z",
            "(z, z, x + y)",
            (t, in) -> t.multiply(t.add(in[0], in[1]), in[2]),
            v -> new double[][] {v[2], v[2], {v[0][0] + v[1][0]}},
            -2,
            5,
            -4),
        scalars(
            "c (a + 2b)",
            "(c, 2c, a + 2b)",
            (t, in) -> t.multiply(in[2], t.add(in[0], t.scale(in[1], 2))),
            v -> new double[][] {v[2], {2 * v[2][0]}, {v[0][0] + 2 * v[1][0]}},
            3,
            1,
            -2),
        scalars(
            "y⁴ x⁵",
            "(5x⁴y⁴, 4y³x⁵)",
            (t, in) -> t.multiply(t.pow(in[1], 4), t.pow(in[0], 5)),
            v -> {
              double x = v[0][0];
              double y = v[1][0];
              return new double[][] {
                {5 * Math.pow(x, 4) * Math.pow(y, 4)}, {4 * Math.pow(y, 3) * Math.pow(x, 5)}
              };
            },
            1.5,
            -0.5),
        scalars(
            "(x + 3)² + 4x²",
            "10x + 6",
            (t, in) -> t.add(t.square(t.shift(in[0], 3)), t.scale(t.square(in[0]), 4)),
            v -> new double[][] {{10 * v[0][0] + 6}},
            0.7),
        neuron(),
        logisticRegression(),
        linearSoftmax(),
        maxMargin(),
        reluNetwork(),
        sigmoidNetwork(),
        dropout());
  }

  private static ThreeWays scalars(
      String name, String formula, TensorFunction function, ThreeWays.ByHand byHand, double... at) {
    List<Input> inputs = Arrays.stream(at).mapToObj(x -> Input.of(Shape.of(), x)).toList();
    return new ThreeWays(name, formula, function, inputs, byHand, SEED);
  }

  private static double sigmoid(double z) {
    return 1 / (1 + Math.exp(-z));
  }

  /** factor (x, w, 1) of a neuron with two inputs: the gradients for w, x and b. */
  private static double[][] ofNeuron(double factor, double[][] in) {
    return new double[][] {
      {factor * in[1][0], factor * in[1][1]}, {factor * in[0][0], factor * in[0][1]}, {factor}
    };
  }

  private static double weighted(double[][] in) {
    return in[0][0] * in[1][0] + in[0][1] * in[1][1] + in[2][0];
  }

  private static Tensor weighted(Operations t, Tensor[] in) {
    return t.add(t.sum(t.multiply(in[0], in[1])), in[2]);
  }

  private static ThreeWays neuron() {
    return new ThreeWays(
        "neuron: a = σ(w·x + b)",
        "a (1 - a) (x, w, 1)",
        (t, in) -> t.sigmoid(weighted(t, in)),
        List.of(Input.of(2, -3), Input.of(-1, -2), Input.of(Shape.of(), -3)),
        in -> {
          double a = sigmoid(weighted(in));
          return ofNeuron(a * (1 - a), in);
        },
        SEED);
  }

  /** x = (3, 2) of class 1, from zeros: the gradient is (-1.5, -1) and -0.5. */
  private static ThreeWays logisticRegression() {
    return new ThreeWays(
        "logistic regression: -log a, a = σ(w·x + b)",
        "(a - 1) (x, w, 1)",
        (t, in) -> t.negate(t.log(t.sigmoid(weighted(t, in)))),
        List.of(Input.of(0, 0), Input.of(3, 2), Input.of(Shape.of(), 0)),
        in -> ofNeuron(sigmoid(weighted(in)) - 1, in),
        SEED);
  }

  /** A layer in plain Java, from inputs x, W and b. */
  private static PlainMatrix linear(PlainMatrix x, double[] w, int out, double[] b) {
    return x.times(new PlainMatrix(x.cols(), out, w)).plus(b);
  }

  /** The gradients for x, W and b of s = x W + b. */
  private static double[][] ofLinear(PlainMatrix x, double[] w, PlainMatrix ds) {
    PlainMatrix transposed = new PlainMatrix(x.cols(), ds.cols(), w).transposed();
    return new double[][] {
      ds.times(transposed).values(), x.transposed().times(ds).values(), ds.columnSums()
    };
  }

  private static PlainMatrix features(double[][] in) {
    return new PlainMatrix(N, IN, in[0]);
  }

  private static PlainMatrix ofSoftmaxLoss(PlainMatrix s, double[] labels) {
    return s.softmax().minus(oneHot(labels, OUT)).map(v -> v / N);
  }

  private static ThreeWays linearSoftmax() {
    return new ThreeWays(
        "linear, softmax loss: s = xW + b",
        "ds = (p - e)/n; dx = ds Wᵀ, dW = xᵀ ds, db = 1ᵀ ds",
        (t, in) -> t.softmaxCrossEntropy(t.add(t.matmul(in[0], in[1]), in[2]), in[3]),
        List.of(
            Input.randomNormal(N, IN),
            Input.randomNormal(IN, OUT),
            Input.randomNormal(OUT),
            Input.integers(OUT, N)),
        in -> {
          PlainMatrix s = linear(features(in), in[1], OUT, in[2]);
          double[][] given = ofLinear(features(in), in[1], ofSoftmaxLoss(s, in[3]));
          return new double[][] {given[0], given[1], given[2], {}};
        },
        SEED);
  }

  private static ThreeWays maxMargin() {
    return new ThreeWays(
        "linear, max-margin: 1/n Σ max(0, s - s_y + 1)",
        "ds = m/n, at y -Σm/n, m = 1 where s - s_y + 1 > 0; dx, dW, db as above",
        (t, in) -> t.multiClassHinge(t.add(t.matmul(in[0], in[1]), in[2]), in[3], 1),
        List.of(
            Input.randomNormal(N, IN),
            Input.randomNormal(IN, OUT),
            Input.randomNormal(OUT),
            Input.integers(Shape.of(N), 0, 2, 1, 0)),
        in -> {
          PlainMatrix s = linear(features(in), in[1], OUT, in[2]);
          PlainMatrix hot = oneHot(in[3], OUT);
          double[] right = s.with(hot).rowSums();
          double[] ds = new double[N * OUT];
          for (int i = 0; i < N * OUT; i++) {
            int row = i / OUT;
            if (hot.values()[i] == 0 && s.values()[i] - right[row] + 1 > 0) {
              ds[i] += 1.0 / N;
              for (int k = 0; k < OUT; k++) {
                ds[row * OUT + k] -= hot.at(row, k) / N;
              }
            }
          }
          double[][] given = ofLinear(features(in), in[1], new PlainMatrix(N, OUT, ds));
          return new double[][] {given[0], given[1], given[2], {}};
        },
        SEED);
  }

  private static ThreeWays reluNetwork() {
    return new ThreeWays(
        "two layers, ReLU, softmax loss: h = max(0, z), z = xW + b, s = hV + c",
        "ds = (p - e)/n, dV = hᵀ ds, dc = 1ᵀ ds; dz = ds Vᵀ ∘ (z > 0), dx, dW, db of it",
        (t, in) -> {
          Tensor h = t.relu(t.add(t.matmul(in[0], in[1]), in[2]));
          return t.softmaxCrossEntropy(t.add(t.matmul(h, in[3]), in[4]), in[5]);
        },
        List.of(
            Input.randomNormal(N, IN),
            Input.randomNormal(IN, HIDDEN),
            Input.randomNormal(HIDDEN),
            Input.randomNormal(HIDDEN, OUT),
            Input.randomNormal(OUT),
            Input.integers(OUT, N)),
        in -> {
          PlainMatrix z = linear(features(in), in[1], HIDDEN, in[2]);
          PlainMatrix h = z.map(v -> Math.max(0, v));
          PlainMatrix ds = ofSoftmaxLoss(linear(h, in[3], OUT, in[4]), in[5]);
          double[][] second = ofLinear(h, in[3], ds);
          PlainMatrix dh = new PlainMatrix(N, HIDDEN, second[0]);
          double[][] first = ofLinear(features(in), in[1], dh.with(z.map(v -> v > 0 ? 1 : 0)));
          return new double[][] {first[0], first[1], first[2], second[1], second[2], {}};
        },
        SEED);
  }

  private static ThreeWays sigmoidNetwork() {
    return new ThreeWays(
        "two layers, sigmoid, squares: h = σ(xW + b), s = hV + c, Σ (s - y)²",
        "ds = 2(s - y), dy = -ds; dz = ds Vᵀ ∘ h (1 - h), the rest as above",
        (t, in) -> {
          Tensor h = t.sigmoid(t.add(t.matmul(in[0], in[1]), in[2]));
          return t.sumOfSquares(t.add(t.matmul(h, in[3]), in[4]), in[5]);
        },
        List.of(
            Input.randomNormal(N, IN),
            Input.randomNormal(IN, HIDDEN),
            Input.randomNormal(HIDDEN),
            Input.randomNormal(HIDDEN, OUT),
            Input.randomNormal(OUT),
            Input.randomNormal(N, OUT)),
        in -> {
          PlainMatrix h = linear(features(in), in[1], HIDDEN, in[2]).map(ThreeWaysCases::sigmoid);
          PlainMatrix s = linear(h, in[3], OUT, in[4]);
          PlainMatrix ds = s.minus(new PlainMatrix(N, OUT, in[5])).map(v -> 2 * v);
          double[][] second = ofLinear(h, in[3], ds);
          PlainMatrix dh = new PlainMatrix(N, HIDDEN, second[0]);
          double[][] first = ofLinear(features(in), in[1], dh.with(h.map(a -> a * (1 - a))));
          double[] dy = ds.map(v -> -v).values();
          return new double[][] {first[0], first[1], first[2], second[1], second[2], dy};
        },
        SEED);
  }

  private static ThreeWays dropout() {
    return new ThreeWays(
        "dropout, 0.3, kept, dropped, kept: Σ wᵢ dropout(u)ᵢ",
        "(w₁/0.7, 0, w₃/0.7), (u₁/0.7, 0, u₃/0.7)",
        (t, in) -> t.sum(t.multiply(in[1], t.dropout(in[0], 0.3))),
        List.of(Input.of(5, 6, 7), Input.of(1, -2, 3)),
        in ->
            new double[][] {
              {in[1][0] / 0.7, 0, in[1][2] / 0.7}, {in[0][0] / 0.7, 0, in[0][2] / 0.7}
            },
        KEPT_DROPPED_KEPT);
  }
}
