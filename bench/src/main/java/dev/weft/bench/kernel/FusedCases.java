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
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Steps of narrow networks, each by the two fused kernels. */
enum FusedCases {
  /** Softmax cross-entropy with smoothing, labels, pixels as bytes, two dropouts, Adam. */
  CLASSIFIER(true, 13, Nonlinearity.RELU, 0.3, 50, 37, 20, 10),
  /** Mean squared error, one layer, SGD with Nesterov's momentum; GELU needs its argument. */
  REGRESSION(false, 37, Nonlinearity.GELU, 0, 24, 7),
  /** The widest layer. */
  WIDE(true, 64, Nonlinearity.TANH, 0, 64, 128, 10);

  private static final int SOURCE_ROWS = 70;

  /** The step's first half. */
  final KernelCase pass;

  /** The other half, which works on what the first has left. */
  final KernelCase update;

  FusedCases(boolean classifies, int rows, Nonlinearity activation, double dropout, int... widths) {
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
    Sizes sizes = new Sizes(SOURCE_ROWS, rows, widths[0], 1);
    // small weights, so that nothing saturates
    double weight = 1 / Math.sqrt(sizes.cols());
    Fill labels = Fill.between(0, widths[count]).as(Element.INT32, SOURCE_ROWS);
    Fill values = Fill.SIGNED.as(Element.T, (long) SOURCE_ROWS * widths[count]);
    Map<String, Fill> fills =
        Map.of(
            "layers", Fill.words(plan.table().toArray(ValueLayout.JAVA_LONG)),
            "value", Fill.between(-weight, weight),
            "targets", classifies ? labels : values,
            "scratch", Fill.each(i -> Double.NaN).as(Element.OPAQUE, plan.elements()),
            "first", Fill.between(-0.1, 0.1),
            "second", Fill.POSITIVE,
            "sums", Fill.POSITIVE);
    Map<String, Object> numbers = new HashMap<>();
    numbers.putAll(
        Map.of(
            "count",
            count,
            "sourceU8",
            classifies,
            "nesterov",
            !classifies,
            "fast",
            false,
            "loss",
            classifies ? FusedLoss.SOFTMAX_CROSS_ENTROPY : FusedLoss.MEAN_SQUARED_ERROR,
            "rule",
            classifies ? FusedRule.ADAM : FusedRule.SGD,
            "scale",
            classifies ? 1 / 255.0 : 1,
            "momentum",
            0.9,
            "decay",
            classifies ? 0.999 : 0,
            "weight",
            rows));
    numbers.putAll(
        Map.of(
            "shift", -0.1,
            "targetScale", 1,
            "targetShift", 0.1,
            "smoothing", classifies ? 0.1 : 0,
            "reach", plan.reach(),
            "parameters", plan.parameters(),
            "products", plan.products(),
            "widths", plan.widths(),
            "tiles", plan.tiles()));
    numbers.putAll(Map.of("hits", classifies ? 1 : 0, "second", classifies ? 1 : 0));
    pass = half(Kernel.FUSED_PASS, sizes, numbers, fills, null);
    update = half(Kernel.FUSED_UPDATE, sizes, numbers, fills, pass);
  }

  private KernelCase half(
      Kernel kernel,
      Sizes sizes,
      Map<String, ?> numbers,
      Map<String, Fill> fills,
      KernelCase pass) {
    Arguments call = KernelCases.one(kernel, sizes, true, kernel, numbers).call();
    // both halves share what has the same name
    Arguments named = call.at(o -> o.address() == 0 ? 0 : o.name().hashCode());
    return new KernelCase(name().toLowerCase(ROOT), kernel, sizes, named, fills, pass);
  }
}
