// SPDX-License-Identifier: Apache-2.0
//
// Optimizers over a flat arena of parameters and over rows of a table, and the step's own state.

// What all rules share. rate = state->rate * rate_factor; with the norm of all that is clipped together,
// norm = gradient_scale * sqrt(sum of squares), squares being the partial sums that reduce leaves of
// the gradients as they are:
//   factor = gradient_scale * (squares == 0 ? 1 : min(1, max_norm / (norm + 1e-6)))  NaN of a NaN
//   g      = clamp(factor * gradient, -gradient_limit, gradient_limit) + l2 value
//   value -= clamp(rate * (direction + weight_decay value), -update_limit, update_limit)
//   value  = sign(value) max(0, |value| - rate * l1)
// A limit is infinite where there is none; clamp keeps NaN. A rule says what direction is. copy
// receives the new values rounded. Clipping is not counted among the operations.

// velocity = momentum velocity + (1 - dampening) g
// direction = nesterov ? g + momentum velocity : velocity
// velocity may be 0 when momentum is 0: direction = g.
#define WEFT_SGD(P, I, D, W)                                                              \
  P(value, INOUT, T, n)                                                                   \
  P(gradient, IN, T, n)                                                                   \
  P(velocity, INOUT, T, n, NULLABLE)                                                      \
  P(copy, OUT, BF16, n, NULLABLE)                                                         \
  P(state, IN, STATE, 1)                                                                  \
  P(squares, IN, T, parts, NULLABLE)                                                      \
  I(n) I(parts) D(momentum) D(dampening) D(l1) D(l2) D(weight_decay) I(nesterov, FLAG)          \
  D(rate_factor) D(gradient_scale) D(max_norm) D(gradient_limit) D(update_limit)          \
  W(n, n * (2 + (velocity == 0 ? 0 : 2) + (l1 == 0 ? 0 : 2) + (l2 == 0 ? 0 : 2) + (weight_decay == 0 ? 0 : 2) \
            + (nesterov ? 2 : 0)))

// t = state->update + 1
// m = beta1 m + (1 - beta1) g            v = beta2 v + (1 - beta2) g^2
// direction = m / (1 - beta1^t) / (sqrt(v / (1 - beta2^t)) + epsilon)
// l2 is Adam's, weight_decay is AdamW's.
#define WEFT_ADAM(P, I, D, W)                                                             \
  P(value, INOUT, T, n)                                                                   \
  P(gradient, IN, T, n)                                                                   \
  P(first, INOUT, T, n)                                                                   \
  P(second, INOUT, T, n)                                                                  \
  P(copy, OUT, BF16, n, NULLABLE)                                                         \
  P(state, IN, STATE, 1)                                                                  \
  P(squares, IN, T, parts, NULLABLE)                                                      \
  I(n) I(parts) D(beta1) D(beta2) D(epsilon) D(l1) D(l2) D(weight_decay)                        \
  D(rate_factor) D(gradient_scale) D(max_norm) D(gradient_limit) D(update_limit)          \
  W(n, n * (13 + (l1 == 0 ? 0 : 2) + (l2 == 0 ? 0 : 2) + (weight_decay == 0 ? 0 : 2)))

// sgd for the rows of a table (table_rows, cols) that the batch has taken, and for no others: sorted
// and sums are those of add_rows, whose sum over a run is the row's gradient. The other rows keep
// their values and their velocity: without momentum and decay that is sgd over a gradient of zeros
// there, with them it is not, since momentum and decay act in the steps alone in which a row is
// taken. Bytes as for sum_runs: copy is as good as written. A work item is four columns of a place.
#define WEFT_SGD_ROWS(P, I, D, W)                                                         \
  P(value, INOUT, T, table_rows * cols, MOVES(rows * cols))                               \
  P(velocity, INOUT, T, table_rows * cols, NULLABLE, MOVES(rows * cols))                  \
  P(copy, INOUT, BF16, table_rows * cols, NULLABLE, MOVES(weft_ceil_div(rows * cols, 2))) \
  P(state, IN, STATE, 1)                                                                  \
  P(sorted, IN, INT32, rows, BELOW(table_rows))                                           \
  P(sums, IN, T, rows * cols)                                                             \
  P(squares, IN, T, parts, NULLABLE)                                                      \
  I(rows) I(cols) I(table_rows) I(parts)                                                  \
  D(momentum) D(dampening) D(l1) D(l2) D(weight_decay) I(nesterov, FLAG)                        \
  D(rate_factor) D(gradient_scale) D(max_norm) D(gradient_limit) D(update_limit)          \
  W(rows * weft_ceil_div(cols, 4),                                                        \
    rows * cols * (3 + (velocity == 0 ? 0 : 2) + (l1 == 0 ? 0 : 2) + (l2 == 0 ? 0 : 2)                        \
                   + (weight_decay == 0 ? 0 : 2) + (nesterov ? 2 : 0)))

// adam, likewise; t counts all updates, not those in which a row is taken. As torch.optim.SparseAdam,
// but for epsilon, which that adds to the root before it is corrected.
#define WEFT_ADAM_ROWS(P, I, D, W)                                                        \
  P(value, INOUT, T, table_rows * cols, MOVES(rows * cols))                               \
  P(first, INOUT, T, table_rows * cols, MOVES(rows * cols))                               \
  P(second, INOUT, T, table_rows * cols, MOVES(rows * cols))                              \
  P(copy, INOUT, BF16, table_rows * cols, NULLABLE, MOVES(weft_ceil_div(rows * cols, 2))) \
  P(state, IN, STATE, 1)                                                                  \
  P(sorted, IN, INT32, rows, BELOW(table_rows))                                           \
  P(sums, IN, T, rows * cols)                                                             \
  P(squares, IN, T, parts, NULLABLE)                                                      \
  I(rows) I(cols) I(table_rows) I(parts)                                                  \
  D(beta1) D(beta2) D(epsilon) D(l1) D(l2) D(weight_decay)                                      \
  D(rate_factor) D(gradient_scale) D(max_norm) D(gradient_limit) D(update_limit)          \
  W(rows * weft_ceil_div(cols, 4),                                                        \
    rows * cols * (14 + (l1 == 0 ? 0 : 2) + (l2 == 0 ? 0 : 2) + (weight_decay == 0 ? 0 : 2)))

// step += 1; cursor += rows; and where update: update += 1, then rate = rates[update % count] where
// rates is not 0.
#define WEFT_ADVANCE_STEP(P, I, D, W)                                       \
  P(state, INOUT, STATE, 1, MOVES(update ? (rates == 0 ? 3 : 5) : 2))       \
  P(rates, IN, F64, count, NULLABLE, MOVES(update ? 1 : 0))                 \
  I(rows) I(count) I(update, FLAG)                                          \
  W(1, 0)

#define WEFT_OPTIMIZER_STRUCTS(S) \
  S(sgd, WEFT_SGD)                \
  S(adam, WEFT_ADAM)              \
  S(sgd_rows, WEFT_SGD_ROWS)      \
  S(adam_rows, WEFT_ADAM_ROWS)    \
  S(advance_step, WEFT_ADVANCE_STEP)

#define WEFT_OPTIMIZER_KERNELS(K)          \
  K(WIDE, sgd, sgd, 128, 1024)             \
  K(WIDE, adam, adam, 128, 1024)           \
  K(WIDE, sgd_rows, sgd_rows, 128, 128)    \
  K(WIDE, adam_rows, adam_rows, 128, 128)  \
  K(UNTYPED, advance_step, advance_step, 32, 1)
