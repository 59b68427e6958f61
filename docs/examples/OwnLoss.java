// SPDX-License-Identifier: Apache-2.0
// your own parts: weft examples run own-loss
import dev.weft.Device;
import dev.weft.Inputs;
import dev.weft.Operations;
import dev.weft.RowType;
import dev.weft.Tensor;
import dev.weft.data.Dataset;
import dev.weft.nn.Linear;
import dev.weft.nn.Loss;
import dev.weft.nn.Sequential;
import dev.weft.optim.Adam;
import dev.weft.train.Accuracy;
import dev.weft.train.Evaluation;
import dev.weft.train.Trainer;

/**
 * A loss of one's own, made of operations; what it is trained with is measured as for any other.
 */
public class OwnLoss {
  /**
   * The Brier score: the mean over rows of Σ (p_c - 1{c is the label})², p = softmax(scores).
   *
   * @param classes the unit matrix, whose row c stands for class c
   */
  record Brier(Tensor classes) implements Loss {
    @Override
    public void check(RowType output, Inputs<RowType> data) {
      if (!data.get(Inputs.TARGETS).isIds()) {
        throw new IllegalArgumentException("the Brier score needs class labels");
      }
    }

    @Override
    public Tensor apply(Operations o, Tensor scores, Inputs<Tensor> data) {
      Tensor labels = o.gather(classes, data.get(Inputs.TARGETS)); // (rows, classes)
      Tensor error = o.subtract(o.softmax(o.wide(scores)), labels);
      return o.mean(o.sum(o.square(error), 1));
    }
  }

  public static void main(String[] args) {
    float[][] points = {{0, 1}, {1, 0}, {0.2f, 0.9f}, {0.8f, 0.1f}};
    var data = Dataset.of(points, new int[] {0, 1, 0, 1});
    try (Device device = Device.cpu();
        Tensor classes = device.tensor(new float[][] {{1, 0}, {0, 1}})) {
      Evaluation trained =
          Trainer.of(Sequential.of(new Linear(2, 2)))
              .on(device)
              .loss(new Brier(classes))
              .metrics(new Accuracy())
              .optimizer(Adam.rate(0.1))
              .batch(2)
              .fit(data, data, 40)
              .last()
              .test();
      System.out.printf("%.1f %b%n", trained.accuracy(), trained.loss() < 0.05);
    }
  }
}
