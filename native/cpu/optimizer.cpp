// SPDX-License-Identifier: Apache-2.0
//
// Optimizer steps over a flat arena.
#include "../math/update.h"
#include "kernel.h"

namespace weft {
namespace WEFT_ISA {
namespace {

template <typename T>
void sgd(const weft_sgd& a) {
  if (a.n == 0) return;
  T* value = as<T>(a.value);
  const T* gradient = as<T>(a.gradient);
  T* velocity = as<T>(a.velocity);
  T rate = T(as<weft_step_state>(a.state)->rate), momentum = T(a.momentum);
  T dampening = T(a.dampening), weight_decay = T(a.weight_decay);
  bool nesterov = a.nesterov != 0;
  bf16* copy = as<bf16>(a.copy);
  choose_flag(copy != nullptr, [&](auto flag) {
    constexpr bool copied = flag;
    parallel(a.n, 3, [=](int64_t begin, int64_t end) {
      if (velocity) {
#pragma omp simd
        for (int64_t i = begin; i < end; i++) {
          weft::sgd(value[i], gradient[i], velocity[i], rate, momentum, dampening, weight_decay,
                    nesterov);
          if constexpr (copied) put<false>(copy[i], float(value[i]));
        }
      } else {
#pragma omp simd
        for (int64_t i = begin; i < end; i++) {
          T none = T(0);
          weft::sgd(value[i], gradient[i], none, rate, T(0), T(0), weight_decay, false);
          if constexpr (copied) put<false>(copy[i], float(value[i]));
        }
      }
    });
  });
}

template <typename T>
void adam(const weft_adam& a) {
  if (a.n == 0) return;
  T* value = as<T>(a.value);
  const T* gradient = as<T>(a.gradient);
  T *first = as<T>(a.first), *second = as<T>(a.second);
  const weft_step_state& state = *as<weft_step_state>(a.state);
  T correction1 = adam_correction<T>(a.beta1, state.step + 1);
  T correction2 = adam_correction<T>(a.beta2, state.step + 1);
  T rate = T(state.rate), epsilon = T(a.epsilon), l2 = T(a.l2), weight_decay = T(a.weight_decay);
  T beta1 = T(a.beta1), beta2 = T(a.beta2);
  bf16* copy = as<bf16>(a.copy);
  choose_flag(copy != nullptr, [&](auto flag) {
    constexpr bool copied = flag;
    parallel(a.n, 4, [=](int64_t begin, int64_t end) {
#pragma omp simd
      for (int64_t i = begin; i < end; i++) {
        weft::adam(value[i], gradient[i], first[i], second[i], rate, beta1, beta2, epsilon, l2,
                   weight_decay, correction1, correction2);
        if constexpr (copied) put<false>(copy[i], float(value[i]));
      }
    });
  });
}

}  // namespace

WEFT_DEFINE_WIDE(sgd, sgd)
WEFT_DEFINE_WIDE(adam, adam)

void advance_step(const weft_advance_step& a) {
  weft_step_state& state = *as<weft_step_state>(a.state);
  state.step += 1;
  state.cursor += a.rows;
}

}  // namespace WEFT_ISA
}  // namespace weft
