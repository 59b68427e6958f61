// SPDX-License-Identifier: Apache-2.0
package dev.weft.embed;

/**
 * The rows with the largest scores among those offered, of equal scores those with the smaller
 * number; never one that points nowhere. A heap with the worst of them at the root.
 */
final class Top {
  private final float[] norms;
  private final int[] excluded;
  private final int[] rows;
  private final float[] scores;
  private int size;

  /**
   * Keeps nothing yet.
   *
   * @param most rows to keep
   * @param norms of all rows
   * @param excluded rows not to keep
   */
  Top(int most, float[] norms, int... excluded) {
    this.norms = norms;
    this.excluded = excluded;
    this.rows = new int[most];
    this.scores = new float[most];
  }

  /** What a score must exceed to be kept, or may equal for a row of a smaller number. */
  private boolean isKept(int row, float score) {
    return size < rows.length
        ? score == score
        : size > 0 && (score > scores[0] || score == scores[0] && row < rows[0]);
  }

  /** Offers consecutive rows. */
  void offer(float[] offered, int count, int firstRow) {
    int i = 0;
    for (; i < count && size < rows.length; i++) {
      offer(firstRow + i, offered[i]);
    }
    float least = i < count ? scores[0] : 0;
    for (; i < count; i++) {
      // few pass
      if (offered[i] >= least) {
        offer(firstRow + i, offered[i]);
        least = scores[0];
      }
    }
  }

  /** Offers a row. */
  void offer(int row, float score) {
    if (!isKept(row, score) || !Rows.isDirection(norms[row])) {
      return;
    }
    for (int other : excluded) {
      if (other == row) {
        return;
      }
    }
    if (size < rows.length) {
      int at = size++;
      for (int parent = (at - 1) / 2;
          at > 0 && isWorse(row, score, parent);
          parent = (at - 1) / 2) {
        set(at, rows[parent], scores[parent]);
        at = parent;
      }
      set(at, row, score);
    } else {
      sink(row, score);
    }
  }

  /** Puts a row in the root's place, and then where it belongs. */
  private void sink(int row, float score) {
    int at = 0;
    while (2 * at + 1 < size) {
      int child = 2 * at + 1;
      if (child + 1 < size && isWorse(rows[child + 1], scores[child + 1], child)) {
        child++;
      }
      if (isWorse(row, score, child)) {
        break;
      }
      set(at, rows[child], scores[child]);
      at = child;
    }
    set(at, row, score);
  }

  private boolean isWorse(int row, float score, int than) {
    return score < scores[than] || score == scores[than] && row > rows[than];
  }

  private void set(int at, int row, float score) {
    rows[at] = row;
    scores[at] = score;
  }

  /** What is kept. */
  record Hit(int row, float score) {}

  /** What is kept, the best first; nothing is kept afterwards. */
  Hit[] take() {
    Hit[] hits = new Hit[size];
    while (size > 0) {
      hits[size - 1] = new Hit(rows[0], scores[0]);
      size--;
      if (size > 0) {
        sink(rows[size], scores[size]);
      }
    }
    return hits;
  }
}
