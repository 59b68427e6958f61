// SPDX-License-Identifier: Apache-2.0
//
// The second half of a training step of a narrow network: each part of a weight matrix gets its
// gradient and its update at once.
#include "../math/update.h"
#include "fused.h"

namespace weft {
namespace WEFT_ISA {
namespace {

template <typename T, typename E>
struct update {
  const weft_fused_update& a;
  T *value, *first, *second;
  update_settings<T> shared;
  sgd_rule<T> sgd;
  adam_rule<T> adam;
  bool others_read;  // whether other threads have the lines of W, too

  explicit update(const weft_fused_update& a)
      : a(a),
        value(as<T>(a.value)),
        first(as<T>(a.first)),
        second(as<T>(a.second)),
        shared(a, *as<weft_step_state>(a.state)),
        sgd(a, *as<weft_step_state>(a.state)),
        adam(a, *as<weft_step_state>(a.state)),
        others_read(std::is_same_v<E, T> && pool_limit::here() > 1) {}

  // strip s of the rows of W; the last one takes the bias along
  void run(const weft_fused_layer& layer, int64_t s) const {
    alignas(64) T g[strip * widest];
    int64_t count = smaller(strip, layer.in - s * strip);
    places_of<T, E> p(as<T>(a.scratch), layer, a.rows);
    int64_t rows = std::is_same_v<E, T> ? a.rows : (a.rows + 1) / 2;
    int64_t place = layer.weight + s * strip * layer.out;
    if (others_read) take_for_writing(value + place, count * layer.out);
    transposed_product(p.x_rows + s * p.row_block, p.dz_rows, g, rows, count, layer.out,
                       p.row_block);
    step(place, g, count * layer.out);
    if (s + 1 < strips(layer.in) || layer.bias < 0) return;
    for (int64_t c = 0; c < strips(layer.out); c++) {
      T sum[strip] = {};
      for (int64_t r = 0; r < a.rows; r++) {
#pragma omp simd
        for (int j = 0; j < (int)strip; j++) sum[j] += p.z[c * p.block + r * strip + j];
      }
      memcpy(g + c * strip, sum, sizeof sum);
    }
    step(layer.bias, g, layer.out);
  }

 private:
  // Takes memory out of the other threads' caches while the product is computed: a store must wait
  // for that, a fifth of the update. A prefetch for writing leaves a line that is here to read.
  static void take_for_writing(T* first, int64_t n) {
    constexpr int64_t line = 64 / sizeof(T);
    for (int64_t i = 0; i < n; i += line) {
      volatile T* place = first + i;
      *place = *place;
    }
  }

  void step(int64_t place, const T* g, int64_t n) const {
    if (a.rule == WEFT_FUSED_ADAM) {
      by<true, true>(adam, place, g, n);
    } else {
      choose_flag(first != nullptr, [&](auto has) { by<has, false>(sgd, place, g, n); });
    }
  }

  template <bool First, bool Second, typename Rule>
  void by(const Rule& given, int64_t place, const T* g, int64_t n) const {
    const Rule rule = given;
    const update_settings<T> settings = shared;
    T *w = value + place, *m = first + place, *v = second + place;
#pragma omp simd
    for (int64_t i = 0; i < n; i++) {
      T one = First ? m[i] : T(0), two = Second ? v[i] : T(0), none = 0, next = w[i];
      settings.template step<false>(rule, next, g[i], one, two, none, First, false);
      w[i] = next;
      if constexpr (First) m[i] = one;
      if constexpr (Second) v[i] = two;
    }
  }
};

template <typename T, typename E = T>
void fused_update(const weft_fused_update& a) {
  const weft_fused_layer* layers = as<weft_fused_layer>(a.layers);
  update<T, E> u(a);
  // a strip costs as its width in vectors; a thread takes the strips that begin in its share
  int64_t total = 0;
  for (int64_t l = 0; l < a.count; l++) total += strips(layers[l].in) * strips(layers[l].out);
  // moving a parameter and its moments takes as long as some 32 products
  int64_t each = total ? (a.rows + 32) * a.parameters / total : 1;
  parallel_products(total, each, [&](int64_t begin, int64_t end) {
    int64_t place = 0;
    for (int64_t l = 0; l < a.count; l++) {
      for (int64_t s = 0; s < strips(layers[l].in); s++) {
        if (place >= begin && place < end) u.run(layers[l], s);
        place += strips(layers[l].out);
      }
    }
  });
  T* sums = as<T>(a.sums);
  T mean = sum(as<T>(a.losses), a.rows) * T(1.0 / (double)a.rows);
  *as<T>(a.mean) = mean;
  sums[0] += T(a.weight) * mean;
  if (a.loss == WEFT_FUSED_SOFTMAX_CROSS_ENTROPY) sums[1] += sum(as<T>(a.hits), a.rows);
  end_step(*as<weft_step_state>(a.state), a.rows, true, a.rates, a.rate_count);
}

}  // namespace

#if defined(__AVX512BF16__)
void fused_update_f32(const weft_fused_update& a) { fused_update<float, pair>(a); }
#else
void fused_update_f32(const weft_fused_update& a) {
#if defined(WEFT_FUSED_PAIRS)
  if (a.fast && has_pairs()) return WEFT_FUSED_PAIRS::fused_update_f32(a);
#endif
  fused_update<float>(a);
}
void fused_update_f64(const weft_fused_update& a) { fused_update<double>(a); }
#endif

}  // namespace WEFT_ISA
}  // namespace weft
