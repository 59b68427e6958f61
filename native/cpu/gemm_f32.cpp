// SPDX-License-Identifier: Apache-2.0
//
// float32 and bfloat16 products: oneDNN multiplies blocks of the result, each on one thread. An
// element is the sum over k in one order, into however many blocks a product is cut.
//
// A product of bfloat16 adds up in float32. Where the processor does not multiply that type, its
// operands become float32 first: oneDNN has no such product for AVX2, and a slow one for AVX-512.
//
// A fast product turns both operands into bfloat16 first, where the processor multiplies that
// faster. oneDNN's fpmath mode does so on chips with AMX alone; on one with avx512_bf16 only (Zen
// 5, two threads) this is 1.9 times as fast as strict at 1024 x 2048 x 2048 and 1.7 times at 128 x
// 784 x 512, turning included. The right operand is laid out in panels where that pays.
#include <stdlib.h>
#include <string.h>

#include <atomic>
#include <exception>
#include <string_view>
#include <unordered_map>

#include "../math/bf16.h"
#include "panels.h"
#include "pool.h"
#include "product.h"

// Of the OpenMP that oneDNN brings; absent where it was built without.
extern "C" __attribute__((weak)) int omp_get_max_threads(void);
extern "C" __attribute__((weak)) void omp_set_num_threads(int);

namespace weft {
namespace {

// All that a primitive depends on. Eight bytes each, so that it can be compared as memory.
struct key {
  int64_t m, n, k, lda, ldb, ldc, transpose_a, transpose_b, form, panel;
  double alpha, beta;

  bool operator==(const key& other) const { return memcmp(this, &other, sizeof *this) == 0; }
};

struct key_hash {
  size_t operator()(const key& k) const {
    return std::hash<std::string_view>()({reinterpret_cast<const char*>(&k), sizeof k});
  }
};

key key_of(const weft_gemm& a, form types, int64_t panel) {
  return {a.m,           a.n,           a.k,   a.lda, a.ldb,   a.ldc,
          a.transpose_a, a.transpose_b, types, panel, a.alpha, a.beta};
}

// Memory that grows to the largest that is asked for, and stays.
class room {
 public:
  ~room() { free(memory); }

  char* of(int64_t bytes, const weft_gemm& a) {
    if (bytes > size) {
      int64_t whole = (bytes + 4095) / 4096 * 4096;
      void* larger = aligned_alloc(4096, (size_t)whole);
      if (!larger) check(dnnl_out_of_memory, "the scratchpad's allocation", a);
      free(memory);
      memory = larger;
      size = whole;
    }
    return static_cast<char*>(memory);
  }

 private:
  void* memory = nullptr;
  int64_t size = 0;
};

// Keeps oneDNN to the calling thread while it lives.
class one_thread {
 public:
  one_thread() : before(omp_get_max_threads ? omp_get_max_threads() : 1) {
    if (before != 1) omp_set_num_threads(1);
  }
  ~one_thread() {
    if (before != 1) omp_set_num_threads(before);
  }
  one_thread(const one_thread&) = delete;

 private:
  int before;
};

// What one thread keeps: its stream, the products that it runs, and memory as large as any of them
// needs.
struct workshop {
  // A program has some dozens of shapes; this many are kept before all are made anew.
  static constexpr size_t most = 1024;

  dnnl_stream_t stream = nullptr;
  std::unordered_map<key, product, key_hash> products;
  std::unordered_map<key, int64_t, key_hash> panel_widths;
  room scratchpad, left, right, result;

  ~workshop() {
    products.clear();
    dnnl_stream_destroy(stream);
  }

  product& find(const weft_gemm& a, form types, int64_t panel) {
    key wanted = key_of(a, types, panel);
    auto found = products.find(wanted);
    if (found != products.end()) return found->second;
    if (!stream) WEFT_ONEDNN(dnnl_stream_create(&stream, engine(a), dnnl_stream_default_flags));
    if (products.size() >= most) products.clear();
    try {
      product& made = products[wanted];
      made.make(a, types, panel);
      return made;
    } catch (...) {
      products.erase(wanted);
      throw;
    }
  }

  int64_t width(const weft_gemm& a, form types) {
    key wanted = key_of(a, types, 0);
    auto found = panel_widths.find(wanted);
    if (found != panel_widths.end()) return found->second;
    if (panel_widths.size() >= most) panel_widths.clear();
    one_thread alone;
    return panel_widths[wanted] = panel_width(a, types);
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

int64_t up(int64_t n, int64_t multiple) { return (n + multiple - 1) / multiple * multiple; }

// Whether B is laid out in panels beforehand. Fast products have to write it anew anyhow, which
// makes them 5 to 15 % faster; strict ones gain 4 % where panels serve many rows of A (1024 x 2048
// x 2048), and at 128 rows lose 15 %. A transposed B costs more than it brings.
bool panels_pay(const weft_gemm& a, bool narrow) {
  constexpr int64_t many_rows = 768;
  return !a.transpose_b && (narrow || a.m >= many_rows);
}

// A product whose operands lie as its blocks read them.
struct prepared {
  weft_gemm a;
  form types;
  int64_t panel, depth;  // of B in panels; panel is 0 where it is in none

  int64_t operand_bytes() const { return types == FLOAT ? sizeof(float) : sizeof(bf16); }
  int64_t result_bytes() const { return types == NARROW ? sizeof(bf16) : sizeof(float); }
};

prepared prepare(const weft_gemm& a, form types, const packer& pack) {
  prepared p = {a, types, 0, 0};
  if (types != FLOAT) return p;
  bool narrow = a.fast && multiplies_bf16();
  if (narrow) {
    int64_t rows = a.transpose_a ? a.k : a.m, cols = a.transpose_a ? a.m : a.k;
    p.types = NARROW_TO_FLOAT;
    p.a.a = shop.left.of(rows * cols * (int64_t)sizeof(bf16), a);
    p.a.lda = cols;
    pack.to_bf16({a.a, a.lda, p.a.a, cols, rows, cols});
  }
  if (panels_pay(a, narrow)) p.panel = shop.width(p.a, p.types);
  if (p.panel) {
    p.depth = up(a.k, narrow ? 32 : 16);
    p.a.b = shop.right.of(p.depth * up(a.n, p.panel) * p.operand_bytes(), a);
    p.a.ldb = 0;
    panels right = {static_cast<const float*>(a.b), a.k, a.n, a.ldb, p.a.b, p.panel, p.depth};
    (narrow ? pack.panels_bf16 : pack.panels_f32)(right);
  } else if (narrow) {
    int64_t rows = a.transpose_b ? a.n : a.k, cols = a.transpose_b ? a.k : a.n;
    p.a.b = shop.right.of(rows * cols * (int64_t)sizeof(bf16), a);
    p.a.ldb = cols;
    pack.to_bf16({a.b, a.ldb, p.a.b, cols, rows, cols});
  }
  return p;
}

// The rows or columns of a result, in `count` parts of whole grains, the last with what is left
// over: a part of one row or column is a product of a vector, which oneDNN adds up in another
// order.
struct cuts {
  int64_t n, grain, count;

  int64_t grains() const { return n < grain ? 1 : n / grain; }
  int64_t at(int64_t i) const { return i < count ? grains() * i / count * grain : n; }
  int64_t widest() const { return n - at(count - 1); }
};

struct grid {
  cuts down, across;

  // What the largest block costs, in multiplications: those, and bringing its operands to where it
  // reads them, of which the rows of a plain B and of a transposed A are copied.
  double cost(const prepared& p) const {
    double rows = (double)down.widest(), cols = (double)across.widest();
    return rows * cols + (p.panel ? 1 : 8) * cols + (p.a.transpose_a ? 8 : 1) * rows;
  }
};

constexpr int64_t row_grain = 8, column_grain = 16;

// For so many threads: the cut into as many blocks that makes them cheapest.
grid cut(const prepared& p, int64_t threads) {
  cuts rows = {p.a.m, row_grain, 1}, columns = {p.a.n, p.panel ? p.panel : column_grain, 1};
  grid best = {rows, columns};
  for (rows.count = 1; rows.count <= threads && rows.count <= rows.grains(); rows.count++) {
    columns.count = threads / rows.count;
    if (columns.count > columns.grains()) columns.count = columns.grains();
    grid other = {rows, columns};
    if (other.cost(p) < best.cost(p)) best = other;
  }
  return best;
}

// What threads do together, and what failed first.
struct attempt {
  std::atomic<bool> failed{false};
  failure why = {};

  void fail_with(const failure& f) {
    if (!failed.exchange(true)) why = f;
  }

  // Units begin .. end - 1 of a loop over T, which is an attempt.
  template <typename T>
  static void run(const void* self, int64_t begin, int64_t end) {
    T& all = *static_cast<T*>(const_cast<void*>(self));
    try {
      for (int64_t unit = begin; unit < end; unit++) all.run(unit);
    } catch (const failure& f) {
      all.fail_with(f);
    } catch (const std::exception& e) {
      failure f = {};
      strncpy(f.sentence, e.what(), sizeof f.sentence - 1);
      all.fail_with(f);
    }
  }
};

// The blocks of a product.
struct multiplication : attempt {
  prepared p;
  grid blocks;

  multiplication(const prepared& p, const grid& blocks) : p(p), blocks(blocks) {}

  void run(int64_t block) {
    const weft_gemm& a = p.a;
    int64_t i = block / blocks.across.count, j = block % blocks.across.count;
    int64_t r = blocks.down.at(i), c = blocks.across.at(j);
    weft_gemm part = a;
    part.m = blocks.down.at(i + 1) - r;
    part.n = blocks.across.at(j + 1) - c;
    part.a = static_cast<char*>(a.a) + r * (a.transpose_a ? 1 : a.lda) * p.operand_bytes();
    int64_t b = p.panel ? c * p.depth : c * (a.transpose_b ? a.ldb : 1);
    part.b = static_cast<char*>(a.b) + b * p.operand_bytes();
    part.c = static_cast<char*>(a.c) + (r * a.ldc + c) * p.result_bytes();
    one_thread alone;
    product& made = shop.find(part, p.types, p.panel);
    made.run(part, shop.stream, shop.scratchpad.of((int64_t)made.scratchpad, part));
  }
};

// 64 x 100 x 10 takes 2.4 us on one thread and 2.7 on two, 64 x 100 x 100 8.1 and 6.0 us
constexpr double call = 1500;

double nanoseconds(const weft_gemm& a) {
  constexpr double multiplications_per_nanosecond = 64;
  return (double)a.m * (double)a.n * (double)a.k / multiplications_per_nanosecond;
}

void multiply(const weft_gemm& a, form types, const packer& pack) {
  double time = nanoseconds(a) - call;
  int64_t grains = ((a.m + row_grain - 1) / row_grain) * ((a.n + column_grain - 1) / column_grain);
  int64_t threads = pool_threads((int64_t)time, grains);
  prepared p = prepare(a, types, pack);
  multiplication m(p, cut(p, threads));
  int64_t blocks = m.blocks.down.count * m.blocks.across.count;
  pool_run({attempt::run<multiplication>, &m, blocks, blocks}, threads);
  if (m.failed) throw m.why;
}

void multiply_widened(const weft_gemm& a, const packer& pack) {
  auto widened = [&](void* from, int64_t rows, int64_t cols, int64_t stride, room& memory) {
    float* to = reinterpret_cast<float*>(memory.of(rows * cols * (int64_t)sizeof(float), a));
    pack.to_f32({from, stride, to, cols, rows, cols});
    return to;
  };
  weft_gemm wide = a;
  wide.lda = a.transpose_a ? a.m : a.k;
  wide.a = widened(a.a, a.transpose_a ? a.k : a.m, wide.lda, a.lda, shop.left);
  wide.ldb = a.transpose_b ? a.k : a.n;
  static thread_local room right;  // beside the panels that are made of it
  wide.b = widened(a.b, a.transpose_b ? a.n : a.k, wide.ldb, a.ldb, right);
  wide.fast = 0;
  if (a.c_wide) return multiply(wide, FLOAT, pack);
  wide.ldc = a.n;
  // with beta 0, c is never read
  wide.c = a.beta != 0 ? (void*)widened(a.c, a.m, a.n, a.ldc, shop.result)
                       : shop.result.of(a.m * a.n * (int64_t)sizeof(float), a);
  multiply(wide, FLOAT, pack);
  pack.to_bf16({wide.c, a.n, a.c, a.ldc, a.m, a.n});
}

// One product, of whichever type.
template <typename S>
void multiply_one(const weft_gemm& a, const packer& pack) {
  const bool wide = sizeof(S) == 4 || a.c_wide;
  if (a.k <= 0) return wide ? scale_only<float>(a) : scale_only<bf16>(a);
  if (sizeof(S) == 4) return multiply(a, FLOAT, pack);
  if (!multiplies_bf16()) return multiply_widened(a, pack);
  multiply(a, a.c_wide ? NARROW_TO_FLOAT : NARROW, pack);
}

// The products of a batch.
template <typename S>
struct batch : attempt {
  const weft_gemm& a;
  const packer& pack;

  batch(const weft_gemm& a, const packer& pack) : a(a), pack(pack) {}

  void multiply(int64_t product) const {
    const int64_t result = sizeof(S) == 4 || a.c_wide ? sizeof(float) : sizeof(bf16);
    weft_gemm one = a;
    one.a = static_cast<S*>(a.a) + product * a.a_step;
    one.b = static_cast<S*>(a.b) + product * a.b_step;
    one.c = static_cast<char*>(a.c) + product * a.c_step * result;
    multiply_one<S>(one, pack);
  }

  void run(int64_t product) const {
    pool_alone here;
    multiply(product);
  }
};

// Threads share out whole products where there are enough for each, else the blocks of each.
template <typename S>
void gemm(const weft_gemm& a, const packer& pack) {
  if (a.m <= 0 || a.n <= 0) return;
  if (a.batch == 1) return multiply_one<S>(a, pack);
  batch<S> products(a, pack);
  const int64_t time = (int64_t)((double)a.batch * (nanoseconds(a) + call));
  const int64_t threads = pool_threads(time, a.batch);
  if (threads > 1 && a.batch >= 4 * threads) {
    const int64_t blocks = pool_blocks(time, threads, a.batch);
    pool_run({attempt::run<batch<S>>, &products, a.batch, blocks}, threads);
    if (products.failed) throw products.why;
  } else {
    for (int64_t product = 0; product < a.batch; product++) products.multiply(product);
  }
}

}  // namespace

void gemm_f32(const weft_gemm& a, const packer& pack) { gemm<float>(a, pack); }
void gemm_bf16(const weft_gemm& a, const packer& pack) { gemm<bf16>(a, pack); }

}  // namespace weft
