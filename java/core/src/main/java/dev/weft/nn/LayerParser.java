// SPDX-License-Identifier: Apache-2.0
package dev.weft.nn;

import static dev.weft.format.Format.format;
import static java.util.Locale.ROOT;

import dev.weft.Parameter.Initializer;
import dev.weft.device.Nonlinearity;
import java.util.Arrays;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** Reads layers as the command writes them: from their {@link Layer#spec}. */
final class LayerParser {
  private static final Pattern FORM = Pattern.compile("([a-z_]+)(?:\\(([^()]*)\\))?");

  /** Java's own form has more, such as 1d and hexadecimal numbers. */
  private static final Pattern NUMBER =
      Pattern.compile("[-+]?([0-9]+\\.?[0-9]*|\\.[0-9]+)([eE][-+]?[0-9]+)?");

  private LayerParser() {}

  static Layer parse(String text, Initializer weights) {
    Matcher form = FORM.matcher(text.strip().toLowerCase(ROOT));
    if (!form.matches()) {
      throw new IllegalArgumentException(format("'%s' is not a layer: %s", text, choices()));
    }
    String name = form.group(1);
    String inside = form.group(2) == null ? null : form.group(2).strip();
    String[] values = inside == null ? new String[0] : inside.split("\\s*,\\s*", -1);
    Nonlinearity function = Nonlinearity.named(name);
    if (name.equals("linear")) {
      return linear(text, values, weights);
    } else if (name.equals("weight_norm_linear")) {
      check(values.length == 2, text, "weight_norm_linear(in,out)");
      return new WeightNormLinear(size(text, values[0]), size(text, values[1]), weights);
    } else if (name.equals("row_dropout")) {
      check(values.length == 1, text, "row_dropout(rate)");
      return new RowDropout(number(text, values[0]));
    } else if (name.equals("dropout")) {
      check(values.length == 1, text, "dropout(rate)");
      return new Dropout(number(text, values[0]));
    } else if (name.equals("layer_norm")) {
      check(
          values.length == 1 || values.length == 2,
          text,
          "layer_norm(width) or layer_norm(width,epsilon)");
      double epsilon = values.length == 1 ? LayerNorm.EPSILON : number(text, values[1]);
      return new LayerNorm(size(text, values[0]), epsilon);
    } else if (name.equals("batch_norm")) {
      check(
          values.length >= 1 && values.length <= 3,
          text,
          "batch_norm(width), batch_norm(width,epsilon) or batch_norm(width,epsilon,momentum)");
      return new BatchNorm(
          size(text, values[0]),
          values.length < 2 ? BatchNorm.EPSILON : number(text, values[1]),
          values.length < 3 ? BatchNorm.MOMENTUM : number(text, values[2]));
    } else if (name.equals("flatten")) {
      check(inside == null, text, "flatten");
      return new Flatten();
    } else if (name.equals("embedding")) {
      check(values.length == 2, text, "embedding(vocabulary,width)");
      return new Embedding(size(text, values[0]), size(text, values[1]));
    } else if (name.equals("prelu")) {
      check(values.length < 2, text, "prelu or prelu(width)");
      return inside == null ? new PReLU() : new PReLU(size(text, values[0]));
    } else if (name.equals("maxout")) {
      check(values.length == 3, text, "maxout(in,out,pieces)");
      return new Maxout(
          size(text, values[0]), size(text, values[1]), size(text, values[2]), weights);
    } else if (function == null) {
      throw new IllegalArgumentException(format("unknown layer '%s': %s", text, choices()));
    } else if (inside == null) {
      return Activation.named(name);
    }
    if (!function.takesAlpha()) {
      throw new IllegalArgumentException(
          format("%s takes nothing in parentheses: write %s for '%s'", name, name, text));
    }
    check(values.length == 1, text, format("%s or %s(alpha)", name, name));
    return new Activation(name, number(text, values[0]));
  }

  private static Layer linear(String text, String[] values, Initializer weights) {
    boolean noBias = values.length == 3 && values[2].equals("no_bias");
    check(values.length == 2 || noBias, text, "linear(in,out) or linear(in,out,no_bias)");
    return new Linear(
        size(text, values[0]),
        size(text, values[1]),
        weights,
        noBias ? Linear.Bias.WITHOUT : Linear.Bias.WITH);
  }

  private static void check(boolean fits, String text, String form) {
    if (!fits) {
      throw new IllegalArgumentException(format("'%s' does not have the form %s", text, form));
    }
  }

  private static int size(String text, String value) {
    if (value.matches("[-+]?[0-9]{1,9}")) {
      return Integer.parseInt(value);
    }
    throw new IllegalArgumentException(
        format("'%s' in '%s' is not a whole number of up to 9 digits", value, text));
  }

  /**
   * A number within a text, in decimal digits.
   *
   * @throws IllegalArgumentException where it is none
   */
  static double number(String text, String value) {
    if (NUMBER.matcher(value).matches()) {
      return Double.parseDouble(value);
    }
    throw new IllegalArgumentException(format("'%s' in '%s' is not a number", value, text));
  }

  private static String choices() {
    return "use linear(in,out), weight_norm_linear(in,out), maxout(in,out,pieces),"
        + " layer_norm(width), batch_norm(width), dropout(rate), row_dropout(rate),"
        + " embedding(vocabulary,width), prelu, flatten, "
        + Arrays.stream(Nonlinearity.values())
            .map(Nonlinearity::token)
            .collect(Collectors.joining(", "));
  }
}
