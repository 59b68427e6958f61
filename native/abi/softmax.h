// SPDX-License-Identifier: Apache-2.0
//
// Softmax along an axis, and its logarithm.

// x (outer, count, inner) -> y, over the count entries k of each row:
//   y[k] = e^x[k] / sum_j e^x[j]        log: y[k] = x[k] - log sum_j e^x[j]
// Of a row with NaN or +infinity, or of nothing but -infinity, all is NaN. A work item is 32 rows of
// up to 32 entries, 8 of up to 512, 4 of up to 1024, else 1; 32 rows where inner > 1.
#define WEFT_SOFTMAX_FORWARD(P, I, D, W)                                                     \
  P(x, IN, T, outer * count * inner)                                                         \
  P(y, OUT, T, outer * count * inner)                                                        \
  I(outer) I(count) I(inner) I(log, FLAG)                                                    \
  W(weft_ceil_div(outer * inner,                                                             \
                  inner > 1 ? 32 : count > 1024 ? 1 : count > 512 ? 4 : count > 32 ? 8 : 32), \
    5 * outer * count * inner)

//   dx[k] (+)= y[k] (dy[k] - sum_j dy[j] y[j])        log: dx[k] (+)= dy[k] - e^y[k] sum_j dy[j]
// Work items are those of softmax_forward.
#define WEFT_SOFTMAX_BACKWARD(P, I, D, W)                                                    \
  P(y, IN, T, outer * count * inner)                                                         \
  P(dy, IN, T, outer * count * inner)                                                        \
  P(dx, ADD(accumulate), T, outer * count * inner)                                           \
  I(outer) I(count) I(inner) I(log, FLAG) I(accumulate, FLAG)                                \
  W(weft_ceil_div(outer * inner,                                                             \
                  inner > 1 ? 32 : count > 1024 ? 1 : count > 512 ? 4 : count > 32 ? 8 : 32), \
    4 * outer * count * inner)

#define WEFT_SOFTMAX_STRUCTS(S)            \
  S(softmax_forward, WEFT_SOFTMAX_FORWARD) \
  S(softmax_backward, WEFT_SOFTMAX_BACKWARD)

#define WEFT_SOFTMAX_KERNELS(K)                       \
  K(TYPED, softmax_forward, softmax_forward, 256, 1)  \
  K(TYPED, softmax_backward, softmax_backward, 256, 1)
