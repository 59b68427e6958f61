// SPDX-License-Identifier: Apache-2.0
package dev.weft.nn;

import dev.weft.Parameter.Initializer;
import dev.weft.Shape;
import dev.weft.Tensor;
import dev.weft.device.Arguments;
import dev.weft.device.Kernel;

/**
 * How parameters start. Values are drawn by Philox from the network's seed and the parameter's
 * number, so they are the same on every device. A weight has shape (fan in, fan out).
 */
public final class Initializers {
  private Initializers() {}

  /** All zeros: biases. */
  public static Initializer zeros() {
    return (tensor, seed, draw) -> tensor.fill(0);
  }

  /** All ones: scales. */
  public static Initializer ones() {
    return (tensor, seed, draw) -> tensor.fill(1);
  }

  /** N(mean, deviation²). */
  public static Initializer normal(double mean, double deviation) {
    return (tensor, seed, draw) -> draw(Kernel.RANDOM_NORMAL, tensor, seed, draw, mean, deviation);
  }

  /** U(low, high). */
  public static Initializer uniform(double low, double high) {
    return (tensor, seed, draw) -> draw(Kernel.RANDOM_UNIFORM, tensor, seed, draw, low, high);
  }

  /** U(-a, a) with a = √(6 / (fan in + fan out)) (Glorot and Bengio 2010). */
  public static Initializer xavierUniform() {
    return (tensor, seed, draw) -> {
      double a = Math.sqrt(6.0 / (fanIn(tensor) + fanOut(tensor)));
      draw(Kernel.RANDOM_UNIFORM, tensor, seed, draw, -a, a);
    };
  }

  /** N(0, 2 / (fan in + fan out)) (Glorot and Bengio 2010). */
  public static Initializer xavierNormal() {
    return (tensor, seed, draw) -> {
      double deviation = Math.sqrt(2.0 / (fanIn(tensor) + fanOut(tensor)));
      draw(Kernel.RANDOM_NORMAL, tensor, seed, draw, 0, deviation);
    };
  }

  /** U(-a, a) with a = √(6 / fan in), for ReLU (He et al. 2015). */
  public static Initializer kaimingUniform() {
    return (tensor, seed, draw) -> {
      double a = Math.sqrt(6.0 / fanIn(tensor));
      draw(Kernel.RANDOM_UNIFORM, tensor, seed, draw, -a, a);
    };
  }

  /** N(0, 2 / fan in), for ReLU (He et al. 2015). */
  public static Initializer kaimingNormal() {
    return (tensor, seed, draw) ->
        draw(Kernel.RANDOM_NORMAL, tensor, seed, draw, 0, Math.sqrt(2.0 / fanIn(tensor)));
  }

  private static double fanIn(Tensor tensor) {
    return weight(tensor).size(0);
  }

  private static double fanOut(Tensor tensor) {
    return weight(tensor).size(1);
  }

  private static Shape weight(Tensor tensor) {
    if (tensor.shape().rank() != 2) {
      throw new IllegalArgumentException(
          "Xavier and Kaiming need a weight [fan in, fan out], not " + tensor.shape());
    }
    return tensor.shape();
  }

  private static void draw(Kernel kernel, Tensor tensor, long seed, long draw, double a, double b) {
    tensor
        .device()
        .run(
            kernel,
            tensor.dtype().precision(),
            new Arguments.Random(tensor.address(), tensor.elements(), seed, 0, draw, a, b));
  }
}
