// SPDX-License-Identifier: Apache-2.0
//
// Optimizers over a flat arena of parameters and over rows of a table, and the step's own state.

// One step over a flat arena of n values, rate = state->rate * rate_factor, g = gradient + weight_decay * value:
//   velocity = momentum velocity + (1 - dampening) g
//   value   -= rate (nesterov ? g + momentum velocity : velocity)
// velocity may be 0 when momentum is 0: value -= rate g. copy receives the new values rounded.
#define WEFT_SGD(P, I, D, W)                                                          \
  P(value, INOUT, T, n)                                                               \
  P(gradient, IN, T, n)                                                               \
  P(velocity, INOUT, T, n, NULLABLE)                                                  \
  P(copy, OUT, BF16, n, NULLABLE)                                                     \
  P(state, IN, STATE, 1)                                                              \
  I(n) D(momentum) D(dampening) D(weight_decay) I(nesterov, FLAG) D(rate_factor)      \
  W(n, n * (2 + (velocity == 0 ? 0 : 2) + (weight_decay == 0 ? 0 : 2) + (nesterov ? 2 : 0)))

// t = state->step + 1; g = gradient + l2 * value
//   m = beta1 m + (1 - beta1) g            v = beta2 v + (1 - beta2) g^2
//   value -= rate * (m / (1 - beta1^t) / (sqrt(v / (1 - beta2^t)) + epsilon) + weight_decay value)
// l2 is Adam's, weight_decay is AdamW's; copy as for sgd.
#define WEFT_ADAM(P, I, D, W)                                                         \
  P(value, INOUT, T, n)                                                               \
  P(gradient, IN, T, n)                                                               \
  P(first, INOUT, T, n)                                                               \
  P(second, INOUT, T, n)                                                              \
  P(copy, OUT, BF16, n, NULLABLE)                                                     \
  P(state, IN, STATE, 1)                                                              \
  I(n) D(beta1) D(beta2) D(epsilon) D(l2) D(weight_decay) D(rate_factor)              \
  W(n, n * (13 + (l2 == 0 ? 0 : 2) + (weight_decay == 0 ? 0 : 2)))

// sgd for the rows of a table (table_rows, cols) that the batch has taken, and for no others: sorted
// and sums are those of add_rows, whose gradient of a row is g. The other rows keep their values and
// their velocity: without momentum and decay that is sgd over a gradient of zeros there, with them it
// is not, since momentum and decay act in the steps alone in which a row is taken. Bytes as for
// sum_runs: copy is as good as written. A work item is four columns of a place.
#define WEFT_SGD_ROWS(P, I, D, W)                                                     \
  P(value, INOUT, T, table_rows * cols, MOVES(rows * cols))                           \
  P(velocity, INOUT, T, table_rows * cols, NULLABLE, MOVES(rows * cols))              \
  P(copy, INOUT, BF16, table_rows * cols, NULLABLE, MOVES(weft_ceil_div(rows * cols, 2))) \
  P(state, IN, STATE, 1)                                                              \
  P(sorted, IN, INT32, rows, BELOW(table_rows))                                       \
  P(sums, IN, T, rows * cols)                                                         \
  I(rows) I(cols) I(table_rows)                                                       \
  D(momentum) D(dampening) D(weight_decay) I(nesterov, FLAG) D(rate_factor)           \
  W(rows * weft_ceil_div(cols, 4),                                                    \
    rows * cols * (3 + (velocity == 0 ? 0 : 2) + (weight_decay == 0 ? 0 : 2) + (nesterov ? 2 : 0)))

// adam, likewise; t counts all steps, not those in which a row is taken. As torch.optim.SparseAdam,
// but for epsilon, which that adds to the root before it is corrected.
#define WEFT_ADAM_ROWS(P, I, D, W)                                                    \
  P(value, INOUT, T, table_rows * cols, MOVES(rows * cols))                           \
  P(first, INOUT, T, table_rows * cols, MOVES(rows * cols))                           \
  P(second, INOUT, T, table_rows * cols, MOVES(rows * cols))                          \
  P(copy, INOUT, BF16, table_rows * cols, NULLABLE, MOVES(weft_ceil_div(rows * cols, 2))) \
  P(state, IN, STATE, 1)                                                              \
  P(sorted, IN, INT32, rows, BELOW(table_rows))                                       \
  P(sums, IN, T, rows * cols)                                                         \
  I(rows) I(cols) I(table_rows)                                                       \
  D(beta1) D(beta2) D(epsilon) D(l2) D(weight_decay) D(rate_factor)                   \
  W(rows * weft_ceil_div(cols, 4),                                                    \
    rows * cols * (14 + (l2 == 0 ? 0 : 2) + (weight_decay == 0 ? 0 : 2)))

// state->step += 1; state->cursor += rows
#define WEFT_ADVANCE_STEP(P, I, D, W) \
  P(state, INOUT, STATE, 1, MOVES(2)) \
  I(rows)                             \
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
