// SPDX-License-Identifier: Apache-2.0
//
// Optimizers over a flat arena of parameters, and the step's own state.

// One step over a flat arena of n values, rate = state->rate, g = gradient + weight_decay * value:
//   velocity = momentum velocity + (1 - dampening) g
//   value   -= rate (nesterov ? g + momentum velocity : velocity)
// velocity may be 0 when momentum is 0: value -= rate g. copy receives the new values rounded.
#define WEFT_SGD(P, I, D, W)                                                          \
  P(value, INOUT, T, n)                                                               \
  P(gradient, IN, T, n)                                                               \
  P(velocity, INOUT, T, n, NULLABLE)                                                  \
  P(copy, OUT, BF16, n, NULLABLE)                                                     \
  P(state, IN, STATE, 1)                                                              \
  I(n) D(momentum) D(dampening) D(weight_decay) I(nesterov, FLAG)                     \
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
  I(n) D(beta1) D(beta2) D(epsilon) D(l2) D(weight_decay)                             \
  W(n, n * (13 + (l2 == 0 ? 0 : 2) + (weight_decay == 0 ? 0 : 2)))

// state->step += 1; state->cursor += rows
#define WEFT_ADVANCE_STEP(P, I, D, W) \
  P(state, INOUT, STATE, 1, MOVES(2)) \
  I(rows)                             \
  W(1, 0)

#define WEFT_OPTIMIZER_STRUCTS(S) \
  S(sgd, WEFT_SGD)                \
  S(adam, WEFT_ADAM)              \
  S(advance_step, WEFT_ADVANCE_STEP)

#define WEFT_OPTIMIZER_KERNELS(K)  \
  K(WIDE, sgd, sgd, 128, 1024)     \
  K(WIDE, adam, adam, 128, 1024)   \
  K(UNTYPED, advance_step, advance_step, 32, 1)
