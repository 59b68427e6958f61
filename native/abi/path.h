// SPDX-License-Identifier: Apache-2.0
//
// Logistic losses along paths of rows of a table: hierarchical softmax, whose paths lead through a
// tree, and negative sampling, where each input has a path of its own.
//
// A step of a path is 2 row + branch, and -1 is none. Branch 0 is taken at score f with probability
// s(f) = 1 / (1 + e^-f), branch 1 with s(-f).

// Input i takes path p = paths[i], or i where paths is 0: the steps from offsets[p] up to
// offsets[p + 1], of the last path up to step_count; where offsets is 0 all paths are equally long,
// and step_count is a multiple of path_count. For its steps k of row y and branch b, at most
// `longest`:
//   losses[i]    = - sum over k of log s(b ? -x_i.y : x_i.y)
//   taken[i, k]  = the row
//   errors[i, k] = s(x_i.y) - (1 - b), the derivative of the loss in the score
// taken is -1 and errors 0 where there is no step. losses[i] is NaN, and no row taken, where the
// path is not in 0..path_count-1, ends before it begins, reaches out of 0..step_count, has more
// steps than `longest`, or one that is neither -1 nor of a row of the table. A work item is an input.
#define WEFT_PATH_LOSS_FORWARD(P, I, D, W)                                                  \
  P(x, IN, T, rows * cols)                                                                  \
  P(table, IN, T, table_rows * cols, MOVES(rows * longest * cols))                          \
  P(steps, IN, INT32, step_count, BELOW(2 * table_rows), MOVES(rows * longest))             \
  P(offsets, IN, INT32, path_count, NULLABLE, BELOW(step_count + 1), MOVES(rows))           \
  P(paths, IN, INT32, rows, NULLABLE, BELOW(path_count))                                    \
  P(losses, OUT, WIDE, rows)                                                                \
  P(taken, OUT, INT32, rows * longest)                                                      \
  P(errors, OUT, WIDE, rows * longest)                                                      \
  I(rows) I(cols) I(table_rows) I(step_count) I(path_count) I(longest)                      \
  W(rows, rows * longest * (2 * cols + 4))

// From what path_loss_forward gave, e[i, k] = dlosses[i] * errors[i, k]:
//   dx[i, :]       (+)= sum over k of e[i, k] * table[taken[i, k], :]
//   drows[i, k, :] = e[i, k] * x[i, :], what the row that was taken gets
// and 0 where taken is no row. A work item is four columns of an input.
#define WEFT_PATH_LOSS_BACKWARD(P, I, D, W)                                                 \
  P(x, IN, T, rows * cols)                                                                  \
  P(table, IN, T, table_rows * cols, MOVES(rows * longest * cols))                          \
  P(taken, IN, INT32, rows * longest, BELOW(table_rows))                                    \
  P(errors, IN, WIDE, rows * longest)                                                       \
  P(dlosses, IN, WIDE, rows)                                                                \
  P(dx, ADD(accumulate), T, rows * cols, NULLABLE)                                          \
  P(drows, OUT, T, rows * longest * cols, NULLABLE)                                         \
  I(rows) I(cols) I(table_rows) I(longest) I(accumulate, FLAG)                              \
  W(rows * weft_ceil_div(cols, 4),                                                          \
    rows * longest * cols * ((dx == 0 ? 0 : 2) + (drows == 0 ? 0 : 1)))

// The paths of negative sampling, 1 + negatives steps each: branch 0 at the row of the label, then
// branch 1 at as many rows that are drawn as noise, -1 for one that is the label. Draw j of row r
// takes a place uniformly, by word 2 (r * negatives + j) of (seed, step, operation), then the place
// itself where the next word is below thresholds[place], else aliases[place]. All steps are -2,
// which is no step, where the label is not in 0..words-1. A work item is a step.
#define WEFT_NEGATIVE_SAMPLES(P, I, D, W)                                                   \
  P(labels, IN, INT32, rows, BELOW(words))                                                  \
  P(thresholds, IN, INT32, words, MOVES(rows * negatives))                                  \
  P(aliases, IN, INT32, words, BELOW(words), MOVES(rows * negatives))                       \
  P(state, IN, STATE, 1)                                                                  \
  P(steps, OUT, INT32, rows * (negatives + 1))                                              \
  I(rows) I(words) I(negatives) I(operation)                                                \
  W(rows * (negatives + 1), 0)

#define WEFT_PATH_STRUCTS(S)                        \
  S(path_loss_forward, WEFT_PATH_LOSS_FORWARD)      \
  S(path_loss_backward, WEFT_PATH_LOSS_BACKWARD)    \
  S(negative_samples, WEFT_NEGATIVE_SAMPLES)

#define WEFT_PATH_KERNELS(K)                                    \
  K(TYPED, path_loss_forward, path_loss_forward, 128, 4)        \
  K(TYPED, path_loss_backward, path_loss_backward, 128, 128)    \
  K(UNTYPED, negative_samples, negative_samples, 128, 128)
