// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench.harness;

import static java.util.Locale.ROOT;

import dev.weft.device.Arguments;
import dev.weft.device.FusedLimit;
import dev.weft.device.FusedLoss;
import dev.weft.device.FusedRule;
import dev.weft.device.Kernel;
import dev.weft.device.Nonlinearity;
import java.util.ArrayList;
import java.util.List;

/** Steps of narrow networks, each by the two fused kernels. */
enum FusedCalls {
  /** Softmax cross-entropy with smoothing, labels, pixels as bytes, two dropouts, Adam. */
  CLASSIFIER(true, 13, new int[] {50, 37, 20, 10}, Nonlinearity.RELU, 0.3),
  /** Mean squared error, one layer, SGD with Nesterov's momentum; GELU needs its argument. */
  REGRESSION(false, 37, new int[] {24, 7}, Nonlinearity.GELU, 0),
  /** The widest layer. */
  WIDE(true, 64, new int[] {64, 128, 10}, Nonlinearity.TANH, 0);

  private static final int SOURCE_ROWS = 70;

  private final boolean classifies;
  private final int rows;
  private final int[] widths;
  private final Nonlinearity activation;
  private final double dropout;

  FusedCalls(boolean classifies, int rows, int[] widths, Nonlinearity activation, double dropout) {
    this.classifies = classifies;
    this.rows = rows;
    this.widths = widths;
    this.activation = activation;
    this.dropout = dropout;
  }

  /** As it is printed. */
  String label() {
    return name().toLowerCase(ROOT);
  }

  /** Both kernels over memory that is taken from here. */
  List<Replay.Call> calls(CallMemory m) {
    int layers = widths.length - 1;
    List<Long> table = new ArrayList<>();
    long elements = 64 / m.size();
    long weight = 0;
    long products = 0;
    long places = 0;
    long tiles = 0;
    for (int layer = 0; layer < layers; layer++) {
      long in = widths[layer];
      long out = widths[layer + 1];
      boolean last = layer == layers - 1;
      long tall = (rows | 1) + 2;
      long x = elements;
      long dz = x + tall * padded(in);
      long slope = dz + 2 * tall * padded(out);
      long copies = slope + tall * padded(out);
      elements = copies + padded(in) * padded(out);
      Nonlinearity function = last && classifies ? Nonlinearity.IDENTITY : activation;
      double rate = last ? 0 : dropout;
      table.addAll(List.of(weight, weight + in * out, in, out, x, dz, slope, copies));
      table.addAll(List.of((long) function.ordinal(), 0L, (long) layer));
      table.add(Double.doubleToRawLongBits(rate));
      weight += in * out + out;
      products += in * out * (layer == 0 ? 1 : 2);
      places += in + 2 * out;
      tiles += (in + 1 + FusedLimit.TILE - 1) / FusedLimit.TILE;
    }
    int count = Math.toIntExact(weight);
    int cols = widths[0];
    int outputs = widths[layers];
    long network = m.words(table.stream().mapToLong(Long::longValue).toArray());
    // small weights, so that nothing saturates
    long values = m.scaled(count, 1, 1 / Math.sqrt(cols));
    long source =
        classifies
            ? m.ints((SOURCE_ROWS * cols + 3) / 4, Integer.MAX_VALUE, 2)
            : m.signed(SOURCE_ROWS * cols, 2);
    long index = m.ints(rows + 5, SOURCE_ROWS, 3);
    long state = m.state();
    long targets =
        classifies ? m.ints(SOURCE_ROWS, outputs, 4) : m.signed(SOURCE_ROWS * outputs, 4);
    long scratch = m.scratch(Math.toIntExact(elements));
    long losses = m.zeros(rows);
    long hits = classifies ? m.zeros(rows) : 0;
    long first = m.scaled(count, 5, 0.1);
    long second = classifies ? m.reals(count, 6) : 0;
    long mean = m.zeros(1);
    long sums = m.reals(2, 7);
    FusedLoss loss = classifies ? FusedLoss.SOFTMAX_CROSS_ENTROPY : FusedLoss.MEAN_SQUARED_ERROR;
    Arguments pass =
        new Arguments.FusedPass(
            network,
            values,
            source,
            index,
            state,
            targets,
            scratch,
            losses,
            hits,
            layers,
            rows,
            cols,
            SOURCE_ROWS,
            classifies,
            loss,
            classifies ? 1 / 255.0 : 1,
            -0.1,
            1,
            0.1,
            classifies ? 0.1 : 0,
            count,
            products,
            places,
            false);
    Arguments update =
        new Arguments.FusedUpdate(
            network,
            values,
            first,
            second,
            state,
            scratch,
            losses,
            hits,
            mean,
            sums,
            layers,
            rows,
            tiles + 1,
            loss,
            classifies ? FusedRule.ADAM : FusedRule.SGD,
            !classifies,
            0.9,
            classifies ? 0.999 : 0,
            1e-8,
            0.01,
            0.02,
            rows,
            count,
            places,
            false);
    return List.of(
        new Replay.Call(Kernel.FUSED_PASS, pass), new Replay.Call(Kernel.FUSED_UPDATE, update));
  }

  private static long padded(long width) {
    return (width + FusedLimit.GRAIN - 1) / FusedLimit.GRAIN * FusedLimit.GRAIN;
  }
}
