// SPDX-License-Identifier: Apache-2.0
//
// Sums up to each entry of an axis.
#include "strips.h"

namespace weft {
namespace WEFT_ISA {
namespace {

// Columns that are added up side by side.
constexpr int64_t block = 128;

// Rows that are added up side by side where they are short: each addition waits for the one before
// it in its row.
constexpr int64_t rows_together = 8, short_row = 32;

template <bool Add, typename S>
void sum_short_rows(const S* x, S* y, int64_t rows, int64_t count, bool reverse) {
  using T = compute<S>;
  const int64_t step = reverse ? -1 : 1;
  T sums[rows_together] = {};
  for (int64_t k = 0, at = reverse ? count - 1 : 0; k < count; k++, at += step) {
    for (int64_t r = 0; r < rows; r++) {
      sums[r] += T(x[r * count + at]);
      put<Add>(y[r * count + at], sums[r]);
    }
  }
}

// A piece of a row, 64 bytes of T: as many on every instruction set, and so the order of its sums.
template <typename T, bool Reverse>
struct row_piece {
  static constexpr int width = lanes_of<T>, registers = 64 / register_bytes,
                       length = 64 / sizeof(T);
  vector<T> part[registers];

  template <typename S>
  WEFT_MATH void get(const S* x) {
#pragma GCC unroll 4
    for (int k = 0; k < registers; k++) part[k] = load(x + k * width);
  }

  // Each entry becomes the sum of those up to it: of 2, then of 4, and so on.
  template <int Step = 1>
  WEFT_MATH void sum_up() {
    if constexpr (Step < length) {
#pragma GCC unroll 4
      for (int n = 0; n < registers; n++) {
        // the last one first: it wants the others as they were
        const int k = Reverse ? n : registers - 1 - n, from = Reverse ? k + 1 : k - 1;
        const vector<T> other = from < 0 || from == registers ? vector<T>{} : part[from];
        if constexpr (Step < width) {
          part[k] += moved<Step>(part[k], other, std::make_integer_sequence<int, width>());
        } else {
          const int far = Reverse ? k + Step / width : k - Step / width;
          if (far >= 0 && far < registers) part[k] += part[far];
        }
      }
      sum_up<2 * Step>();
    }
  }

  WEFT_MATH T all() const { return Reverse ? part[0][0] : part[registers - 1][width - 1]; }

  template <bool Add, typename S>
  WEFT_MATH void put(S* y, T before) const {
#pragma GCC unroll 4
    for (int k = 0; k < registers; k++) {
      vector<T> v = part[k] + before;
      if constexpr (Add) v += load(y + k * width);
      store(y + k * width, v);
    }
  }

 private:
  // Lane i is lane i - Step, in reverse i + Step, of `own`, which `other` continues.
  template <int Step, int... Lane>
  static WEFT_MATH vector<T> moved(vector<T> own, vector<T> other,
                                   std::integer_sequence<int, Lane...>) {
    if constexpr (Reverse) return __builtin_shufflevector(own, other, (Lane + Step)...);
    else return __builtin_shufflevector(other, own, (width + Lane - Step)...);
  }
};

template <bool Add, bool Reverse, typename S>
void sum_row(const S* x, S* y, int64_t count) {
  using T = compute<S>;
  using piece = row_piece<T, Reverse>;
  T before = T(0);
  const int64_t whole = count / piece::length, rest = count % piece::length;
  for (int64_t n = 0; n < whole; n++) {
    const int64_t at = Reverse ? count - (n + 1) * piece::length : n * piece::length;
    piece sums;
    sums.get(x + at);
    sums.sum_up();
    sums.template put<Add>(y + at, before);
    before += sums.all();
  }
  if (rest == 0) return;
  // the end of the row's way, in a piece whose other entries are 0 and come last
  const int64_t at = Reverse ? 0 : count - rest, first = Reverse ? piece::length - rest : 0;
  T in[piece::length] = {}, out[piece::length];
  for (int64_t k = 0; k < rest; k++) in[first + k] = T(x[at + k]);
  piece sums;
  sums.get(in);
  sums.sum_up();
  sums.template put<false>(out, before);
  for (int64_t k = 0; k < rest; k++) weft::WEFT_ISA::put<Add>(y[at + k], out[first + k]);
}

template <typename S>
void cumulative_sum_of_rows(const weft_cumulative_sum& a) {
  const S* x = as<S>(a.x);
  S* y = as<S>(a.y);
  const int64_t rows = a.outer, count = a.count;
  choose_flag(a.accumulate, [&](auto accumulate) {
    choose_flag(a.reverse, [&](auto reverse) {
      constexpr bool add = accumulate, back = reverse;
      if (count > short_row) {
        return parallel_units(rows, 2 * count, [=](int64_t begin, int64_t end) {
          // backwards over rows, too: memory is fast where it is read in one direction
          for (int64_t n = begin; n < end; n++) {
            const int64_t row = (back ? begin + end - 1 - n : n) * count;
            sum_row<add, back>(x + row, y + row, count);
          }
        });
      }
      const int64_t groups = (rows + rows_together - 1) / rows_together;
      parallel_units(groups, 8 * rows_together * count, [=](int64_t begin, int64_t end) {
        for (int64_t row = begin * rows_together; row < smaller(rows, end * rows_together);
             row += rows_together) {
          const S* from = x + row * count;
          S* to = y + row * count;
          if (row + rows_together <= rows) {
            sum_short_rows<add>(from, to, rows_together, count, back);
          } else {
            sum_short_rows<add>(from, to, rows - row, count, back);
          }
        }
      });
    });
  });
}

template <typename S>
void cumulative_sum(const weft_cumulative_sum& a) {
  using T = compute<S>;
  if (a.outer * a.count * a.inner == 0) return;
  if (a.inner == 1) return cumulative_sum_of_rows<S>(a);
  const int64_t blocks = (a.inner + block - 1) / block;
  const int64_t cost = a.count * smaller(a.inner, block);
  choose_flag(a.accumulate, [&](auto accumulate) {
    constexpr bool add = accumulate;
    parallel_units(a.outer * blocks, cost, [=](int64_t begin, int64_t end) {
      for (int64_t unit = begin; unit < end; unit++) {
        const int64_t c0 = unit % blocks * block, width = smaller(block, a.inner - c0);
        const int64_t first = unit / blocks * a.count * a.inner + c0;
        T sums[block] = {};
        for (int64_t k = 0; k < a.count; k++) {
          const int64_t at = first + (a.reverse ? a.count - 1 - k : k) * a.inner;
          const S* x = as<S>(a.x) + at;
          S* y = as<S>(a.y) + at;
#pragma omp simd
          for (int64_t c = 0; c < width; c++) {
            sums[c] += T(x[c]);
            put<add>(y[c], sums[c]);
          }
        }
      }
    });
  });
}

}  // namespace

WEFT_DEFINE_TYPED(cumulative_sum, cumulative_sum)

}  // namespace WEFT_ISA
}  // namespace weft
