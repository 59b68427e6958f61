// SPDX-License-Identifier: Apache-2.0
package dev.weft.nn;

import static dev.weft.format.Format.format;
import static java.util.Locale.ROOT;

import dev.weft.op.Nonlinearity;
import java.util.Arrays;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** Reads layers from their {@link Layer#spec}. */
public final class Layers {
  private static final Pattern FORM = Pattern.compile("([a-z_]+)(?:\\(([^()]*)\\))?");

  private Layers() {}

  /**
   * One layer: {@code linear(784,512)}, {@code linear(784,512,no_bias)}, {@code relu}, {@code
   * leaky_relu(0.1)}, {@code dropout(0.2)}.
   *
   * @throws IllegalArgumentException that says what there is, where the text is none of these
   */
  public static Layer parse(String text) {
    Matcher form = FORM.matcher(text.strip().toLowerCase(ROOT));
    if (!form.matches()) {
      throw new IllegalArgumentException(format("'%s' is not a layer: %s", text, choices()));
    }
    String name = form.group(1);
    String[] values = form.group(2) == null ? new String[0] : form.group(2).split("\\s*,\\s*");
    try {
      if (name.equals("linear") && (values.length == 2 || values.length == 3)) {
        if (values.length == 3 && !values[2].equals("no_bias")) {
          throw new IllegalArgumentException(format("the third word of '%s' is no_bias", text));
        }
        return new Linear(
            Integer.parseInt(values[0]),
            Integer.parseInt(values[1]),
            Initializers.xavierUniform(),
            values.length == 3 ? Linear.Bias.WITHOUT : Linear.Bias.WITH);
      }
      if (name.equals("dropout") && values.length == 1) {
        return new Dropout(Double.parseDouble(values[0]));
      }
      Nonlinearity function = Nonlinearity.named(name);
      if (function != null && values.length <= 1) {
        return values.length == 0
            ? Activation.of(function)
            : new Activation(function, Double.parseDouble(values[0]));
      }
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException(
          format("'%s' has a number that is none: %s", text, e.getMessage()), e);
    }
    throw new IllegalArgumentException(format("unknown layer '%s': %s", text, choices()));
  }

  private static String choices() {
    return "use linear(in,out), dropout(rate), "
        + Arrays.stream(Nonlinearity.values())
            .map(Nonlinearity::token)
            .collect(Collectors.joining(", "));
  }
}
