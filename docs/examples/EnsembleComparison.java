// SPDX-License-Identifier: Apache-2.0
// models: weft examples run ensemble-comparison
import dev.weft.Device;
import dev.weft.data.Digits;
import dev.weft.data.Split;
import dev.weft.nn.Ensemble;
import dev.weft.nn.Linear;
import dev.weft.nn.Network;
import dev.weft.nn.Sequential;
import dev.weft.train.Trainer;
import java.util.Arrays;
import java.util.HashMap;
import java.util.stream.IntStream;

/** Networks from five seeds, averaged in three ways: the predictions alone are worth it [2]. */
public class EnsembleComparison {
  private static final Split DIGITS = Digits.generate(3000, 7);

  private static Sequential hidden() {
    return Sequential.parse("linear(784,16) relu");
  }

  private static double accuracy(Network network) {
    int[] labels = DIGITS.test().targets().toInts();
    int[] classes = network.classes(DIGITS.test());
    return IntStream.range(0, 500).filter(row -> classes[row] == labels[row]).count() / 5.0;
  }

  public static void main(String[] args) {
    Network[] members = new Network[5];
    double alone = 0;
    var values = new HashMap<String, double[]>(); // means by name, and each member's hidden layer
    try (Device device = Device.cpu()) {
      for (int m = 0; m < 5; m++) {
        members[m] = Sequential.of(hidden(), new Linear(16, 10));
        Trainer.of(members[m]).on(device).seed(m).batch(32).fit(DIGITS.train(), 15);
        alone += accuracy(members[m]) / 5;
        for (String name : members[m].named().keySet()) {
          double[] w = members[m].named().get(name).tensor().toDoubles();
          values.put("0." + m + "." + name, w);
          double[] mean = values.computeIfAbsent(name, absent -> new double[w.length]);
          Arrays.setAll(mean, i -> mean[i] + w[i] / 5);
          values.put(name.replace("2.", "1."), mean); // the last layer behind an ensemble
        }
        members[m].off(); // its device, for the ensemble
      }
      Ensemble hidden = Ensemble.ofValues(hidden(), hidden(), hidden(), hidden(), hidden());
      Network units = Sequential.of(hidden, new Linear(16, 10)).on(device);
      Network weights = Sequential.of(hidden(), new Linear(16, 10)).on(device);
      Network predictions = Network.over(Ensemble.ofProbabilities(members)).on(device);
      units.named().forEach((name, w) -> w.tensor().copyFrom(values.get(name)));
      weights.named().forEach((name, w) -> w.tensor().copyFrom(values.get(name)));
      System.out.printf("one network  %5.1f %%%n", alone);
      System.out.printf("predictions  %5.1f %%%n", accuracy(predictions));
      System.out.printf("activations  %5.1f %%%n", accuracy(units));
      System.out.printf("weights      %5.1f %%%n", accuracy(weights));
    }
  }
}
