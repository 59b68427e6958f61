// SPDX-License-Identifier: Apache-2.0
import dev.weft.Device;
import dev.weft.Inputs;
import dev.weft.Operations;
import dev.weft.Tensor;
import dev.weft.data.Dataset;
import dev.weft.nn.Linear;
import dev.weft.nn.MeanSquaredError;
import dev.weft.nn.Sequential;
import dev.weft.optim.Sgd;
import dev.weft.train.EarlyStopping;
import dev.weft.train.History;
import dev.weft.train.Metric;
import dev.weft.train.Trainer;

/** A metric of one's own, from sums that stay on the device; early stopping watches it. */
public class OwnMetric {

  /** 1 - Σ (y - ŷ)² / Σ (y - ȳ)², the share of the targets' variance that is explained. */
  record R2() implements Metric {
    @Override
    public String name() {
      return "r2";
    }

    @Override
    public int sums() {
      return 3;
    }

    @Override
    public Tensor values(Operations o, Tensor output, Inputs<Tensor> data) {
      Tensor y = o.wide(data.get(Inputs.TARGETS)); // (rows, 1), as the output
      return o.concat(1, o.square(o.subtract(y, o.wide(output))), y, o.square(y));
    }

    @Override
    public double of(double[] sums, long rows) {
      return 1 - sums[0] / (sums[2] - sums[1] * sums[1] / rows);
    }
  }

  public static void main(String[] args) {
    float[][] x = new float[100][1];
    float[] y = new float[100];
    for (int i = 0; i < 100; i++) {
      x[i][0] = i / 100f;
      y[i] = 3 * x[i][0] - 1;
    }
    var data = Dataset.of(x, y);
    try (Device device = Device.cpu()) {
      History history =
          Trainer.of(Sequential.of(new Linear(1, 1)))
              .on(device)
              .loss(new MeanSquaredError())
              .metrics(new R2())
              .optimizer(Sgd.rate(0.3))
              .batch(10)
              .earlyStopping(EarlyStopping.highest("r2").patience(2).minChange(1e-4))
              .fit(data, data, 200);
      System.out.printf(
          "%.2f %b%n",
          history.bestEpoch().test().metric("r2"), history.ended().startsWith("r2 did not become"));
    }
  }
}
