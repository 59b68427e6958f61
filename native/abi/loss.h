// SPDX-License-Identifier: Apache-2.0
//
// Losses of rows.

// Row r with label k = labels[r] and q = (1 - smoothing) onehot(k) + smoothing / classes:
//   losses[r] = -sum_c q_c log softmax(x_r)_c
//   dx[r,c]   = scale (softmax(x_r)_c - q_c)
//   hits[r]   = 1 where the first largest logit is at k, else 0
// A label outside 0..classes-1, or a NaN or +infinity in the row, makes the row's loss and gradient NaN
// and its hit 0. A work item is 32 rows of up to 32 classes, 8 of up to 512, 4 of up to 1024, 2 of up to 2048,
// else 1; surplus blocks do nothing.
#define WEFT_SOFTMAX_CROSS_ENTROPY(P, I, D, W)                                               \
  P(x, IN, T, rows * classes)                                                                \
  P(labels, IN, INT32, rows, BELOW(classes))                                                 \
  P(losses, OUT, WIDE, rows)                                                                 \
  P(dx, OUT, T, rows * classes, NULLABLE, MAY_BE(x))                                         \
  P(hits, OUT, WIDE, rows, NULLABLE)                                                         \
  I(rows) I(classes) D(smoothing) D(scale)                                                   \
  W(weft_ceil_div(                                                                           \
        rows, classes > 2048 ? 1 : classes > 1024 ? 2 : classes > 512 ? 4 : classes > 32 ? 8 : 32), \
    rows * classes * (dx == 0 ? 4 : 7))

// hits[r] = 1 where fewer than k logits are larger than that of the label, those that equal it and
// stand before it being larger, too; so k 1 gives the hits of softmax_cross_entropy. 0 where the label
// is outside 0..classes-1, or the row's softmax is NaN: it has a NaN or +infinity.
#define WEFT_TOP_HITS(P, I, D, W)                \
  P(x, IN, T, rows * classes)                    \
  P(labels, IN, INT32, rows, BELOW(classes))     \
  P(hits, OUT, WIDE, rows)                       \
  I(rows) I(classes) I(k)                        \
  W(rows, rows * classes)

#define WEFT_LOSS_STRUCTS(S)                            \
  S(softmax_cross_entropy, WEFT_SOFTMAX_CROSS_ENTROPY)  \
  S(top_hits, WEFT_TOP_HITS)

#define WEFT_LOSS_KERNELS(K)                                    \
  K(TYPED, softmax_cross_entropy, softmax_cross_entropy, 256, 1) \
  K(TYPED, top_hits, top_hits, 128, 4)
