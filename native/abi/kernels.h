// SPDX-License-Identifier: Apache-2.0
//
// The contract between Java, the CPU library and the CUDA kernels: every argument struct and the
// list of kernels. Plain C; included by every .cu and .cpp file.
//
// A kernel is a name with an argument struct. Every field of every struct has eight bytes:
//   P  a device pointer      I  an int64_t      D  a double
// so the layout needs no thought: field k stands at byte 8k. A CUDA kernel takes the struct by value
// as its only parameter, a CPU function takes a pointer to it. Java writes the same slots in order.
//
// Matrices are row-major and dense unless a stride is named. T is the kernel's element type (float
// for _f32, double for _f64, bfloat16 for _bf16). A _bf16 kernel computes in float and rounds what it
// stores; an argument marked wide is float there, and T in the others. "(+)=" means: assign when
// accumulate is 0, add when it is 1. A pointer marked nullable may be 0. No argument may alias another
// unless the comment allows it.
#ifndef WEFT_ABI_KERNELS_H
#define WEFT_ABI_KERNELS_H

#include <stdint.h>

// What a running training program knows about its place; one per recorded step, in device memory.
// Kernels read it, only advance_step and the host write it.
typedef struct weft_step_state {
  uint64_t seed;   // Philox key
  uint64_t step;   // steps finished so far
  int64_t cursor;  // place in the order of examples: where the next batch starts
  double rate;     // learning rate
} weft_step_state;

// enum values; Java's enums have the same order, which a test holds against weft_abi_table()
typedef enum weft_activation {
  WEFT_IDENTITY,
  WEFT_SIGMOID,
  WEFT_TANH,
  WEFT_RELU,
  WEFT_LEAKY_RELU,  // alpha: slope for x < 0
  WEFT_ELU,         // alpha (e^x - 1) for x < 0
  WEFT_SOFTPLUS,
  WEFT_GELU,  // exact: x Phi(x)
  WEFT_SILU,
  WEFT_ACTIVATIONS
} weft_activation;

typedef enum weft_unary {
  WEFT_SCALE,  // alpha x
  WEFT_SHIFT,  // x + alpha
  WEFT_EXP,
  WEFT_LOG,
  WEFT_SQUARE,
  WEFT_SQRT,
  WEFT_POW,         // x^alpha
  WEFT_RECIPROCAL,  // 1 / x
  WEFT_ABS,
  WEFT_UNARIES
} weft_unary;

typedef enum weft_binary {
  WEFT_ADD,
  WEFT_SUBTRACT,
  WEFT_MULTIPLY,
  WEFT_DIVIDE,
  WEFT_MAXIMUM,  // where a == b the gradient is halved between them, as in PyTorch
  WEFT_MINIMUM,
  WEFT_BINARIES
} weft_binary;

typedef enum weft_reduction {
  WEFT_SUM,
  WEFT_MEAN,
  WEFT_MAX,  // NaN wins, as in PyTorch's amax
  WEFT_SUM_OF_SQUARES,
  WEFT_REDUCTIONS
} weft_reduction;

typedef enum weft_fused_limit {
  WEFT_FUSED_LAYERS = 8,   // at most
  WEFT_FUSED_WIDTH = 128,  // of any layer but the input, at most
  WEFT_FUSED_GRAIN = 32,   // widths are rounded up to multiples of it in scratch
  WEFT_FUSED_TILE = 8      // rows of a weight matrix that are one item of fused_update's work
} weft_fused_limit;

typedef enum weft_fused_loss {
  WEFT_FUSED_SOFTMAX_CROSS_ENTROPY,  // targets: int32 labels, one for each row of the source
  WEFT_FUSED_MEAN_SQUARED_ERROR,     // targets: T, one row for each row of the source
  WEFT_FUSED_LOSSES
} weft_fused_loss;

typedef enum weft_fused_rule {
  WEFT_FUSED_SGD,   // decay1 momentum, decay2 dampening
  WEFT_FUSED_ADAM,  // decay1 beta1, decay2 beta2
  WEFT_FUSED_RULES
} weft_fused_rule;

// ---- structs: name, then its fields in order; all but the first are arguments of kernels ----

// A linear layer of a fused network with what follows it: h = dropout(f(x W + b)). Places are
// counted in elements: weight and bias in the parameters; x, dz, slope and copies in the scratch
// memory, at multiples of 16. With wide(n) = n rounded up to a multiple of 32 and tall = (rows | 1)
// + 2: x has tall * wide(in), slope tall * wide(out), dz twice that, copies wide(in) * wide(out). How
// numbers lie there is for the device to choose. The first layer's x holds the batch, every other
// one's is the h before it; slope is dh/dz, dz the loss's gradient at z = x W + b, and copies are
// W in other forms.
// W is (in, out), b (out), bias -1 where there is none; activation: weft_activation; operation:
// dropout's number among the draws of a step; rate: of dropout, 0: none.
#define WEFT_FUSED_LAYER(P, I, D)                                                             \
  I(weight) I(bias) I(in) I(out) I(x) I(dz) I(slope) I(copies) I(activation) D(alpha)         \
  I(operation) D(rate)

// y[r,c] = f(x[r,c] + b[c]); b nullable; y may be x. work: rows * cols
#define WEFT_BIAS_ACTIVATION_FORWARD(P, I, D) \
  P(x) P(b) P(y) I(rows) I(cols) I(activation) D(alpha)

// dx[r,c] (+)= dy[r,c] f'(x[r,c] + b[c]). GELU and SiLU read x and b; all others read y alone, and x
// may then be 0. dx may be dy when accumulate is 0. work: rows * cols
#define WEFT_BIAS_ACTIVATION_BACKWARD(P, I, D) \
  P(x) P(b) P(y) P(dy) P(dx) I(rows) I(cols) I(activation) D(alpha) I(accumulate)

// dx[r,c] = dy[r,c] f'(x[r,c] + b[c]), as above, and db[p,c] (+)= the sum of column c of it over part
// p: rows p * length up to min(rows, (p + 1) * length), length = ceil(rows / parts). db is wide; its
// parts are summed by a reduce. dx may be dy. work: parts * cols
#define WEFT_BIAS_ACTIVATION_GRADIENTS(P, I, D)                                               \
  P(x) P(b) P(y) P(dy) P(dx) P(db) I(rows) I(cols) I(parts) I(activation) D(alpha)            \
  I(accumulate)

// Row r with label k = labels[r] (int32) and q = (1 - smoothing) onehot(k) + smoothing / classes:
//   losses[r] = -sum_c q_c log softmax(x_r)_c
//   dx[r,c]   = scale (softmax(x_r)_c - q_c)      dx nullable; may be x
//   hits[r]   = 1 where the first largest logit is at k, else 0    nullable
// losses and hits are wide.
// A label outside 0..classes-1 or a NaN in the row makes the row's loss and gradient NaN and its hit
// 0. work: blocks of 32 rows of up to 32 classes, of 8 of up to 512, of 4 of up to 1024, of 2 of up
// to 2048, else of 1; surplus blocks do nothing.
#define WEFT_SOFTMAX_CROSS_ENTROPY(P, I, D) \
  P(x) P(labels) P(losses) P(dx) P(hits) I(rows) I(classes) D(smoothing) D(scale)

// y[i] (+)= kept(i) ? x[i] / (1 - rate) : 0, the mask by Philox: see philox.h. Backward is the same
// kernel on dy. y may be x when accumulate is 0. state: weft_step_state. work: n
#define WEFT_DROPOUT(P, I, D) P(x) P(y) P(state) I(n) I(operation) D(rate) I(accumulate)

// y[i] = f(x[i]); y may be x. work: n
#define WEFT_UNARY_FORWARD(P, I, D) P(x) P(y) I(n) I(operation) D(alpha)

// dx[i] (+)= dy[i] f'(x[i]). dx may be dy when accumulate is 0. work: n
#define WEFT_UNARY_BACKWARD(P, I, D) P(x) P(y) P(dy) P(dx) I(n) I(operation) D(alpha) I(accumulate)

// y[i0,i1,i2,i3] = f(a[i . a strides], b[i . b strides]); strides in elements, 0 where broadcast.
// y is dense with dimensions d0..d3. work: d0 * d1 * d2 * d3
#define WEFT_BINARY_FORWARD(P, I, D)                                                          \
  P(a) P(b) P(y) I(d0) I(d1) I(d2) I(d3) I(a0) I(a1) I(a2) I(a3) I(b0) I(b1) I(b2) I(b3)      \
  I(operation)

// da[i] (+)= dy[i] df/da, db[i] (+)= dy[i] df/db, both dense of y's shape (the caller sums over
// broadcast axes); da, db nullable. work: d0 * d1 * d2 * d3
#define WEFT_BINARY_BACKWARD(P, I, D)                                                         \
  P(a) P(b) P(dy) P(da) P(db) I(d0) I(d1) I(d2) I(d3) I(a0) I(a1) I(a2) I(a3) I(b0) I(b1)     \
  I(b2) I(b3) I(operation) I(accumulate_a) I(accumulate_b)

// x (outer, count, inner) -> y (parts, outer, inner). Part p covers entries p * length up to
// min(count, (p + 1) * length), length = ceil(count / parts). A second call with outer' = 1,
// count' = parts, inner' = outer * inner, parts' = 1 finishes it; the order never depends on the
// number of threads. y[..] (+)= scale * reduced (MAX ignores accumulate and scale; MEAN divides by
// count before scale). An empty part gives 0 (MAX: -infinity). y is wide, so a
// second call after a _bf16 kernel is _f32. work, with outputs = parts * outer * inner: ceil(outputs
// / 32) where inner > 1; else ceil(outputs / 8) where length <= 2048; else outputs
#define WEFT_REDUCE(P, I, D) \
  P(x) P(y) I(outer) I(count) I(inner) I(parts) I(operation) D(scale) I(accumulate)

// dx (outer, count, inner) (+)= scale * dy (outer, inner) for SUM; / count for MEAN;
// * 2 x for SUM_OF_SQUARES (x otherwise unused). dy is wide. work: outer * count * inner
#define WEFT_REDUCE_BACKWARD(P, I, D) \
  P(x) P(dy) P(dx) I(outer) I(count) I(inner) I(operation) D(scale) I(accumulate)

// dx (+)= dy / ties where x == y, else 0; ties counts the equal largest entries, as in PyTorch's amax.
// y and dy are wide. work: inner > 1 ? ceil(outer * inner / 32) : ceil(outer / 8)
#define WEFT_MAX_BACKWARD(P, I, D) P(x) P(y) P(dy) P(dx) I(outer) I(count) I(inner) I(accumulate)

// y[r,:] = scale * source[index[start + r], :] + shift; start = state->cursor, 0 where state is 0.
// A row whose index is not in 0..source_rows-1 becomes NaN; the source is not read for it.
// gather_rows: source is T; gather_rows_u8: source is uint8. index: int32. work: rows * cols
#define WEFT_GATHER_ROWS(P, I, D) \
  P(source) P(index) P(state) P(y) I(rows) I(cols) I(source_rows) D(scale) D(shift)

// dsource[index[r], :] += scale * dy[r, :], rows in order, so repeated rows add up the same way every
// time. A row whose index is not in 0..source_rows-1 is left out. dsource is wide. work: cols
#define WEFT_GATHER_ROWS_BACKWARD(P, I, D) \
  P(index) P(dy) P(dsource) I(rows) I(cols) I(source_rows) D(scale)

// y[r] = source[index[start + r]], all int32; -1, which is no label, where that index is not in
// 0..source_rows-1. work: rows
#define WEFT_GATHER_LABELS(P, I, D) P(source) P(index) P(state) P(y) I(rows) I(source_rows)

// y[r] (int32) = the first c with the largest x[r,c]; NaN counts as the largest. work: ceil(rows /
// (cols <= 32 ? 16 : 4))
#define WEFT_ARGMAX(P, I, D) P(x) P(y) I(rows) I(cols)

// y[i] = value. work: n
#define WEFT_FILL(P, I, D) P(y) I(n) D(value)

// y[r * y_stride + c] (+)= scale * x[r * x_stride + c]. work: rows * cols
#define WEFT_COPY_ROWS(P, I, D) \
  P(x) P(y) I(rows) I(cols) I(x_stride) I(y_stride) D(scale) I(accumulate)

// x (rows, cols) -> y (cols, rows), (+)=. work: ceil(rows / 32) * ceil(cols / 32), tiles
#define WEFT_TRANSPOSE(P, I, D) P(x) P(y) I(rows) I(cols) I(accumulate)

// y[i] ~ U[a, b) or N(a, b^2) by Philox at (seed, step, operation, i): see philox.h. Computed in
// double and rounded, so that all devices agree. work: n
#define WEFT_RANDOM(P, I, D) P(y) I(n) I(seed) I(step) I(operation) D(a) D(b)

// y[i] (+)= x[i]; f32_to_bf16 rounds to the nearest, bf16_to_f32 is exact. work: n
#define WEFT_CAST(P, I, D) P(x) P(y) I(n) I(accumulate)

// One step over a flat arena of n values, rate = state->rate, g = gradient + weight_decay * value:
//   velocity = momentum velocity + (1 - dampening) g
//   value   -= rate (nesterov ? g + momentum velocity : velocity)
// velocity nullable when momentum is 0: value -= rate g. copy nullable: bfloat16 in all precisions,
// it receives the new values rounded. work: n
#define WEFT_SGD(P, I, D)                                                                     \
  P(value) P(gradient) P(velocity) P(copy) P(state) I(n) D(momentum) D(dampening)             \
  D(weight_decay) I(nesterov)

// t = state->step + 1; g = gradient + l2 * value
//   m = beta1 m + (1 - beta1) g            v = beta2 v + (1 - beta2) g^2
//   value -= rate * (m / (1 - beta1^t) / (sqrt(v / (1 - beta2^t)) + epsilon) + weight_decay value)
// l2 is Adam's, weight_decay is AdamW's; copy as for sgd. work: n
#define WEFT_ADAM(P, I, D)                                                                    \
  P(value) P(gradient) P(first) P(second) P(copy) P(state) I(n) D(beta1) D(beta2) D(epsilon)  \
  D(l2) D(weight_decay)

// state->step += 1; state->cursor += rows. work: 1
#define WEFT_ADVANCE_STEP(P, I, D) P(state) I(rows)

// The first half of a training step of a narrow network: takes a batch out of the data set as
// gather_rows does, then forward, loss, and backward up to dz of every layer. layers: an array of
// weft_fused_layer; targets: see weft_fused_loss; losses, hits (rows), hits unused by mean squared
// error. The first 64 bytes of scratch are a copy of state for the other half. scale, shift: of the
// source; target_scale, target_shift: of targets that are values. parameters, products, widths: for
// accounts, the number of weights, the multiplications of a row, and the sum of the widths of all x,
// dz and slope. fast as in gemm; 0 on CUDA, whose fused kernels are float32 throughout. work: rows
#define WEFT_FUSED_PASS(P, I, D)                                                              \
  P(layers) P(value) P(source) P(index) P(state) P(targets) P(scratch) P(losses) P(hits)      \
  I(count) I(rows) I(cols) I(source_rows) I(source_u8) I(loss) D(scale) D(shift)              \
  D(target_scale) D(target_shift) D(smoothing) I(parameters) I(products) I(widths) I(fast)

// The other half: dW = x^T dz and db = sum dz of every layer go straight into the rule, sgd's or
// adam's; first, second: its memory, nullable as there. Then mean[0] = the mean loss,
// sums[0] += weight * that, sums[1] += the hits; state moves on by rows. work: the number of tiles
// of 8 rows of all weight matrices, each with its bias as one more row, and 1
#define WEFT_FUSED_UPDATE(P, I, D)                                                            \
  P(layers) P(value) P(first) P(second) P(state) P(scratch) P(losses) P(hits) P(mean) P(sums) \
  I(count) I(rows) I(loss) I(rule) I(nesterov) D(decay1) D(decay2) D(epsilon) D(l2)           \
  D(weight_decay) D(weight) I(parameters) I(widths) I(fast)

// c (m, n) = alpha op(a) op(b) + beta c, op(a) (m, k), op(b) (k, n); lda, ldb, ldc are the row
// strides of the stored matrices; transpose_a = 1 means that a is stored (k, m). With beta 0, c is
// never read. fast: 0 float32 throughout, 1 TF32 / bf16 multiplications (f32 only). c_wide: 1 makes
// c wide, else it is T (bf16 only). On CUDA this is a call of cuBLAS. work: m * n
#define WEFT_GEMM(P, I, D)                                                                    \
  P(a) P(b) P(c) I(m) I(n) I(k) I(lda) I(ldb) I(ldc) I(transpose_a) I(transpose_b) D(alpha)   \
  D(beta) I(fast) I(c_wide)

// ---- the list of structs ----
#define WEFT_STRUCTS(S)                                        \
  S(fused_layer, WEFT_FUSED_LAYER)                             \
  S(bias_activation_forward, WEFT_BIAS_ACTIVATION_FORWARD)     \
  S(bias_activation_backward, WEFT_BIAS_ACTIVATION_BACKWARD)   \
  S(bias_activation_gradients, WEFT_BIAS_ACTIVATION_GRADIENTS) \
  S(softmax_cross_entropy, WEFT_SOFTMAX_CROSS_ENTROPY)         \
  S(dropout, WEFT_DROPOUT)                                     \
  S(unary_forward, WEFT_UNARY_FORWARD)                         \
  S(unary_backward, WEFT_UNARY_BACKWARD)                       \
  S(binary_forward, WEFT_BINARY_FORWARD)                       \
  S(binary_backward, WEFT_BINARY_BACKWARD)                     \
  S(reduce, WEFT_REDUCE)                                       \
  S(reduce_backward, WEFT_REDUCE_BACKWARD)                     \
  S(max_backward, WEFT_MAX_BACKWARD)                           \
  S(gather_rows, WEFT_GATHER_ROWS)                             \
  S(gather_rows_backward, WEFT_GATHER_ROWS_BACKWARD)           \
  S(gather_labels, WEFT_GATHER_LABELS)                         \
  S(argmax, WEFT_ARGMAX)                                       \
  S(fill, WEFT_FILL)                                           \
  S(copy_rows, WEFT_COPY_ROWS)                                 \
  S(transpose, WEFT_TRANSPOSE)                                 \
  S(random, WEFT_RANDOM)                                       \
  S(cast, WEFT_CAST)                                           \
  S(sgd, WEFT_SGD)                                             \
  S(adam, WEFT_ADAM)                                           \
  S(advance_step, WEFT_ADVANCE_STEP)                           \
  S(fused_pass, WEFT_FUSED_PASS)                               \
  S(fused_update, WEFT_FUSED_UPDATE)                           \
  S(gemm, WEFT_GEMM)

// ---- the list of kernels: name, struct, threads in a block, work items in a block ----
// A launch has ceil(work / items) blocks; block b owns items b * items up to (b + 1) * items.
// A typed kernel exists as name_f32, name_f64 and name_bf16.
#define WEFT_TYPED_KERNELS(K)                                          \
  K(bias_activation_forward, bias_activation_forward, 128, 1024)       \
  K(bias_activation_backward, bias_activation_backward, 128, 1024)     \
  K(bias_activation_gradients, bias_activation_gradients, 256, 32)     \
  K(softmax_cross_entropy, softmax_cross_entropy, 256, 1)              \
  K(dropout, dropout, 128, 1024)                                       \
  K(unary_forward, unary_forward, 128, 1024)                           \
  K(unary_backward, unary_backward, 128, 1024)                         \
  K(binary_forward, binary_forward, 128, 1024)                         \
  K(binary_backward, binary_backward, 128, 1024)                       \
  K(reduce, reduce, 256, 1)                                            \
  K(reduce_backward, reduce_backward, 128, 1024)                       \
  K(max_backward, max_backward, 256, 1)                                \
  K(gather_rows, gather_rows, 128, 1024)                               \
  K(gather_rows_u8, gather_rows, 64, 1024)                             \
  K(gather_rows_backward, gather_rows_backward, 256, 1)                \
  K(argmax, argmax, 128, 1)                                            \
  K(fill, fill, 128, 1024)                                             \
  K(copy_rows, copy_rows, 128, 1024)                                   \
  K(transpose, transpose, 256, 1)

// Those that write parameters, which are float or double: name_f32 and name_f64.
#define WEFT_WIDE_KERNELS(K)                                           \
  K(random_uniform, random, 128, 1024)                                 \
  K(random_normal, random, 128, 1024)                                  \
  K(sgd, sgd, 128, 1024)                                               \
  K(adam, adam, 128, 1024)                                             \
  K(fused_pass, fused_pass, 256, 4)                                    \
  K(fused_update, fused_update, 256, 1)

#define WEFT_UNTYPED_KERNELS(K)                       \
  K(gather_labels, gather_labels, 256, 256)           \
  K(f32_to_bf16, cast, 128, 1024)                     \
  K(bf16_to_f32, cast, 128, 1024)                     \
  K(advance_step, advance_step, 32, 1)

// Kernels that CUDA leaves to a library: no block shape, no entry in the fatbin.
#define WEFT_LIBRARY_KERNELS(K) K(gemm, gemm, 0, 0)

// ---- the structs themselves ----
#define WEFT_FIELD_P(name) void* name;
#define WEFT_FIELD_I(name) int64_t name;
#define WEFT_FIELD_D(name) double name;
#define WEFT_DEFINE_STRUCT(name, FIELDS) \
  typedef struct weft_##name {           \
    FIELDS(WEFT_FIELD_P, WEFT_FIELD_I, WEFT_FIELD_D) \
  } weft_##name;
WEFT_STRUCTS(WEFT_DEFINE_STRUCT)
#undef WEFT_DEFINE_STRUCT
#undef WEFT_FIELD_P
#undef WEFT_FIELD_I
#undef WEFT_FIELD_D

#endif  // WEFT_ABI_KERNELS_H
