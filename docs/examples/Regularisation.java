// SPDX-License-Identifier: Apache-2.0
// training: weft examples run regularisation [--out FOLDER]
import dev.weft.Device;
import dev.weft.data.Dataset;
import dev.weft.data.ToySets;
import dev.weft.nn.Loss;
import dev.weft.nn.Sequential;
import dev.weft.nn.SoftmaxCrossEntropy;
import dev.weft.optim.Adam;
import dev.weft.report.Plot;
import dev.weft.train.Evaluator;
import dev.weft.train.Trainer;
import java.nio.file.Path;
import java.util.Arrays;

/**
 * What keeps a network from learning noise: L1, L2, weight decay, dropout and label smoothing
 * beside none, and the strength of L2 drawn (lectures [2] and [3], "Regularization").
 */
public class Regularisation {
  private static final Dataset TRAIN = ToySets.moons(100, 0.3, 1);
  private static final Dataset TEST = ToySets.moons(2_000, 0.3, 2);
  private static final String PLAIN = "linear(2,128) relu linear(128,128) relu linear(128,2)";
  private static final String DROPPED = PLAIN.replace("relu", "relu dropout(0.5)");
  private static final Adam ADAM = Adam.rate(0.003);

  public static void main(String[] args) throws Exception {
    show("none", PLAIN, ADAM, new SoftmaxCrossEntropy());
    show("L1", PLAIN, ADAM.l1(1e-2), new SoftmaxCrossEntropy());
    show("L2", PLAIN, ADAM.l2(1e-2), new SoftmaxCrossEntropy());
    show("weight decay", PLAIN, ADAM.weightDecay(1), new SoftmaxCrossEntropy());
    show("dropout", DROPPED, ADAM, new SoftmaxCrossEntropy());
    show("label smoothing", PLAIN, ADAM, new SoftmaxCrossEntropy().smoothing(0.2));
    double[] strengths = {1e-5, 1e-4, 1e-3, 1e-2, 3e-2, 1e-1};
    var trained =
        Arrays.stream(strengths)
            .mapToObj(l2 -> show("L2 " + l2, PLAIN, ADAM.l2(l2), new SoftmaxCrossEntropy()))
            .toList();
    Plot.of("Strength of a penalty", "factor of L2", "accuracy")
        .logX()
        .line("training", strengths, trained.stream().mapToDouble(each -> each[0]).toArray())
        .line("test", strengths, trained.stream().mapToDouble(each -> each[1]).toArray())
        .write(Path.of(args.length > 0 ? args[0] : "").resolve("regularisation.svg"));
  }

  private static double[] show(String name, String spec, Adam optimizer, Loss loss) {
    try (Device device = Device.cpu()) {
      var network = Sequential.parse(spec).on(device);
      var trainer = Trainer.of(network).on(device).loss(loss).optimizer(optimizer).batch(25);
      double train = trainer.fit(TRAIN, 600).last().train().accuracy();
      try (var evaluator = new Evaluator(network, new SoftmaxCrossEntropy(), TEST, 500)) {
        var test = evaluator.evaluate();
        System.out.printf("%s: training %.3f, test %.3f, ", name, train, test.accuracy());
        System.out.printf("test loss %.3f%n", test.loss());
        return new double[] {train, test.accuracy()};
      }
    }
  }
}
