// SPDX-License-Identifier: Apache-2.0
package dev.weft;

import static dev.weft.format.Format.format;

/**
 * What is known of a column, or of a layer's output, before there is a batch of it.
 *
 * @param dtype {@link DType#I32} for ids and labels; every floating-point type stands for all of
 *     them, since the math mode says which it will be
 * @param shape of one row: a batch has one axis more, before these
 * @param below ids lie in 0..below-1; 0 where the type is no integer or nothing is known
 * @param padded whether rows may have fewer ids than the shape says, and {@link #PADDING} in their
 *     places, which a layer that would look it up refuses
 */
public record RowType(DType dtype, Shape shape, int below, boolean padded) {
  /** The id of a place where a row has none. */
  public static final int PADDING = -1;

  /** Numbers of this shape a row. */
  public static RowType floating(Shape shape) {
    return new RowType(DType.F32, shape, 0, false);
  }

  /** Ids in 0..below-1 of this shape a row; a scalar shape is one id a row. */
  public static RowType ids(Shape shape, int below) {
    return new RowType(DType.I32, shape, below, false);
  }

  /** Ids in 0..below-1 in some places of this shape, and {@link #PADDING} in the others. */
  public static RowType paddedIds(Shape shape, int below) {
    return new RowType(DType.I32, shape, below, true);
  }

  /** Whether it holds ids. */
  public boolean isIds() {
    return dtype == DType.I32;
  }

  /** The same type under another shape. */
  public RowType with(Shape other) {
    return new RowType(dtype, other, below, padded);
  }

  @Override
  public String toString() {
    return isIds()
        ? format("%sids %s below %d", padded ? "padded " : "", shape, below)
        : format("numbers %s", shape);
  }
}
