// SPDX-License-Identifier: Apache-2.0
package dev.weft.data;

/** What becomes of the examples that are left when batches do not fill an epoch. */
public enum LastBatch {
  /** They are a smaller batch of their own. */
  KEEP,
  /** They are left out of this epoch; the next order leaves out others. */
  DROP
}
