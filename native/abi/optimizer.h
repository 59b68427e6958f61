// SPDX-License-Identifier: Apache-2.0
//
// Optimizers over a flat arena of parameters and over rows of a table, averages of parameters, and the
// step's own state.

// A step of a rule, and what all rules share. With t = state->update + 1,
// rate = state->rate * rate_factor, mu = momentum * state->momentum_factor,
// lambda = weight_decay * state->decay_factor; with the norm of all that is clipped together,
// norm = gradient_scale * sqrt(sum of squares), squares being the partial sums that reduce leaves of
// the gradients as they are:
//   factor = gradient_scale * (squares == 0 ? 1 : min(1, max_norm / (norm + 1e-6)))  NaN of a NaN
//   g      = clamp(factor * gradient, -gradient_limit, gradient_limit) + l2 value
//   value -= clamp(rate * (direction + lambda value), -update_limit, update_limit)
//   value  = sign(value) max(0, |value| - rate * l1 * share)
// A limit is infinite where there is none; clamp keeps NaN. copy receives the new values rounded.
// A rule says what direction is, and which memories it has; the others are 0. b1 = mu, b2 = decay:
//   sgd       first, where momentum is not 0 (else direction = g); decay: dampening
//             first = mu first + (1 - decay) g
//             direction = nesterov ? g + mu first : first        share = (1 - decay) / (1 - mu)
//   adam      first, second; third may be 0 (it is AMSGrad's)
//             first = b1 first + (1 - b1) g                      second = b2 second + (1 - b2) g^2
//             third = max(third, second)                         v = third, or second without it
//             direction = first / (1 - b1^t) / (sqrt(v / (1 - b2^t)) + epsilon)
//   nadam     first, second as adam's; fade: how fast b1 grows to its value
//             b(i) = b1 (1 - 0.96^(i fade) / 2)                  B = b(1) b(2) ... b(t)
//             direction = (g (1 - b(t)) / (1 - B) + first b(t + 1) / (1 - B b(t + 1)))
//                         / (sqrt(second / (1 - b2^t)) + epsilon)
//   adagrad   second; fade: of the rate
//             second += g^2                                      rate /= 1 + (t - 1) fade
//             direction = g / (sqrt(second) + epsilon)
//   rmsprop   second; third may be 0 (without it the mean counts as 0), first where momentum is 0
//             second = b2 second + (1 - b2) g^2                  third = b2 third + (1 - b2) g
//             d = g / (sqrt(max(0, second - third^2)) + epsilon)
//             first = mu first + d     direction = first, or d without it     share = 1 / (1 - mu)
//   adadelta  first, second
//             second = b2 second + (1 - b2) g^2
//             direction = g sqrt(first + epsilon) / sqrt(second + epsilon)
//             first = b2 first + (1 - b2) direction^2
//   lion      first
//             direction = sign(b1 first + (1 - b1) g)            first = b2 first + (1 - b2) g
// share is 1 where nothing is said of it. l2 is Adam's own penalty, weight_decay is AdamW's.
// operations: those of the rule for a value, for accounts.
#define WEFT_UPDATE(P, I, D, W)                                                           \
  P(value, INOUT, T, n)                                                                   \
  P(gradient, IN, T, n)                                                                   \
  P(first, INOUT, T, n, NULLABLE)                                                         \
  P(second, INOUT, T, n, NULLABLE)                                                        \
  P(third, INOUT, T, n, NULLABLE)                                                         \
  P(copy, OUT, BF16, n, NULLABLE)                                                         \
  P(state, IN, STATE, 1)                                                                  \
  P(squares, IN, T, parts, NULLABLE)                                                      \
  I(n) I(parts) I(operations) I(nesterov, FLAG) D(momentum) D(decay) D(epsilon) D(fade)   \
  D(l1) D(l2) D(weight_decay)                                                             \
  D(rate_factor) D(gradient_scale) D(max_norm) D(gradient_limit) D(update_limit)          \
  W(n, n * operations)

// The same for the rows of a table (table_rows, cols) that the batch has taken, and for no others:
// sorted and sums are those of add_rows, whose sum over a run is the row's gradient. The other rows
// keep their values and their memories: momentum and decay act in the steps alone in which a row is
// taken. t counts all updates, not those in which a row is taken: adam_rows is torch.optim.SparseAdam
// but for epsilon, which that adds to the root before it is corrected. Bytes as for sum_runs: copy is
// as good as written. A work item is four columns of a place.
#define WEFT_UPDATE_ROWS(P, I, D, W)                                                      \
  P(value, INOUT, T, table_rows * cols, MOVES(rows * cols))                               \
  P(first, INOUT, T, table_rows * cols, NULLABLE, MOVES(rows * cols))                     \
  P(second, INOUT, T, table_rows * cols, NULLABLE, MOVES(rows * cols))                    \
  P(third, INOUT, T, table_rows * cols, NULLABLE, MOVES(rows * cols))                     \
  P(copy, INOUT, BF16, table_rows * cols, NULLABLE, MOVES(weft_ceil_div(rows * cols, 2))) \
  P(state, IN, STATE, 1)                                                                  \
  P(sorted, IN, INT32, rows, BELOW(table_rows))                                           \
  P(sums, IN, T, rows * cols)                                                             \
  P(squares, IN, T, parts, NULLABLE)                                                      \
  I(rows) I(cols) I(table_rows) I(parts) I(operations) I(nesterov, FLAG)                  \
  D(momentum) D(decay) D(epsilon) D(fade) D(l1) D(l2) D(weight_decay)                     \
  D(rate_factor) D(gradient_scale) D(max_norm) D(gradient_limit) D(update_limit)          \
  W(rows * weft_ceil_div(cols, 4), rows * cols * (operations + 1))

// average += weight (value - average)
#define WEFT_AVERAGE(P, I, D, W)    \
  P(value, IN, T, n)                \
  P(average, INOUT, T, n)           \
  I(n) D(weight)                    \
  W(n, 3 * n)

// step += 1; cursor += rows; and where update: update += 1, then rate, momentum_factor and
// decay_factor are the three numbers from 3 (update % count) on, where rates is not 0.
#define WEFT_ADVANCE_STEP(P, I, D, W)                                       \
  P(state, INOUT, STATE, 1, MOVES(update ? (rates == 0 ? 3 : 7) : 2))       \
  P(rates, IN, F64, 3 * count, NULLABLE, MOVES(update ? 3 : 0))             \
  I(rows) I(count) I(update, FLAG)                                          \
  W(1, 0)

#define WEFT_OPTIMIZER_STRUCTS(S)   \
  S(update, WEFT_UPDATE)            \
  S(update_rows, WEFT_UPDATE_ROWS)  \
  S(average, WEFT_AVERAGE)          \
  S(advance_step, WEFT_ADVANCE_STEP)

#define WEFT_OPTIMIZER_KERNELS(K)                \
  K(WIDE, sgd, update, 128, 1024)                \
  K(WIDE, adam, update, 128, 1024)               \
  K(WIDE, nadam, update, 128, 1024)              \
  K(WIDE, adagrad, update, 128, 1024)            \
  K(WIDE, rmsprop, update, 128, 1024)            \
  K(WIDE, adadelta, update, 128, 1024)           \
  K(WIDE, lion, update, 128, 1024)               \
  K(WIDE, sgd_rows, update_rows, 128, 128)       \
  K(WIDE, adam_rows, update_rows, 128, 128)      \
  K(WIDE, nadam_rows, update_rows, 128, 128)     \
  K(WIDE, adagrad_rows, update_rows, 128, 128)   \
  K(WIDE, rmsprop_rows, update_rows, 128, 128)   \
  K(WIDE, adadelta_rows, update_rows, 128, 128)  \
  K(WIDE, lion_rows, update_rows, 128, 128)      \
  K(WIDE, average, average, 128, 1024)           \
  K(UNTYPED, advance_step, advance_step, 32, 1)
