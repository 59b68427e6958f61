// SPDX-License-Identifier: Apache-2.0
// your own parts: weft examples run own-metric
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
import dev.weft.train.Metric;
import dev.weft.train.Trainer;
import java.util.stream.IntStream;

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
    double[][] x =
        IntStream.range(0, 100).mapToObj(i -> new double[] {i / 100.0}).toArray(double[][]::new);
    var data = Dataset.of(x, IntStream.range(0, 100).mapToDouble(i -> 0.03 * i - 1).toArray());
    try (Device device = Device.cpu()) {
      var history =
          Trainer.of(Sequential.of(new Linear(1, 1)))
              .on(device)
              .loss(new MeanSquaredError())
              .metrics(new R2())
              .optimizer(Sgd.rate(0.3))
              .batch(10)
              .earlyStopping(EarlyStopping.highest("r2").patience(2).minChange(1e-4))
              .fit(data, data, 200);
      System.out.printf("%.2f; %s%n", history.bestEpoch().test().metric("r2"), history.ended());
    }
  }
}
