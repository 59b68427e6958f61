// SPDX-License-Identifier: Apache-2.0
package dev.weft.check;

import static dev.weft.format.Format.format;

import dev.weft.Shape;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * What {@link GradCheck#check} found.
 *
 * @param tolerance the largest error that passes
 * @param inputs one verdict for each input that has a gradient
 */
public record GradientReport(double tolerance, List<InputVerdict> inputs) {

  /** What was compared. */
  public enum Measure {
    /** One element of the gradient with a difference in that element. */
    ELEMENT("element"),
    /** The gradient along a random direction with a difference along it. */
    DIRECTION("direction"),
    /** Half the gradient after a second backward pass with the gradient after the first. */
    ACCUMULATION("second backward pass, element"),
    /** An element of the function's result that is NaN or infinite: nothing can be compared. */
    RESULT("result");

    private final String words;

    Measure(String words) {
      this.words = words;
    }
  }

  /**
   * One comparison.
   *
   * @param measure what was compared
   * @param place the element, row-major, or the number of the direction
   * @param analytic what the backward pass gave
   * @param numeric what was expected of it
   * @param error the relative error; infinite where a value is not finite
   * @param undefined why there is no derivative to compare with; empty where there is one
   */
  public record Deviation(
      Measure measure,
      long place,
      double analytic,
      double numeric,
      double error,
      String undefined) {

    /** The difference itself. */
    public double absolute() {
      return Math.abs(analytic - numeric);
    }

    private String line(double tolerance) {
      if (measure == Measure.RESULT) {
        return format("result %d of the function %s", place, undefined);
      }
      String values =
          format("%s %d: analytic %.12g, numeric %.12g", measure.words, place, analytic, numeric);
      return undefined.isEmpty()
          ? format("%s, error %.3g (tolerance %.3g)", values, error, tolerance)
          : format("%s: no derivative to compare with, %s", values, undefined);
    }
  }

  /**
   * A place where the differences to its two sides stay apart, however small the step, and the
   * gradient lies between them: a subgradient, which is as right as any there.
   *
   * @param measure what was compared
   * @param place the element, row-major, or the number of the direction
   * @param analytic what the backward pass gave
   * @param before the difference to the side below
   * @param after the difference to the side above
   */
  public record Kink(Measure measure, long place, double analytic, double before, double after) {
    private String line() {
      return format(
          "%s %d may be a kink: analytic %.12g lies between the one-sided differences %.12g and"
              + " %.12g",
          measure.words, place, analytic, before, after);
    }
  }

  /**
   * The verdict on one input.
   *
   * @param input its number
   * @param shape its shape
   * @param worst the comparison with the largest error; null where there was none
   * @param largestAbsolute the largest difference of any comparison
   * @param kinks places that may be kinks, counted apart from the comparisons
   * @param verdict what follows
   */
  public record InputVerdict(
      int input,
      Shape shape,
      @Nullable Deviation worst,
      double largestAbsolute,
      List<Kink> kinks,
      Verdict verdict) {
    private static final int LISTED = 3;

    /** Whether every error is within the tolerance, and something was compared where it could. */
    public boolean passed() {
      return verdict.passed();
    }

    private double error() {
      return worst == null ? 0 : worst.error();
    }

    private String line(double tolerance) {
      StringBuilder line = new StringBuilder();
      line.append(format("input %d %s: %s", input, shape, verdict.words()));
      if (verdict == Verdict.ONLY_KINKS) {
        line.append(", nothing else could be compared: check at other values");
      } else if (worst != null) {
        line.append(", ").append(worst.line(tolerance));
      } else if (kinks.isEmpty()) {
        line.append(", no elements");
      }
      kinks.stream().limit(LISTED).forEach(kink -> line.append("; ").append(kink.line()));
      if (kinks.size() > LISTED) {
        line.append(format("; and %d more that may be kinks", kinks.size() - LISTED));
      }
      return line.toString();
    }
  }

  /** Whether every input passed. */
  public boolean passed() {
    return verdict().passed();
  }

  /** The least good verdict of any input. */
  public Verdict verdict() {
    return inputs.stream()
        .map(InputVerdict::verdict)
        .max(Comparator.naturalOrder())
        .orElse(Verdict.OK);
  }

  /** The number of places that may be kinks. */
  public int kinks() {
    return inputs.stream().mapToInt(verdict -> verdict.kinks().size()).sum();
  }

  /** The verdict with the largest error; null where there was nothing to compare. */
  public @Nullable InputVerdict worst() {
    return inputs.stream()
        .filter(verdict -> verdict.worst() != null)
        .max(Comparator.comparingDouble(InputVerdict::error))
        .orElse(null);
  }

  /** The largest relative error of all, kinks aside; 0 where there was nothing to compare. */
  public double largestError() {
    return inputs.stream().mapToDouble(InputVerdict::error).max().orElse(0);
  }

  /** The largest difference of all, kinks aside. */
  public double largestAbsolute() {
    return inputs.stream().mapToDouble(InputVerdict::largestAbsolute).max().orElse(0);
  }

  /** One line for each input. */
  @Override
  public String toString() {
    return inputs.stream()
        .map(verdict -> verdict.line(tolerance))
        .collect(Collectors.joining(System.lineSeparator()));
  }
}
