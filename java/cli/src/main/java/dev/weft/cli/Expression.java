// SPDX-License-Identifier: Apache-2.0
package dev.weft.cli;

import static dev.weft.format.Format.format;

import dev.weft.DType;
import dev.weft.Operations;
import dev.weft.Shape;
import dev.weft.Tensor;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * An expression in scalars, computed by operations as it is read: sums and products from left to
 * right, powers from right to left and before a sign, {@code 4x} and {@code 2(a + b)} as products.
 * A constant is a tensor without a gradient, under the text that it was read from.
 */
final class Expression {
  private static final int DEEPEST = 200;
  private static final Pattern NUMBER =
      Pattern.compile("([0-9]+\\.?[0-9]*|\\.[0-9]+)([eE][-+]?[0-9]+)?");
  static final Pattern NAME = Pattern.compile("[\\p{L}_][\\p{L}\\p{N}_]*");

  /** A function of one or two arguments. */
  private record Named(int arguments, Function<Tensor[], Tensor> apply) {}

  private final String text;
  private final Operations operations;
  private final Map<String, Tensor> variables;
  private final Map<String, Named> functions = new TreeMap<>();
  private final Set<String> used = new HashSet<>();
  private int at;
  private int depth;
  private boolean afterNumber;

  private Expression(String text, Operations operations, Map<String, Tensor> variables) {
    this.text = text;
    this.operations = operations;
    this.variables = variables;
    one("exp", operations::exp);
    one("log", operations::log);
    one("sqrt", operations::sqrt);
    one("square", operations::square);
    one("abs", operations::abs);
    one("sigmoid", operations::sigmoid);
    one("tanh", operations::tanh);
    one("relu", operations::relu);
    functions.put("max", new Named(2, in -> operations.maximum(in[0], in[1])));
    functions.put("min", new Named(2, in -> operations.minimum(in[0], in[1])));
  }

  private void one(String name, Function<Tensor, Tensor> apply) {
    functions.put(name, new Named(1, in -> apply.apply(in[0])));
  }

  /**
   * Computes an expression.
   *
   * @param variables by name, float64 scalars
   * @throws IllegalArgumentException that points at the column, where the text is no expression of
   *     these variables, or does not use one of them
   */
  static Tensor compute(String text, Operations operations, Map<String, Tensor> variables) {
    Expression expression = new Expression(text, operations, variables);
    Tensor y = expression.sum();
    if (expression.peek() != 0) {
      throw expression.unexpected("an operator or the end");
    }
    Set<String> unused = new TreeSet<>(variables.keySet());
    unused.removeAll(expression.used);
    if (!unused.isEmpty()) {
      throw new IllegalArgumentException(
          format("%s has no %s: leave its value out", text, String.join(", ", unused)));
    }
    return y;
  }

  private Tensor sum() {
    int start = at;
    if (++depth > DEEPEST) {
      throw error(at, format("parentheses are nested more than %d deep", DEEPEST));
    }
    Tensor left = product();
    for (char c = peek(); c == '+' || c == '-'; c = peek()) {
      at++;
      Tensor right = product();
      left =
          named(start, c == '+' ? operations.add(left, right) : operations.subtract(left, right));
    }
    depth--;
    return left;
  }

  private Tensor product() {
    int start = at;
    Tensor left = signed();
    for (char c = peek(); c == '*' || c == '/' || isFactor(c); c = peek()) {
      if (c == '*' || c == '/') {
        at++;
      }
      Tensor right = signed();
      left =
          named(
              start, c == '/' ? operations.divide(left, right) : operations.multiply(left, right));
    }
    return left;
  }

  /** Whether it begins a factor that stands behind a number without a sign. */
  private boolean isFactor(char c) {
    return afterNumber && (c == '(' || c == '_' || Character.isLetter(c));
  }

  private Tensor signed() {
    int start = at;
    if (peek() != '-') {
      return power();
    }
    if (++depth > DEEPEST) {
      throw error(at, format("signs are nested more than %d deep", DEEPEST));
    }
    at++;
    Tensor x = signed();
    depth--;
    return named(start, operations.negate(x));
  }

  private Tensor power() {
    int start = at;
    Tensor base = primary();
    if (peek() != '^') {
      return base;
    }
    at++;
    Tensor exponent = signed();
    if (exponent.hasGradient()) {
      Tensor logarithm = operations.log(base);
      if (!logarithm.hasGradient()) {
        logarithm.named(format("log(%s)", base.name()));
      }
      return operations.exp(operations.multiply(exponent, logarithm));
    }
    double n = exponent.item();
    return named(start, n == 2 ? operations.square(base) : operations.pow(base, n));
  }

  private Tensor primary() {
    char c = peek();
    int start = at;
    if (c == '(') {
      at++;
      Tensor inside = sum();
      expect(')', "an operator or ')'");
      return inside;
    }
    Matcher number = NUMBER.matcher(text).region(at, text.length());
    if (number.lookingAt()) {
      at = number.end();
      afterNumber = true;
      double value = Double.parseDouble(number.group());
      if (Double.isInfinite(value)) {
        throw error(start, format("%s is too large for float64", number.group()));
      }
      return operations.device().tensor(DType.F64, Shape.of(), value).named(number.group());
    }
    Matcher name = NAME.matcher(text).region(at, text.length());
    if (!name.lookingAt()) {
      throw unexpected("a number, a variable, a function or '('");
    }
    at = name.end();
    afterNumber = false;
    return peek() == '(' ? call(name.group(), start) : variable(name.group(), start);
  }

  private Tensor variable(String name, int start) {
    Tensor variable = variables.get(name);
    if (variable == null) {
      throw error(
          start,
          functions.containsKey(name)
              ? format("%s is a function: write %s(...)", name, name)
              : format("%s has no value: add %s=1, or another number", name, name));
    }
    used.add(name);
    return variable;
  }

  private Tensor call(String name, int start) {
    Named function = functions.get(name);
    if (function == null) {
      String what =
          variables.containsKey(name)
              ? "is a variable: write %s*(...)"
              : "is no function: there are %s";
      String rest = variables.containsKey(name) ? name : String.join(", ", functions.keySet());
      throw error(start, name + " " + format(what, rest));
    }
    at++;
    Tensor[] arguments = new Tensor[function.arguments()];
    for (int i = 0; i < arguments.length; i++) {
      if (i > 0) {
        expect(',', format("',' and another argument of %s", name));
      }
      arguments[i] = sum();
    }
    expect(')', format("')' after the last argument of %s", name));
    return named(start, function.apply().apply(arguments));
  }

  /** Gives a result without a gradient, which is no operation on the tape, the text that it is. */
  private Tensor named(int start, Tensor result) {
    return result.hasGradient() ? result : result.named(text.substring(start, at).strip());
  }

  /** The next character that is no space; 0 at the end. */
  private char peek() {
    while (at < text.length() && Character.isWhitespace(text.charAt(at))) {
      at++;
    }
    return at < text.length() ? text.charAt(at) : 0;
  }

  private void expect(char wanted, String words) {
    if (peek() != wanted) {
      throw unexpected(words);
    }
    at++;
    afterNumber = false;
  }

  private IllegalArgumentException unexpected(String wanted) {
    String found =
        peek() == 0
            ? "the expression ends"
            : "there is '" + text.substring(at, text.offsetByCodePoints(at, 1)) + "'";
    return error(at, format("%s where %s should be", found, wanted));
  }

  private IllegalArgumentException error(int column, String words) {
    return new IllegalArgumentException(
        format("column %d: %s%n  %s%n  %s^", column + 1, words, text, " ".repeat(column)));
  }
}
