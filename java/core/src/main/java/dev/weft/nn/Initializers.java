// SPDX-License-Identifier: Apache-2.0
package dev.weft.nn;

import static dev.weft.format.Format.format;
import static java.util.Locale.ROOT;
import static java.util.stream.Collectors.joining;

import dev.weft.DType;
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
import org.jspecify.annotations.Nullable;

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

  /**
   * Every value the same.
   *
   * @throws IllegalArgumentException where it is infinite or NaN
   */
  public static Initializer constant(double value) {
    check(Double.isFinite(value), "constant(%s): the value must be finite", value);
    return new Rule(format("constant(%s)", value), (tensor, seed, draw) -> tensor.fill(value));
  }

  /**
   * N(mean, deviation²).
   *
   * @throws IllegalArgumentException where one is infinite or NaN, or the deviation negative
   */
  public static Initializer normal(double mean, double deviation) {
    checkNormal("normal", mean, deviation);
    return new Rule(
        format("normal(%s,%s)", mean, deviation),
        (tensor, seed, draw) -> draw(Kernel.RANDOM_NORMAL, tensor, seed, draw, mean, deviation));
  }

  /**
   * N(mean, deviation²) within two deviations of the mean: the normal distribution's quantiles at
   * even draws between those of -2 and 2, found on the host. What is left has 0.88 of the
   * deviation.
   *
   * @throws IllegalArgumentException as {@link #normal(double, double)}
   */
  public static Initializer truncatedNormal(double mean, double deviation) {
    checkNormal("truncated_normal", mean, deviation);
    return new Rule(
        format("truncated_normal(%s,%s)", mean, deviation),
        (tensor, seed, draw) -> {
          double[] values =
              drawn(Kernel.RANDOM_UNIFORM, tensor, seed, draw, BELOW_MINUS_2, 1 - BELOW_MINUS_2);
          for (int i = 0; i < values.length; i++) {
            values[i] = mean + deviation * NormalQuantile.of(values[i]);
          }
          tensor.copyFrom(values);
        });
  }

  /**
   * U(low, high).
   *
   * @throws IllegalArgumentException where one is infinite or NaN, {@code low} greater than {@code
   *     high}, or their distance more than a float holds
   */
  public static Initializer uniform(double low, double high) {
    check(
        low <= high && high - low <= Float.MAX_VALUE,
        "uniform(%s,%s): both must be finite, the first at most the second, and their distance one"
            + " that a float holds",
        low,
        high);
    return new Rule(
        format("uniform(%s,%s)", low, high),
        (tensor, seed, draw) -> draw(Kernel.RANDOM_UNIFORM, tensor, seed, draw, low, high));
  }

  /** U(-a, a) with a = √(6 / (fan in + fan out)) (Glorot and Bengio 2010). */
  public static Initializer xavierUniform() {
    return uniform("xavier_uniform", tensor -> 2.0 / (fanIn(tensor) + fanOut(tensor)));
  }

  /** N(0, 2 / (fan in + fan out)) (Glorot and Bengio 2010). */
  public static Initializer xavierNormal() {
    return normal("xavier_normal", tensor -> 2.0 / (fanIn(tensor) + fanOut(tensor)));
  }

  /** U(-a, a) with a = √(3 / fan in) (LeCun et al. 1998). */
  public static Initializer lecunUniform() {
    return uniform("lecun_uniform", tensor -> 1.0 / fanIn(tensor));
  }

  /** N(0, 1 / fan in) (LeCun et al. 1998): what some books call Xavier's. */
  public static Initializer lecunNormal() {
    return normal("lecun_normal", tensor -> 1.0 / fanIn(tensor));
  }

  /** U(-a, a) with a = √(6 / fan in), for ReLU (He et al. 2015). */
  public static Initializer kaimingUniform() {
    return uniform("kaiming_uniform", tensor -> 2.0 / fanIn(tensor));
  }

  /** N(0, 2 / fan in), for ReLU (He et al. 2015). */
  public static Initializer kaimingNormal() {
    return normal("kaiming_normal", tensor -> 2.0 / fanIn(tensor));
  }

  /** Which side of a weight its values are scaled by. */
  public enum Fan {
    /** The inputs of a unit: values keep their size on the way forward. */
    IN,
    /** The outputs that an input has: gradients keep theirs on the way back. */
    OUT
  }

  /**
   * U(-a, a) with a = gain √(3 / fan) (He et al. 2015).
   *
   * @param gain see {@link #gain}
   * @throws IllegalArgumentException where the gain is not positive and finite
   */
  public static Initializer kaimingUniform(Fan fan, double gain) {
    return uniform(kaiming("kaiming_uniform", fan, gain), t -> gain * gain / size(t, fan));
  }

  /**
   * N(0, gain² / fan) (He et al. 2015).
   *
   * @param gain see {@link #gain}
   * @throws IllegalArgumentException where the gain is not positive and finite
   */
  public static Initializer kaimingNormal(Fan fan, double gain) {
    return normal(kaiming("kaiming_normal", fan, gain), t -> gain * gain / size(t, fan));
  }

  private static String kaiming(String name, Fan fan, double gain) {
    String text = format("%s(%s,%s)", name, fan.name().toLowerCase(ROOT), gain);
    checkGain(text, gain);
    return text;
  }

  /**
   * What makes up for the activation behind a layer, as in PyTorch's calculate_gain: 1 for identity
   * and sigmoid, 5/3 for tanh, √2 for ReLU, √(2 / (1 + slope²)) for leaky ReLU.
   *
   * @throws IllegalArgumentException where the activation has none
   */
  public static double gain(Activation activation) {
    return switch (activation.nonlinearity()) {
      case IDENTITY, SIGMOID -> 1;
      case TANH -> 5.0 / 3;
      case RELU -> Math.sqrt(2);
      case LEAKY_RELU -> Math.sqrt(2 / (1 + activation.alpha() * activation.alpha()));
      default ->
          throw new IllegalArgumentException(
              format(
                  "no gain is known for %s: it is for identity, sigmoid, tanh, relu and leaky_relu",
                  activation.spec()));
    };
  }

  /** {@link #orthogonal(double)} with gain 1. */
  public static Initializer orthogonal() {
    return orthogonal("orthogonal", 1);
  }

  /**
   * A weight with orthogonal columns, or rows where these are fewer, of length {@code gain} (Saxe,
   * McClelland and Ganguli 2014): normal draws made orthogonal on the host, in float64. That takes
   * 4 in out min(in, out) operations.
   *
   * @throws IllegalArgumentException where the gain is not positive and finite
   */
  public static Initializer orthogonal(double gain) {
    String text = format("orthogonal(%s)", gain);
    checkGain(text, gain);
    return orthogonal(text, gain);
  }

  private static Initializer orthogonal(String text, double gain) {
    return new Rule(
        text,
        (tensor, seed, draw) -> {
          int in = (int) weight(tensor).size(0);
          int out = (int) weight(tensor).size(1);
          double[] values = drawn(Kernel.RANDOM_NORMAL, tensor, seed, draw, 0, 1);
          boolean columns = in >= out;
          double[][] vectors = new double[Math.min(in, out)][Math.max(in, out)];
          for (int i = 0; i < values.length; i++) {
            vectors[columns ? i % out : i / out][columns ? i / out : i % out] = values[i];
          }
          Orthogonal.orthonormalize(vectors);
          for (int i = 0; i < values.length; i++) {
            values[i] = gain * vectors[columns ? i % out : i / out][columns ? i / out : i % out];
          }
          tensor.copyFrom(values);
        });
  }

  private static Initializer uniform(String text, ToDoubleFunction<Tensor> variance) {
    return new Rule(
        text,
        (tensor, seed, draw) -> {
          double a = Math.sqrt(3 * variance.applyAsDouble(tensor));
          draw(Kernel.RANDOM_UNIFORM, tensor, seed, draw, -a, a);
        });
  }

  private static Initializer normal(String text, ToDoubleFunction<Tensor> variance) {
    return new Rule(
        text,
        (tensor, seed, draw) ->
            draw(
                Kernel.RANDOM_NORMAL,
                tensor,
                seed,
                draw,
                0,
                Math.sqrt(variance.applyAsDouble(tensor))));
  }

  private static void checkNormal(String name, double mean, double deviation) {
    check(
        Double.isFinite(mean) && deviation >= 0 && Double.isFinite(deviation),
        "%s(%s,%s): both must be finite, and the deviation at least 0",
        name,
        mean,
        deviation);
  }

  private static void checkGain(String text, double gain) {
    check(gain > 0 && Double.isFinite(gain), "%s: the gain must be positive and finite", text);
  }

  private static void check(boolean fits, String message, Object... values) {
    if (!fits) {
      throw new IllegalArgumentException(format(message, values));
    }
  }

  /** How a rule is written: "custom" where it is code of a user's own. */
  static String text(Initializer values) {
    return values instanceof Rule rule ? rule.text() : "custom";
  }

  /**
   * The rule that {@code text} names, such as {@code xavier_uniform}, {@code normal(0,0.1)}, {@code
   * kaiming_normal(out,1.4)} or {@code orthogonal}.
   *
   * @throws IllegalArgumentException that says what there is, where the text names none, or what is
   *     wrong with its numbers
   */
  public static Initializer named(String text) {
    Initializer rule = rule(text.strip());
    if (rule == null) {
      throw new IllegalArgumentException(
          format(
              "unknown initial values '%s': there are %s, constant(value), normal(mean,deviation),"
                  + " truncated_normal(mean,deviation), uniform(low,high),"
                  + " kaiming_uniform(in,gain), kaiming_normal(in,gain), each of them also"
                  + " (out,gain), and orthogonal(gain)",
              text, RULES.stream().map(Object::toString).collect(joining(", "))));
    }
    return rule;
  }

  /**
   * The rule that a file names. What no rule of this class wrote becomes one that cannot draw: the
   * code that it was made of is not in a file, and a file brings values.
   *
   * @throws IllegalArgumentException where a rule of this class would not take such numbers
   */
  static Initializer parse(String text) {
    Initializer rule = rule(text);
    return rule != null
        ? rule
        : new Rule(
            text,
            (tensor, seed, draw) -> {
              throw new IllegalStateException(
                  format("the initial values %s were made by code that is not here", text));
            });
  }

  private static @Nullable Initializer rule(String text) {
    for (Initializer rule : RULES) {
      if (rule.toString().equals(text)) {
        return rule;
      }
    }
    Matcher form = FORM.matcher(text);
    if (!form.matches()) {
      return null;
    }
    String name = form.group(1);
    String[] inside = form.group(2).strip().split("\\s*,\\s*", -1);
    if (inside.length == 1) {
      return switch (name) {
        case "constant" -> constant(number(text, inside[0]));
        case "orthogonal" -> orthogonal(number(text, inside[0]));
        default -> null;
      };
    }
    return inside.length == 2 ? of(text, name, inside[0], inside[1]) : null;
  }

  private static @Nullable Initializer of(String text, String name, String first, String second) {
    if (name.equals("kaiming_uniform") || name.equals("kaiming_normal")) {
      Fan fan = first.equals("in") ? Fan.IN : first.equals("out") ? Fan.OUT : null;
      if (fan == null) {
        return null;
      }
      double gain = number(text, second);
      return name.equals("kaiming_uniform") ? kaimingUniform(fan, gain) : kaimingNormal(fan, gain);
    }
    return switch (name) {
      case "normal" -> normal(number(text, first), number(text, second));
      case "uniform" -> uniform(number(text, first), number(text, second));
      case "truncated_normal" -> truncatedNormal(number(text, first), number(text, second));
      default -> null;
    };
  }

  private static double number(String text, String value) {
    return LayerParser.number(text, value);
  }

  private static final Pattern FORM = Pattern.compile("([a-z_]+)\\(([^()]+)\\)");

  /** The distribution function of the standard normal at -2. */
  private static final double BELOW_MINUS_2 = 0.022750131948179207;

  private static final List<Initializer> RULES =
      List.of(
          zeros(),
          ones(),
          xavierUniform(),
          xavierNormal(),
          lecunUniform(),
          lecunNormal(),
          kaimingUniform(),
          kaimingNormal(),
          orthogonal());

  private static double fanIn(Tensor tensor) {
    return size(tensor, Fan.IN);
  }

  private static double fanOut(Tensor tensor) {
    return size(tensor, Fan.OUT);
  }

  private static double size(Tensor tensor, Fan fan) {
    return weight(tensor).size(fan == Fan.IN ? 0 : 1);
  }

  private static Shape weight(Tensor tensor) {
    if (tensor.shape().rank() != 2) {
      throw new IllegalArgumentException(
          "initial values that depend on fans need a weight [fan in, fan out], not "
              + tensor.shape());
    }
    return tensor.shape();
  }

  /** Draws for a tensor, in float64 on the host. */
  private static double[] drawn(
      Kernel kernel, Tensor tensor, long seed, long draw, double a, double b) {
    try (Tensor wide = tensor.device().allocate(DType.F64, tensor.shape())) {
      draw(kernel, wide, seed, draw, a, b);
      return wide.toDoubles();
    }
  }

  private static void draw(Kernel kernel, Tensor tensor, long seed, long draw, double a, double b) {
    Engine.run(
        tensor.device(),
        kernel,
        tensor.dtype().precision(),
        new Arguments.Random(Engine.address(tensor), tensor.elements(), seed, 0, draw, a, b));
  }
}
