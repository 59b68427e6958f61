// SPDX-License-Identifier: Apache-2.0
package dev.weft.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import dev.weft.Device;
import dev.weft.Inputs;
import dev.weft.Operations;
import dev.weft.Tensor;
import dev.weft.data.Dataset;
import dev.weft.nn.Linear;
import dev.weft.nn.MeanSquaredError;
import dev.weft.nn.Sequential;
import dev.weft.optim.Sgd;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * A small training whose metric has the values that a test wants, epoch by epoch, and which keeps
 * what the parameters were after each.
 */
final class Script implements AutoCloseable {
  /** A name that says nothing, or the wrong thing, of what is better. */
  static final String METRIC = "foo_loss";

  /** Three rows, which are three batches. */
  static final Dataset DATA = Dataset.of(new float[][] {{1}, {2}, {3}}, new float[] {5, 9, 13});

  static final int STEPS = 3;

  final Sequential network = Sequential.of(new Linear(1, 1));
  final Trainer trainer;
  private final double[] values;
  private final List<double[]> seen = new ArrayList<>();
  private int measured;
  int failing = Integer.MAX_VALUE; // the epoch whose metric cannot be worked out

  /**
   * A trainer.
   *
   * @param values of the metric, from the first epoch on; the last one stands for all later ones
   */
  Script(Device device, EarlyStopping stopping, double... values) {
    this.values = values;
    trainer =
        Trainer.of(network)
            .on(device)
            .batch(1)
            .optimizer(Sgd.rate(0.01))
            .loss(new MeanSquaredError())
            .metrics(new Scripted())
            .earlyStopping(stopping)
            .onEpoch((run, epoch) -> seen.add(parameters()));
  }

  /** The same, from a text of numbers between blanks. */
  static double[] numbers(String text) {
    return Arrays.stream(text.split(" ")).mapToDouble(Double::parseDouble).toArray();
  }

  private final class Scripted implements Metric {
    @Override
    public String name() {
      return METRIC;
    }

    @Override
    public Tensor values(Operations o, Tensor output, Inputs<Tensor> data) {
      return o.mean(output, 1);
    }

    @Override
    public double of(double[] sums, long rows) {
      measured++;
      long epoch = trainer.position().epoch();
      if (epoch == failing) {
        throw new ArithmeticException("epoch " + epoch);
      }
      return values[Math.clamp(epoch, 1, values.length) - 1];
    }
  }

  /** How often somebody waited for the device to read what was measured. */
  int measured() {
    return measured;
  }

  double[] parameters() {
    return network.arena().values().toDoubles();
  }

  /** The network has what it had after the n-th epoch that listeners were told of, bit for bit. */
  void assertHas(int epoch) {
    double[] expected = seen.get(epoch - 1);
    assertArrayEquals(expected, parameters(), "those of epoch " + epoch);
    for (int i = 0; i < seen.size(); i++) {
      assertFalse(i != epoch - 1 && Arrays.equals(expected, seen.get(i)), "epochs would differ");
    }
  }

  @Override
  public void close() {
    network.close();
  }
}
