// SPDX-License-Identifier: Apache-2.0
//
// Elementwise functions of two arguments with broadcasting, forward and backward.
#include "../math/elementwise.h"

#include "device.cuh"

namespace weft::cuda {

static_assert(binary_forward_shape::threads == elementwise_threads &&
                  binary_forward_shape::items == elementwise_items &&
                  binary_backward_shape::threads == elementwise_threads &&
                  binary_backward_shape::items == elementwise_items,
              "shape of elementwise kernels");

struct dimensions {
  int64_t d0, d1, d2, d3;
};

// One argument with its strides. dense: element i of the result reads data[i]. packed: the four
// elements of a pack lie side by side.
template <typename S>
struct operand {
  const S* data;
  int64_t s0, s1, s2, s3;
  bool dense, packed;
};

template <typename S>
WEFT_DEVICE operand<S> operand_of(const void* data, const dimensions& d, int64_t s0, int64_t s1,
                                  int64_t s2, int64_t s3) {
  bool dense = (d.d3 == 1 || s3 == 1) && (d.d2 == 1 || s2 == d.d3) &&
               (d.d1 == 1 || s1 == d.d2 * d.d3) && (d.d0 == 1 || s0 == d.d1 * d.d2 * d.d3);
  const S* x = static_cast<const S*>(data);
  bool packed = s3 == 1 && (d.d3 | s0 | s1 | s2) % 4 == 0 && aligned(x);
  return {x, s0, s1, s2, s3, dense, packed};
}

// The values of o, which is not dense, for the elements of a batch. The place in four dimensions is
// worked out by division once a pack, and counted on from there where a row ends in it.
template <typename S>
WEFT_DEVICE batch<S> load_broadcast(const operand<S>& o, const dimensions& d, int64_t first,
                                    int64_t n) {
  batch<S> v;
#pragma unroll
  for (int k = 0; k < batch<S>::packs; k++) {
    // behind the end the last pack again, which is as aligned as all
    const int64_t i = min(first + k * batch<S>::stride, (n - 1) / 4 * 4);
    int64_t i2 = i / d.d3, i3 = i - i2 * d.d3, i1 = 0, i0 = 0;
    if (d.d0 * d.d1 > 1) {
      i1 = i2 / d.d2;
      i2 -= i1 * d.d2;
      i0 = i1 / d.d1;
      i1 -= i0 * d.d1;
    }
    const S* at = o.data + (i0 * o.s0 + i1 * o.s1 + i2 * o.s2 + i3 * o.s3);
    if (o.packed) {
      v.part[k] = load_whole(at);
      continue;
    }
    if (o.s3 == 0 && d.d3 % 4 == 0) {
      const auto same = compute<S>(*at);
      v.part[k] = {{same, same, same, same}};
      continue;
    }
#pragma unroll
    for (int j = 0; j < 4; j++) {
      v.part[k].at[j] = compute<S>(*at);
      if (i + j + 1 >= n) continue;  // the last one again
      if (++i3 < d.d3) {
        at += o.s3;
        continue;
      }
      i3 = 0;
      if (++i2 == d.d2) {
        i2 = 0;
        if (++i1 == d.d1) {
          i1 = 0;
          i0++;
        }
      }
      at = o.data + (i0 * o.s0 + i1 * o.s1 + i2 * o.s2);
    }
  }
  return v;
}

// Of a dense argument the pointer; of another null, for load_batches to leave it out.
template <typename S>
WEFT_DEVICE const S* dense_data(const operand<S>& o) {
  return o.dense ? o.data : nullptr;
}

template <int F, typename S>
WEFT_DEVICE void apply_binary(batch<S>& a, const batch<S>& b, compute<S> alpha) {
  each<S>(0, [&](int k, int j, int64_t) {
    a.part[k].at[j] = binary<F>(a.part[k].at[j], b.part[k].at[j], alpha);
  });
}

// The switch stands inside the turn, once for eight elements: the loads, which dwarf the arithmetic
// in code size, then exist once.
template <typename S>
WEFT_DEVICE void binary_forward(const weft_binary_forward& a) {
  const dimensions d = {a.d0, a.d1, a.d2, a.d3};
  const operand<S> left = operand_of<S>(a.a, d, a.a0, a.a1, a.a2, a.a3);
  const operand<S> right = operand_of<S>(a.b, d, a.b0, a.b1, a.b2, a.b3);
  S* y = static_cast<S*>(a.y);
  const int64_t n = a.d0 * a.d1 * a.d2 * a.d3;
  const auto alpha = compute<S>(a.alpha);
  const S* dense[] = {dense_data(left), dense_data(right)};
  const bool wide_dense = aligned(dense[0], dense[1]), wide = aligned(y);
  elementwise<S>(n, [&](int64_t first) {
    raw_batch<S> raw[2];
    load_batches(raw, dense, first, n, wide_dense);
    batch<S> v = left.dense ? opened(raw[0]) : load_broadcast(left, d, first, n);
    batch<S> w = right.dense ? opened(raw[1]) : load_broadcast(right, d, first, n);
    choose_binary_function(a.operation, [&](auto kind) { apply_binary<kind>(v, w, alpha); });
    store_batch(y, first, n, wide, v);
  });
}

// Turns a into dy df/da and b into dy df/db.
template <int F, typename S>
WEFT_DEVICE void differentiate_binary(const batch<S>& dy, batch<S>& a, batch<S>& b) {
  each<S>(0, [&](int k, int j, int64_t) {
    auto g = dy.part[k].at[j], left = a.part[k].at[j], right = b.part[k].at[j];
    a.part[k].at[j] = binary_gradient_a<F>(g, left, right);
    b.part[k].at[j] = binary_gradient_b<F>(g, left, right);
  });
}

template <typename S>
WEFT_DEVICE void binary_backward(const weft_binary_backward& a) {
  const dimensions d = {a.d0, a.d1, a.d2, a.d3};
  const operand<S> left = operand_of<S>(a.a, d, a.a0, a.a1, a.a2, a.a3);
  const operand<S> right = operand_of<S>(a.b, d, a.b0, a.b1, a.b2, a.b3);
  const S* dy = static_cast<const S*>(a.dy);
  S* da = static_cast<S*>(a.da);
  S* db = static_cast<S*>(a.db);
  const int64_t n = a.d0 * a.d1 * a.d2 * a.d3;
  // the sum's derivatives need neither argument
  const bool linear = a.operation == WEFT_ADD || a.operation == WEFT_SUBTRACT;
  const bool broadcast_left = !linear && !left.dense, broadcast_right = !linear && !right.dense;
  const S* dense[] = {dy, linear ? nullptr : dense_data(left),
                      linear ? nullptr : dense_data(right)};
  const bool wide_dense = aligned(dense[0], dense[1], dense[2]);
  const bool wide_da = aligned(da), wide_db = aligned(db);
  elementwise<S>(n, [&](int64_t first) {
    raw_batch<S> raw[3];
    load_batches(raw, dense, first, n, wide_dense);
    batch<S> v = broadcast_left ? load_broadcast(left, d, first, n) : opened(raw[1]);
    batch<S> w = broadcast_right ? load_broadcast(right, d, first, n) : opened(raw[2]);
    const batch<S> g = opened(raw[0]);
    choose_binary_function(a.operation, [&](auto kind) { differentiate_binary<kind>(g, v, w); });
    if (da) put_batch(da, first, n, wide_da, a.accumulate_a != 0, v);
    if (db) put_batch(db, first, n, wide_db, a.accumulate_b != 0, w);
  });
}

}  // namespace weft::cuda

// y = f(a, b); no argument may alias, but a may be b. A thread owns two packs of four (double: two
// turns of one pack); an argument with the result's layout is read in 16-byte accesses, a broadcast
// one from the cache, by packs where its rows are made of them. Block size: see
// elementwise_threads.
WEFT_KERNEL(binary_forward, binary_forward)

// da, db (=) or (+=) dy df; a may be b. Same mapping.
WEFT_KERNEL(binary_backward, binary_backward)
