// SPDX-License-Identifier: Apache-2.0
//
// What a fused step multiplies.
#ifndef WEFT_CPU_FUSED_INPUT_H
#define WEFT_CPU_FUSED_INPUT_H

#include "fused.h"
#include "transposition.h"

namespace weft {
namespace WEFT_ISA {
namespace {

// What goes into the products: a tile of the batch, and W in other forms.
template <typename T, typename E>
struct fused_input : fused_context<T, E> {
  using context = fused_context<T, E>;
  using places = typename context::places;
  using context::a, context::at, context::block, context::known, context::layers, context::paired,
      context::source_row, context::state, context::value;
  using context::context;

  // Asks for the rows of a tile, which lie anywhere in a data set much larger than the caches.
  void expect(int64_t r0, int64_t rows) const {
    int64_t bytes = a.cols * (a.source_u8 ? 1 : (int64_t)sizeof(T));
    for (int64_t r = r0; r < r0 + rows; r++) {
      int64_t row = source_row(r);
      if (!known(row)) continue;
      const char* from = as<char>(a.source) + row * bytes;
      for (int64_t i = 0; i < bytes; i += 64) __builtin_prefetch(from + i);
    }
  }

  // Brings a tile of the batch to the first layer's x.
  void gather(int64_t r0, int64_t rows) const {
    if (a.source_u8) {
      gather_from(as<uint8_t>(a.source), r0, rows);
    } else {
      gather_from(as<T>(a.source), r0, rows);
    }
  }

  // How many parts the copies of W have: transposed ones for the way back, and pairs.
  int64_t copies() const {
    int64_t count = 0;
    for (int64_t l = 0; l < a.count; l++) {
      if (paired) count += (layers[l].in + some_rows - 1) / some_rows;
      if (l > 0) count += (layers[l].out + some_columns - 1) / some_columns;
    }
    return count;
  }

  // Makes parts begin .. end - 1 of them.
  void copy_weights(int64_t begin, int64_t end) const {
    int64_t part = 0;
    auto wanted = [&] {
      bool is = part >= begin && part < end;
      part++;
      return is;
    };
    for (int64_t l = 0; l < a.count; l++) {
      const weft_fused_layer& layer = layers[l];
      places p = at(l);
      const T* w = value + layer.weight;
      if constexpr (paired) {
        for (int64_t k = 0; k < layer.in; k += some_rows) {
          if (wanted()) pair_rows(w, layer, k, smaller(k + some_rows, layer.in), p.w);
        }
      }
      for (int64_t c = 0; l > 0 && c < layer.out; c += some_columns) {
        if (wanted()) transpose(w, layer, c, reinterpret_cast<T*>(p.w_transposed));
      }
    }
  }

#if defined(__AVX512BF16__)
  // Strips of numbers as both kinds of pairs; r0 is even, and a row after the last one is 0.
  void pair_up(const T* from, int64_t width, int64_t r0, int64_t rows, E* columns, E* above,
               int64_t row_block) const {
    int64_t count = strips(width);
    for (int64_t s = 0; s < count; s += 2) {
      const T *left = from + s * block + r0 * strip, *right = left + block;
      T* neighbour = reinterpret_cast<T*>(columns + s / 2 * block + r0 * strip);
      T* stack = reinterpret_cast<T*>(above + s * row_block + r0 / 2 * strip);
      bool both = s + 1 < count;
      for (int64_t r = 0; r < rows; r += 2) {
        bool odd = r + 1 == rows;
        vector<T> none = {}, v00 = load(left + r * strip),
                  v01 = both ? load(right + r * strip) : none;
        vector<T> v10 = odd ? none : load(left + (r + 1) * strip);
        vector<T> v11 = odd || !both ? none : load(right + (r + 1) * strip);
        put_vector(neighbour + r * strip, neighbours(v00, v01));
        if (!odd) put_vector(neighbour + (r + 1) * strip, neighbours(v10, v11));
        put_vector(stack + r / 2 * strip, stacked(v00, v10));
        if (both) put_vector(stack + row_block + r / 2 * strip, stacked(v01, v11));
      }
    }
  }
#endif

 private:
  static constexpr int64_t some_rows = 16;
  // a vector's worth of columns, or of pairs of columns
  static constexpr int64_t some_columns = lanes_of<T> * (paired ? 2 : 1);

#if defined(__AVX512BF16__)
  // rows k .. end - 1 of W as pairs of one above the other
  void pair_rows(const T* w, const weft_fused_layer& layer, int64_t k, int64_t end, E* to) const {
    int64_t count = strips(layer.out), width = layer.out;
    for (; k < end; k += 2) {
      T* row = reinterpret_cast<T*>(to + k / 2 * count * strip);
      const T* from = w + k * width;
      for (int64_t s = 0; s < count; s++, from += strip, row += strip) {
        first_lanes<T> there(smaller(strip, width - s * strip));
        vector<T> lower = k + 1 < layer.in ? there.load(from + width) : vector<T>{};
        put_vector(row, stacked(there.load(from), lower));
      }
    }
  }

#endif

  void transpose(const T* w, const weft_fused_layer& layer, int64_t c, T* to) const {
    int64_t stride = strips(layer.in) * strip, width = layer.out;
    if constexpr (paired) {
      transpose_columns<T>(
          [&](int64_t r) { return first_neighbours(w + r * width + c, width - c); }, to, layer.in,
          c / 2, (width + 1) / 2, stride);
    } else {
      first_lanes<T> there(smaller(lanes_of<T>, width - c));
      transpose_columns<T>([&](int64_t r) { return there.load(w + r * width + c); }, to, layer.in,
                           c, width, stride);
    }
  }

  // 16 values of row r of the batch from column c on, 0 behind the last column
  template <typename S>
  void take(const S* source, int64_t row, int64_t c, T (&to)[strip]) const {
    constexpr int lanes = lanes_of<T>;
    T scale = T(a.scale), shift = T(a.shift);
    if (!known(row)) {
      for (T& t : to) t = T(NAN);
      return;
    }
    const S* from = source + row * a.cols + c;
    if (c + strip <= a.cols) {
      for (int j = 0; j < (int)strip; j += lanes) {
        put_vector(to + j, scale * widened<T>(from + j) + shift);
      }
    } else {
      for (int64_t j = 0; j < strip; j++)
        to[j] = c + j < a.cols ? scale * T(from[j]) + shift : T(0);
    }
  }

  template <typename S>
  void gather_from(const S* source, int64_t r0, int64_t rows) const {
    places p = at(0);
    if constexpr (!paired) {
      for (int64_t r = r0; r < r0 + rows; r++) {
        int64_t row = source_row(r);
        for (int64_t s = 0; s < strips(a.cols); s++) {
          take(source, row, s * strip, *reinterpret_cast<T(*)[strip]>(p.x + s * block + r * strip));
        }
      }
    } else {
      for (int64_t r = r0; r < r0 + rows; r += 2) {
        bool odd = r + 1 == r0 + rows;
        int64_t row = source_row(r), next = odd ? 0 : source_row(r + 1);
        for (int64_t s = 0; s < strips(a.cols); s += 2) {
          T v[2][2][strip] = {};
          take(source, row, s * strip, v[0][0]);
          take(source, row, (s + 1) * strip, v[0][1]);
          if (!odd) {
            take(source, next, s * strip, v[1][0]);
            take(source, next, (s + 1) * strip, v[1][1]);
          }
          T* columns = reinterpret_cast<T*>(p.x + s / 2 * block + r * strip);
          T* above = reinterpret_cast<T*>(p.x_rows + s * p.row_block + r / 2 * strip);
          put_vector(columns, neighbours(load(v[0][0]), load(v[0][1])));
          if (!odd) put_vector(columns + strip, neighbours(load(v[1][0]), load(v[1][1])));
          put_vector(above, stacked(load(v[0][0]), load(v[1][0])));
          if ((s + 1) * strip < a.cols) {
            put_vector(above + p.row_block, stacked(load(v[0][1]), load(v[1][1])));
          }
        }
      }
    }
  }
};

}  // namespace
}  // namespace WEFT_ISA
}  // namespace weft
#endif  // WEFT_CPU_FUSED_INPUT_H
