// SPDX-License-Identifier: Apache-2.0
package dev.weft.check;

import static dev.weft.format.Format.format;

import dev.weft.Shape;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Collectors;

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
    ACCUMULATION("second backward pass, element");

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
   */
  public record Deviation(
      Measure measure, long place, double analytic, double numeric, double error) {

    /** The difference itself. */
    public double absolute() {
      return Math.abs(analytic - numeric);
    }
  }

  /**
   * The verdict on one input.
   *
   * @param input its number
   * @param shape its shape
   * @param worst the comparison with the largest error; null where the input is empty
   * @param largestAbsolute the largest difference of any comparison
   * @param passed whether every error is within the tolerance
   */
  public record InputVerdict(
      int input, Shape shape, Deviation worst, double largestAbsolute, boolean passed) {}

  /** Whether every input passed. */
  public boolean passed() {
    return inputs.stream().allMatch(InputVerdict::passed);
  }

  /** The verdict with the largest error; null where there was nothing to compare. */
  public InputVerdict worst() {
    return inputs.stream()
        .filter(verdict -> verdict.worst() != null)
        .max(Comparator.comparingDouble(verdict -> verdict.worst().error()))
        .orElse(null);
  }

  /** The largest relative error of all; 0 where there was nothing to compare. */
  public double largestError() {
    InputVerdict worst = worst();
    return worst == null ? 0 : worst.worst().error();
  }

  /** The largest difference of all. */
  public double largestAbsolute() {
    return inputs.stream().mapToDouble(InputVerdict::largestAbsolute).max().orElse(0);
  }

  /** One line for each input. */
  @Override
  public String toString() {
    return inputs.stream().map(this::line).collect(Collectors.joining(System.lineSeparator()));
  }

  private String line(InputVerdict verdict) {
    String head =
        format(
            "input %d %s: %s", verdict.input(), verdict.shape(), verdict.passed() ? "ok" : "WRONG");
    Deviation worst = verdict.worst();
    return worst == null
        ? head + ", no elements"
        : format(
            "%s, %s %d: analytic %.12g, numeric %.12g, error %.3g (tolerance %.3g)",
            head,
            worst.measure().words,
            worst.place(),
            worst.analytic(),
            worst.numeric(),
            worst.error(),
            tolerance);
  }
}
