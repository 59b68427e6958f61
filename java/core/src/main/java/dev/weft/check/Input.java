// SPDX-License-Identifier: Apache-2.0
package dev.weft.check;

import static dev.weft.format.Format.format;

import dev.weft.DType;
import dev.weft.Device;
import dev.weft.Shape;
import dev.weft.Tensor;
import dev.weft.device.Bfloat16;
import java.util.Arrays;
import java.util.SplittableRandom;

/**
 * A recipe for one input of a function under check: a shape and where its values come from. Drawn
 * values are a function of a seed alone and can be held exactly by float32, so that every precision
 * and every device sees the same ones.
 */
public final class Input {

  /** Makes the values of an input of {@code count} elements. */
  @FunctionalInterface
  private interface Source {
    double[] draw(SplittableRandom random, int count);
  }

  private final Shape shape;
  private final boolean integers;
  private final boolean constant; // numbers without a gradient
  private final Source source;

  private Input(Shape shape, boolean integers, Source source) {
    this(shape, integers, false, source);
  }

  private Input(Shape shape, boolean integers, boolean constant, Source source) {
    this.shape = shape;
    this.integers = integers;
    this.constant = constant;
    this.source = source;
  }

  private static Input drawn(Source source, long... sizes) {
    return new Input(
        Shape.of(sizes),
        false,
        (random, count) ->
            Arrays.stream(source.draw(random, count)).map(value -> (float) value).toArray());
  }

  /** Values from the standard normal distribution. */
  public static Input randomNormal(long... sizes) {
    return drawn(
        (random, count) -> {
          double[] values = new double[count];
          Arrays.setAll(values, i -> normal(random));
          return values;
        },
        sizes);
  }

  private static double normal(SplittableRandom random) {
    double radius = Math.sqrt(-2 * Math.log(1 - random.nextDouble()));
    return radius * Math.cos(2 * Math.PI * random.nextDouble());
  }

  /** Values evenly distributed over [low, high). */
  public static Input uniform(double low, double high, long... sizes) {
    return drawn(
        (random, count) -> random.doubles(count).map(u -> low + (high - low) * u).toArray(), sizes);
  }

  /**
   * Values of an even grid over [low, high), shuffled: no two are closer than (high - low) /
   * elements.
   */
  public static Input grid(double low, double high, long... sizes) {
    return drawn(
        (random, count) -> {
          double[] values = new double[count];
          Arrays.setAll(values, i -> low + (high - low) * i / count);
          for (int i = count - 1; i > 0; i--) {
            int j = random.nextInt(i + 1);
            double value = values[i];
            values[i] = values[j];
            values[j] = value;
          }
          return values;
        },
        sizes);
  }

  /** Integers of 0..bound-1, as int32; they get no gradient. */
  public static Input integers(int bound, long... sizes) {
    return new Input(
        Shape.of(sizes),
        true,
        (random, count) -> random.ints(count, 0, bound).asDoubleStream().toArray());
  }

  /** A vector of given integers, as int32; they get no gradient. */
  public static Input integers(int[] values) {
    return integers(Shape.of(values.length), values);
  }

  /** Given integers in row-major order, as int32; they get no gradient. */
  public static Input integers(Shape shape, int... values) {
    double[] copy = Arrays.stream(values).asDoubleStream().toArray();
    return new Input(checked(shape, copy.length), true, (random, count) -> copy.clone());
  }

  /** Given values in row-major order. */
  public static Input of(Shape shape, double... values) {
    double[] copy = values.clone();
    return new Input(checked(shape, copy.length), false, (random, count) -> copy.clone());
  }

  private static Shape checked(Shape shape, int values) {
    if (values != shape.elements()) {
      throw new IllegalArgumentException(format("%d values do not fill shape %s", values, shape));
    }
    return shape;
  }

  /** A vector of given values. */
  public static Input of(double... values) {
    return of(Shape.of(values.length), values);
  }

  /** The present values of a tensor; one of integers gets no gradient. */
  public static Input of(Tensor tensor) {
    double[] values = tensor.toDoubles();
    return new Input(
        tensor.shape(), !tensor.dtype().isFloating(), (random, count) -> values.clone());
  }

  /**
   * The same values, those closer than {@code distance} to {@code kink} moved away from it to that
   * distance: there a function may have no derivative.
   */
  public Input awayFrom(double kink, double distance) {
    return new Input(
        shape,
        integers,
        constant,
        (random, count) ->
            Arrays.stream(source.draw(random, count))
                .map(
                    value ->
                        Math.abs(value - kink) < distance
                            ? kink + Math.copySign(distance, value - kink)
                            : value)
                .toArray());
  }

  /** The same values, each moved to the nearest multiple of {@code grain} plus {@code offset}. */
  public Input onto(double grain, double offset) {
    return new Input(
        shape,
        integers,
        constant,
        (random, count) ->
            Arrays.stream(source.draw(random, count))
                .map(value -> Math.rint((value - offset) / grain) * grain + offset)
                .toArray());
  }

  /** This input without a gradient: weights, targets. */
  public Input withoutGradient() {
    return new Input(shape, integers, true, source);
  }

  /** Its shape. */
  public Shape shape() {
    return shape;
  }

  /** Whether this input gets a gradient: integers do not, nor what is {@link #withoutGradient}. */
  public boolean hasGradient() {
    return !integers && !constant;
  }

  /** Whether the values of this input are int32. */
  public boolean isIntegers() {
    return integers;
  }

  /** Its values under a seed. */
  public double[] values(long seed) {
    return source.draw(new SplittableRandom(seed), Math.toIntExact(shape.elements()));
  }

  /** Puts its values on a device: int32 where they are integers, else {@code dtype}. */
  public Tensor on(Device device, DType dtype, long seed) {
    return device.tensor(integers ? DType.I32 : dtype, shape, values(seed));
  }

  /** The same, its values rounded to those that {@code stored} has. */
  Tensor on(Device device, DType dtype, DType stored, long seed) {
    double[] values = values(seed);
    if (stored == DType.BF16 && !integers) {
      Arrays.setAll(values, i -> Bfloat16.round((float) values[i]));
    }
    return device.tensor(integers ? DType.I32 : dtype, shape, values);
  }

  @Override
  public String toString() {
    return shape.toString();
  }
}
