// SPDX-License-Identifier: Apache-2.0
//
// Functions of single elements: activations with their bias, unary and binary functions, dropout,
// casts, values that are drawn.

#define WEFT_NONLINEARITY(E)                                                              \
  E(IDENTITY, "x")                                                                        \
  E(SIGMOID, "1 / (1 + e^-x)")                                                            \
  E(TANH, "the hyperbolic tangent")                                                       \
  E(RELU, "max(0, x)")                                                                    \
  E(LEAKY_RELU, "x for x at least 0, else alpha x", ALPHA(0.01))                          \
  E(ELU, "x for x at least 0, else alpha (e^x - 1)", ALPHA(1))                            \
  E(SOFTPLUS, "log(1 + e^x)")                                                             \
  E(GELU, "x Phi(x), Phi the standard normal's distribution function (not the tanh form)", \
    OF_X)                                                                                 \
  E(SILU, "x sigmoid(x), also called swish", OF_X)                                        \
  E(HARD_SIGMOID, "min(1, max(0, x / 6 + 1/2))", OF_X)                                          \
  E(HARD_TANH, "min(1, max(-1, x))")                                                      \
  E(HARD_SWISH, "x hard_sigmoid(x)", OF_X)

#define WEFT_UNARY_FUNCTION(E)              \
  E(SCALE, "alpha x", ALPHA(1))             \
  E(SHIFT, "x + alpha", ALPHA(0))           \
  E(EXP, "e^x")                             \
  E(LOG, "the natural logarithm")           \
  E(SQUARE, "x^2")                          \
  E(SQRT, "the square root")                \
  E(POW, "x^alpha", ALPHA(1))               \
  E(RECIPROCAL, "1 / x")                    \
  E(ABS, "|x|, with derivative 0 at 0")                                       \
  E(AT_LEAST, "max(x, alpha), with derivative 1 at alpha", ALPHA(0))           \
  E(AT_MOST, "min(x, alpha), with derivative 1 at alpha", ALPHA(0))            \
  E(ERF, "the error function, 2 / sqrt(pi) times the integral of e^-t^2 from 0 to x") \
  E(NORM_ROOT, "the square root, with derivative 0 at 0: of a norm")

#define WEFT_BINARY_FUNCTION(E)                                          \
  E(ADD, "a + b")                                                        \
  E(SUBTRACT, "a - b")                                                   \
  E(MULTIPLY, "a b")                                                     \
  E(DIVIDE, "a / b")                                                     \
  E(MAXIMUM, "the larger; where a = b each has half of the gradient")    \
  E(MINIMUM, "the smaller; where a = b each has half of the gradient")   \
  E(GREATER, "1 where a > b, else 0")                                    \
  E(GREATER_OR_EQUAL, "1 where a >= b, else 0")                          \
  E(EQUAL, "1 where a = b, else 0")                                      \
  E(KEEP, "a where b is not 0, else alpha; chosen, so that no NaN of the other comes through", ALPHA(0)) \
  E(DROP, "a where b is 0, else alpha; chosen likewise", ALPHA(0))

// y[r,c] = f(x[r,c] + b[c])
#define WEFT_BIAS_ACTIVATION_FORWARD(P, I, D, W)                                        \
  P(x, IN, T, rows * cols)                                                              \
  P(b, IN, T, cols, NULLABLE)                                                           \
  P(y, OUT, T, rows * cols, MAY_BE(x))                                                  \
  I(rows) I(cols) I(activation, NONLINEARITY) D(alpha)                                  \
  W(rows * cols, rows * cols * ((b == 0 ? 0 : 1) + (activation == WEFT_IDENTITY ? 0 : 1)))

// dx[r,c] (+)= dy[r,c] f'(x[r,c] + b[c]). Those of x (OF_X) read x and b; all others y alone.
#define WEFT_BIAS_ACTIVATION_BACKWARD(P, I, D, W)                                       \
  P(x, IN, T, rows * cols, NULLABLE, MOVES(y == 0 ? rows * cols : 0))                   \
  P(b, IN, T, cols, NULLABLE, MOVES(x == 0 ? 0 : cols))                                 \
  P(y, IN, T, rows * cols, NULLABLE,                                                    \
    MOVES(activation == WEFT_IDENTITY ? 0 : rows * cols))                               \
  P(dy, IN, T, rows * cols)                                                             \
  P(dx, ADD(accumulate), T, rows * cols, MAY_BE(dy))                                    \
  I(rows) I(cols) I(activation, NONLINEARITY) D(alpha) I(accumulate, FLAG)              \
  W(rows * cols, 2 * rows * cols)

// dx[r,c] = dy[r,c] f'(x[r,c] + b[c]), as above, and db[p,c] (+)= the sum of column c of it over part
// p: rows p * length up to min(rows, (p + 1) * length), length = ceil(rows / parts). The parts of db
// are summed by a reduce.
#define WEFT_BIAS_ACTIVATION_GRADIENTS(P, I, D, W)                                      \
  P(x, IN, T, rows * cols, NULLABLE, MOVES(y == 0 ? rows * cols : 0))                   \
  P(b, IN, T, cols, NULLABLE, MOVES(x == 0 ? 0 : cols))                                 \
  P(y, IN, T, rows * cols, NULLABLE,                                                    \
    MOVES(activation == WEFT_IDENTITY ? 0 : rows * cols))                               \
  P(dy, IN, T, rows * cols)                                                             \
  P(dx, OUT, T, rows * cols, MAY_BE(dy))                                                \
  P(db, ADD(accumulate), WIDE, parts * cols)                                            \
  I(rows) I(cols) I(parts) I(activation, NONLINEARITY) D(alpha) I(accumulate, FLAG)     \
  W(parts * cols, 3 * rows * cols)

// y[i] (+)= kept(i) ? x[i] / (1 - rate) : 0, the mask by Philox: see philox.h. Backward is the same
// kernel on dy.
#define WEFT_DROPOUT(P, I, D, W)                                                        \
  P(x, IN, T, n)                                                                        \
  P(y, ADD(accumulate), T, n, MAY_BE(x))                                                \
  P(state, IN, STATE, 1)                                                                \
  I(n) I(operation) D(rate) I(accumulate, FLAG)                                         \
  W(n, 2 * n)

// y[i] = f(x[i])
#define WEFT_UNARY_FORWARD(P, I, D, W)                                                  \
  P(x, IN, T, n)                                                                        \
  P(y, OUT, T, n, MAY_BE(x))                                                            \
  I(n) I(operation, UNARY_FUNCTION) D(alpha)                                            \
  W(n, n)

// dx[i] (+)= dy[i] f'(x[i]). Of x and y = f(x) it reads one, where f is linear neither.
#define WEFT_UNARY_BACKWARD(P, I, D, W)                                                 \
  P(x, IN, T, n, NULLABLE,                                                              \
    MOVES(operation == WEFT_SCALE || operation == WEFT_SHIFT ? 0 : n))                  \
  P(y, IN, T, n, NULLABLE, MOVES(x == 0 ? n : 0))                                       \
  P(dy, IN, T, n)                                                                       \
  P(dx, ADD(accumulate), T, n, MAY_BE(dy))                                              \
  I(n) I(operation, UNARY_FUNCTION) D(alpha) I(accumulate, FLAG)                        \
  W(n, 2 * n)

// y[i0,i1,i2,i3] = f(a[i . a strides], b[i . b strides]); strides in elements, 0 where broadcast.
// y is dense with dimensions d0..d3.
#define WEFT_BINARY_FORWARD(P, I, D, W)                                                 \
  P(a, IN, T, WEFT_STRETCHED(a0, a1, a2, a3))                                           \
  P(b, IN, T, WEFT_STRETCHED(b0, b1, b2, b3))                                           \
  P(y, OUT, T, d0 * d1 * d2 * d3)                                                       \
  I(d0) I(d1) I(d2) I(d3) I(a0) I(a1) I(a2) I(a3) I(b0) I(b1) I(b2) I(b3)               \
  I(operation, BINARY_FUNCTION) D(alpha)                                                \
  W(d0 * d1 * d2 * d3, d0 * d1 * d2 * d3)

// The elements that are stored of an operand with these strides: those that are not repeated.
#define WEFT_STRETCHED(s0, s1, s2, s3) \
  ((s0 == 0 ? 1 : d0) * (s1 == 0 ? 1 : d1) * (s2 == 0 ? 1 : d2) * (s3 == 0 ? 1 : d3))

// da[i] (+)= dy[i] df/da, db[i] (+)= dy[i] df/db, both dense of y's shape (the caller sums over
// broadcast axes). A sum's derivatives read neither a nor b, a product's the other one, a choice's b;
// comparisons have none, and a choice none of b: 0.
#define WEFT_BINARY_BACKWARD(P, I, D, W)                                                \
  P(a, IN, T, WEFT_STRETCHED(a0, a1, a2, a3),                                           \
    MOVES(((operation == WEFT_MULTIPLY || operation == WEFT_DIVIDE) && db != 0) ||      \
                  operation == WEFT_MAXIMUM || operation == WEFT_MINIMUM                \
              ? WEFT_STRETCHED(a0, a1, a2, a3)                                          \
              : 0))                                                                     \
  P(b, IN, T, WEFT_STRETCHED(b0, b1, b2, b3),                                           \
    MOVES(((operation == WEFT_MULTIPLY || operation == WEFT_KEEP ||                     \
                   operation == WEFT_DROP) && da != 0) ||                               \
                  operation == WEFT_DIVIDE || operation == WEFT_MAXIMUM || operation == WEFT_MINIMUM                \
              ? WEFT_STRETCHED(b0, b1, b2, b3)                                          \
              : 0))                                                                     \
  P(dy, IN, T, d0 * d1 * d2 * d3)                                                       \
  P(da, ADD(accumulate_a), T, d0 * d1 * d2 * d3, NULLABLE)                              \
  P(db, ADD(accumulate_b), T, d0 * d1 * d2 * d3, NULLABLE)                              \
  I(d0) I(d1) I(d2) I(d3) I(a0) I(a1) I(a2) I(a3) I(b0) I(b1) I(b2) I(b3)               \
  I(operation, BINARY_FUNCTION) I(accumulate_a, FLAG) I(accumulate_b, FLAG)             \
  W(d0 * d1 * d2 * d3,                                                                  \
    d0 * d1 * d2 * d3 * ((da == 0 ? 0 : 1) + (db == 0 ? 0 : 1)) *                       \
        (operation == WEFT_ADD || operation == WEFT_SUBTRACT ? 1 : 2))

// y[i] (+)= x[i]; f32_to_bf16 rounds to the nearest, bf16_to_f32 is exact.
#define WEFT_CAST(P, I, D, W)       \
  P(x, IN, F32, n)                  \
  P(y, ADD(accumulate), F32, n)     \
  I(n) I(accumulate, FLAG)          \
  W(n, 0)

// y[i] ~ U[a, b) or N(a, b^2) by Philox at (seed, step, operation, i), see philox.h, and normal.h. All
// devices give the same bits.
#define WEFT_RANDOM(P, I, D, W)                          \
  P(y, OUT, T, n)                                        \
  I(n) I(seed) I(step) I(operation) D(a) D(b)            \
  W(n, n)

#define WEFT_ELEMENTWISE_ENUMS(L)                                   \
  L(nonlinearity, WEFT_NONLINEARITY, , WEFT_NONLINEARITIES)         \
  L(unary_function, WEFT_UNARY_FUNCTION, , WEFT_UNARY_FUNCTIONS)    \
  L(binary_function, WEFT_BINARY_FUNCTION, , WEFT_BINARY_FUNCTIONS)

#define WEFT_ELEMENTWISE_STRUCTS(S)                            \
  S(bias_activation_forward, WEFT_BIAS_ACTIVATION_FORWARD)     \
  S(bias_activation_backward, WEFT_BIAS_ACTIVATION_BACKWARD)   \
  S(bias_activation_gradients, WEFT_BIAS_ACTIVATION_GRADIENTS) \
  S(dropout, WEFT_DROPOUT)                                     \
  S(unary_forward, WEFT_UNARY_FORWARD)                         \
  S(unary_backward, WEFT_UNARY_BACKWARD)                       \
  S(binary_forward, WEFT_BINARY_FORWARD)                       \
  S(binary_backward, WEFT_BINARY_BACKWARD)                     \
  S(cast, WEFT_CAST)                                           \
  S(random, WEFT_RANDOM)

#define WEFT_ELEMENTWISE_KERNELS(K)                                          \
  K(TYPED, bias_activation_forward, bias_activation_forward, 128, 1024)      \
  K(TYPED, bias_activation_backward, bias_activation_backward, 128, 1024)    \
  K(TYPED, bias_activation_gradients, bias_activation_gradients, 256, 32)    \
  K(TYPED, dropout, dropout, 128, 1024)                                      \
  K(TYPED, unary_forward, unary_forward, 128, 1024)                          \
  K(TYPED, unary_backward, unary_backward, 128, 1024)                        \
  K(TYPED, binary_forward, binary_forward, 128, 1024)                        \
  K(TYPED, binary_backward, binary_backward, 128, 1024)                      \
  K(UNTYPED, f32_to_bf16, cast, 128, 1024, AS(y, BF16))                      \
  K(UNTYPED, bf16_to_f32, cast, 128, 1024, AS(x, BF16))                      \
  K(WIDE, random_uniform, random, 128, 1024)                                 \
  K(WIDE, random_normal, random, 128, 1024)
