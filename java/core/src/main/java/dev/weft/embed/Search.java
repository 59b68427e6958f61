// SPDX-License-Identifier: Apache-2.0
package dev.weft.embed;

import dev.weft.DType;
import dev.weft.Device;
import dev.weft.DeviceKind;
import dev.weft.Engine;
import dev.weft.Shape;
import dev.weft.Tensor;
import dev.weft.device.Arguments;
import dev.weft.device.Kernel;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/**
 * The rows nearest to questions. A block of rows is divided by their norms and multiplied by a tile
 * of questions; the scores are looked through while they are in the cache.
 */
final class Search {
  /** Rows at a time, and questions at a time: their scores, 4 MiB, stay near the processor. */
  private static final int BLOCK = 2048;

  private static final int TILE = 512;
  private static final int SHARE = 16; // questions of a thread at a time
  private static final int MOST = 1 << 22; // numbers of a block
  private static final float EPSILON = 1e-3f; // of 3CosMul (Levy and Goldberg 2014)

  private final Rows rows;
  private final float[] norms;
  private final int limit;
  private final int block;

  /**
   * Among the first rows.
   *
   * @param norms of all rows
   * @param limit how many rows are looked at
   */
  Search(Rows rows, float[] norms, int limit) {
    this.rows = rows;
    this.norms = norms;
    this.limit = limit;
    this.block = Math.max(1, Math.min(Math.min(BLOCK, limit), MOST / rows.dimension()));
  }

  /** How a question's score comes of the cosines of its unit vectors. */
  enum Rule {
    /** One vector: its cosine. */
    COSINE(1),
    /** b, c, a: b' c' / (a' + 0.001), where x' = (1 + x) / 2. */
    MULTIPLY(3);

    final int vectors;

    Rule(int vectors) {
      this.vectors = vectors;
    }

    /** Scores of {@code count} rows, over those of the first vector. */
    private void combine(float[] cosines, int stride, int count) {
      if (this == MULTIPLY) {
        for (int i = 0; i < count; i++) {
          float b = (1 + cosines[i]) / 2;
          float c = (1 + cosines[stride + i]) / 2;
          float a = (1 + cosines[2 * stride + i]) / 2;
          cosines[i] = b * c / (a + EPSILON);
        }
      }
    }
  }

  /**
   * Questions.
   *
   * @param vectors of length 1, those of one question one behind the other
   * @param best what to fill, one of each question
   */
  record Questions(float[] vectors, List<Top> best, Rule rule) {
    /** Whether one of a question's vectors is 0, so that nothing is near. */
    private boolean isNowhere(int question, int dimension) {
      int at = question * rule.vectors * dimension;
      for (int v = 0; v < rule.vectors; v++, at += dimension) {
        int i = 0;
        while (i < dimension && vectors[at + i] == 0) {
          i++;
        }
        if (i == dimension) {
          return true;
        }
      }
      return false;
    }
  }

  /** Answers without a device, each thread a part of the rows. */
  void answer(Questions questions) {
    int dimension = rows.dimension();
    int vectors = questions.rule.vectors;
    int most = questions.best.size();
    IntStream.range(0, blocks())
        .parallel()
        .forEach(
            b -> {
              int first = b * block;
              int count = Math.min(block, limit - first);
              float[] unit = new float[dimension];
              float[] scores = new float[most * vectors * count];
              for (int r = 0; r < count; r++) {
                unit(first + r, unit, 0);
                for (int q = 0; q < most * vectors; q++) {
                  scores[q * count + r] = dot(unit, questions.vectors, q * dimension);
                }
              }
              for (int q = 0; q < most; q++) {
                if (questions.isNowhere(q, dimension)) {
                  continue;
                }
                Top top = questions.best.get(q);
                float[] own =
                    vectors == 1 && most == 1
                        ? scores
                        : Arrays.copyOfRange(
                            scores, q * vectors * count, (q + 1) * vectors * count);
                questions.rule.combine(own, count, count);
                synchronized (top) {
                  top.offer(own, count, first);
                }
              }
            });
  }

  /** Answers by matrix products on a device. */
  void answer(Questions questions, Device device) {
    int dimension = rows.dimension();
    int vectors = questions.rule.vectors;
    int all = questions.best.size();
    if (all == 0 || limit == 0) {
      return;
    }
    int tile = tile(questions);
    float[] units = new float[block * dimension];
    try (Arena arena = Arena.ofShared();
        Tensor asked =
            device.upload(
                DType.F32,
                Shape.of((long) all * vectors, dimension),
                MemorySegment.ofArray(questions.vectors));
        Tensor matrix = device.allocate(DType.F32, Shape.of(block, dimension));
        Tensor scores = device.allocate(DType.F32, Shape.of((long) tile * vectors, block))) {
      boolean here = device.kind() == DeviceKind.CPU;
      MemorySegment host =
          here
              ? MemorySegment.ofAddress(Engine.address(scores)).reinterpret(scores.bytes())
              : arena.allocate(scores.bytes(), 64);
      for (int b = 0; b < blocks(); b++) {
        int first = b * block;
        int count = Math.min(block, limit - first);
        IntStream.range(0, count).parallel().forEach(r -> unit(first + r, units, r * dimension));
        matrix.copyFrom(MemorySegment.ofArray(units));
        for (int from = 0; from < all; from += tile) {
          int questionsOfTile = Math.min(tile, all - from);
          multiply(asked, from * vectors, questionsOfTile * vectors, matrix, scores);
          if (!here) {
            scores.copyTo(host);
          }
          int begin = from;
          IntStream.range(0, (questionsOfTile + SHARE - 1) / SHARE)
              .parallel()
              .forEach(s -> look(host, questions, begin, s * SHARE, first, count));
        }
      }
    }
  }

  private int blocks() {
    return (int) (((long) limit + block - 1) / block);
  }

  /** Looks through the scores of a thread's share of a tile. */
  private void look(
      MemorySegment host, Questions questions, int begin, int share, int first, int count) {
    // one for all of them: making it takes longer than looking through it
    float[] own = new float[questions.rule.vectors * block];
    int end = Math.min(share + SHARE, Math.min(tile(questions), questions.best.size() - begin));
    for (int q = share; q < end; q++) {
      if (!questions.isNowhere(begin + q, rows.dimension())) {
        MemorySegment.copy(
            host, ValueLayout.JAVA_FLOAT, (long) q * own.length * Float.BYTES, own, 0, own.length);
        questions.rule.combine(own, block, count);
        questions.best.get(begin + q).offer(own, count, first);
      }
    }
  }

  private static int tile(Questions questions) {
    return Math.min(questions.best.size(), TILE / questions.rule.vectors);
  }

  /** scores (m, block) = asked rows from..from + m times matrix (block, d) transposed. */
  private void multiply(Tensor asked, int from, int m, Tensor matrix, Tensor scores) {
    int d = rows.dimension();
    Engine.run(
        asked.device(),
        Kernel.GEMM,
        DType.F32.precision(),
        new Arguments.Gemm(
            Engine.address(asked) + (long) from * d * Float.BYTES,
            Engine.address(matrix),
            Engine.address(scores),
            m,
            block,
            d,
            d,
            d,
            block,
            false,
            true,
            1,
            0,
            false,
            false,
            1,
            0,
            0,
            0));
  }

  /** Copies a row at length 1, or as zeros. */
  private void unit(int row, float[] target, int at) {
    rows.copy(row, target, at);
    Rows.normalize(target, at, rows.dimension(), norms[row]);
  }

  static float dot(float[] x, float[] y, int at) {
    float s0 = 0;
    float s1 = 0;
    float s2 = 0;
    float s3 = 0;
    int i = 0;
    for (; i + 3 < x.length; i += 4) {
      s0 += x[i] * y[at + i];
      s1 += x[i + 1] * y[at + i + 1];
      s2 += x[i + 2] * y[at + i + 2];
      s3 += x[i + 3] * y[at + i + 3];
    }
    for (; i < x.length; i++) {
      s0 += x[i] * y[at + i];
    }
    return s0 + s1 + (s2 + s3);
  }
}
