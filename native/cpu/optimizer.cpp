// SPDX-License-Identifier: Apache-2.0
//
// Optimizer steps over a flat arena and over rows of a table.
#include "../math/update.h"
#include "lanes.h"
#include "runs.h"

namespace weft {
namespace WEFT_ISA {
namespace {

// What gradients are multiplied by, for a whole call.
template <typename T, typename A>
T factor_of(const A& a) {
  T scale = T(a.gradient_scale);
  return a.squares ? clip_factor(scale, T(a.max_norm), sum(as<T>(a.squares), a.parts)) : scale;
}

// Each rule is compiled once, for an arena and for rows: inlined into both it could round differently.
template <typename T>
struct sgd_rule {
  T *value, *velocity;
  bf16* copy;
  sgd_settings<T> settings;

  template <typename A>
  explicit sgd_rule(const A& a)
      : value(as<T>(a.value)),
        velocity(as<T>(a.velocity)),
        copy(as<bf16>(a.copy)),
        settings({a, factor_of<T>(a)}, T(a.momentum), T(a.dampening), a.nesterov != 0) {}

  // values at .. at + n - 1, by gradient[0 .. n - 1]
  __attribute__((noinline)) void operator()(int64_t at, const T* gradient, int64_t n) const {
    const sgd_settings<T> s = settings;
    T *v = value + at, *m = velocity ? velocity + at : nullptr;
    bf16* c = copy + at;
    choose_flag(s.is_full(), [=](auto all) {
      choose_flag(copy != nullptr, [=](auto flag) {
        constexpr bool full = all, copied = flag;
        if (m) {
#pragma omp simd
          for (int64_t i = 0; i < n; i++) {
            s.template step<full>(v[i], gradient[i], m[i]);
            if constexpr (copied) put<false>(c[i], float(v[i]));
          }
        } else {
#pragma omp simd
          for (int64_t i = 0; i < n; i++) {
            s.template step<full>(v[i], gradient[i]);
            if constexpr (copied) put<false>(c[i], float(v[i]));
          }
        }
      });
    });
  }
};

template <typename T>
struct adam_rule {
  T *value, *first, *second;
  bf16* copy;
  adam_settings<T> settings;

  template <typename A>
  explicit adam_rule(const A& a)
      : value(as<T>(a.value)),
        first(as<T>(a.first)),
        second(as<T>(a.second)),
        copy(as<bf16>(a.copy)),
        settings({a, factor_of<T>(a)}, a.beta1, a.beta2, a.epsilon,
                 as<weft_step_state>(a.state)->update) {}

  __attribute__((noinline)) void operator()(int64_t at, const T* gradient, int64_t n) const {
    const adam_settings<T> s = settings;
    T *v = value + at, *m1 = first + at, *m2 = second + at;
    bf16* c = copy + at;
    choose_flag(s.is_full(), [=](auto all) {
      choose_flag(copy != nullptr, [=](auto flag) {
        constexpr bool full = all, copied = flag;
#pragma omp simd
        for (int64_t i = 0; i < n; i++) {
          s.template step<full>(v[i], gradient[i], m1[i], m2[i]);
          if constexpr (copied) put<false>(c[i], float(v[i]));
        }
      });
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
  if (a.rows == 0) return;
  const sgd_rule<T> rule(a);
  each_run(a, rule.value, [&](int64_t, int64_t at, const T* gradient, int64_t count) {
    rule(at, gradient, count);
  });
}

template <typename T>
void adam_rows(const weft_adam_rows& a) {
  if (a.rows == 0) return;
  const adam_rule<T> rule(a);
  each_run(a, rule.value, [&](int64_t, int64_t at, const T* gradient, int64_t count) {
    rule(at, gradient, count);
  });
}

}  // namespace

WEFT_DEFINE_WIDE(sgd, sgd)
WEFT_DEFINE_WIDE(adam, adam)
WEFT_DEFINE_WIDE(sgd_rows, sgd_rows)
WEFT_DEFINE_WIDE(adam_rows, adam_rows)

void advance_step(const weft_advance_step& a) {
  end_step(*as<weft_step_state>(a.state), a.rows, a.update != 0, a.rates, a.count);
}

}  // namespace WEFT_ISA
}  // namespace weft
