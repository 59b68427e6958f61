// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench.kernel;

import static java.util.Locale.ROOT;

import dev.weft.device.Arguments;
import dev.weft.device.Element;
import dev.weft.device.FusedLoss;
import dev.weft.device.FusedPlan;
import dev.weft.device.FusedRule;
import dev.weft.device.Kernel;
import dev.weft.device.Nonlinearity;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
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
    int count = widths.length - 1;
    List<FusedPlan.Layer> layers = new ArrayList<>();
    int begin = 0;
    for (int i = 0; i < count; i++) {
      boolean last = i == count - 1;
      int in = widths[i];
      int out = widths[i + 1];
      Nonlinearity function = last && classifies ? Nonlinearity.IDENTITY : activation;
      double rate = last ? 0 : dropout;
      layers.add(new FusedPlan.Layer(begin, begin + in * out, in, out, function, 0, i, rate));
      begin += (in + 1) * out + 3; // an arena leaves gaps
    }
    FusedPlan plan = FusedPlan.of(layers, rows, 4);
    long cols = widths[0];
    long outputs = widths[count];
    FusedLoss loss = classifies ? FusedLoss.SOFTMAX_CROSS_ENTROPY : FusedLoss.MEAN_SQUARED_ERROR;
    FusedRule rule = classifies ? FusedRule.ADAM : FusedRule.SGD;
    double scale = classifies ? 1 / 255.0 : 1;
    double smoothing = classifies ? 0.1 : 0;
    Arguments pass =
        numbered(
            Arguments.FusedPass.over(
                count,
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
                plan.reach(),
                plan.parameters(),
                plan.products(),
                plan.widths(),
                false));
    double decay2 = classifies ? 0.999 : 0;
    Arguments update =
        numbered(
            Arguments.FusedUpdate.over(
                count,
                rows,
                plan.tiles(),
                loss,
                rule,
                !classifies,
                0.9,
                decay2,
                1e-8,
                0.01,
                0.02,
                rows,
                plan.reach(),
                plan.parameters(),
                plan.widths(),
                false));
    // small weights, so that nothing saturates
    double weight = 1 / Math.sqrt(cols);
    Map<String, Fill> fills =
        Map.of(
            "layers", Fill.words(plan.table().toArray(ValueLayout.JAVA_LONG)),
            "value", Fill.between(-weight, weight),
            "targets",
                classifies
                    ? Fill.between(0, outputs).as(Element.INT32, SOURCE_ROWS)
                    : Fill.SIGNED.as(Element.T, SOURCE_ROWS * outputs),
            "scratch", Fill.each(i -> Double.NaN).as(Element.OPAQUE, plan.elements()),
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
}
