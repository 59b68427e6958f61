// SPDX-License-Identifier: Apache-2.0
//
// Reductions over an axis, sums up to each entry, and the places of the largest.

#define WEFT_REDUCTION_FUNCTION(E)                 \
  E(SUM, "the sum")                                \
  E(MEAN, "the sum, divided by the count")         \
  E(MAX, "the largest; NaN wins, as in PyTorch's amax") \
  E(SUM_OF_SQUARES, "the sum of the squares")

// x (outer, count, inner) -> y (parts, outer, inner). Part p covers entries p * length up to
// min(count, (p + 1) * length), length = ceil(count / parts). A second call with outer' = 1,
// count' = parts, inner' = outer * inner, parts' = 1 finishes it; the order never depends on the
// number of threads. y[..] (+)= scale * reduced (MAX ignores accumulate and scale; MEAN divides by
// count before scale). An empty part gives 0 (MAX: -infinity). y is wide, so a second call after a
// _bf16 kernel is _f32. A work item is 32 columns where inner > 1, else eight parts of up to 2048
// entries, else one.
#define WEFT_REDUCE(P, I, D, W)                                                              \
  P(x, IN, T, outer * count * inner)                                                         \
  P(y, ADD(accumulate), WIDE, parts * outer * inner)                                         \
  I(outer) I(count) I(inner) I(parts) I(operation, REDUCTION_FUNCTION) D(scale)              \
  I(accumulate, FLAG)                                                                        \
  W(weft_ceil_div(parts * outer * inner,                                                     \
                  inner > 1 ? 32 : weft_ceil_div(count, parts) <= 2048 ? 8 : 1),             \
    outer * count * inner * (operation == WEFT_SUM_OF_SQUARES ? 2 : 1))

// dx (outer, count, inner) (+)= scale * dy (outer, inner) for SUM; / count for MEAN;
// * 2 x for SUM_OF_SQUARES (x otherwise unused).
#define WEFT_REDUCE_BACKWARD(P, I, D, W)                                                     \
  P(x, IN, T, outer * count * inner, NULLABLE,                                               \
    MOVES(operation == WEFT_SUM_OF_SQUARES ? outer * count * inner : 0))                     \
  P(dy, IN, WIDE, outer * inner)                                                             \
  P(dx, ADD(accumulate), T, outer * count * inner)                                           \
  I(outer) I(count) I(inner) I(operation, REDUCTION_FUNCTION) D(scale) I(accumulate, FLAG)   \
  W(outer * count * inner,                                                                   \
    outer * count * inner * (operation == WEFT_SUM_OF_SQUARES ? 2 : 1))

// dx (+)= dy / ties where x == y, else 0; ties counts the equal largest entries, as in PyTorch's
// amax. A work item is 32 columns where inner > 1, else eight rows.
#define WEFT_MAX_BACKWARD(P, I, D, W)                                     \
  P(x, IN, T, outer * count * inner)                                      \
  P(y, IN, WIDE, outer * inner)                                           \
  P(dy, IN, WIDE, outer * inner)                                          \
  P(dx, ADD(accumulate), T, outer * count * inner)                        \
  I(outer) I(count) I(inner) I(accumulate, FLAG)                          \
  W(weft_ceil_div(outer * inner, inner > 1 ? 32 : 8), outer * count * inner)

// y[r] = the first c with the largest x[r,c]; NaN counts as the largest. A work item is 16 rows of up
// to 32 columns, or four.
#define WEFT_ARGMAX(P, I, D, W)            \
  P(x, IN, T, rows * cols)                 \
  P(y, OUT, INT32, rows)                   \
  I(rows) I(cols)                          \
  W(weft_ceil_div(rows, cols <= 32 ? 16 : 4), rows * cols)

// y[r,j] = the place of the j-th largest x[r,c], falling; NaN counts as the largest, and of equal
// ones the first place comes first. k is at most cols. A work item is a row.
#define WEFT_TOP_K(P, I, D, W)             \
  P(x, IN, T, rows * cols)                 \
  P(y, OUT, INT32, rows * k)               \
  I(rows) I(cols) I(k)                     \
  W(rows, k * rows * cols)

// y (outer, count, inner) (+)= the sums of x over the middle axis up to and with each entry; with
// `reverse` from it on. A work item is 32 columns where inner > 1, else a row.
#define WEFT_CUMULATIVE_SUM(P, I, D, W)                           \
  P(x, IN, T, outer * count * inner)                              \
  P(y, ADD(accumulate), T, outer * count * inner)                 \
  I(outer) I(count) I(inner) I(reverse, FLAG) I(accumulate, FLAG) \
  W(inner > 1 ? weft_ceil_div(outer * inner, 32) : outer, outer * count * inner)

#define WEFT_REDUCE_ENUMS(L) \
  L(reduction_function, WEFT_REDUCTION_FUNCTION, , WEFT_REDUCTION_FUNCTIONS)

#define WEFT_REDUCE_STRUCTS(S)             \
  S(reduce, WEFT_REDUCE)                   \
  S(reduce_backward, WEFT_REDUCE_BACKWARD) \
  S(max_backward, WEFT_MAX_BACKWARD)       \
  S(argmax, WEFT_ARGMAX)                   \
  S(top_k, WEFT_TOP_K)                     \
  S(cumulative_sum, WEFT_CUMULATIVE_SUM)

#define WEFT_REDUCE_KERNELS(K)                            \
  K(TYPED, reduce, reduce, 256, 1)                        \
  K(TYPED, reduce_backward, reduce_backward, 128, 1024)   \
  K(TYPED, max_backward, max_backward, 256, 1)            \
  K(TYPED, argmax, argmax, 128, 1)                        \
  K(TYPED, top_k, top_k, 128, 1)                          \
  K(TYPED, cumulative_sum, cumulative_sum, 256, 1)
