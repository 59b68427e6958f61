// SPDX-License-Identifier: Apache-2.0
package dev.weft.device;

import java.lang.foreign.MemorySegment;
import java.util.List;

/**
 * What the fused kernels are told of a network's layers, for batches of up to some rows.
 *
 * @param table an array of {@code weft_fused_layer}
 * @param elements of the scratch memory
 * @param reach where the last parameter ends
 * @param parameters of all layers
 * @param products of numbers for a row, in both directions
 * @param widths of all layers' inputs, outputs and gradients
 * @param tiles of the second kernel; one adds up what the batch tells
 */
public record FusedPlan(
    MemorySegment table,
    long elements,
    long reach,
    long parameters,
    long products,
    long widths,
    long tiles) {
  private static final long LAYER_BYTES =
      8L * Arguments.FusedLayer.class.getRecordComponents().length;

  /**
   * dropout(f(x W + b)).
   *
   * @param weight where W begins among the parameters
   * @param bias where b begins; -1 where there is none
   * @param draw dropout's number among the draws of a step
   * @param rate of dropout; 0 where there is none
   */
  public record Layer(
      long weight,
      long bias,
      long in,
      long out,
      Nonlinearity function,
      double alpha,
      long draw,
      double rate) {}

  /** Lays out the scratch memory of elements of a size, behind the 64 bytes of the state. */
  public static FusedPlan of(List<Layer> layers, int rows, int bytes) {
    MemorySegment table = MemorySegment.ofArray(new long[(int) LAYER_BYTES / 8 * layers.size()]);
    long tall = (rows | 1) + 2;
    long elements = 64 / bytes;
    long reach = 0;
    long parameters = 0;
    long products = 0;
    long widths = 0;
    long tiles = 1;
    for (int i = 0; i < layers.size(); i++) {
      Layer layer = layers.get(i);
      long dz = elements + tall * padded(layer.in);
      long slope = dz + 2 * tall * padded(layer.out);
      long copies = slope + tall * padded(layer.out);
      new Arguments.FusedLayer(
              layer.weight,
              layer.bias,
              layer.in,
              layer.out,
              elements,
              dz,
              slope,
              copies,
              layer.function,
              layer.alpha,
              layer.draw,
              layer.rate)
          .write(new Slots().into(table.asSlice(LAYER_BYTES * i)));
      elements = copies + padded(layer.in) * padded(layer.out);
      reach = Math.max(reach, layer.weight + layer.in * layer.out);
      reach = Math.max(reach, layer.bias + layer.out);
      parameters += (layer.in + (layer.bias < 0 ? 0 : 1)) * layer.out;
      products += layer.in * layer.out * (i == 0 ? 1 : 2);
      widths += layer.in + 2 * layer.out;
      tiles += Math.ceilDiv(layer.in + (layer.bias < 0 ? 0 : 1), FusedLimit.TILE);
    }
    return new FusedPlan(table, elements, reach, parameters, products, widths, tiles);
  }

  private static long padded(long width) {
    return Math.ceilDiv(width, FusedLimit.GRAIN) * FusedLimit.GRAIN;
  }
}
