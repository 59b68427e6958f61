// SPDX-License-Identifier: Apache-2.0
//
// Losses of single values and their gradients, and the weights of labelled rows.
#include "../math/value_loss.h"

#include "kernel.h"
#include "lanes.h"

namespace weft {
namespace WEFT_ISA {
namespace {

// Elements of a sum, which find their losses and weights in the first-level cache.
constexpr int64_t block = 1024;

template <typename T>
struct block_factors {
  T weight[block], positive[block], slope[block];
};

// to = from by their weights. The compiler makes no vector code of a loop that weighs two values.
template <typename T, typename S>
void weigh(const T* weights, const T* from, S* to, int64_t count) {
#pragma omp simd
  for (int64_t j = 0; j < count; j++) put<false>(to[j], weighted(weights[j], from[j]));
}

// Where the elements of the block at `begin` stand in their rows, spread out: a loop over elements
// then has no rows in it.
template <typename T>
void spread(block_factors<T>& to, const T* weights, const T* positive, int64_t cols, int64_t begin,
            int64_t count) {
  int64_t row = begin / cols, col = begin - row * cols;
  for (int64_t j = 0; j < count;) {
    int64_t length = smaller(cols - col, count - j);
    T weight = weights ? weights[row] : T(1);
    for (int64_t k = 0; k < length; k++) {
      to.weight[j + k] = weight;
      to.positive[j + k] = positive ? positive[col + k] : T(1);
    }
    j += length, col = 0, row++;
  }
}

template <int F>
constexpr int64_t value_loss_cost = F == WEFT_LOSS_LOGISTIC ? 3 * transcendental : 3;

template <int F, bool Spread, bool Gradient, typename S>
void value_loss_of_blocks(const weft_value_loss& a) {
  using T = compute<S>;
  const S* x = as<S>(a.x);
  const T *t = as<T>(a.t), *weights = as<T>(a.weights), *positive = as<T>(a.positive);
  T *losses = as<T>(a.losses), *sums = as<T>(a.sums);
  S* dx = as<S>(a.dx);
  const T alpha = T(a.alpha), scale = T(a.scale);
  const int64_t n = a.rows * a.cols, cols = a.cols;
  parallel_units((n + block - 1) / block, block * value_loss_cost<F>,
                 [=](int64_t from, int64_t to) {
                   T own[block];
                   block_factors<T> factors;
                   for (int64_t b = from; b < to; b++) {
                     const int64_t begin = b * block, count = smaller(block, n - begin);
                     if (Spread) spread(factors, weights, positive, cols, begin, count);
                     const S* values = x + begin;
                     const T* targets = t + begin;
                     T* loss = losses ? losses + begin : own;
                     S* gradient = Gradient ? dx + begin : nullptr;
#pragma omp simd
                     for (int64_t j = 0; j < count; j++) {
                       const value_loss_of<T> at = value_loss_at<F>(
                           T(values[j]), targets[j], alpha, Spread ? factors.positive[j] : T(1));
                       loss[j] = at.loss;
                       if (Gradient && Spread) factors.slope[j] = scale * at.slope;
                       if (Gradient && !Spread) put<false>(gradient[j], scale * at.slope);
                     }
                     if (Spread) weigh(factors.weight, loss, loss, count);
                     if (Gradient && Spread) weigh(factors.weight, factors.slope, gradient, count);
                     if (sums) sums[b] = sum(loss, count);
                   }
                 });
}

template <typename S>
void value_loss(const weft_value_loss& a) {
  choose<WEFT_VALUE_LOSS_FUNCTIONS>("value loss", a.function, [&](auto kind) {
    constexpr int F = kind;
    choose_flag(a.weights || (F == WEFT_LOSS_LOGISTIC && a.positive), [&](auto spread) {
      choose_flag(a.dx != nullptr, [&](auto gradient) {
        value_loss_of_blocks<F, decltype(spread)::value, decltype(gradient)::value, S>(a);
      });
    });
  });
}

template <typename T>
void label_weights(const weft_label_weights& a) {
  const int32_t* labels = as<int32_t>(a.labels);
  const T *of_classes = as<T>(a.class_weights), *of_rows = as<T>(a.row_weights);
  T* weights = as<T>(a.weights);
  parallel(a.rows, 2, [=, classes = a.classes, ignored = a.ignored](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; r++) {
      const int32_t label = labels[r];
      T weight = of_rows ? of_rows[r] : T(1);
      if (label == ignored) {
        weight = T(0);
      } else if (weight != T(0)) {
        weight *= is_row(label, classes) ? of_classes[label] : T(NAN);
      }
      weights[r] = weight;
    }
  });
}

}  // namespace

WEFT_DEFINE_TYPED(value_loss, value_loss)
WEFT_DEFINE_WIDE(label_weights, label_weights)

}  // namespace WEFT_ISA
}  // namespace weft
