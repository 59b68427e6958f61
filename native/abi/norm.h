// SPDX-License-Identifier: Apache-2.0
//
// Normalisation of rows, and of columns.

// With the mean and the variance (the mean of the squared differences) of row r over its columns:
//   rstd[r] = 1 / sqrt(variance + epsilon)
//   y[r,c]  = scale[c] (x[r,c] - mean[r]) rstd[r] + shift[c]
// A work item is 32 rows of up to 32 columns, 8 of up to 512, 4 of up to 1024, else 1.
#define WEFT_LAYER_NORM_FORWARD(P, I, D, W)                                                  \
  P(x, IN, T, rows * cols)                                                                   \
  P(scale, IN, T, cols)                                                                      \
  P(shift, IN, T, cols)                                                                      \
  P(y, OUT, T, rows * cols)                                                                  \
  P(mean, OUT, WIDE, rows)                                                                   \
  P(rstd, OUT, WIDE, rows)                                                                   \
  I(rows) I(cols) D(epsilon)                                                                 \
  W(weft_ceil_div(rows, cols > 1024 ? 1 : cols > 512 ? 4 : cols > 32 ? 8 : 32),              \
    rows * (8 * cols + 5))

// With n[r,c] = (x[r,c] - mean[r]) rstd[r], g[r,c] = scale[c] dy[r,c] and means over the columns:
//   dx[r,c]     (+)= rstd[r] (g[r,c] - mean(g[r,:]) - n[r,c] mean(g[r,:] n[r,:]))
//   dscale[p,c] (+)= sum_r dy[r,c] n[r,c]        dshift[p,c] (+)= sum_r dy[r,c]
// over the rows of part p: p * length up to min(rows, (p + 1) * length), length = ceil(rows / parts).
// reduce finishes the sums. Every output may be 0.
#define WEFT_LAYER_NORM_BACKWARD(P, I, D, W)                                                 \
  P(x, IN, T, rows * cols)                                                                   \
  P(scale, IN, T, cols)                                                                      \
  P(mean, IN, WIDE, rows)                                                                    \
  P(rstd, IN, WIDE, rows)                                                                    \
  P(dy, IN, T, rows * cols)                                                                  \
  P(dx, ADD(accumulate_x), T, rows * cols, NULLABLE)                                         \
  P(dscale, ADD(accumulate_scale), WIDE, parts * cols, NULLABLE)                             \
  P(dshift, ADD(accumulate_shift), WIDE, parts * cols, NULLABLE)                             \
  I(rows) I(cols) I(parts)                                                                   \
  I(accumulate_x, FLAG) I(accumulate_scale, FLAG) I(accumulate_shift, FLAG)                  \
  W(parts, rows * cols * (3 + (dx == 0 ? 0 : 7) + (dscale == 0 ? 0 : 2) + (dshift == 0 ? 0 : 1)))

// Of each column c over the rows of part p, p * length up to min(rows, (p + 1) * length), length =
// ceil(rows / parts): the mean, and the sum of the squared differences from it. A part without rows
// has 0 and 0. batch_norm_finish merges parts. A work item is a part of up to 32 columns, or of 128.
#define WEFT_BATCH_NORM_STATISTICS(P, I, D, W)                                               \
  P(x, IN, T, rows * cols)                                                                   \
  P(means, OUT, WIDE, parts * cols)                                                          \
  P(squares, OUT, WIDE, parts * cols)                                                        \
  I(rows) I(cols) I(parts)                                                                   \
  W(parts * weft_ceil_div(cols, cols <= 32 ? 32 : 128), rows * cols * 5)

// What batch_norm_statistics found of the parts, merged in their order (Chan, Golub and LeVeque
// 1983):
//   variance[c] = squares / rows
//   running_mean[c]     = (1 - momentum) running_mean[c] + momentum mean[c]
//   running_variance[c] = (1 - momentum) running_variance[c] + momentum squares / (rows - 1)
// The running values are both there, and rows at least 2, or neither.
#define WEFT_BATCH_NORM_FINISH(P, I, D, W)                                                   \
  P(means, IN, T, parts * cols)                                                              \
  P(squares, IN, T, parts * cols)                                                            \
  P(mean, OUT, T, cols)                                                                      \
  P(variance, OUT, T, cols)                                                                  \
  P(running_mean, INOUT, T, cols, NULLABLE)                                                  \
  P(running_variance, INOUT, T, cols, NULLABLE)                                              \
  I(rows) I(cols) I(parts) D(momentum)                                                       \
  W(cols, cols * (8 * parts + (running_mean == 0 ? 1 : 8)))

// With rstd[c] = 1 / sqrt(variance[c] + epsilon):
//   y[r,c] = scale[c] (x[r,c] - mean[c]) rstd[c] + shift[c]
// A work item is 128 rows of up to 32 columns, or 32 rows of 128.
#define WEFT_BATCH_NORM_FORWARD(P, I, D, W)                                                  \
  P(x, IN, T, rows * cols)                                                                   \
  P(scale, IN, T, cols)                                                                      \
  P(shift, IN, T, cols)                                                                      \
  P(mean, IN, WIDE, cols)                                                                    \
  P(variance, IN, WIDE, cols)                                                                \
  P(y, OUT, T, rows * cols)                                                                  \
  I(rows) I(cols) D(epsilon)                                                                 \
  W(weft_ceil_div(rows, cols <= 32 ? 128 : 32) * weft_ceil_div(cols, cols <= 32 ? 32 : 128), \
    3 * rows * cols + 4 * cols)

// With n[r,c] = (x[r,c] - mean[c]) rstd[c], over the rows of each part, as batch_norm_statistics
// has them; reduce finishes the sums:
//   sums_n[p,c] = sum_r dy[r,c] n[r,c]        sums[p,c] = sum_r dy[r,c]
#define WEFT_BATCH_NORM_SUMS(P, I, D, W)                                                     \
  P(x, IN, T, rows * cols)                                                                   \
  P(mean, IN, WIDE, cols)                                                                    \
  P(variance, IN, WIDE, cols)                                                                \
  P(dy, IN, T, rows * cols)                                                                  \
  P(sums_n, OUT, WIDE, parts * cols)                                                         \
  P(sums, OUT, WIDE, parts * cols)                                                           \
  I(rows) I(cols) I(parts) D(epsilon)                                                        \
  W(parts * weft_ceil_div(cols, cols <= 32 ? 32 : 128), 4 * rows * cols)

// With the sums over all rows:
//   dx[r,c]   (+)= scale[c] rstd[c] (dy[r,c] - sums[c] / rows - n[r,c] sums_n[c] / rows)
//   dscale[c] (+)= sums_n[c]        dshift[c] (+)= sums[c]
// Every output may be 0. A work item is as that of batch_norm_forward.
#define WEFT_BATCH_NORM_BACKWARD(P, I, D, W)                                                 \
  P(x, IN, T, rows * cols, MOVES(dx == 0 ? 0 : rows * cols))                                 \
  P(scale, IN, T, cols)                                                                      \
  P(mean, IN, WIDE, cols)                                                                    \
  P(variance, IN, WIDE, cols)                                                                \
  P(dy, IN, T, rows * cols, MOVES(dx == 0 ? 0 : rows * cols))                                \
  P(sums_n, IN, WIDE, cols)                                                                  \
  P(sums, IN, WIDE, cols)                                                                    \
  P(dx, ADD(accumulate_x), T, rows * cols, NULLABLE)                                         \
  P(dscale, ADD(accumulate_scale), WIDE, cols, NULLABLE)                                     \
  P(dshift, ADD(accumulate_shift), WIDE, cols, NULLABLE)                                     \
  I(rows) I(cols) D(epsilon)                                                                 \
  I(accumulate_x, FLAG) I(accumulate_scale, FLAG) I(accumulate_shift, FLAG)                  \
  W((dx == 0 ? 1 : weft_ceil_div(rows, cols <= 32 ? 128 : 32)) *                             \
        weft_ceil_div(cols, cols <= 32 ? 32 : 128),                                          \
    (dx == 0 ? 0 : 5 * rows * cols + 8 * cols))

#define WEFT_NORM_STRUCTS(S)                           \
  S(layer_norm_forward, WEFT_LAYER_NORM_FORWARD)       \
  S(layer_norm_backward, WEFT_LAYER_NORM_BACKWARD)     \
  S(batch_norm_statistics, WEFT_BATCH_NORM_STATISTICS) \
  S(batch_norm_finish, WEFT_BATCH_NORM_FINISH)         \
  S(batch_norm_forward, WEFT_BATCH_NORM_FORWARD)       \
  S(batch_norm_sums, WEFT_BATCH_NORM_SUMS)             \
  S(batch_norm_backward, WEFT_BATCH_NORM_BACKWARD)

#define WEFT_NORM_KERNELS(K)                                     \
  K(TYPED, layer_norm_forward, layer_norm_forward, 256, 1)       \
  K(TYPED, layer_norm_backward, layer_norm_backward, 256, 1)     \
  K(TYPED, batch_norm_statistics, batch_norm_statistics, 256, 1) \
  K(WIDE, batch_norm_finish, batch_norm_finish, 64, 64)          \
  K(TYPED, batch_norm_forward, batch_norm_forward, 256, 1)       \
  K(TYPED, batch_norm_sums, batch_norm_sums, 256, 1)             \
  K(TYPED, batch_norm_backward, batch_norm_backward, 256, 1)
