// SPDX-License-Identifier: Apache-2.0
//
// Steps of word vectors: some rows of input against some rows of output. Their scores and both
// gradients are small matrix products, whose factors stay in registers.
#ifndef WEFT_CPU_WORD_STEP_H
#define WEFT_CPU_WORD_STEP_H

#include <vector>

#include "../math/logistic.h"
#include "kernel.h"

namespace weft {
namespace WEFT_ISA {
namespace {

constexpr int lanes = register_bytes / (int)sizeof(float);
// rows of output and of input whose scores fill one register
constexpr int outputs_at_once = lanes < 8 ? lanes : 8, inputs_at_once = lanes / outputs_at_once;

typedef float vec __attribute__((vector_size(register_bytes), may_alias));
typedef int32_t vec_mask __attribute__((vector_size(register_bytes)));

WEFT_MATH vec& at(float* row, int64_t column) { return *reinterpret_cast<vec*>(row + column); }
WEFT_MATH vec all(float x) { return x - vec{}; }

// Of each 2 Width lanes of a and then b, those of the first or second half of their Width.
template <int Width>
WEFT_MATH vec_mask half(int which) {
  vec_mask m{};
  for (int i = 0; i < lanes; i++) {
    int within = i % (2 * Width);
    m[i] = (within < Width ? 0 : lanes) + i - within + within % Width + which * Width;
  }
  return m;
}

// Lane i is the sum of the lanes of a[i]: a tree in which each step adds halves of two registers.
template <int Count>
WEFT_MATH vec lane_sums(const vec* a) {
  if constexpr (Count == 1) {
    return a[0];
  } else {
    vec even = lane_sums<Count / 2>(a), odd = lane_sums<Count / 2>(a + Count / 2);
    return __builtin_shuffle(even, odd, half<Count / 2>(0)) +
           __builtin_shuffle(even, odd, half<Count / 2>(1));
  }
}

// The first element of a vector on the boundary of a register; it is `lanes` longer than its use.
inline float* aligned(std::vector<float>& row) {
  uintptr_t begin = reinterpret_cast<uintptr_t>(row.data());
  return row.data() + (register_bytes - begin % register_bytes) % register_bytes / sizeof(float);
}

constexpr int64_t most_window = 64, most_inputs = 2 * most_window;

// Rows of input that meet rows of output. Their gradients go to `to`: for skip-gram the same rows.
// `own` is a row of output that meets one input alone.
struct inputs {
  float *from[most_inputs], *to[most_inputs], *own[most_inputs];
  int64_t count = 0;

  void add(float* row, float* gradient) {
    from[count] = row;
    to[count++] = gradient;
  }
};

// Steps of rows of so many columns at a rate.
struct word_steps {
  int64_t cols;
  float rate;

  // The scores of inputs c .. c + Inputs - 1 against rows y and then, where there are Own, their own;
  // an input's beside each other.
  template <int Inputs, int Outputs, bool Own = false>
  vec scores(const inputs& x, int64_t c, float* const* y) const {
    constexpr int each = lanes / Inputs;
    vec sums[lanes] = {};
    float *from[Inputs], *own[Inputs];
    for (int j = 0; j < Inputs; j++) {
      int64_t input = c + j < x.count ? c + j : c;
      from[j] = x.from[input];
      if constexpr (Own) own[j] = x.own[input];
    }
    for (int64_t k = 0; k < cols; k += lanes) {
      vec row[Inputs];
      for (int j = 0; j < Inputs; j++) row[j] = at(from[j], k);
#pragma GCC unroll 16
      for (int o = 0; o < Outputs; o++) {
        vec w = at(y[o], k);
        for (int j = 0; j < Inputs; j++) sums[j * each + o] += row[j] * w;
      }
      if constexpr (Own) {
        for (int j = 0; j < Inputs; j++) sums[j * each + Outputs] += row[j] * at(own[j], k);
      }
    }
    return lane_sums<lanes>(sums);
  }

  // y[o] += sum of factor * x, and the inputs' gradients += sum of factor * y[o] as it was; factors
  // as scores has them, already times the rate.
  template <int Outputs, bool Own>
  void apply(const inputs& x, float* const* y, const float* factors) const {
    for (int64_t k = 0; k < cols; k += lanes) {
      vec before[outputs_at_once], after[outputs_at_once];
#pragma GCC unroll 8
      for (int o = 0; o < Outputs; o++) before[o] = after[o] = at(y[o], k);
      for (int64_t c = 0; c < x.count; c++) {
        const float* factor = factors + c * outputs_at_once;
        vec row = at(x.from[c], k), sum = at(x.to[c], k);
#pragma GCC unroll 8
        for (int o = 0; o < Outputs; o++) {
          vec f = all(factor[o]);
          after[o] += f * row;
          sum += f * before[o];
        }
        if constexpr (Own) {
          vec f = all(factor[Outputs]), own = at(x.own[c], k);
          sum += f * own;
          at(x.own[c], k) = own + f * row;
        }
        at(x.to[c], k) = sum;
      }
#pragma GCC unroll 8
      for (int o = 0; o < Outputs; o++) at(y[o], k) = after[o];
    }
  }

  // The same for one input.
  template <int Outputs>
  void apply_one(const inputs& x, float* const* y, const float* factors) const {
    for (int64_t k = 0; k < cols; k += lanes) {
      vec row = at(x.from[0], k), sum = at(x.to[0], k);
#pragma GCC unroll 16
      for (int o = 0; o < Outputs; o++) {
        vec f = all(factors[o]), w = at(y[o], k);
        sum += f * w;
        at(y[o], k) = w + f * row;
      }
      at(x.to[0], k) = sum;
    }
  }

  // A step of the logistic loss for all inputs, or the only One, and some rows, which differ, and the
  // inputs' own, whose label is 1. Returns the loss before.
  template <bool One, int Outputs, bool Own = false>
  __attribute__((noinline)) double step(const inputs& x, float* const* y,
                                        const float* labels) const {
    constexpr int Inputs = One ? 1 : inputs_at_once, each = lanes / Inputs;
    alignas(register_bytes) float factor[(most_inputs + Inputs) * each];
    alignas(register_bytes) float loss[lanes] = {};
    for (int64_t c = 0; c < x.count; c += Inputs) {
      alignas(register_bytes) float score[lanes];
      at(score, 0) = scores<Inputs, Outputs, Own>(x, c, y);
      int meant = (int)smaller(Inputs, x.count - c) * each;
      float* factors = factor + c * each;
#pragma omp simd
      for (int i = 0; i < lanes; i++) {
        int o = i % each;
        logistic<float> l = logistic_of(score[i], labels[o]);
        loss[i] += i < meant && o < Outputs + Own ? l.loss : 0;
        factors[i] = rate * l.error;
      }
    }
    if constexpr (One) {
      apply_one<Outputs>(x, y, factor);
    } else {
      apply<Outputs, Own>(x, y, factor);
    }
    double sum = 0;
    for (int i = 0; i < lanes; i++) sum += loss[i];
    return sum;
  }

  // Rows of output that are collected until a step takes them.
  struct collection {
    float* row[lanes];
    float label[lanes] = {};
    int64_t count = 0;
  };

  // How many rows a step takes.
  static int64_t most_rows(const inputs& x) { return x.count == 1 ? lanes : outputs_at_once; }

  double flush(const inputs& x, collection& y) const {
    if (y.count == 0) return 0;
    double loss = 0;
    if (x.count == 1) {
      choose<lanes>("a step's rows", y.count - 1,
                    [&](auto less) { loss = step<true, less + 1>(x, y.row, y.label); });
    } else {
      choose<outputs_at_once>("a step's rows", y.count - 1,
                              [&](auto less) { loss = step<false, less + 1>(x, y.row, y.label); });
    }
    y = collection{};
    return loss;
  }

  static constexpr int64_t most_beside_own = outputs_at_once - 1;

  // The same, and each input's own row.
  double flush_with_own(const inputs& x, collection& y) const {
    double loss = 0;
    y.label[y.count] = 1;
    choose<outputs_at_once>("a step's rows", y.count,
                            [&](auto rows) { loss = step<false, rows, true>(x, y.row, y.label); });
    y = collection{};
    return loss;
  }
};

}  // namespace
}  // namespace WEFT_ISA
}  // namespace weft
#endif  // WEFT_CPU_WORD_STEP_H
