// SPDX-License-Identifier: Apache-2.0
//
// Rows that are taken, put, copied; matrices that are turned; memory that is filled.

// y[r,:] = scale * source[index[start + r], :] + shift; start = state->cursor, 0 where state is 0.
// A row whose index is not in 0..source_rows-1 becomes NaN; the source is not read for it.
#define WEFT_GATHER_ROWS(P, I, D, W)                                    \
  P(source, IN, T, source_rows * cols, MOVES(rows * cols))              \
  P(index, IN, INT32, rows, BELOW(source_rows), AT_CURSOR)              \
  P(state, IN, STATE, 1, NULLABLE)                                      \
  P(y, OUT, T, rows * cols)                                             \
  I(rows) I(cols) I(source_rows) D(scale) D(shift)                      \
  W(rows * cols, 2 * rows * cols)

// y[r,:] = source[index[start + r] * stride + (0 .. cols - 1)], so rows may overlap, as windows do. A
// row whose index is not in 0..source_rows-1 becomes -2, which is no id, nor padding.
#define WEFT_GATHER_IDS(P, I, D, W)                                                              \
  P(source, IN, INT32, source_rows == 0 ? 0 : (source_rows - 1) * stride + cols, MOVES(rows * cols)) \
  P(index, IN, INT32, rows, BELOW(source_rows), AT_CURSOR)                                       \
  P(state, IN, STATE, 1, NULLABLE)                                                               \
  P(y, OUT, INT32, rows * cols)                                                                  \
  I(rows) I(cols) I(stride) I(source_rows)                                                       \
  W(rows * cols, 0)

// y[r * y_stride + c] (+)= scale * x[r * x_stride + c]
#define WEFT_COPY_ROWS(P, I, D, W)                                                      \
  P(x, IN, T, rows == 0 ? 0 : (rows - 1) * x_stride + cols, MOVES(rows * cols))         \
  P(y, ADD(accumulate), T, rows == 0 ? 0 : (rows - 1) * y_stride + cols, MOVES(rows * cols)) \
  I(rows) I(cols) I(x_stride) I(y_stride) D(scale) I(accumulate, FLAG)                  \
  W(rows * cols, scale == 1 ? 0 : rows * cols)

// x (rows, cols) -> y (cols, rows), (+)=. A work item is a tile of 32 x 32.
#define WEFT_TRANSPOSE(P, I, D, W)                 \
  P(x, IN, T, rows * cols)                         \
  P(y, ADD(accumulate), T, rows * cols)            \
  I(rows) I(cols) I(accumulate, FLAG)              \
  W(weft_ceil_div(rows, 32) * weft_ceil_div(cols, 32), 0)

// y[i] = value
#define WEFT_FILL(P, I, D, W) \
  P(y, OUT, T, n)             \
  I(n) D(value)               \
  W(n, 0)

#define WEFT_ROWS_STRUCTS(S)                         \
  S(gather_rows, WEFT_GATHER_ROWS)                   \
  S(gather_ids, WEFT_GATHER_IDS)                     \
  S(copy_rows, WEFT_COPY_ROWS)                       \
  S(transpose, WEFT_TRANSPOSE)                       \
  S(fill, WEFT_FILL)

#define WEFT_ROWS_KERNELS(K)                                         \
  K(TYPED, gather_rows, gather_rows, 128, 1024)                      \
  K(TYPED, gather_rows_u8, gather_rows, 64, 1024, AS(source, UINT8)) \
  K(UNTYPED, gather_ids, gather_ids, 256, 256)                       \
  K(TYPED, copy_rows, copy_rows, 128, 1024)                          \
  K(TYPED, transpose, transpose, 256, 1)                             \
  K(TYPED, fill, fill, 128, 1024)
