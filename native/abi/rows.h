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

// y[i . y strides] (+)= x[i . x strides] over i0 < d0 .. i4 < d4. The places of y are those of a
// dense array, each once; x strides of 0 stretch. A work item is 1024 elements; where x runs along
// axis 3 and y along axis 4, a tile of 32 x 32 of those two.
#define WEFT_STRIDED_COPY(P, I, D, W)                                                    \
  P(x, IN, T,                                                                            \
    d0 * d1 * d2 * d3 * d4 == 0 ? 0                                                      \
                                : 1 + (d0 - 1) * x0 + (d1 - 1) * x1 + (d2 - 1) * x2 +    \
                                      (d3 - 1) * x3 + (d4 - 1) * x4,                     \
    MOVES((x0 == 0 ? 1 : d0) * (x1 == 0 ? 1 : d1) * (x2 == 0 ? 1 : d2) *                 \
          (x3 == 0 ? 1 : d3) * (x4 == 0 ? 1 : d4)))                                      \
  P(y, ADD(accumulate), T, d0 * d1 * d2 * d3 * d4)                                       \
  I(d0) I(d1) I(d2) I(d3) I(d4) I(x0) I(x1) I(x2) I(x3) I(x4)                            \
  I(y0) I(y1) I(y2) I(y3) I(y4) I(accumulate, FLAG)                                      \
  W(x3 == 1 && x4 > 1 && y4 == 1                                                         \
        ? d0 * d1 * d2 * weft_ceil_div(d3, 32) * weft_ceil_div(d4, 32)                   \
        : weft_ceil_div(d0 * d1 * d2 * d3 * d4, 1024),                                   \
    0)

// y[r,c] = on where ids[r] is c, else off; NaN in a row whose id is not in 0..classes-1.
#define WEFT_ONE_HOT(P, I, D, W)                 \
  P(ids, IN, INT32, rows, BELOW(classes))        \
  P(y, OUT, T, rows * classes)                   \
  I(rows) I(classes) D(on) D(off)                \
  W(rows * classes, 0)

// y (outer, taken, inner) (+)= x (outer, count, inner) at index (outer, taken, inner) of its middle
// axis; `missing` for an index that is not in 0..count-1.
#define WEFT_GATHER_ALONG(P, I, D, W)                                                    \
  P(x, IN, T, outer * count * inner, MOVES(outer * taken * inner))                       \
  P(index, IN, INT32, outer * taken * inner, BELOW(count))                               \
  P(y, ADD(accumulate), T, outer * taken * inner)                                        \
  I(outer) I(count) I(inner) I(taken) D(missing) I(accumulate, FLAG)                     \
  W(outer * taken * inner, 0)

// y (outer, count, inner) at index (outer, taken, inner) of its middle axis += values, those for one
// place in their order; one for an index that is not in 0..count-1 goes nowhere. y is wide.
#define WEFT_SCATTER_ADD_ALONG(P, I, D, W)                                               \
  P(values, IN, T, outer * taken * inner)                                                \
  P(index, IN, INT32, outer * taken * inner, BELOW(count))                               \
  P(y, INOUT, WIDE, outer * count * inner, MOVES(outer * taken * inner))                    \
  I(outer) I(count) I(inner) I(taken)                                                    \
  W(outer * inner, outer * taken * inner)

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
  S(strided_copy, WEFT_STRIDED_COPY)                 \
  S(one_hot, WEFT_ONE_HOT)                           \
  S(gather_along, WEFT_GATHER_ALONG)                 \
  S(scatter_add_along, WEFT_SCATTER_ADD_ALONG)       \
  S(fill, WEFT_FILL)

#define WEFT_ROWS_KERNELS(K)                                         \
  K(TYPED, gather_rows, gather_rows, 128, 1024)                      \
  K(TYPED, gather_rows_u8, gather_rows, 64, 1024, AS(source, UINT8)) \
  K(UNTYPED, gather_ids, gather_ids, 256, 256)                       \
  K(TYPED, copy_rows, copy_rows, 128, 1024)                          \
  K(TYPED, transpose, transpose, 256, 1)                             \
  K(TYPED, strided_copy, strided_copy, 256, 1)                       \
  K(TYPED, one_hot, one_hot, 128, 1024)                              \
  K(TYPED, gather_along, gather_along, 128, 1024)                    \
  K(TYPED, scatter_add_along, scatter_add_along, 128, 128)           \
  K(TYPED, fill, fill, 128, 1024)
