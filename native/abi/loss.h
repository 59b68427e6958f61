// SPDX-License-Identifier: Apache-2.0
//
// Losses: of rows, and of single values. Where a row has a weight w[r] = weights[r], its loss and its
// gradient are multiplied by it, and 0 where it is 0, whatever else the row holds; without weights w[r]
// is 1. Gradients are of scale times the sum of all losses.

#define WEFT_VALUE_LOSS_FUNCTION(E)                                                              \
  E(SQUARED, "(x - t)^2")                                                                        \
  E(ABSOLUTE, "|x - t|, with derivative 0 at 0")                                                 \
  E(HUBER, "d^2 / 2 for d = |x - t| up to alpha, else alpha (d - alpha / 2)", ALPHA(1))          \
  E(LOGISTIC, "-(p t log s(x) + (1 - t) log(1 - s(x))), s the sigmoid; NaN for t outside 0 to 1") \
  E(HINGE, "max(0, alpha - t x); NaN for t other than -1 and 1", ALPHA(1))                       \
  E(SQUARED_HINGE, "max(0, alpha - t x)^2; NaN for t other than -1 and 1", ALPHA(1))             \
  E(EPSILON_INSENSITIVE, "max(0, |x - t| - alpha)", ALPHA(0.1))

// l[r,c] = f(x[r,c], t[r,c]), p for LOGISTIC being positive[c], without it 1:
//   losses[r,c] = w[r] l[r,c]
//   sums[b]     = the sum of w l over elements 1024 b up to 1024 (b + 1); a reduce finishes it
//   dx[r,c]     = scale w[r] dl/dx
#define WEFT_VALUE_LOSS(P, I, D, W)                                                          \
  P(x, IN, T, rows * cols)                                                                   \
  P(t, IN, WIDE, rows * cols)                                                                \
  P(weights, IN, WIDE, rows, NULLABLE)                                                       \
  P(positive, IN, WIDE, cols, NULLABLE, MOVES(function == WEFT_LOSS_LOGISTIC ? cols : 0))    \
  P(losses, OUT, WIDE, rows * cols, NULLABLE)                                                \
  P(sums, OUT, WIDE, weft_ceil_div(rows * cols, 1024), NULLABLE)                             \
  P(dx, OUT, T, rows * cols, NULLABLE, MAY_BE(x))                                            \
  I(rows) I(cols) I(function, VALUE_LOSS_FUNCTION) D(alpha) D(scale)                         \
  W(rows * cols, rows * cols * ((sums == 0 ? 2 : 3) + (dx == 0 ? 0 : 2)))

// weights[r] = class_weights[labels[r]] row_weights[r], which is 1 where there are none; 0 where that
// is 0 or the label is ignored, and else NaN where class_weights has no entry for the label.
#define WEFT_LABEL_WEIGHTS(P, I, D, W)                    \
  P(labels, IN, INT32, rows)                              \
  P(class_weights, IN, T, classes, MOVES(rows)) \
  P(row_weights, IN, T, rows, NULLABLE)                   \
  P(weights, OUT, T, rows)                                \
  I(rows) I(classes) I(ignored)                           \
  W(rows, rows)

// Row r with label k = labels[r] and q = (1 - smoothing) onehot(k) + smoothing / classes:
//   losses[r] = -w[r] sum_c q_c log softmax(x_r)_c
//   dx[r,c]   = scale w[r] (softmax(x_r)_c - q_c)
//   hits[r]   = 1 where the first largest logit is at k, else 0
// A label outside 0..classes-1, or a NaN or +infinity in the row, makes the row's loss and gradient NaN
// and its hit 0. A work item is 32 rows of up to 32 classes, 8 of up to 512, 4 of up to 1024, 2 of up to 2048,
// else 1; surplus blocks do nothing.
#define WEFT_SOFTMAX_CROSS_ENTROPY(P, I, D, W)                                               \
  P(x, IN, T, rows * classes)                                                                \
  P(labels, IN, INT32, rows, BELOW(classes))                                                 \
  P(weights, IN, WIDE, rows, NULLABLE)                                                       \
  P(losses, OUT, WIDE, rows)                                                                 \
  P(dx, OUT, T, rows * classes, NULLABLE, MAY_BE(x))                                         \
  P(hits, OUT, WIDE, rows, NULLABLE)                                                         \
  I(rows) I(classes) D(smoothing) D(scale)                                                   \
  W(weft_ceil_div(                                                                           \
        rows, classes > 2048 ? 1 : classes > 1024 ? 2 : classes > 512 ? 4 : classes > 32 ? 8 : 32), \
    rows * classes * (dx == 0 ? 4 : 7))

// Row r with q = the r-th of `distributions` rows, or all rows with the only one:
//   losses[r] = w[r] (-sum_c q_c log softmax(x_r)_c + [entropy] sum_c q_c log q_c), where q_c is not 0
//   dx[r,c]   = scale w[r] (softmax(x_r)_c sum_j q_j - q_c)
//   hits[r]   = 1 where the first largest logit is at the first largest q, else 0
// A negative or NaN q, or a NaN or +infinity among the logits, makes the row's loss and gradient NaN and
// its hit 0. A work item is 32 rows of up to 32 classes, 8 of up to 512, 4 of up to 1024, else 1.
#define WEFT_SOFTMAX_CROSS_ENTROPY_DISTRIBUTION(P, I, D, W)                                  \
  P(x, IN, T, rows * classes)                                                                \
  P(q, IN, WIDE, distributions * classes)                                                    \
  P(weights, IN, WIDE, rows, NULLABLE)                                                       \
  P(losses, OUT, WIDE, rows)                                                                 \
  P(dx, OUT, T, rows * classes, NULLABLE, MAY_BE(x))                                         \
  P(hits, OUT, WIDE, rows, NULLABLE)                                                         \
  I(rows) I(classes) I(distributions) I(entropy, FLAG) D(scale)                              \
  W(weft_ceil_div(rows, classes > 1024 ? 1 : classes > 512 ? 4 : classes > 32 ? 8 : 32),     \
    rows * classes * (dx == 0 ? 9 : 13))

// Row r with label k = labels[r], m_j = margin + x[r,j] - x[r,k]:
//   losses[r] = w[r] sum_{j != k} max(0, m_j)
//   dx[r,c]   = scale w[r] (c == k ? -(number of j != k with m_j > 0) : m_c > 0 ? 1 : 0)
//   hits[r]   as softmax_cross_entropy
// A label outside 0..classes-1, or a NaN in the row, makes the row's loss and gradient NaN and its hit
// 0. Work items as softmax_cross_entropy_distribution.
#define WEFT_MULTI_CLASS_HINGE(P, I, D, W)                                                   \
  P(x, IN, T, rows * classes)                                                                \
  P(labels, IN, INT32, rows, BELOW(classes))                                                 \
  P(weights, IN, WIDE, rows, NULLABLE)                                                       \
  P(losses, OUT, WIDE, rows)                                                                 \
  P(dx, OUT, T, rows * classes, NULLABLE, MAY_BE(x))                                         \
  P(hits, OUT, WIDE, rows, NULLABLE)                                                         \
  I(rows) I(classes) D(margin) D(scale)                                                      \
  W(weft_ceil_div(rows, classes > 1024 ? 1 : classes > 512 ? 4 : classes > 32 ? 8 : 32),     \
    rows * classes * (dx == 0 ? 3 : 5))

// hits[r] = 1 where fewer than k logits are larger than that of the label, those that equal it and
// stand before it being larger, too; so k 1 gives the hits of softmax_cross_entropy. 0 where the label
// is outside 0..classes-1, or the row's softmax is NaN: it has a NaN or +infinity.
#define WEFT_TOP_HITS(P, I, D, W)                \
  P(x, IN, T, rows * classes)                    \
  P(labels, IN, INT32, rows, BELOW(classes))     \
  P(hits, OUT, WIDE, rows)                       \
  I(rows) I(classes) I(k)                        \
  W(rows, rows * classes)

#define WEFT_LOSS_ENUMS(L) \
  L(value_loss_function, WEFT_VALUE_LOSS_FUNCTION, LOSS_, WEFT_VALUE_LOSS_FUNCTIONS)

#define WEFT_LOSS_STRUCTS(S)                                                      \
  S(value_loss, WEFT_VALUE_LOSS)                                                  \
  S(label_weights, WEFT_LABEL_WEIGHTS)                                            \
  S(softmax_cross_entropy, WEFT_SOFTMAX_CROSS_ENTROPY)                            \
  S(softmax_cross_entropy_distribution, WEFT_SOFTMAX_CROSS_ENTROPY_DISTRIBUTION)  \
  S(multi_class_hinge, WEFT_MULTI_CLASS_HINGE)                                    \
  S(top_hits, WEFT_TOP_HITS)

#define WEFT_LOSS_KERNELS(K)                                                                     \
  K(TYPED, value_loss, value_loss, 128, 1024)                                                    \
  K(WIDE, label_weights, label_weights, 128, 1024)                                               \
  K(TYPED, softmax_cross_entropy, softmax_cross_entropy, 256, 1)                                 \
  K(TYPED, softmax_cross_entropy_distribution, softmax_cross_entropy_distribution, 256, 1)       \
  K(TYPED, multi_class_hinge, multi_class_hinge, 256, 1)                                         \
  K(TYPED, top_hits, top_hits, 128, 4)
