// SPDX-License-Identifier: Apache-2.0
//
// Layer norm. The order of a sum depends on the shape and on `parts` alone. A row is in cache after
// its first pass; the second asks for the next row, since memory would stand idle otherwise.
#include "kernel.h"
#include "row_pass.h"

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
      const S *from = x + r * cols, *next = from + cols;
      S* to = y + r * cols;
      // from the first entry on: the sum of large values that differ in little would lose that
      const T origin = T(from[0]);
      const auto [sum] = sums_over_row<T, 1, 256>(
          cols, [=](auto* total, auto at) { total[0] += at.get(from) - origin; });
      const T mean = origin + sum / T(cols);
      const auto [squares] = sums_over_row<T, 1, 256>(cols, [=](auto* total, auto at) {
        __builtin_prefetch(next + at.i, 0, 2);
        const auto apart = at.get(from) - mean;
        total[0] += apart * apart;
      });
      const T rstd = T(1) / std::sqrt(squares / T(cols) + epsilon);
      means[r] = mean;
      rstds[r] = rstd;
      over_row<T>(cols, [=](auto at) {
        at.set(to, at.get(scale) * ((at.get(from) - mean) * rstd) + at.get(shift));
      });
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
          const T mean = means[r], rstd = rstds[r];
          // the sums of g and of g (x - mean), and the row's share of the parameters' gradients
          const auto [sum, sum_apart] = sums_over_row<T, 2, 128>(cols, [=](auto* total, auto at) {
            __builtin_prefetch(x + cols + at.i, 0, 2);
            __builtin_prefetch(dy + cols + at.i, 0, 2);
            const auto up = at.get(dy), by = up * (at.get(x) - mean), factor = at.get(scale);
            total[0] += factor * up;
            total[1] += factor * by;
            const auto more_scale = dscale ? at.get(dscale) + by * rstd : by;
            const auto more_shift = dshift ? at.get(dshift) + up : up;
            if (dscale) at.set(dscale, more_scale);
            if (dshift) at.set(dshift, more_shift);
          });
          if (!dxs) continue;
          const T g_mean = sum / T(cols), slope = rstd * (rstd * (sum_apart / T(cols)));
          S* dx = dxs + r * cols;
          over_row<T>(cols, [=](auto at) {
            const auto g = at.get(scale) * at.get(dy);
            auto d = rstd * (g - g_mean - (at.get(x) - mean) * slope);
            if constexpr (add) d += at.get(dx);
            at.set(dx, d);
          });
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
