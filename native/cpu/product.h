// SPDX-License-Identifier: Apache-2.0
//
// A product as oneDNN runs it: a matmul primitive with its operands, made once for each shape, layout
// and scale.
//
// A fast product turns both operands into bfloat16 first, where the processor multiplies that
// faster. oneDNN's fpmath mode does so on chips with AMX alone; on one with avx512_bf16 only (Zen 5,
// two threads) this is 1.9 times as fast as strict at 1024 x 2048 x 2048 and 1.7 times at
// 128 x 784 x 512, turning included. The right operand is laid out in panels where that pays.
#ifndef WEFT_CPU_PRODUCT_H
#define WEFT_CPU_PRODUCT_H

#include <dnnl.h>
#include <stddef.h>

#include "../abi/kernels.h"
#include "failure.h"
#include "panels.h"

namespace weft {

inline void check(dnnl_status_t status, const char* call, const weft_gemm& a) {
  if (status == dnnl_success) return;
  fail("oneDNN: %s failed with status %d for a gemm of m %lld, n %lld, k %lld", call, (int)status,
       (long long)a.m, (long long)a.n, (long long)a.k);
}

#define WEFT_ONEDNN(call) check(call, #call, a)

dnnl_engine_t engine(const weft_gemm& a);

// Whether the processor does.
bool multiplies_bf16();

// The types of operands and result.
enum form : int64_t { FLOAT, NARROW, NARROW_TO_FLOAT };

inline size_t pages(size_t bytes) { return (bytes + 4095) / 4096 * 4096; }

enum operand { A, B, C, SCRATCHPAD, OPERANDS };

// An operand rounded to bfloat16 before the product, into a place in the thread's scratchpad.
struct rounding {
  dnnl_primitive_t primitive = nullptr;
  dnnl_memory_t from = nullptr;
  size_t place = 0;

  ~rounding() {
    dnnl_memory_destroy(from);
    dnnl_primitive_destroy(primitive);
  }
};

struct product {
  dnnl_primitive_t primitive = nullptr;
  dnnl_memory_t memory[OPERANDS] = {};
  rounding rounded[2];  // A and B of a fast product
  panels right = {};    // B in panels, where width is not 0
  size_t right_place = 0;
  bool narrow = false;    // a fast product that is multiplied as bfloat16
  size_t scratchpad = 0;  // bytes: operands made anew, then what oneDNN works in
  size_t pad_place = 0;

  product() = default;
  product(const product&) = delete;
  ~product() {
    for (dnnl_memory_t m : memory) dnnl_memory_destroy(m);
    dnnl_primitive_destroy(primitive);
  }

  void make(const weft_gemm& a, form types);

  // Runs it on the data of a, with scratchpad bytes of memory.
  void run(const weft_gemm& a, dnnl_stream_t stream, char* scratchpad, const packer& pack);

 private:
  void make_rounding(const weft_gemm& a, operand which, const_dnnl_memory_desc_t from,
                     const_dnnl_memory_desc_t to);
  bool wants_panels(const weft_gemm& a, const_dnnl_memory_desc_t wanted, int64_t rows_in_place);
};

}  // namespace weft
#endif  // WEFT_CPU_PRODUCT_H
