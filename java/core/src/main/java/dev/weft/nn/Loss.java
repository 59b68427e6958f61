// SPDX-License-Identifier: Apache-2.0
package dev.weft.nn;

import dev.weft.Operations;
import dev.weft.Tensor;

/** What training makes smaller: a scalar from a batch of outputs and what they should have been. */
public interface Loss {

  /** What a loss compares with. */
  enum Target {
    /** One class number a row, int32. */
    LABELS,
    /** One value for each output. */
    VALUES
  }

  /** What it compares with. */
  Target target();

  /**
   * The loss of a batch.
   *
   * @param output what the network gave, (rows, features)
   * @param target labels (rows) or values (rows, features)
   * @param hits for labels: a tensor (rows) that receives 1 where the largest output is the
   *     label's, else 0; or null
   */
  Tensor apply(Operations operations, Tensor output, Tensor target, Tensor hits);

  /**
   * The factor that makes a sum over rows of what {@link #apply} gave: {@code rows} for a loss that
   * is a mean over rows, 1 for one that is a sum.
   */
  double weight(long rows);

  /** Its name in files and on the command line. */
  String spec();
}
