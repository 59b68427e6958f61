// SPDX-License-Identifier: Apache-2.0
package dev.weft.train;

import static dev.weft.format.Format.format;

import dev.weft.device.FusedLimit;
import dev.weft.device.Nonlinearity;
import dev.weft.nn.Activation;
import dev.weft.nn.Dropout;
import dev.weft.nn.Layer;
import dev.weft.nn.Linear;
import java.util.ArrayList;
import java.util.List;

/**
 * The layers of a network as the fused kernels take them: linear ones, each with what follows it.
 *
 * @param layers in order
 * @param obstacle why the network is not such a one, as a sentence; or null
 */
record FusedLayers(List<Fused> layers, String obstacle) {
  private static final Activation NONE = Activation.of(Nonlinearity.IDENTITY);

  /**
   * dropout(f(x W + b)).
   *
   * @param rate of dropout; 0 where there is none
   * @param draw dropout's number among the draws of a step
   */
  record Fused(Linear linear, Activation activation, double rate, long draw) {}

  static FusedLayers of(List<Layer> network) {
    List<Fused> layers = new ArrayList<>();
    boolean open = false; // whether the last linear layer may still get an activation
    boolean dropped = true; // whether it has its dropout
    long draws = 0;
    for (Layer layer : network) {
      Fused last = layers.isEmpty() ? null : layers.getLast();
      if (layer instanceof Linear linear) {
        layers.add(new Fused(linear, NONE, 0, 0));
        open = true;
        dropped = false;
      } else if (layer instanceof Activation activation && open) {
        layers.set(layers.size() - 1, new Fused(last.linear(), activation, 0, 0));
        open = false;
      } else if (layer instanceof Dropout dropout && !dropped) {
        Fused with = new Fused(last.linear(), last.activation(), dropout.rate(), draws++);
        layers.set(layers.size() - 1, with);
        open = false;
        dropped = true;
      } else {
        return no(
            "%s stands where the fused step takes a linear layer, which one activation and then one"
                + " dropout may follow",
            layer.spec());
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
