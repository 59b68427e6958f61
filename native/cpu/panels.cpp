// SPDX-License-Identifier: Apache-2.0
//
// Operands of products, laid out anew.
#include "panels.h"

#include <string.h>

#include "../math/bf16.h"
#include "kernel.h"

namespace weft {
namespace WEFT_ISA {
namespace {

// The next two elements of a column as one number: what a panel of bf16 holds in a place.
WEFT_MATH uint32_t pair(float first, float second) {
  return bf16(first).bits | (uint32_t)bf16(second).bits << 16;
}

constexpr int usual_width = 64;
constexpr int64_t places = 16;

// A place of a panel is 32 bits: a float, or two of bf16 from neighbouring rows. Lays out `places`
// of them in each column of the panel that starts with column c; r is the first row. Width: that of
// the panel where it is whole and the usual one, else 0; a copy of known length is no call.
template <int Rows, int Width>
WEFT_MATH void layer(const panels& p, int64_t r, int64_t c, uint32_t* to) {
  int64_t width = Width ? Width : p.width, there = Width ? Width : smaller(width, p.cols - c);
  for (int64_t k = 0; k < places; k++, to += width, r += Rows) {
    int64_t held = r < p.rows ? there : 0;
    const float* from = p.from + r * p.stride + c;
    if constexpr (Rows == 1) {
      if (Width && held) {
        memcpy(to, from, Width * sizeof(float));
        continue;
      }
      memcpy(to, from, (size_t)held * sizeof(float));
    } else if (r + 1 < p.rows) {
      const float* below = from + p.stride;
#pragma omp simd
      for (int64_t j = 0; j < there; j++) to[j] = pair(from[j], below[j]);
    } else {
      for (int64_t j = 0; j < held; j++) to[j] = pair(from[j], 0);
    }
    memset(to + held, 0, (size_t)(width - held) * sizeof(float));
  }
}

template <int Rows>
void pack(const panels& p) {
  constexpr int64_t rows = places * Rows;
  int64_t across = (p.cols + p.width - 1) / p.width, down = p.depth / rows;
  parallel_units(across * down, rows * p.width, [=](int64_t begin, int64_t end) {
    for (int64_t unit = begin; unit < end; unit++) {
      int64_t r = unit / across * rows, panel = unit % across, c = panel * p.width;
      uint32_t* to = static_cast<uint32_t*>(p.to) + (panel * p.depth + r) / Rows * p.width;
      if (p.width == usual_width && c + usual_width <= p.cols) {
        layer<Rows, usual_width>(p, r, c, to);
      } else {
        layer<Rows, 0>(p, r, c, to);
      }
    }
  });
}

template <typename From, typename To>
void convert(const conversion& c) {
  parallel_rows(c.rows, c.cols, 1, [=](int64_t row, int64_t begin, int64_t end) {
    const From* from = static_cast<const From*>(c.from) + row * c.from_stride;
    To* to = static_cast<To*>(c.to) + row * c.to_stride;
#pragma omp simd
    for (int64_t i = begin; i < end; i++) put<false>(to[i], float(from[i]));
  });
}

constexpr packer layouts = {pack<1>, pack<2>, convert<float, bf16>, convert<bf16, float>};

}  // namespace

void gemm_f32(const weft_gemm& a) { weft::gemm_f32(a, layouts); }
void gemm_bf16(const weft_gemm& a) { weft::gemm_bf16(a, layouts); }

}  // namespace WEFT_ISA
}  // namespace weft
