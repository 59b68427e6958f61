// SPDX-License-Identifier: Apache-2.0
//
// The contract between Java, the CPU library and the CUDA kernels: every argument struct and the
// list of kernels, by family. contract.h says what the words mean.
#ifndef WEFT_ABI_KERNELS_H
#define WEFT_ABI_KERNELS_H

#include "contract.h"
#include "elementwise.h"
#include "fused.h"
#include "gemm.h"
#include "loss.h"
#include "norm.h"
#include "optimizer.h"
#include "path.h"
#include "reduce.h"
#include "rows.h"
#include "softmax.h"
#include "table.h"
#include "word2vec.h"

// L(name, list of values, prefix of their names, how the count of them is called)
#define WEFT_ENUMS(L)       \
  WEFT_ELEMENTWISE_ENUMS(L) \
  WEFT_REDUCE_ENUMS(L)      \
  WEFT_LOSS_ENUMS(L)        \
  WEFT_TABLE_ENUMS(L)       \
  WEFT_WORD2VEC_ENUMS(L)    \
  WEFT_FUSED_ENUMS(L)

// S(name, fields); all but fused_layer are arguments of kernels
#define WEFT_STRUCTS(S)       \
  WEFT_ELEMENTWISE_STRUCTS(S) \
  WEFT_REDUCE_STRUCTS(S)      \
  WEFT_LOSS_STRUCTS(S)        \
  WEFT_NORM_STRUCTS(S)        \
  WEFT_SOFTMAX_STRUCTS(S)     \
  WEFT_ROWS_STRUCTS(S)        \
  WEFT_TABLE_STRUCTS(S)       \
  WEFT_PATH_STRUCTS(S)        \
  WEFT_FUSED_STRUCTS(S)       \
  WEFT_OPTIMIZER_STRUCTS(S)   \
  WEFT_WORD2VEC_STRUCTS(S)    \
  WEFT_GEMM_STRUCTS(S)

// K(kind, name, struct, threads, items, option ...)
#define WEFT_KERNELS(K)       \
  WEFT_ELEMENTWISE_KERNELS(K) \
  WEFT_REDUCE_KERNELS(K)      \
  WEFT_LOSS_KERNELS(K)        \
  WEFT_NORM_KERNELS(K)        \
  WEFT_SOFTMAX_KERNELS(K)     \
  WEFT_ROWS_KERNELS(K)        \
  WEFT_TABLE_KERNELS(K)       \
  WEFT_PATH_KERNELS(K)        \
  WEFT_FUSED_KERNELS(K)       \
  WEFT_OPTIMIZER_KERNELS(K)   \
  WEFT_WORD2VEC_KERNELS(K)    \
  WEFT_GEMM_KERNELS(K)

// WEFT_KERNELS(WEFT_EACH_SYMBOL) is WEFT_SYMBOL(symbol, name, struct, threads, items, option ...) for
// each symbol of each kernel, in the order of weft_abi_table(); whoever uses it defines WEFT_SYMBOL.
#define WEFT_EACH_SYMBOL(kind, name, ...) WEFT_EACH_##kind(name, __VA_ARGS__)
#define WEFT_EACH_TYPED(name, ...)   \
  WEFT_EACH_WIDE(name, __VA_ARGS__)  \
  WEFT_SYMBOL(name##_bf16, name, __VA_ARGS__)
#define WEFT_EACH_WIDE(name, ...)            \
  WEFT_SYMBOL(name##_f32, name, __VA_ARGS__) \
  WEFT_SYMBOL(name##_f64, name, __VA_ARGS__)
#define WEFT_EACH_UNTYPED(name, ...) WEFT_SYMBOL(name, name, __VA_ARGS__)
#define WEFT_EACH_LIBRARY(name, ...) WEFT_EACH_TYPED(name, __VA_ARGS__)
#define WEFT_EACH_HOST(name, ...) WEFT_EACH_UNTYPED(name, __VA_ARGS__)

// Where a field means nothing.
#define WEFT_NOTHING(...)

// ---- the enums themselves ----
#define WEFT_ENUM_VALUE(name, ...) WEFT_##name,
#define WEFT_ENUM_FUSED_VALUE(name, ...) WEFT_FUSED_##name,
#define WEFT_ENUM_BAG_VALUE(name, ...) WEFT_BAG_##name,
#define WEFT_ENUM_LOSS_VALUE(name, ...) WEFT_LOSS_##name,
#define WEFT_DEFINE_ENUM(name, VALUES, prefix, count) \
  typedef enum weft_##name { VALUES(WEFT_ENUM_##prefix##VALUE) count } weft_##name;
WEFT_ENUMS(WEFT_DEFINE_ENUM)
#undef WEFT_DEFINE_ENUM

// ---- the structs themselves; in C++ they know their work and operations ----
#define WEFT_FIELD_P(name, ...) void* name;
#define WEFT_FIELD_I(name, ...) int64_t name;
#define WEFT_FIELD_D(name) double name;
#ifdef __cplusplus
#define WEFT_FIELD_W(items, operations)  \
  int64_t work() const { return items; } \
  double flops() const { return (double)(operations); }
#else
#define WEFT_FIELD_W(items, operations)
#endif
#define WEFT_DEFINE_STRUCT(name, FIELDS)                             \
  typedef struct weft_##name {                                       \
    FIELDS(WEFT_FIELD_P, WEFT_FIELD_I, WEFT_FIELD_D, WEFT_FIELD_W)   \
  } weft_##name;
WEFT_STRUCTS(WEFT_DEFINE_STRUCT)
#undef WEFT_DEFINE_STRUCT
#undef WEFT_FIELD_P
#undef WEFT_FIELD_I
#undef WEFT_FIELD_D
#undef WEFT_FIELD_W

#endif  // WEFT_ABI_KERNELS_H
