// SPDX-License-Identifier: Apache-2.0
//
// Softmax cross-entropy of one row in a single pass over its logits: the largest logit so far and
// the sum of exponentials relative to it (Milakov and Gimelshein, "Online normalizer calculation
// for softmax", 2018). The states of two parts of a row merge into that of both.
#ifndef WEFT_MATH_SOFTMAX_H
#define WEFT_MATH_SOFTMAX_H

#include "portable.h"
#include "transcendental.h"

namespace weft {

template <typename T>
struct softmax_state {
  T largest;      // logit so far
  T total;        // sum of e^(x - largest); NaN once a NaN was seen
  int32_t place;  // the first index of the largest
};

template <typename T>
WEFT_MATH softmax_state<T> softmax_start() {
  return {T(-INFINITY), T(0), 0};
}

// What exponents are relative to. While all is -infinity it is 0, since e^(-inf - -inf) is NaN.
template <typename T>
WEFT_MATH T softmax_reference(T largest) {
  return largest == T(-INFINITY) ? T(0) : largest;
}

// Adds the logits at place, place + 1, ... An entry of -infinity adds nothing.
template <typename T, int N>
WEFT_MATH void softmax_add(softmax_state<T>& state, const T (&x)[N], int32_t place) {
  T before = state.largest;
  for (int j = 0; j < N; j++) {
    if (x[j] > state.largest) {
      state.largest = x[j];
      state.place = place + j;
    }
  }
  T reference = softmax_reference(state.largest);
  T sum = T(0);
  for (int j = 0; j < N; j++) sum += math::exp(x[j] - reference);
  state.total = state.total * math::exp(before - reference) + sum;
}

template <typename T>
WEFT_MATH softmax_state<T> softmax_merge(const softmax_state<T>& a, const softmax_state<T>& b) {
  bool second = b.largest > a.largest || (b.largest == a.largest && b.place < a.place);
  T largest = second ? b.largest : a.largest;
  T reference = softmax_reference(largest);
  T total = a.total * math::exp(a.largest - reference) + b.total * math::exp(b.largest - reference);
  return {largest, total, second ? b.place : a.place};
}

// -sum_c q_c log softmax(x)_c with q = (1 - smoothing) onehot(k) + smoothing / classes; labelled is
// the logit at k, mean that of all logits (not looked at when smoothing is 0)
template <typename T>
WEFT_MATH T softmax_loss(const softmax_state<T>& state, T labelled, T smoothing, T mean) {
  T loss = math::log(state.total) + (T(1) - smoothing) * (state.largest - labelled);
  return smoothing > T(0) ? loss + smoothing * (state.largest - mean) : loss;
}

// What a class of probability q adds to -sum_c q_c log softmax(x)_c, beside log(total) q; below is the
// largest logit less its own. entropy: and q log q. NaN where q is no probability.
template <typename T>
WEFT_MATH T softmax_term(T q, T below, bool entropy) {
  const T term = q * (entropy ? below + math::log(q) : below);
  return q > T(0) ? term : (q == T(0) ? T(0) : T(NAN));
}

// softmax(x) - q where e^(x - largest) is at hand, inverse = 1 / total
template <typename T>
WEFT_MATH T softmax_difference(T exponential, T inverse, T q) {
  return exponential * inverse - q;
}

// softmax(x) - q
template <typename T>
WEFT_MATH T softmax_gradient(T x, T largest, T inverse, T q) {
  return softmax_difference(math::exp(x - largest), inverse, q);
}

}  // namespace weft
#endif  // WEFT_MATH_SOFTMAX_H
