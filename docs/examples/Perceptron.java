// SPDX-License-Identifier: Apache-2.0
// models: weft examples run perceptron
import dev.weft.Device;
import dev.weft.Tape;
import dev.weft.Tensor;
import dev.weft.nn.Initializers;
import dev.weft.nn.Linear;
import dev.weft.nn.Sequential;
import dev.weft.optim.Sgd;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * Rosenblatt's perceptron learns AND, OR and NOT, but never more than 3 of 4 of XOR (lecture 0).
 */
public class Perceptron {
  private static final double[][] PAIRS = {{1, 0, 0}, {1, 0, 1}, {1, 1, 0}, {1, 1, 1}};

  public static void main(String[] args) {
    learn("AND", PAIRS, 0, 0, 0, 1); // the first input of each row is 1: its weight is the bias
    learn("OR", PAIRS, 0, 1, 1, 1);
    learn("NOT", new double[][] {{1, 0}, {1, 1}}, 1, 0);
    learn("XOR", PAIRS, 0, 1, 1, 0);
    System.out.println("XOR asks b <= 0, b + v > 0 and b + w > 0, so b + v + w > -b >= 0: a 1");
  }

  /** Learns by w += rate (t - o) x until the weights after an epoch were there before. */
  private static void learn(String name, double[][] x, int... t) {
    var unit = new Linear(x[0].length, 1, Initializers.zeros(), Linear.Bias.WITHOUT);
    try (Device device = Device.cpu();
        var network = Sequential.of(unit).on(device);
        var sgd = Sgd.rate(1).stepper(network)) {
      Tensor weight = unit.parameters().getFirst().tensor();
      String w = Arrays.toString(weight.toInts());
      Set<String> seen = new HashSet<>();
      System.out.print(name + ": " + w);
      while (seen.add(w)) {
        for (int i = 0; i < x.length; i++) {
          try (Tensor row = device.tensor(new double[][] {x[i]});
              Tape tape = sgd.tape()) {
            Tensor s = unit.forward(tape, row); // o is 1 where it is above 0
            tape.backward(tape.sum(tape.subtract(tape.relu(s), tape.scale(s, t[i]))));
            sgd.step(); // the gradient of relu(s) - t s is (o - t) x
          }
          String after = Arrays.toString(weight.toInts());
          System.out.print(after.equals(w) ? "" : " " + after);
          w = after;
        }
      }
      double[][] scores = network.scores(x);
      IntStream rows = IntStream.range(0, x.length);
      long right = rows.filter(i -> (scores[i][0] > 0 ? 1 : 0) == t[i]).count();
      System.out.printf("; %d of %d right%n", right, x.length);
    }
  }
}
