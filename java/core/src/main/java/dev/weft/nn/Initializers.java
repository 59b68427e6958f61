// SPDX-License-Identifier: Apache-2.0
package dev.weft.nn;

import static dev.weft.format.Format.format;

import dev.weft.Engine;
import dev.weft.Parameter.Initializer;
import dev.weft.Shape;
import dev.weft.Tensor;
import dev.weft.device.Arguments;
import dev.weft.device.Kernel;
import java.util.List;
import java.util.function.ToDoubleFunction;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * How parameters start. Values are drawn by Philox from the network's seed and the parameter's
 * number, so they are the same on every device. A weight has shape (fan in, fan out).
 */
public final class Initializers {
  private Initializers() {}

  /** A rule that knows how it is written. */
  private record Rule(String text, Initializer values) implements Initializer {
    @Override
    public void fill(Tensor tensor, long seed, long draw) {
      values.fill(tensor, seed, draw);
    }

    @Override
    public String toString() {
      return text;
    }
  }

  /** All zeros: biases. */
  public static Initializer zeros() {
    return new Rule("zeros", (tensor, seed, draw) -> tensor.fill(0));
  }

  /** All ones: scales. */
  public static Initializer ones() {
    return new Rule("ones", (tensor, seed, draw) -> tensor.fill(1));
  }

  /** N(mean, deviation²). */
  public static Initializer normal(double mean, double deviation) {
    return new Rule(
        format("normal(%s,%s)", mean, deviation),
        (tensor, seed, draw) -> draw(Kernel.RANDOM_NORMAL, tensor, seed, draw, mean, deviation));
  }

  /** U(low, high). */
  public static Initializer uniform(double low, double high) {
    return new Rule(
        format("uniform(%s,%s)", low, high),
        (tensor, seed, draw) -> draw(Kernel.RANDOM_UNIFORM, tensor, seed, draw, low, high));
  }

  /** U(-a, a) with a = √(6 / (fan in + fan out)) (Glorot and Bengio 2010). */
  public static Initializer xavierUniform() {
    return uniform("xavier_uniform", tensor -> Math.sqrt(6.0 / (fanIn(tensor) + fanOut(tensor))));
  }

  /** N(0, 2 / (fan in + fan out)) (Glorot and Bengio 2010). */
  public static Initializer xavierNormal() {
    return normal("xavier_normal", tensor -> Math.sqrt(2.0 / (fanIn(tensor) + fanOut(tensor))));
  }

  /** U(-a, a) with a = √(6 / fan in), for ReLU (He et al. 2015). */
  public static Initializer kaimingUniform() {
    return uniform("kaiming_uniform", tensor -> Math.sqrt(6.0 / fanIn(tensor)));
  }

  /** N(0, 2 / fan in), for ReLU (He et al. 2015). */
  public static Initializer kaimingNormal() {
    return normal("kaiming_normal", tensor -> Math.sqrt(2.0 / fanIn(tensor)));
  }

  private static Initializer uniform(String text, ToDoubleFunction<Tensor> bound) {
    return new Rule(
        text,
        (tensor, seed, draw) -> {
          double a = bound.applyAsDouble(tensor);
          draw(Kernel.RANDOM_UNIFORM, tensor, seed, draw, -a, a);
        });
  }

  private static Initializer normal(String text, ToDoubleFunction<Tensor> deviation) {
    return new Rule(
        text,
        (tensor, seed, draw) ->
            draw(Kernel.RANDOM_NORMAL, tensor, seed, draw, 0, deviation.applyAsDouble(tensor)));
  }

  /** How a rule is written: "custom" where it is code of a user's own. */
  static String text(Initializer values) {
    return values instanceof Rule rule ? rule.text() : "custom";
  }

  /**
   * The rule that {@code text} writes, such as {@code xavier_uniform} or {@code normal(0,0.1)}.
   * What no rule of this class wrote becomes one that cannot draw: the code that it was made of is
   * not in a file, and a file brings values.
   */
  static Initializer parse(String text) {
    Matcher form = FORM.matcher(text);
    if (form.matches() && form.group(2) != null) {
      double first = Double.parseDouble(form.group(2));
      double second = Double.parseDouble(form.group(3));
      return form.group(1).equals("normal") ? normal(first, second) : uniform(first, second);
    }
    return RULES.stream()
        .filter(rule -> rule.toString().equals(text))
        .findFirst()
        .orElseGet(
            () ->
                new Rule(
                    text,
                    (tensor, seed, draw) -> {
                      throw new IllegalStateException(
                          format("the initial values %s were made by code that is not here", text));
                    }));
  }

  private static final Pattern FORM = Pattern.compile("(normal|uniform)\\(([^,()]+),([^,()]+)\\)");

  private static final List<Initializer> RULES =
      List.of(zeros(), ones(), xavierUniform(), xavierNormal(), kaimingUniform(), kaimingNormal());

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
    Engine.run(
        tensor.device(),
        kernel,
        tensor.dtype().precision(),
        new Arguments.Random(Engine.address(tensor), tensor.elements(), seed, 0, draw, a, b));
  }
}
