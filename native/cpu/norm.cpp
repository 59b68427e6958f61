// SPDX-License-Identifier: Apache-2.0
//
// Layer norm. The order of a sum depends on the shape and on `parts` alone.
#include "kernel.h"
#include "lanes.h"

namespace weft {
namespace WEFT_ISA {
namespace {

template <typename S>
void layer_norm_forward(const weft_layer_norm_forward& a) {
  using T = compute<S>;
  const S *x = as<S>(a.x), *scale = as<S>(a.scale), *shift = as<S>(a.shift);
  S* y = as<S>(a.y);
  T *means = as<T>(a.mean), *rstds = as<T>(a.rstd), epsilon = T(a.epsilon);
  int64_t cols = a.cols;
  parallel_units(a.rows, 4 * cols, [=](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; r++) {
      const S* from = x + r * cols;
      S* to = y + r * cols;
      // from the first entry on: the sum of large values that differ in little would lose that
      T origin = T(from[0]);
      T mean = origin + sum_of_terms<T>(cols, [=](T* terms, int64_t first, int64_t count) {
#pragma omp simd
                          for (int64_t j = 0; j < count; j++) {
                            terms[j] = T(from[first + j]) - origin;
                          }
                        }) / T(cols);
      T variance = sum_of_terms<T>(cols,
                                   [=](T* terms, int64_t first, int64_t count) {
#pragma omp simd
                                     for (int64_t j = 0; j < count; j++) {
                                       T d = T(from[first + j]) - mean;
                                       terms[j] = d * d;
                                     }
                                   }) /
                   T(cols);
      T rstd = T(1) / std::sqrt(variance + epsilon);
      means[r] = mean;
      rstds[r] = rstd;
#pragma omp simd
      for (int64_t c = 0; c < cols; c++) {
        put<false>(to[c], T(scale[c]) * ((T(from[c]) - mean) * rstd) + T(shift[c]));
      }
    }
  });
}

// A part's rows one after another; each adds to the part's sums.
template <typename S>
void layer_norm_backward(const weft_layer_norm_backward& a) {
  using T = compute<S>;
  const S *xs = as<S>(a.x), *scale = as<S>(a.scale), *dys = as<S>(a.dy);
  const T *means = as<T>(a.mean), *rstds = as<T>(a.rstd);
  S* dxs = as<S>(a.dx);
  T *dscales = as<T>(a.dscale), *dshifts = as<T>(a.dshift);
  int64_t rows = a.rows, cols = a.cols, parts = a.parts;
  int64_t length = (rows + parts - 1) / parts;
  bool clear_scale = !a.accumulate_scale, clear_shift = !a.accumulate_shift;
  choose_flag(a.accumulate_x, [&](auto accumulate) {
    constexpr bool add = accumulate;
    parallel_units(parts, 6 * length * cols, [=](int64_t begin, int64_t end) {
      for (int64_t p = begin; p < end; p++) {
        T* dscale = dscales ? dscales + p * cols : nullptr;
        T* dshift = dshifts ? dshifts + p * cols : nullptr;
        for (int64_t c = 0; dscale && clear_scale && c < cols; c++) dscale[c] = T(0);
        for (int64_t c = 0; dshift && clear_shift && c < cols; c++) dshift[c] = T(0);
        for (int64_t r = p * length; r < smaller(rows, (p + 1) * length); r++) {
          const S *x = xs + r * cols, *dy = dys + r * cols;
          T mean = means[r], rstd = rstds[r];
          if (dscale) {
#pragma omp simd
            for (int64_t c = 0; c < cols; c++) dscale[c] += T(dy[c]) * ((T(x[c]) - mean) * rstd);
          }
          if (dshift) {
#pragma omp simd
            for (int64_t c = 0; c < cols; c++) dshift[c] += T(dy[c]);
          }
          if (!dxs) continue;
          T g_mean = sum_of_terms<T>(cols,
                                     [=](T* terms, int64_t first, int64_t count) {
#pragma omp simd
                                       for (int64_t j = 0; j < count; j++) {
                                         terms[j] = T(scale[first + j]) * T(dy[first + j]);
                                       }
                                     }) /
                     T(cols);
          T gn_mean = sum_of_terms<T>(cols,
                                      [=](T* terms, int64_t first, int64_t count) {
#pragma omp simd
                                        for (int64_t j = 0; j < count; j++) {
                                          int64_t c = first + j;
                                          terms[j] =
                                              T(scale[c]) * T(dy[c]) * ((T(x[c]) - mean) * rstd);
                                        }
                                      }) /
                      T(cols);
          S* dx = dxs + r * cols;
#pragma omp simd
          for (int64_t c = 0; c < cols; c++) {
            T n = (T(x[c]) - mean) * rstd, g = T(scale[c]) * T(dy[c]);
            put<add>(dx[c], rstd * (g - g_mean - n * gn_mean));
          }
        }
      }
    });
  });
}

}  // namespace

WEFT_DEFINE_TYPED(layer_norm_forward, layer_norm_forward)
WEFT_DEFINE_TYPED(layer_norm_backward, layer_norm_backward)

}  // namespace WEFT_ISA
}  // namespace weft
