// SPDX-License-Identifier: Apache-2.0
//
// Normalisation of rows.

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

#define WEFT_NORM_STRUCTS(S)                     \
  S(layer_norm_forward, WEFT_LAYER_NORM_FORWARD) \
  S(layer_norm_backward, WEFT_LAYER_NORM_BACKWARD)

#define WEFT_NORM_KERNELS(K)                                \
  K(TYPED, layer_norm_forward, layer_norm_forward, 256, 1)  \
  K(TYPED, layer_norm_backward, layer_norm_backward, 256, 1)
