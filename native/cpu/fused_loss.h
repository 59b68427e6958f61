// SPDX-License-Identifier: Apache-2.0
//
// The loss of a fused step.
#ifndef WEFT_CPU_FUSED_LOSS_H
#define WEFT_CPU_FUSED_LOSS_H

#include "../math/softmax.h"
#include "fused.h"

namespace weft {
namespace WEFT_ISA {
namespace {

// Losses, hits and the gradient at the network's outputs.
template <typename T, typename E>
struct fused_loss : fused_context<T, E> {
  using context = fused_context<T, E>;
  using places = typename context::places;
  using context::a, context::at, context::block, context::known, context::layers,
      context::source_row, context::state, context::value;
  using context::context;

  // z (rows r0 .., outputs): outputs become gradients
  void compare(T* z, int64_t r0, int64_t rows, int64_t outputs) const {
    for (int64_t r = r0; r < r0 + rows; r += strip) {
      int64_t count = smaller(strip, r0 + rows - r);
      if (a.loss == WEFT_FUSED_SOFTMAX_CROSS_ENTROPY) {
        cross_entropy(z, r, count, outputs);
      } else {
        squared_error(z, r, count, outputs);
      }
    }
  }

 private:
  // 16 rows, one to a lane
  void cross_entropy(T* z, int64_t r0, int64_t count, int64_t classes) const {
    constexpr int lanes = strip;
    T e[widest][lanes], largest[lanes], total[lanes], sum[lanes], labelled[lanes], factor[lanes];
    int32_t label[lanes], place[lanes];
    const int32_t* labels = as<int32_t>(a.targets);
    for (int l = 0; l < lanes; l++) {
      // lanes without a row repeat the last one; their results go nowhere
      int64_t r = r0 + smaller(l, count - 1), row = source_row(r);
      label[l] = known(row) ? labels[row] : -1;
      if (label[l] >= classes || label[l] < 0) label[l] = -1;
      labelled[l] = label[l] < 0 ? T(NAN) : z[column(label[l], block) + r * strip];
      for (int64_t c = 0; c < classes; c++) e[c][l] = z[column(c, block) + r * strip];
      largest[l] = T(-INFINITY), place[l] = 0, total[l] = sum[l] = T(0);
    }
    for (int c = 0; c < (int)classes; c++) {
#pragma omp simd
      for (int l = 0; l < lanes; l++) {
        bool larger = e[c][l] > largest[l];
        largest[l] = larger ? e[c][l] : largest[l];
        place[l] = larger ? c : place[l];
        sum[l] += e[c][l];
      }
    }
    for (int c = 0; c < (int)classes; c++) {
#pragma omp simd
      for (int l = 0; l < lanes; l++) {
        e[c][l] = math::exp(e[c][l] - softmax_reference(largest[l]));
        total[l] += e[c][l];
      }
    }
    T smoothing = T(a.smoothing), off = smoothing / T(classes), on = T(1) - smoothing + off;
    T scale = T(1.0 / (double)a.rows), losses[lanes];
#pragma omp simd
    for (int l = 0; l < lanes; l++) {
      softmax_state<T> at = {largest[l], total[l], place[l]};
      losses[l] = softmax_loss(at, labelled[l], smoothing, sum[l] / T(classes));
      factor[l] = label[l] >= 0 ? T(1) / total[l] : T(NAN);
    }
    for (int c = 0; c < (int)classes; c++) {
#pragma omp simd
      for (int l = 0; l < lanes; l++) {
        e[c][l] = scale * softmax_difference(e[c][l], factor[l], label[l] == c ? on : off);
      }
    }
    for (int l = 0; l < count; l++) {
      as<T>(a.losses)[r0 + l] = losses[l];
      as<T>(a.hits)[r0 + l] = total[l] == total[l] && place[l] == label[l] ? T(1) : T(0);
      T* to = z + (r0 + l) * strip;
      for (int64_t c = 0; c < classes; c++) to[column(c, block)] = e[c][l];
      clear_padding(to, classes);
    }
  }

  // a row's loss is the mean over its outputs
  void squared_error(T* z, int64_t r0, int64_t count, int64_t outputs) const {
    T scale = T(a.target_scale), shift = T(a.target_shift);
    T twice = T(2.0 / (double)(a.rows * outputs));
    for (int64_t r = r0; r < r0 + count; r++) {
      int64_t row = source_row(r);
      const T* target = known(row) ? as<T>(a.targets) + row * outputs : nullptr;
      T* to = z + r * strip;
      T total = T(0);
      for (int64_t c = 0; c < outputs; c++) {
        T& y = to[column(c, block)];
        T difference = y - (target ? scale * target[c] + shift : T(NAN));
        total += difference * difference;
        y = twice * difference;
      }
      as<T>(a.losses)[r] = total / T(outputs);
      clear_padding(to, outputs);
    }
  }

  void clear_padding(T* row, int64_t width) const {
    for (int64_t c = width; c < strips(width) * strip; c++) row[column(c, block)] = T(0);
  }
};

}  // namespace
}  // namespace WEFT_ISA
}  // namespace weft
#endif  // WEFT_CPU_FUSED_LOSS_H
