// SPDX-License-Identifier: Apache-2.0
//
// The words in which a family of kernels states its contract: every argument, what it costs, how it
// is launched. Plain C; every .cu and .cpp file includes it through kernels.h, and .mvn/Contract.java
// makes Java's side of it: argument records, kernels, enums, costs, checks.
//
// A kernel is a name with an argument struct. Every field has eight bytes, so field k stands at byte
// 8k. A CUDA kernel takes the struct by value as its only parameter, a CPU function takes a pointer
// to it. A struct's macro lists its fields in order, and then its work:
//
//   P(name, access, type, extent, option ...)   a device pointer
//     access   IN        is read
//              OUT       is written, and not read
//              INOUT     is read and written
//              ADD(c)    "(+)=": added to where c holds, else assigned
//     type     T         the kernel's element: float for _f32, double for _f64, bfloat16 for _bf16. A
//                        _bf16 kernel computes in float and rounds what it stores
//              WIDE      float in a _bf16 kernel, else T
//              F32, F64, BF16, INT32, UINT8
//              STATE     a weft_step_state        LAYER   weft_fused_layer
//              OPAQUE    in a layout of its own, whose extent is not told
//     extent   elements, an expression in the struct's fields
//     option   NULLABLE  may be 0
//              MAY_BE(q) may be the same memory as q, where it is not added to
//              MOVES(e)  so many of its elements are read or written, where that is not the extent; of
//                        a state so many words, where that is not none
//              BELOW(e)  holds numbers from 0 to e - 1
//              AT_CURSOR begins at state->cursor where state is not 0
//   I(name), I(name, FLAG), I(name, enum)       an int64_t: a number, 0 or 1, a value of that enum
//   D(name)                                     a double
//   W(work, flops)   the number of work items: a launch has ceil(work / items) blocks, and block b
//                    owns items b * items up to (b + 1) * items. Then the floating-point operations,
//                    as dev.weft.device.Cost counts them; those of adding to a flag's output are
//                    counted beside them.
//
// Expressions are of C and of Java at once: names of fields, numbers, enum values, + - * / ? : and
// comparisons, weft_ceil_div. No argument may alias another unless MAY_BE allows it. Matrices are
// row-major and dense unless a stride is named.
//
// A kernel of the list is K(kind, name, struct, threads, items, option ...): threads in a block, work
// items in a block.
//   kind     TYPED    name_f32, name_f64, name_bf16
//            WIDE     name_f32, name_f64: those that write parameters
//            UNTYPED  name
//            LIBRARY  as TYPED; CUDA leaves it to a library: no block shape, no machine code
//            HOST     as UNTYPED; on the CPU alone
//   option   AS(field, type)   the type of a pointer, in this kernel
//            RACES(field)      threads may write to one place of this operand at a time, and any of
//                              them may win
//
// An enum is a list of E(NAME, "what it is", option ...), its values 0, 1, 2 and so on.
//   ALPHA(d) takes a parameter alpha, d by default    OF_X   its derivative needs x, not only f(x)
#ifndef WEFT_ABI_CONTRACT_H
#define WEFT_ABI_CONTRACT_H

#include <stdint.h>

// What a running training program knows about its place; one per recorded step, in device memory.
// Kernels read it; the host, advance_step and fused_update write it.
typedef struct weft_step_state {
  uint64_t seed;    // Philox key
  uint64_t step;    // batches finished so far: random draws follow it
  uint64_t update;  // updates of the parameters so far: Adam's t - 1
  int64_t cursor;   // place in the order of examples: where the next batch starts
  double rate;      // learning rate
  float rate_f32;   // the same, rounded
  float unused;
  double momentum_factor;  // what the momentum of rules is multiplied by
  double decay_factor;     // and their weight decay
} weft_step_state;

static inline int64_t weft_ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

#endif  // WEFT_ABI_CONTRACT_H
