// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench.kernel;

import static java.util.Locale.ROOT;

import dev.weft.device.Arguments;
import dev.weft.device.Element;
import dev.weft.device.FusedLimit;
import dev.weft.device.FusedLoss;
import dev.weft.device.FusedRule;
import dev.weft.device.Kernel;
import dev.weft.device.Nonlinearity;
import dev.weft.device.Slots;
import java.lang.foreign.MemorySegment;
import java.util.Map;

/** Steps of narrow networks, each by the two fused kernels. */
enum FusedCases {
  /** Softmax cross-entropy with smoothing, labels, pixels as bytes, two dropouts, Adam. */
  CLASSIFIER(true, 13, new int[] {50, 37, 20, 10}, Nonlinearity.RELU, 0.3),
  /** Mean squared error, one layer, SGD with Nesterov's momentum; GELU needs its argument. */
  REGRESSION(false, 37, new int[] {24, 7}, Nonlinearity.GELU, 0),
  /** The widest layer. */
  WIDE(true, 64, new int[] {64, 128, 10}, Nonlinearity.TANH, 0);

  private static final int SOURCE_ROWS = 70;
  private static final int LAYER_WORDS = 12;

  private final boolean classifies;
  private final int rows;
  private final int[] widths;
  private final Nonlinearity activation;
  private final double dropout;

  FusedCases(boolean classifies, int rows, int[] widths, Nonlinearity activation, double dropout) {
    this.classifies = classifies;
    this.rows = rows;
    this.widths = widths;
    this.activation = activation;
    this.dropout = dropout;
  }

  /** The step's first half. */
  KernelCase pass() {
    return both().before();
  }

  /** The other half, which works on what the first has left. */
  KernelCase update() {
    return both();
  }

  /** A pointer's number follows from its name, so that both halves share what has the same one. */
  private static Arguments numbered(Arguments call) {
    return call.at(operand -> operand.name().hashCode());
  }

  private KernelCase both() {
    int layers = widths.length - 1;
    long[] table = new long[layers * LAYER_WORDS];
    long elements = 16; // the first 64 bytes are the state's
    long count = 0;
    long products = 0;
    long places = 0;
    long tiles = 0;
    for (int layer = 0; layer < layers; layer++) {
      long in = widths[layer];
      long out = widths[layer + 1];
      boolean last = layer == layers - 1;
      long tall = (rows | 1) + 2;
      long dz = elements + tall * padded(in);
      long slope = dz + 2 * tall * padded(out);
      long copies = slope + tall * padded(out);
      Nonlinearity function = last && classifies ? Nonlinearity.IDENTITY : activation;
      double rate = last ? 0 : dropout;
      new Arguments.FusedLayer(
              count,
              count + in * out,
              in,
              out,
              elements,
              dz,
              slope,
              copies,
              function,
              0,
              layer,
              rate)
          .write(new Slots().into(MemorySegment.ofArray(table).asSlice(8L * layer * LAYER_WORDS)));
      elements = copies + padded(in) * padded(out);
      count += in * out + out;
      products += in * out * (layer == 0 ? 1 : 2);
      places += in + 2 * out;
      tiles += Math.ceilDiv(in + 1, FusedLimit.TILE);
    }
    long cols = widths[0];
    long outputs = widths[layers];
    FusedLoss loss = classifies ? FusedLoss.SOFTMAX_CROSS_ENTROPY : FusedLoss.MEAN_SQUARED_ERROR;
    FusedRule rule = classifies ? FusedRule.ADAM : FusedRule.SGD;
    double scale = classifies ? 1 / 255.0 : 1;
    double smoothing = classifies ? 0.1 : 0;
    Arguments pass =
        numbered(
            Arguments.FusedPass.over(
                layers,
                rows,
                cols,
                SOURCE_ROWS,
                classifies,
                loss,
                scale,
                -0.1,
                1,
                0.1,
                smoothing,
                count,
                products,
                places,
                false));
    double decay2 = classifies ? 0.999 : 0;
    Arguments update =
        numbered(
            Arguments.FusedUpdate.over(
                layers,
                rows,
                tiles + 1,
                loss,
                rule,
                !classifies,
                0.9,
                decay2,
                1e-8,
                0.01,
                0.02,
                rows,
                count,
                places,
                false));
    // small weights, so that nothing saturates
    double weight = 1 / Math.sqrt(cols);
    Map<String, Fill> fills =
        Map.of(
            "layers", Fill.words(table),
            "value", Fill.between(-weight, weight),
            "targets",
                classifies
                    ? Fill.between(0, outputs).as(Element.INT32, SOURCE_ROWS)
                    : Fill.SIGNED.as(Element.T, SOURCE_ROWS * outputs),
            "scratch", Fill.each(i -> Double.NaN).as(Element.OPAQUE, elements),
            "first", Fill.between(-0.1, 0.1),
            "second", Fill.POSITIVE,
            "sums", Fill.POSITIVE);
    String name = name().toLowerCase(ROOT);
    KernelCase first =
        new KernelCase(
            name, Kernel.FUSED_PASS, classifies ? pass : pass.without("hits"), fills, null);
    return new KernelCase(
        name,
        Kernel.FUSED_UPDATE,
        classifies ? update : update.without("hits", "second"),
        fills,
        first);
  }

  private static long padded(long width) {
    return (width + FusedLimit.GRAIN - 1) / FusedLimit.GRAIN * FusedLimit.GRAIN;
  }
}
