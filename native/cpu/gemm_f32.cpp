// SPDX-License-Identifier: Apache-2.0
//
// float32 and bfloat16 products by oneDNN. A primitive is kept, with its scratchpad, by the thread
// that runs it.
//
// A product of bfloat16 adds up in float32. Where the processor does not multiply that type, its
// operands become float32 first: oneDNN has no such product for AVX2, and a slow one for AVX-512.
#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include <string_view>
#include <unordered_map>
#include <vector>

#include "../math/bf16.h"
#include "product.h"

namespace weft {
namespace {

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

// Keeps a product to the calling thread while it lives, where the others would join too late:
// 64 x 100 x 10 takes 2.4 us alone and 2.7 us on two threads, 64 x 100 x 100 8.1 and 6.0 us.
class alone {
 public:
  explicit alone(const weft_gemm& a) {
    constexpr double multiplications = 1 << 18;
    if ((double)a.m * (double)a.n * (double)a.k >= multiplications) return;
    before = omp_get_max_threads();
    omp_set_num_threads(1);
  }
  ~alone() {
    if (before) omp_set_num_threads(before);
  }
  alone(const alone&) = delete;

 private:
  int before = 0;
};

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

// Room for a matrix of floats, kept for the next one: it grows to the largest and stays.
float* room(int64_t rows, int64_t cols, std::vector<float>& memory) {
  if ((int64_t)memory.size() < rows * cols) memory.resize((size_t)(rows * cols));
  return memory.data();
}

// A bfloat16 matrix as floats without gaps.
float* widen(void* matrix, int64_t rows, int64_t cols, int64_t stride, std::vector<float>& memory) {
  room(rows, cols, memory);
  convert(static_cast<const bf16*>(matrix), stride, memory.data(), cols, rows, cols);
  return memory.data();
}

void multiply(const weft_gemm& a, form types, const packer& pack) {
  alone small(a);
  shop.find(a, types).run(a, shop.stream, static_cast<char*>(shop.scratchpad), pack);
}

void multiply_widened(const weft_gemm& a, const packer& pack) {
  static thread_local std::vector<float> left, right, result;
  weft_gemm wide = a;
  wide.lda = a.transpose_a ? a.m : a.k;
  wide.a = widen(a.a, a.transpose_a ? a.k : a.m, wide.lda, a.lda, left);
  wide.ldb = a.transpose_b ? a.k : a.n;
  wide.b = widen(a.b, a.transpose_b ? a.n : a.k, wide.ldb, a.ldb, right);
  wide.fast = 0;
  if (a.c_wide) return multiply(wide, FLOAT, pack);
  wide.ldc = a.n;
  // with beta 0, c is never read
  wide.c = a.beta != 0 ? widen(a.c, a.m, a.n, a.ldc, result) : room(a.m, a.n, result);
  multiply(wide, FLOAT, pack);
  convert(static_cast<const float*>(wide.c), a.n, static_cast<bf16*>(a.c), a.ldc, a.m, a.n);
}

}  // namespace

void gemm_f32(const weft_gemm& a, const packer& pack) {
  if (a.m <= 0 || a.n <= 0) return;
  if (a.k <= 0) return scale_only<float>(a);
  multiply(a, FLOAT, pack);
}

void gemm_bf16(const weft_gemm& a, const packer& pack) {
  if (a.m <= 0 || a.n <= 0) return;
  if (a.k <= 0) return a.c_wide ? scale_only<float>(a) : scale_only<bf16>(a);
  if (!multiplies_bf16()) return multiply_widened(a, pack);
  multiply(a, a.c_wide ? NARROW_TO_FLOAT : NARROW, pack);
}

}  // namespace weft
