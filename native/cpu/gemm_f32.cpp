// SPDX-License-Identifier: Apache-2.0
//
// float32 and bfloat16 products by oneDNN. A matmul primitive is made once for each shape, layout and scale and
// kept, with its scratchpad, by the thread that runs it.
//
// A fast product turns both operands into bfloat16 first, where the processor multiplies that
// faster. oneDNN's fpmath mode does so on chips with AMX alone; on one with avx512_bf16 only (Zen 5,
// two threads) this is 1.9 times as fast as strict at 1024 x 2048 x 2048 and 1.7 times at
// 128 x 784 x 512, turning included. Turning the right operand into oneDNN's own layout as well made
// the product 8 % faster and cost more than that.
//
// A product of bfloat16 adds up in float32. Where the processor does not multiply that type, its
// operands become float32 first: oneDNN has no such product for AVX2, and a slow one for AVX-512.
#include <dnnl.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include <memory>
#include <string_view>
#include <type_traits>
#include <unordered_map>
#include <vector>

#include "../abi/kernels.h"
#include "../math/bf16.h"
#include "failure.h"

namespace weft {

void gemm_f32(const weft_gemm& a);
void gemm_bf16(const weft_gemm& a);

namespace {

void check(dnnl_status_t status, const char* call, const weft_gemm& a) {
  if (status == dnnl_success) return;
  fail("oneDNN: %s failed with status %d for a gemm of m %lld, n %lld, k %lld", call, (int)status,
       (long long)a.m, (long long)a.n, (long long)a.k);
}

#define WEFT_ONEDNN(call) check(call, #call, a)

dnnl_engine_t engine(const weft_gemm& a) {
  static const dnnl_engine_t made = [&] {
    dnnl_engine_t e = nullptr;
    WEFT_ONEDNN(dnnl_engine_create(&e, dnnl_cpu, 0));
    return e;
  }();
  return made;
}

// The types of operands and result.
enum form : int64_t { FLOAT, NARROW, NARROW_TO_FLOAT };

// All that a primitive depends on. Eight bytes each, so that it can be compared as memory.
struct key {
  int64_t m, n, k, lda, ldb, ldc, transpose_a, transpose_b, fast, form, threads;
  double alpha, beta;

  bool operator==(const key& other) const { return memcmp(this, &other, sizeof *this) == 0; }
};

struct key_hash {
  size_t operator()(const key& k) const {
    return std::hash<std::string_view>()({reinterpret_cast<const char*>(&k), sizeof k});
  }
};

bool multiplies_bf16() {
  static const bool yes = (dnnl_get_effective_cpu_isa() & dnnl_cpu_isa_avx512_core_bf16) ==
                          dnnl_cpu_isa_avx512_core_bf16;
  return yes;
}

enum operand { A, B, C, SCRATCHPAD, OPERANDS };
constexpr int names[OPERANDS] = {DNNL_ARG_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_DST, DNNL_ARG_SCRATCHPAD};

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
  rounding rounded[2];    // A and B of a fast product
  size_t scratchpad = 0;  // bytes: rounded operands, then what oneDNN works in
  size_t pad_place = 0;

  product() = default;
  product(const product&) = delete;
  ~product() {
    for (dnnl_memory_t m : memory) dnnl_memory_destroy(m);
    dnnl_primitive_destroy(primitive);
  }

  void make(const weft_gemm& a, form types);
  void make_rounding(const weft_gemm& a, operand which, const_dnnl_memory_desc_t from,
                     const_dnnl_memory_desc_t to);
};

struct destroy {
  void operator()(dnnl_memory_desc_t d) const { dnnl_memory_desc_destroy(d); }
  void operator()(dnnl_primitive_attr_t a) const { dnnl_primitive_attr_destroy(a); }
  void operator()(dnnl_primitive_desc_t d) const { dnnl_primitive_desc_destroy(d); }
  void operator()(dnnl_post_ops_t p) const { dnnl_post_ops_destroy(p); }
};

// What oneDNN made here, until the end of the block, also where a later call fails.
template <typename T>
using owned = std::unique_ptr<std::remove_pointer_t<T>, destroy>;

// c = alpha (product) + beta c, as steps that oneDNN takes on each result before it stores it
void describe_scales(const weft_gemm& a, dnnl_primitive_attr_t attributes) {
  dnnl_post_ops_t made = nullptr;
  WEFT_ONEDNN(dnnl_post_ops_create(&made));
  owned<dnnl_post_ops_t> steps(made);
  if (a.alpha != 1) {
    WEFT_ONEDNN(dnnl_post_ops_append_eltwise(steps.get(), dnnl_eltwise_linear, (float)a.alpha, 0));
  }
  if (a.beta != 0) {
    WEFT_ONEDNN(dnnl_post_ops_append_sum(steps.get(), (float)a.beta, 0, dnnl_data_type_undef));
  }
  WEFT_ONEDNN(dnnl_primitive_attr_set_post_ops(attributes, steps.get()));
}

owned<dnnl_primitive_attr_t> describe(const weft_gemm& a) {
  dnnl_primitive_attr_t made = nullptr;
  WEFT_ONEDNN(dnnl_primitive_attr_create(&made));
  owned<dnnl_primitive_attr_t> attributes(made);
  WEFT_ONEDNN(dnnl_primitive_attr_set_scratchpad_mode(made, dnnl_scratchpad_mode_user));
  describe_scales(a, made);
  return attributes;
}

owned<dnnl_memory_desc_t> matrix(const weft_gemm& a, dnnl_data_type_t type, int64_t rows,
                                 int64_t cols, int64_t stride, bool transposed) {
  dnnl_memory_desc_t made = nullptr;
  dnnl_dims_t dims = {rows, cols}, strides = {transposed ? 1 : stride, transposed ? stride : 1};
  WEFT_ONEDNN(dnnl_memory_desc_create_with_strides(&made, 2, dims, type, strides));
  return owned<dnnl_memory_desc_t>(made);
}

// The same matrix as bfloat16, its rows without gaps.
owned<dnnl_memory_desc_t> dense(const weft_gemm& a, int64_t rows, int64_t cols, bool transposed) {
  return matrix(a, dnnl_bf16, rows, cols, transposed ? rows : cols, transposed);
}

size_t pages(size_t bytes) { return (bytes + 4095) / 4096 * 4096; }

void product::make_rounding(const weft_gemm& a, operand which, const_dnnl_memory_desc_t from,
                            const_dnnl_memory_desc_t to) {
  rounding& r = rounded[which];
  dnnl_primitive_desc_t made = nullptr;
  WEFT_ONEDNN(dnnl_reorder_primitive_desc_create(&made, from, engine(a), to, engine(a), nullptr));
  owned<dnnl_primitive_desc_t> description(made);
  WEFT_ONEDNN(dnnl_primitive_create(&r.primitive, made));
  WEFT_ONEDNN(dnnl_memory_create(&r.from, from, engine(a), DNNL_MEMORY_NONE));
  r.place = scratchpad;
  scratchpad += pages(dnnl_memory_desc_get_size(to));
}

void product::make(const weft_gemm& a, form types) {
  bool ta = a.transpose_a != 0, tb = a.transpose_b != 0;
  dnnl_data_type_t operands = types == FLOAT ? dnnl_f32 : dnnl_bf16;
  auto x = matrix(a, operands, a.m, a.k, a.lda, ta);
  auto w = matrix(a, operands, a.k, a.n, a.ldb, tb);
  auto y = matrix(a, types == NARROW ? dnnl_bf16 : dnnl_f32, a.m, a.n, a.ldc, false);
  auto attributes = describe(a);
  if (types == FLOAT && a.fast && multiplies_bf16()) {
    auto narrow_x = dense(a, a.m, a.k, ta), narrow_w = dense(a, a.k, a.n, tb);
    make_rounding(a, A, x.get(), narrow_x.get());
    make_rounding(a, B, w.get(), narrow_w.get());
    x = std::move(narrow_x);
    w = std::move(narrow_w);
  }
  pad_place = scratchpad;
  dnnl_primitive_desc_t made = nullptr;
  WEFT_ONEDNN(dnnl_matmul_primitive_desc_create(&made, engine(a), x.get(), w.get(), nullptr,
                                                y.get(), attributes.get()));
  owned<dnnl_primitive_desc_t> description(made);
  WEFT_ONEDNN(dnnl_primitive_create(&primitive, made));
  const_dnnl_memory_desc_t pad = dnnl_primitive_desc_query_md(made, dnnl_query_scratchpad_md, 0);
  scratchpad += pad ? dnnl_memory_desc_get_size(pad) : 0;
  const_dnnl_memory_desc_t of[OPERANDS] = {x.get(), w.get(), y.get(), pad};
  for (int i = 0; i < OPERANDS; i++) {
    if (of[i]) WEFT_ONEDNN(dnnl_memory_create(&memory[i], of[i], engine(a), DNNL_MEMORY_NONE));
  }
}

// What one thread keeps: its stream, its products and a scratchpad as large as any of them needs.
struct workshop {
  // A program has some dozens of shapes; this many are kept before all are made anew.
  static constexpr size_t most = 1024;

  dnnl_stream_t stream = nullptr;
  std::unordered_map<key, product, key_hash> products;
  void* scratchpad = nullptr;
  size_t scratchpad_bytes = 0;

  ~workshop() {
    products.clear();
    dnnl_stream_destroy(stream);
    free(scratchpad);
  }

  product& find(const weft_gemm& a, form types) {
    key wanted = {a.m,
                  a.n,
                  a.k,
                  a.lda,
                  a.ldb,
                  a.ldc,
                  a.transpose_a,
                  a.transpose_b,
                  a.fast,
                  types,
                  omp_get_max_threads(),
                  a.alpha,
                  a.beta};
    auto found = products.find(wanted);
    if (found != products.end()) return found->second;
    if (!stream) WEFT_ONEDNN(dnnl_stream_create(&stream, engine(a), dnnl_stream_default_flags));
    if (products.size() >= most) products.clear();
    try {
      product& made = products[wanted];
      made.make(a, types);
      reserve(made.scratchpad, a);
      return made;
    } catch (...) {
      products.erase(wanted);
      throw;
    }
  }

  // The products that are kept count on the scratchpad: it goes when there is a larger one.
  void reserve(size_t bytes, const weft_gemm& a) {
    if (bytes <= scratchpad_bytes) return;
    size_t whole = pages(bytes);
    void* larger = aligned_alloc(4096, whole);
    if (!larger) check(dnnl_out_of_memory, "the scratchpad's allocation", a);
    free(scratchpad);
    scratchpad = larger;
    scratchpad_bytes = whole;
  }
};

thread_local workshop shop;

// c = beta c, what is left of a product with nothing to add up
template <typename S>
void scale_only(const weft_gemm& a) {
  S* c = static_cast<S*>(a.c);
  float beta = (float)a.beta;
  for (int64_t i = 0; i < a.m; i++) {
    for (int64_t j = 0; j < a.n; j++) {
      S& place = c[i * a.ldc + j];
      place = S(beta == 0 ? 0.0f : beta * (float)place);
    }
  }
}

// Copies a matrix between types and strides.
template <typename From, typename To>
void convert(const From* from, int64_t from_stride, To* to, int64_t to_stride, int64_t rows,
             int64_t cols) {
#pragma omp parallel for if (rows * cols > 65536)
  for (int64_t r = 0; r < rows; r++) {
    for (int64_t c = 0; c < cols; c++) to[r * to_stride + c] = To((float)from[r * from_stride + c]);
  }
}

// A bfloat16 matrix as floats without gaps, in memory that is kept for the next one.
float* widen(void* matrix, int64_t rows, int64_t cols, int64_t stride, std::vector<float>& memory) {
  if ((int64_t)memory.size() < rows * cols) memory.resize((size_t)(rows * cols));
  convert(static_cast<const bf16*>(matrix), stride, memory.data(), cols, rows, cols);
  return memory.data();
}

void multiply_widened(const weft_gemm& a) {
  static thread_local std::vector<float> left, right, result;
  weft_gemm wide = a;
  wide.lda = a.transpose_a ? a.m : a.k;
  wide.a = widen(a.a, a.transpose_a ? a.k : a.m, wide.lda, a.lda, left);
  wide.ldb = a.transpose_b ? a.k : a.n;
  wide.b = widen(a.b, a.transpose_b ? a.n : a.k, wide.ldb, a.ldb, right);
  wide.fast = 0;
  if (a.c_wide) return gemm_f32(wide);
  wide.ldc = a.n;
  wide.c = widen(a.c, a.m, a.n, a.ldc, result);
  gemm_f32(wide);
  convert(static_cast<const float*>(wide.c), a.n, static_cast<bf16*>(a.c), a.ldc, a.m, a.n);
}

void multiply(const weft_gemm& a, form types) {
  product& p = shop.find(a, types);
  char* scratchpad = static_cast<char*>(shop.scratchpad);
  void* data[OPERANDS] = {a.a, a.b, a.c, scratchpad + p.pad_place};
  for (operand which : {A, B}) {
    rounding& r = p.rounded[which];
    if (!r.primitive) continue;
    WEFT_ONEDNN(dnnl_memory_set_data_handle(r.from, data[which]));
    data[which] = scratchpad + r.place;
    WEFT_ONEDNN(dnnl_memory_set_data_handle(p.memory[which], data[which]));
    dnnl_exec_arg_t turn[] = {{DNNL_ARG_FROM, r.from}, {DNNL_ARG_TO, p.memory[which]}};
    WEFT_ONEDNN(dnnl_primitive_execute(r.primitive, shop.stream, 2, turn));
  }
  dnnl_exec_arg_t arguments[OPERANDS];
  int count = 0;
  for (int i = 0; i < OPERANDS; i++) {
    if (!p.memory[i]) continue;
    WEFT_ONEDNN(dnnl_memory_set_data_handle(p.memory[i], data[i]));
    arguments[count++] = {names[i], p.memory[i]};
  }
  WEFT_ONEDNN(dnnl_primitive_execute(p.primitive, shop.stream, count, arguments));
}

}  // namespace

void gemm_f32(const weft_gemm& a) {
  if (a.m <= 0 || a.n <= 0) return;
  if (a.k <= 0) return scale_only<float>(a);
  multiply(a, FLOAT);
}

void gemm_bf16(const weft_gemm& a) {
  if (a.m <= 0 || a.n <= 0) return;
  if (a.k <= 0) return a.c_wide ? scale_only<float>(a) : scale_only<bf16>(a);
  if (!multiplies_bf16()) return multiply_widened(a);
  multiply(a, a.c_wide ? NARROW_TO_FLOAT : NARROW);
}

}  // namespace weft
