// SPDX-License-Identifier: Apache-2.0
//
// Optimizer steps over a flat arena and over rows of a table.
#include "../math/update.h"
#include "runs.h"

namespace weft {
namespace WEFT_ISA {
namespace {

template <typename T, typename A>
T rate_of(const A& a) {
  return T(as<weft_step_state>(a.state)->rate * a.rate_factor);
}

// Each rule is compiled once, for an arena and for rows: inlined into both it could round differently.
template <typename T>
struct sgd_rule {
  T *value, *velocity;
  bf16* copy;
  T rate, momentum, dampening, weight_decay;
  bool nesterov;

  template <typename A>
  explicit sgd_rule(const A& a)
      : value(as<T>(a.value)),
        velocity(as<T>(a.velocity)),
        copy(as<bf16>(a.copy)),
        rate(rate_of<T>(a)),
        momentum(T(a.momentum)),
        dampening(T(a.dampening)),
        weight_decay(T(a.weight_decay)),
        nesterov(a.nesterov != 0) {}

  // values at .. at + n - 1, by gradient[0 .. n - 1]
  __attribute__((noinline)) void operator()(int64_t at, const T* gradient, int64_t n) const {
    const sgd_rule r = *this;
    T *v = value + at, *m = velocity + at;
    bf16* c = copy + at;
    choose_flag(copy != nullptr, [=](auto flag) {
      constexpr bool copied = flag;
      if (r.velocity) {
#pragma omp simd
        for (int64_t i = 0; i < n; i++) {
          weft::sgd(v[i], gradient[i], m[i], r.rate, r.momentum, r.dampening, r.weight_decay,
                    r.nesterov);
          if constexpr (copied) put<false>(c[i], float(v[i]));
        }
      } else {
#pragma omp simd
        for (int64_t i = 0; i < n; i++) {
          T none = T(0);
          weft::sgd(v[i], gradient[i], none, r.rate, T(0), T(0), r.weight_decay, false);
          if constexpr (copied) put<false>(c[i], float(v[i]));
        }
      }
    });
  }
};

template <typename T>
struct adam_rule {
  T *value, *first, *second;
  bf16* copy;
  T rate, beta1, beta2, epsilon, l2, weight_decay, correction1, correction2;

  template <typename A>
  explicit adam_rule(const A& a)
      : value(as<T>(a.value)),
        first(as<T>(a.first)),
        second(as<T>(a.second)),
        copy(as<bf16>(a.copy)),
        rate(rate_of<T>(a)),
        beta1(T(a.beta1)),
        beta2(T(a.beta2)),
        epsilon(T(a.epsilon)),
        l2(T(a.l2)),
        weight_decay(T(a.weight_decay)),
        correction1(adam_correction<T>(a.beta1, as<weft_step_state>(a.state)->step + 1)),
        correction2(adam_correction<T>(a.beta2, as<weft_step_state>(a.state)->step + 1)) {}

  __attribute__((noinline)) void operator()(int64_t at, const T* gradient, int64_t n) const {
    const adam_rule r = *this;
    T *v = value + at, *m1 = first + at, *m2 = second + at;
    bf16* c = copy + at;
    choose_flag(copy != nullptr, [=](auto flag) {
      constexpr bool copied = flag;
#pragma omp simd
      for (int64_t i = 0; i < n; i++) {
        weft::adam(v[i], gradient[i], m1[i], m2[i], r.rate, r.beta1, r.beta2, r.epsilon, r.l2,
                   r.weight_decay, r.correction1, r.correction2);
        if constexpr (copied) put<false>(c[i], float(v[i]));
      }
    });
  }
};

// gradient lies beside value
template <typename T, typename A, typename Rule>
void update(const A& a, int64_t cost, const Rule& rule) {
  const T* gradient = as<T>(a.gradient);
  parallel(a.n, cost,
           [=, &rule](int64_t begin, int64_t end) { rule(begin, gradient + begin, end - begin); });
}

template <typename T>
void sgd(const weft_sgd& a) {
  if (a.n > 0) update<T>(a, 3, sgd_rule<T>(a));
}

template <typename T>
void adam(const weft_adam& a) {
  if (a.n > 0) update<T>(a, 4, adam_rule<T>(a));
}

template <typename T>
void sgd_rows(const weft_sgd_rows& a) {
  if (a.rows > 0) each_run(a, as<T>(a.value), sgd_rule<T>(a));
}

template <typename T>
void adam_rows(const weft_adam_rows& a) {
  if (a.rows > 0) each_run(a, as<T>(a.value), adam_rule<T>(a));
}

}  // namespace

WEFT_DEFINE_WIDE(sgd, sgd)
WEFT_DEFINE_WIDE(adam, adam)
WEFT_DEFINE_WIDE(sgd_rows, sgd_rows)
WEFT_DEFINE_WIDE(adam_rows, adam_rows)

void advance_step(const weft_advance_step& a) {
  weft_step_state& state = *as<weft_step_state>(a.state);
  state.step += 1;
  state.cursor += a.rows;
}

}  // namespace WEFT_ISA
}  // namespace weft
