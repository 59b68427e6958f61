// SPDX-License-Identifier: Apache-2.0
package dev.weft.train;

import static dev.weft.format.Format.format;

import dev.weft.Parameter;
import dev.weft.device.FusedLimit;
import dev.weft.nn.Activation;
import dev.weft.nn.Dropout;
import dev.weft.nn.Linear;
import dev.weft.nn.Network;
import dev.weft.nn.Sequential;
import dev.weft.nn.Stage;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The layers of a network as the fused kernels take them: linear ones, each with what follows it.
 *
 * @param layers in order
 * @param obstacle why the network is not such a one, as a sentence; or null
 */
record FusedLayers(List<Fused> layers, @Nullable String obstacle) {
  /**
   * dropout(f(x W + b)).
   *
   * @param rate of dropout; 0 where there is none
   * @param draw dropout's number among the draws of a step
   */
  record Fused(Linear linear, Activation activation, double rate, long draw) {}

  static FusedLayers of(Network network) {
    if (!(network instanceof Sequential sequential)) {
      return no("%s is no Sequential", network.spec());
    }
    for (Map.Entry<String, Parameter> each : network.named().entrySet()) {
      if (!each.getValue().isTrained() || each.getValue().kind() != Parameter.Kind.DENSE) {
        return no("the fused step trains all parameters densely, not %s", each.getKey());
      }
    }
    List<Fused> layers = new ArrayList<>();
    Set<Linear> seen = new HashSet<>();
    boolean dropped = true; // whether the last linear layer has its dropout
    long draws = 0;
    for (Stage stage : sequential.stages()) {
      if (stage.model() instanceof Linear linear && seen.add(linear)) {
        layers.add(new Fused(linear, stage.activation(), 0, 0));
        dropped = false;
      } else if (stage.model() instanceof Dropout dropout && !dropped) {
        Fused last = layers.getLast();
        Fused with = new Fused(last.linear(), last.activation(), dropout.rate(), draws++);
        layers.set(layers.size() - 1, with);
        dropped = true;
      } else {
        return no(
            "%s stands where the fused step takes a linear layer, which one activation and then one"
                + " dropout may follow",
            stage.model().spec());
      }
    }
    if (layers.isEmpty() || layers.size() > FusedLimit.LAYERS) {
      return no(
          "it has %d linear layers; the fused step takes 1 to %d",
          layers.size(), FusedLimit.LAYERS);
    }
    for (Fused layer : layers) {
      if (layer.linear().out() > FusedLimit.WIDTH) {
        return no("%s is wider than the fused step's %d", layer.linear().spec(), FusedLimit.WIDTH);
      }
    }
    return new FusedLayers(layers, null);
  }

  private static FusedLayers no(String format, Object... values) {
    return new FusedLayers(List.of(), format(format, values));
  }
}
