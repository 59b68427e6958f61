// SPDX-License-Identifier: Apache-2.0
package dev.weft;

import static dev.weft.format.Format.format;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Axes of a shape that an operation goes over.
 *
 * @param numbers counted from 0, in order
 */
record Axes(int[] numbers) {

  /**
   * The axes of a shape with these numbers; all where there are none.
   *
   * @throws IllegalArgumentException where there is no such axis, or one is named twice
   */
  static Axes of(Shape shape, int... axes) {
    if (axes.length == 0) {
      return new Axes(IntStream.range(0, shape.rank()).toArray());
    }
    int[] numbers = IntStream.of(axes).map(shape::axis).sorted().toArray();
    for (int i = 1; i < numbers.length; i++) {
      if (numbers[i] == numbers[i - 1]) {
        throw new IllegalArgumentException(
            format(
                "axis %d of shape %s is named twice: %s",
                numbers[i], shape, Arrays.toString(axes)));
      }
    }
    return new Axes(numbers);
  }

  int first() {
    return numbers[0];
  }

  int count() {
    return numbers.length;
  }

  /** Those that stand side by side, together. */
  List<Axes> runs() {
    List<Axes> runs = new ArrayList<>();
    int first = 0;
    for (int i = 1; i <= numbers.length; i++) {
      if (i == numbers.length || numbers[i] != numbers[i - 1] + 1) {
        runs.add(new Axes(Arrays.copyOfRange(numbers, first, i)));
        first = i;
      }
    }
    return runs;
  }

  /** How many elements of a shape stand together along these axes. */
  long elements(Shape shape) {
    return IntStream.of(numbers).mapToLong(shape::size).reduce(1, (a, b) -> a * b);
  }

  private boolean has(int axis) {
    return Arrays.binarySearch(numbers, axis) >= 0;
  }

  /** All axes of a shape, these last. */
  int[] last(Shape shape) {
    IntStream others = IntStream.range(0, shape.rank()).filter(axis -> !has(axis));
    return IntStream.concat(others, IntStream.of(numbers)).toArray();
  }

  /** The shape with size 1 at these axes. */
  Shape kept(Shape shape) {
    long[] sizes = shape.toArray();
    IntStream.of(numbers).forEach(axis -> sizes[axis] = 1);
    return Shape.of(sizes);
  }

  /** The shape without these axes. */
  Shape without(Shape shape) {
    return Shape.of(
        IntStream.range(0, shape.rank()).filter(a -> !has(a)).mapToLong(shape::size).toArray());
  }
}
