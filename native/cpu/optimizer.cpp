// SPDX-License-Identifier: Apache-2.0
//
// Optimizer steps over a flat arena and over rows of a table, and averages of parameters.
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

// f(constant), true where a rule has this memory.
template <memory Has, typename F>
void choose_memory(const void* address, const F& f) {
  if constexpr (Has == memory::asked) {
    choose_flag(address != nullptr, f);
  } else {
    f(std::bool_constant < Has == memory::present > {});
  }
}

// Each rule is compiled once, for an arena and for rows: inlined into both it could round differently.
// A loop for each set of memories, which does no work for absent ones.
template <typename T, typename Rule>
struct rule_steps {
  T *value, *first, *second, *third;
  bf16* copy;
  Rule rule;
  update_settings<T> settings;

  template <typename A>
  explicit rule_steps(const A& a)
      : value(as<T>(a.value)),
        first(as<T>(a.first)),
        second(as<T>(a.second)),
        third(as<T>(a.third)),
        copy(as<bf16>(a.copy)),
        rule(a, *as<weft_step_state>(a.state)),
        settings(a, *as<weft_step_state>(a.state), rule, factor_of<T>(a)) {}

  // values at .. at + n - 1, by gradient[0 .. n - 1]
  __attribute__((noinline)) void operator()(int64_t at, const T* gradient, int64_t n) const {
    choose_memory<Rule::first>(first, [=](auto has_first) {
      choose_memory<Rule::third>(third, [=](auto has_third) {
        choose_flag(settings.is_full(), [=](auto full) {
          choose_flag(copy != nullptr, [=](auto copied) {
            loop<has_first, has_third, full, copied>(at, gradient, n);
          });
        });
      });
    });
  }

 private:
  template <bool First, bool Third, bool Full, bool Copied>
  void loop(int64_t at, const T* gradient, int64_t n) const {
    constexpr bool has_second = Rule::second == memory::present;
    const Rule r = rule;
    const update_settings<T> s = settings;
    T *v = value + at, *m1 = first + at, *m2 = second + at, *m3 = third + at;
    bf16* c = copy + at;
#pragma omp simd
    for (int64_t i = 0; i < n; i++) {
      T one = First ? m1[i] : T(0), two = has_second ? m2[i] : T(0), three = Third ? m3[i] : T(0);
      T next = v[i];
      s.template step<Full>(r, next, gradient[i], one, two, three, First, Third);
      v[i] = next;
      if constexpr (First) m1[i] = one;
      if constexpr (has_second) m2[i] = two;
      if constexpr (Third) m3[i] = three;
      if constexpr (Copied) put<false>(c[i], float(next));
    }
  }
};

// gradient lies beside value
template <typename T, typename Rule>
void update(const weft_update& a) {
  if (a.n <= 0) return;
  const rule_steps<T, Rule> steps(a);
  const T* gradient = as<T>(a.gradient);
  parallel(a.n, 4, [=, &steps](int64_t begin, int64_t end) {
    steps(begin, gradient + begin, end - begin);
  });
}

template <typename T, typename Rule>
void update_rows(const weft_update_rows& a) {
  if (a.rows == 0) return;
  const rule_steps<T, Rule> steps(a);
  each_run(a, steps.value, [&](int64_t, int64_t at, const T* gradient, int64_t count) {
    steps(at, gradient, count);
  });
}

template <typename T>
void average(const weft_average& a) {
  const T weight = T(a.weight);
  const T* value = as<T>(a.value);
  T* y = as<T>(a.average);
  parallel(a.n, 2, [=](int64_t begin, int64_t end) {
#pragma omp simd
    for (int64_t i = begin; i < end; i++) y[i] = averaged(y[i], value[i], weight);
  });
}

}  // namespace

#define WEFT_DEFINE_RULE(name)                                                                    \
  void name##_f32(const weft_update& a) { update<float, name##_rule<float>>(a); }                 \
  void name##_f64(const weft_update& a) { update<double, name##_rule<double>>(a); }               \
  void name##_rows_f32(const weft_update_rows& a) { update_rows<float, name##_rule<float>>(a); }  \
  void name##_rows_f64(const weft_update_rows& a) { update_rows<double, name##_rule<double>>(a); }
WEFT_UPDATE_RULES(WEFT_DEFINE_RULE)
#undef WEFT_DEFINE_RULE

WEFT_DEFINE_WIDE(average, average)

void advance_step(const weft_advance_step& a) {
  end_step(*as<weft_step_state>(a.state), a.rows, a.update != 0, a.rates, a.count);
}

}  // namespace WEFT_ISA
}  // namespace weft
