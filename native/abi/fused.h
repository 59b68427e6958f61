// SPDX-License-Identifier: Apache-2.0
//
// A training step of a narrow network in two kernels.

#define WEFT_FUSED_LOSS(E)                                                      \
  E(SOFTMAX_CROSS_ENTROPY, "targets: int32 labels, one for each row of the source") \
  E(MEAN_SQUARED_ERROR, "targets: T, one row for each row of the source")

#define WEFT_FUSED_RULE(E)                              \
  E(SGD, "as the kernel sgd")                           \
  E(ADAM, "as the kernel adam, without third")

typedef enum weft_fused_limit {
  WEFT_FUSED_LAYERS = 8,   // at most
  WEFT_FUSED_WIDTH = 128,  // of any layer but the input, at most
  WEFT_FUSED_GRAIN = 32,   // widths are rounded up to multiples of it in scratch
  WEFT_FUSED_TILE = 8      // rows of a weight matrix that are one item of fused_update's work
} weft_fused_limit;

// A linear layer of a fused network with what follows it: h = dropout(f(x W + b)). Places are
// counted in elements: weight and bias in the parameters; x, dz, slope and copies in the scratch
// memory, at multiples of 16. With wide(n) = n rounded up to a multiple of 32 and tall = (rows | 1)
// + 2: x has tall * wide(in), slope tall * wide(out), dz twice that, copies wide(in) * wide(out). How
// numbers lie there is for the device to choose. The first layer's x holds the batch, every other
// one's is the h before it; slope is dh/dz, dz the loss's gradient at z = x W + b, and copies are
// W in other forms.
// W is (in, out), b (out), bias -1 where there is none; operation: dropout's number among the draws
// of a step; rate: of dropout, 0: none. Not an argument struct: an array of them lies in memory.
#define WEFT_FUSED_LAYER(P, I, D, W)                                                          \
  I(weight) I(bias) I(in) I(out) I(x) I(dz) I(slope) I(copies) I(activation, NONLINEARITY)    \
  D(alpha) I(operation) D(rate)                                                               \
  W(0, 0)

// The first half of a training step of a narrow network: takes a batch out of the data set as
// gather_rows does, then forward, loss, and backward up to dz of every layer. targets: see
// weft_fused_loss; hits are unused by mean squared error. The first 64 bytes of scratch are a copy of
// state for the other half. scale, shift: of the source; target_scale, target_shift: of targets that
// are values. reach: where the last of value's parameters ends. parameters, products, widths: for
// accounts, their number, the multiplications of a row, and the sum of the widths of all x, dz and
// slope. fast as in gemm; 0 on CUDA, whose fused
// kernels are float32 throughout.
#define WEFT_FUSED_PASS(P, I, D, W)                                                           \
  P(layers, IN, LAYER, count)                                                                 \
  P(value, IN, T, reach, MOVES(parameters))                                                   \
  P(source, IN, source_u8 ? UINT8 : T, source_rows * cols, MOVES(rows * cols))                \
  P(index, IN, INT32, rows, BELOW(source_rows), AT_CURSOR, MOVES(0))                          \
  P(state, IN, STATE, 1)                                                                      \
  P(targets, IN, OPAQUE, 0)                                                                   \
  P(scratch, OUT, OPAQUE, 0, MOVES(rows * widths))                                            \
  P(losses, OUT, T, rows, MOVES(0))                                                           \
  P(hits, OUT, T, rows, NULLABLE, MOVES(0))                                                   \
  I(count) I(rows) I(cols) I(source_rows) I(source_u8, FLAG) I(loss, FUSED_LOSS) D(scale)     \
  D(shift) D(target_scale) D(target_shift) D(smoothing) I(reach) I(parameters) I(products)    \
  I(widths) I(fast, FLAG)                                                                     \
  W(rows, 2 * rows * products)

// The other half: dW = x^T dz and db = sum dz of every layer go straight into the rule, sgd's or
// adam's, whose memories and numbers are as there. Then mean[0] = the mean loss,
// sums[0] += weight * that, sums[1] += the hits; and the step ends as by advance_step with update,
// over rates (rate_count). tiles: of 8 rows of all weight matrices, each with its bias as one more
// row, and 1.
#define WEFT_FUSED_UPDATE(P, I, D, W)                                                         \
  P(layers, IN, LAYER, count)                                                                 \
  P(value, INOUT, T, reach, MOVES(parameters))                                                \
  P(first, INOUT, T, reach, NULLABLE, MOVES(parameters))                                      \
  P(second, INOUT, T, reach, NULLABLE, MOVES(parameters))                                     \
  P(state, INOUT, STATE, 1)                                                                   \
  P(scratch, IN, OPAQUE, 0, MOVES(rows * widths))                                             \
  P(losses, IN, T, rows, MOVES(0))                                                            \
  P(hits, IN, T, rows, NULLABLE, MOVES(0))                                                    \
  P(mean, OUT, T, 1, MOVES(0))                                                                \
  P(sums, INOUT, T, 2, MOVES(0))                                                              \
  P(rates, IN, F64, 3 * rate_count, NULLABLE, MOVES(0))                                       \
  I(count) I(rows) I(tiles) I(loss, FUSED_LOSS) I(rule, FUSED_RULE) I(nesterov, FLAG)         \
  D(momentum) D(decay) D(epsilon) D(l2) D(weight_decay) D(weight) I(reach) I(parameters)      \
  I(widths) I(rate_count) I(fast, FLAG)                                                       \
  W(tiles, parameters * (2 * rows + 2 + 2 * ((first == 0 ? 0 : 1) + (second == 0 ? 0 : 1))))

#define WEFT_FUSED_ENUMS(L)                                      \
  L(fused_loss, WEFT_FUSED_LOSS, FUSED_, WEFT_FUSED_LOSSES)      \
  L(fused_rule, WEFT_FUSED_RULE, FUSED_, WEFT_FUSED_RULES)

#define WEFT_FUSED_STRUCTS(S)     \
  S(fused_layer, WEFT_FUSED_LAYER) \
  S(fused_pass, WEFT_FUSED_PASS)  \
  S(fused_update, WEFT_FUSED_UPDATE)

#define WEFT_FUSED_KERNELS(K)               \
  K(WIDE, fused_pass, fused_pass, 256, 4)   \
  K(WIDE, fused_update, fused_update, 256, 1)
