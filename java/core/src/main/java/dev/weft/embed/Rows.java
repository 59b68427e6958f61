// SPDX-License-Identifier: Apache-2.0
package dev.weft.embed;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * A matrix of float32, little-endian, whose rows lie one behind the other, or wherever offsets say.
 *
 * @param data perhaps mapped, perhaps not aligned
 * @param offsets the byte of each row's first number; null where row i begins at 4 i dimension
 * @param count of rows
 * @param dimension numbers of a row
 */
record Rows(MemorySegment data, long @Nullable [] offsets, int count, int dimension) {
  static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  long offset(int row) {
    return offsets == null ? (long) row * dimension * Float.BYTES : offsets[row];
  }

  long rowBytes() {
    return (long) dimension * Float.BYTES;
  }

  /** Copies a row to {@code target}, from {@code at} on. */
  void copy(int row, float[] target, int at) {
    MemorySegment.copy(data, FLOAT, offset(row), target, at, dimension);
  }

  /** Its bytes. */
  MemorySegment bytes(int row) {
    return data.asSlice(offset(row), rowBytes());
  }

  /** The Euclidean norm of each row. */
  float[] norms() {
    return ofEach(row -> norm(row, 0, dimension));
  }

  /** The dot product of each row with a vector. */
  float[] dots(float[] x) {
    return ofEach(row -> Search.dot(x, row, 0));
  }

  private interface Number {
    float of(float[] row);
  }

  /** A number of each row, by several threads. */
  private float[] ofEach(Number number) {
    float[] numbers = new float[count];
    int block = Math.max(1, (1 << 14) / Math.max(1, dimension));
    IntStream.range(0, (int) (((long) count + block - 1) / block))
        .parallel()
        .forEach(
            b -> {
              float[] row = new float[dimension];
              int end = (int) Math.min(count, (long) (b + 1) * block);
              for (int i = b * block; i < end; i++) {
                copy(i, row, 0);
                numbers[i] = number.of(row);
              }
            });
    return numbers;
  }

  /** The Euclidean norm of {@code length} numbers, summed in float64. */
  static float norm(float[] x, int from, int length) {
    double s0 = 0;
    double s1 = 0;
    double s2 = 0;
    double s3 = 0;
    int i = from;
    int end = from + length;
    for (; i + 3 < end; i += 4) {
      s0 += (double) x[i] * x[i];
      s1 += (double) x[i + 1] * x[i + 1];
      s2 += (double) x[i + 2] * x[i + 2];
      s3 += (double) x[i + 3] * x[i + 3];
    }
    for (; i < end; i++) {
      s0 += (double) x[i] * x[i];
    }
    return (float) Math.sqrt(s0 + s1 + (s2 + s3));
  }

  /** Whether a vector of that norm points anywhere. */
  static boolean isDirection(float norm) {
    return norm > 0 && norm <= Float.MAX_VALUE;
  }

  /**
   * Divides numbers by their norm; numbers that point nowhere become zeros.
   *
   * @return whether they point anywhere
   */
  static boolean normalize(float[] x, int from, int length, float norm) {
    boolean direction = isDirection(norm);
    if (!direction) {
      Arrays.fill(x, from, from + length, 0);
      return false;
    }
    double factor = 1.0 / norm;
    for (int i = from; i < from + length; i++) {
      x[i] = (float) (x[i] * factor);
    }
    return true;
  }
}
