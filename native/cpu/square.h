// SPDX-License-Identifier: Apache-2.0
//
// A square of as many rows as a register has lanes, transposed in registers.
#ifndef WEFT_CPU_SQUARE_H
#define WEFT_CPU_SQUARE_H

#include <string.h>

#include <utility>

#include "kernel.h"

namespace weft {
namespace WEFT_ISA {
namespace {

template <typename S>
class square {
  using lane = std::conditional_t<sizeof(S) == 2, uint16_t,
                                  std::conditional_t<sizeof(S) == 4, uint32_t, uint64_t>>;
  typedef lane row __attribute__((vector_size(register_bytes)));

 public:
  static constexpr int side = register_bytes / (int)sizeof(S);

  WEFT_MATH void get(int i, const S* from) { memcpy(&rows[i], from, sizeof(row)); }
  WEFT_MATH void put(int i, S* to) const { memcpy(to, &rows[i], sizeof(row)); }
  WEFT_MATH void transpose() { exchange<side / 2>(std::make_integer_sequence<int, side>()); }

 private:
  row rows[side];

  // Blocks of Half x Half off the diagonal change places, then those within each block.
  template <int Half, int... Lane>
  WEFT_MATH void exchange(std::integer_sequence<int, Lane...> lanes) {
#pragma GCC unroll 32
    for (int i = 0; i < side; i++) {
      if (i & Half) continue;
      row a = rows[i], b = rows[i + Half];
      rows[i] = __builtin_shufflevector(a, b, (Lane & Half ? side + Lane - Half : Lane)...);
      rows[i + Half] = __builtin_shufflevector(a, b, (Lane & Half ? side + Lane : Lane + Half)...);
    }
    if constexpr (Half > 1) exchange<Half / 2>(lanes);
  }
};

}  // namespace
}  // namespace WEFT_ISA
}  // namespace weft
#endif  // WEFT_CPU_SQUARE_H
