// SPDX-License-Identifier: Apache-2.0
// pictures: weft examples run learning-rates [--out FOLDER]
import dev.weft.*;
import dev.weft.data.*;
import dev.weft.nn.*;
import dev.weft.optim.*;
import dev.weft.report.*;
import java.nio.file.Path;
import java.util.List;

/** Loss curves under learning rates that are too low, good, high and too high (lecture 2). */
public class LearningRates {
  static final int EPOCHS = 20;

  static double[] losses(Device device, Dataset data, double rate) {
    var network = Sequential.of(new Linear(784, 32), Activation.TANH, new Linear(32, 10));
    double[] losses = new double[EPOCHS];
    try (network;
        var stepper = Sgd.rate(rate).stepper(network.on(device))) {
      for (int epoch = 0; epoch < EPOCHS; epoch++) {
        int batches = 0;
        for (Batch batch : data.batches(device, 50, epoch, 1)) {
          try (batch;
              Tape tape = stepper.tape()) {
            Tensor y = network.forward(tape, batch.inputs().features());
            Tensor loss = tape.softmaxCrossEntropy(y, batch.inputs().get("targets"));
            tape.backward(loss);
            stepper.step();
            losses[epoch] += loss.item();
            batches++;
          }
        }
        losses[epoch] /= batches;
      }
    }
    return losses;
  }

  public static void main(String[] args) throws Exception {
    Plot plot = Plot.of("loss by learning rate", "epoch", "training loss").logY();
    var data = Digits.generate(1000, 1).train();
    try (Device device = Device.cpu()) {
      for (String rate : List.of("0.01, too low", "0.5, good", "2, high", "10, too high")) {
        double[] losses = losses(device, data, Double.parseDouble(rate.split(",")[0]));
        plot.line(rate, Plot.evenly(1, EPOCHS, EPOCHS), losses);
        System.out.printf("%s: %.2f to %.3f%n", rate, losses[0], losses[EPOCHS - 1]);
      }
    }
    plot.write(Path.of(args.length > 0 ? args[0] : ".", "learning-rates.svg"));
  }
}
