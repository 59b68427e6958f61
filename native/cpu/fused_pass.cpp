// SPDX-License-Identifier: Apache-2.0
//
// The first half of a training step of a narrow network: a tile of rows goes through all layers and
// back while its activations are in cache.
#include "../math/activation.h"
#include "draw.h"
#include "fused_input.h"
#include "fused_loss.h"

namespace weft {
namespace WEFT_ISA {
namespace {

template <typename T, typename E>
struct pass : fused_input<T, E> {
  using input = fused_input<T, E>;
  using context = fused_context<T, E>;
  using places = typename context::places;
  using context::a, context::at, context::block, context::known, context::layers, context::paired,
      context::source_row, context::state, context::value;
  using input::input, input::expect, input::gather;

  void run(int64_t r, int64_t end) const {
    expect(r, smaller(tile_rows, end - r));
    for (; r < end; r += tile_rows) {
      int64_t rows = smaller(tile_rows, end - r);
      gather(r, rows);
      expect(r + rows, smaller(tile_rows, end - r - rows));
      for (int64_t l = 0; l < a.count; l++) forward(l, r, rows);
      compare(r, rows);
      for (int64_t l = a.count - 1; l > 0; l--) backward(l, r, rows);
    }
  }

 private:
  // z = x W + b, then h, the next layer's x, and dh/dz; the last h stays in z
  void forward(int64_t l, int64_t r0, int64_t rows) const {
    const weft_fused_layer& layer = layers[l];
    places p = at(l);
    T* z = p.z + r0 * strip;
    const T* b = layer.bias < 0 ? nullptr : value + layer.bias;
    int64_t count = strips(layer.out);
    for (int64_t s = 0; s < count; s++) {
      T start[strip] = {};
      for (int64_t j = 0; b && j < smaller(strip, layer.out - s * strip); j++) {
        start[j] = b[s * strip + j];
      }
      for (int64_t r = 0; r < rows; r++) memcpy(z + s * block + r * strip, start, sizeof start);
    }
    if constexpr (paired) {
      add_product(p.x + r0 * strip, p.w, z, rows, (layer.in + 1) / 2, layer.out, count * strip,
                  block, true);
    } else {
      add_product(p.x + r0 * strip, value + layer.weight, z, rows, layer.in, layer.out, layer.out,
                  block, false);
    }
    bool last = l + 1 == a.count;
    T *slope = p.slope + r0 * strip, *h = z;
    if constexpr (!paired) {
      if (!last) h = at(l + 1).x + r0 * strip;
    }
    choose<WEFT_NONLINEARITIES>("activation", layer.activation, [&](auto kind) {
      activate<kind>(z, h, slope, T(layer.alpha), rows, count);
    });
    if (layer.rate > 0) drop(layer, h, slope, r0, rows);
    if constexpr (paired) {
      if (last) return;
      places next = at(l + 1);
      this->pair_up(p.z, layer.out, r0, rows, next.x, next.x_rows, next.row_block);
    }
  }

  template <int A>
  void activate(const T* z, T* h, T* slope, T alpha, int64_t rows, int64_t count) const {
    for (int64_t s = 0; s < count; s++) {
      const T* from = z + s * block;
      T *to = h + s * block, *steep = slope + s * block;
#pragma omp simd
      for (int64_t i = 0; i < rows * strip; i++) {
        T x = from[i], y = activation<A>(x, alpha);
        to[i] = y;
        steep[i] = activation_derivative<A>(x, y, alpha);
      }
    }
  }

  void drop(const weft_fused_layer& layer, T* h, T* slope, int64_t r0, int64_t rows) const {
    drawing mask = {state.seed, state.step, (uint32_t)layer.operation};
    uint32_t threshold = dropout_threshold(layer.rate);
    T scale = T(1 / (1 - layer.rate));
    // the words of all elements of the tile, from a multiple of 4 on
    constexpr int64_t most = tile_rows * widest + 4;
    uint32_t word[(most / drawing::run + 1) * drawing::run + strip];
    int64_t begin = r0 * layer.out / 4 * 4, end = (r0 + rows) * layer.out;
    for (int64_t i = begin; i < end; i += drawing::run) {
      mask.draw(i, *reinterpret_cast<uint32_t(*)[drawing::run]>(word + (i - begin)));
    }
    for (int64_t r = 0; r < rows; r++) {
      for (int64_t s = 0; s < strips(layer.out); s++) {
        const uint32_t* drawn = word + ((r0 + r) * layer.out + s * strip - begin);
        T *y = h + s * block + r * strip, *steep = slope + s * block + r * strip;
#pragma omp simd
        for (int j = 0; j < (int)strip; j++) {
          bool dropped = drawn[j] < threshold;
          y[j] = dropped ? T(0) : scale * y[j];
          steep[j] = dropped ? T(0) : scale * steep[j];
        }
      }
    }
  }

  // losses, hits and dz of the last layer
  void compare(int64_t r0, int64_t rows) const {
    const weft_fused_layer& last = layers[a.count - 1];
    places p = at(a.count - 1);
    T *dz = p.z, *slope = p.slope;
    fused_loss<T, E>(a).compare(dz, r0, rows, last.out);
    for (int64_t s = 0; s < strips(last.out); s++) {
      T* to = dz + s * block + r0 * strip;
      const T* steep = slope + s * block + r0 * strip;
#pragma omp simd
      for (int64_t i = 0; i < rows * strip; i++) to[i] *= steep[i];
    }
    if constexpr (paired) this->pair_up(dz, last.out, r0, rows, p.dz, p.dz_rows, p.row_block);
  }

  // dz of the layer before = (dz W^T) dh/dz
  void backward(int64_t l, int64_t r0, int64_t rows) const {
    const weft_fused_layer& layer = layers[l];
    places p = at(l), before = at(l - 1);
    T *to = before.z + r0 * strip, *slope = before.slope + r0 * strip;
    int64_t count = strips(layer.in);
    for (int64_t s = 0; s < count; s++) {
      memset(to + s * block, 0, (size_t)(rows * strip) * sizeof(T));
    }
    add_product(p.dz + r0 * strip, p.w_transposed, to, rows,
                paired ? (layer.out + 1) / 2 : layer.out, layer.in, count * strip, block, true);
    for (int64_t s = 0; s < count; s++) {
      T *dz = to + s * block, *steep = slope + s * block;
#pragma omp simd
      for (int64_t i = 0; i < rows * strip; i++) dz[i] *= steep[i];
    }
    if constexpr (paired) {
      this->pair_up(before.z, layer.in, r0, rows, before.dz, before.dz_rows, before.row_block);
    }
  }
};

void check(const weft_fused_pass& a) {
  const weft_fused_layer* layers = as<weft_fused_layer>(a.layers);
  if (a.count < 1 || a.count > WEFT_FUSED_LAYERS) {
    fail("fused_pass of %lld layers; it takes 1 to %d", (long long)a.count, WEFT_FUSED_LAYERS);
  }
  for (int64_t l = 0; l < a.count; l++) {
    if (layers[l].out > widest || layers[l].activation < 0 ||
        layers[l].activation >= WEFT_NONLINEARITIES) {
      fail("fused_pass: layer %lld has %lld outputs and activation %lld", (long long)l,
           (long long)layers[l].out, (long long)layers[l].activation);
    }
  }
}

template <typename T, typename E = T>
void fused_pass(const weft_fused_pass& a) {
  check(a);
  pass<T, E> p(a);
  memcpy(a.scratch, a.state, sizeof(weft_step_state));
  int64_t copies = p.copies();
  // a part is some rows or columns of W
  parallel_units(copies, copies ? 2 * a.parameters / copies : 1,
                 [&](int64_t begin, int64_t end) { p.copy_weights(begin, end); });
  // two rows at a time are never parted
  int64_t doubles = (a.rows + 1) / 2;
  parallel_products(doubles, 2 * a.products, [&](int64_t begin, int64_t end) {
    p.run(2 * begin, smaller(a.rows, 2 * end));
  });
}

}  // namespace

#if defined(__AVX512BF16__)
void fused_pass_f32(const weft_fused_pass& a) { fused_pass<float, pair>(a); }
#else
void fused_pass_f32(const weft_fused_pass& a) {
#if defined(WEFT_FUSED_PAIRS)
  if (a.fast && has_pairs()) return WEFT_FUSED_PAIRS::fused_pass_f32(a);
#endif
  fused_pass<float>(a);
}
void fused_pass_f64(const weft_fused_pass& a) { fused_pass<double>(a); }
#endif

}  // namespace WEFT_ISA
}  // namespace weft
