// SPDX-License-Identifier: Apache-2.0
//
// A product as oneDNN runs it, on one thread: a matmul primitive with its operands, made once for
// each shape, layout and scale.
#ifndef WEFT_CPU_PRODUCT_H
#define WEFT_CPU_PRODUCT_H

#include <dnnl.h>
#include <stddef.h>

#include "../abi/kernels.h"
#include "failure.h"

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

// The width of the panels (see panels.h) in which oneDNN reads B of such a product fastest; 0 where
// it wants no panels.
int64_t panel_width(const weft_gemm& a, form types);

struct product {
  size_t scratchpad = 0;  // bytes

  product() = default;
  product(const product&) = delete;
  ~product() {
    for (dnnl_memory_t m : memory) dnnl_memory_destroy(m);
    dnnl_primitive_destroy(primitive);
  }

  // panel: the width of the panels that B lies in, or 0.
  void make(const weft_gemm& a, form types, int64_t panel);

  // Runs it on the data of a, with scratchpad bytes of memory.
  void run(const weft_gemm& a, dnnl_stream_t stream, void* scratchpad);

 private:
  enum operand { A, B, C, SCRATCHPAD, OPERANDS };
  dnnl_primitive_t primitive = nullptr;
  dnnl_memory_t memory[OPERANDS] = {};
};

}  // namespace weft
#endif  // WEFT_CPU_PRODUCT_H
