// SPDX-License-Identifier: Apache-2.0
package dev.weft.train;

import static dev.weft.format.Format.format;

import dev.weft.Engine;
import dev.weft.Parameter;
import dev.weft.Tensor;
import dev.weft.nn.Network;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Finds what is not finite in a network whose loss is not. */
final class Divergence {
  private Divergence() {}

  /**
   * Names the first parameter, in the order of layers, whose values or gradient are not finite.
   * Reads all of them from the device.
   *
   * @param gradients whether the steps leave gradients in memory
   */
  static String of(Network network, boolean gradients) {
    @Nullable String first = null;
    int wrong = 0;
    for (Map.Entry<String, Parameter> each : network.named().entrySet()) {
      String name = each.getKey();
      String found = of("parameter " + name, network.arena().values(each.getValue()));
      Tensor gradient = Engine.gradMemory(each.getValue().tensor());
      if (found == null && gradients && gradient != null) {
        found = of("the gradient of " + name, gradient);
      }
      first = first == null ? found : first;
      wrong += found == null ? 0 : 1;
    }
    return first == null
        ? format("all parameters%s are finite", gradients ? " and their dense gradients" : "")
        : format("%s (%d of %d parameters are not finite)", first, wrong, network.named().size());
  }

  /** Where the first value is that is not finite; null where all are. */
  private static @Nullable String of(String name, Tensor tensor) {
    double[] values = tensor.toDoubles();
    for (int i = 0; i < values.length; i++) {
      if (!Double.isFinite(values[i])) {
        return format("%s %s is %s at %s", name, tensor.shape(), values[i], place(tensor, i));
      }
    }
    return null;
  }

  private static String place(Tensor tensor, int element) {
    StringBuilder place = new StringBuilder("]");
    long left = element;
    for (int axis = tensor.shape().rank() - 1; axis >= 0; axis--) {
      place.insert(0, left % tensor.shape().size(axis));
      place.insert(0, axis == 0 ? "[" : ", ");
      left /= tensor.shape().size(axis);
    }
    return place.toString();
  }
}
