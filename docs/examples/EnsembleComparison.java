// SPDX-License-Identifier: Apache-2.0
// models: weft examples run ensemble-comparison
import dev.weft.Device;
import dev.weft.data.Digits;
import dev.weft.data.Split;
import dev.weft.nn.Activation;
import dev.weft.nn.Ensemble;
import dev.weft.nn.Linear;
import dev.weft.nn.Network;
import dev.weft.nn.Sequential;
import dev.weft.train.Trainer;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.stream.IntStream;

/** Networks from five seeds, averaged in three ways: the predictions alone are worth it [2]. */
public class EnsembleComparison {
  private static final Split DIGITS = Digits.generate(3000, 7);

  private static Sequential hidden() {
    return Sequential.of(new Linear(784, 32), Activation.RELU);
  }

  private static double accuracy(Network network) {
    int[] classes = network.classes(DIGITS.test());
    int[] labels = DIGITS.test().targets().toInts();
    long hits = IntStream.range(0, labels.length).filter(r -> classes[r] == labels[r]).count();
    return 100.0 * hits / labels.length;
  }

  private static Network filled(Network network, Map<String, double[]> values) {
    network.named().forEach((name, w) -> w.tensor().copyFrom(values.get(name)));
    return network;
  }

  public static void main(String[] args) {
    Network[] members = new Network[5];
    double[] alone = new double[5];
    Map<String, double[]> values = new HashMap<>(); // means by name, and each member's hidden layer
    try (Device device = Device.cpu()) {
      for (int m = 0; m < 5; m++) {
        members[m] = Sequential.of(hidden(), new Linear(32, 10));
        Trainer.of(members[m]).on(device).seed(m).batch(32).fit(DIGITS.train(), 10);
        alone[m] = accuracy(members[m]);
        for (String name : members[m].named().keySet()) {
          double[] w = members[m].named().get(name).tensor().toDoubles();
          values.put("0." + m + "." + name, w);
          double[] mean = values.computeIfAbsent(name, absent -> new double[w.length]);
          Arrays.setAll(mean, i -> mean[i] + w[i] / 5);
        }
        members[m].off();
      }
      values.put("1.weight", values.get("2.weight"));
      values.put("1.bias", values.get("2.bias"));
      Sequential[] hidden = IntStream.range(0, 5).mapToObj(m -> hidden()).toArray(Sequential[]::new);
      Network units = Sequential.of(Ensemble.ofValues(hidden), new Linear(32, 10)).on(device);
      Network weights = Sequential.of(hidden(), new Linear(32, 10)).on(device);
      Network predictions = Network.over(Ensemble.ofProbabilities(members)).on(device);
      System.out.printf("one network  %5.1f %%%n", Arrays.stream(alone).average().getAsDouble());
      System.out.printf("predictions  %5.1f %%%n", accuracy(predictions));
      System.out.printf("activations  %5.1f %%%n", accuracy(filled(units, values)));
      System.out.printf("weights      %5.1f %%%n", accuracy(filled(weights, values)));
    }
  }
}
