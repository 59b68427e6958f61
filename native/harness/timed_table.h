// SPDX-License-Identifier: Apache-2.0
//
// What a table of timed cases is written with: operands by name, then the call over them.
#ifndef WEFT_HARNESS_TIMED_TABLE_H
#define WEFT_HARNESS_TIMED_TABLE_H

#include <algorithm>
#include <cmath>
#include <cstring>

#include "contract.h"
#include "timed_cases.h"

namespace weft::harness {

// The words of native/abi/contract.h for a pointer, as functions and values.
struct Words {
  enum Access { IN, OUT, INOUT, ADDED };
  enum Element { T, WIDE, F32, BF16, INT32, UINT8, STATE, LAYER, OPAQUE };
  enum Option { NULLABLE, AT_CURSOR };
  struct Below {
    int64_t end;
  };
  struct Pointer {
    const char* name;
    bool there;
    Access access;
    Element element;
    int64_t extent, below = 0;
  };

  static Access ADD(int64_t holds) { return holds ? ADDED : OUT; }
  static Below BELOW(int64_t end) { return {end}; }
  static Option MAY_BE(const void*) { return NULLABLE; }
  static Option MOVES(int64_t) { return NULLABLE; }
  static void set(Pointer&, Option) {}
  static void set(Pointer& pointer, Below below) { pointer.below = below.end; }

  template <typename... Options>
  static Pointer told(const char* name, const void* place, Access access, Element element,
                      int64_t extent, Options... options) {
    Pointer pointer{name, place != nullptr, access, element, extent};
    (set(pointer, options), ...);
    return pointer;
  }
};

// pointers(arguments): what the contract says of them, in their order.
#define WEFT_TELL_P(name, ...) told(#name, name, __VA_ARGS__),
#define WEFT_TELL(name, FIELDS)                                                    \
  inline std::vector<Words::Pointer> pointers(const weft_##name& arguments) {      \
    struct Told : weft_##name, Words {                                             \
      std::vector<Pointer> all() const {                                           \
        return {FIELDS(WEFT_TELL_P, WEFT_NOTHING, WEFT_NOTHING, WEFT_NOTHING)};    \
      }                                                                            \
    };                                                                             \
    return Told{arguments, {}}.all();                                              \
  }
WEFT_STRUCTS(WEFT_TELL)
#undef WEFT_TELL
#undef WEFT_TELL_P

// Collects cases. Operands are as the contract says, for kernels of a type; floats that are read are
// of any sign, but for those that are written, too.
class Table {
 public:
  Table(const std::string& suffix, double operand_bytes) : suffix_("_" + suffix) {
    type_ = suffix == "f64" ? Type::F64 : suffix == "bf16" ? Type::BF16 : Type::F32;
    wide_ = type_ == Type::F64 ? Type::F64 : Type::F32;
    elements_ = std::max<int64_t>(1, std::llround(operand_bytes / (double)size_of(type_)));
  }

  // The operands that follow are matrices (rows, cols) or have a number for each row; a call works
  // on each row alike, so what it writes repeats as its operands do. parts: into how many it sums
  // the rows up, 0 where it does not; a period then is a number of whole parts.
  void repeat(int64_t rows, int64_t cols, int64_t parts = 0) {
    rows_ = rows;
    cols_ = cols;
    parts_ = parts;
    length_ = parts ? (rows + parts - 1) / parts : 1;
    int64_t bytes = length_ * cols * (int64_t)size_of(type_);
    int64_t most = std::min((int64_t)BLOCK_BYTES / bytes, rows / length_ / 4);
    period_ = length_;
    while (period_ * 2 <= most * length_) period_ *= 2;  // so rows that repeat are aligned alike
  }

  // A matrix of so many columns has so many rows.
  int64_t rows(int64_t cols) const { return std::max<int64_t>(1, elements_ / cols); }
  bool is_wide() const { return type_ == wide_; }
  bool is_f32() const { return type_ == Type::F32; }

  // A call of a typed kernel; of its arguments' pointers those are there that are not null.
  template <typename Arguments>
  TimedCase& call(const char* kernel, const std::string& variant, const Arguments& arguments) {
    return untyped(kernel + suffix_, variant, arguments);
  }

  template <typename Arguments>
  TimedCase& untyped(const std::string& symbol, const std::string& variant,
                     const Arguments& arguments) {
    TimedCase one{symbol, variant, {symbol, 0, 0, {}}, {}, arguments.flops(), false};
    for (const Kernel& kernel : kernels()) {
      if (kernel.symbol != symbol) continue;
      one.launch.threads = kernel.threads;
      one.launch.blocks = (unsigned)weft_ceil_div(arguments.work(), kernel.items);
    }
    uint64_t words[sizeof arguments / 8];
    memcpy(words, &arguments, sizeof arguments);
    for (uint64_t word : words) one.launch.slots.push_back({NONE, word});
    Slot* slot = one.launch.slots.data();  // pointers stand before numbers
    for (const Words::Pointer& pointer : pointers(arguments)) {
      if (pointer.there) *slot = {(uint32_t)one.operands.size(), 0};
      slot++;
      if (!pointer.there) continue;
      one.operands.push_back(operand(pointer));
      if (pointer.access == Words::ADDED) one.flops += (double)pointer.extent;
    }
    cases.push_back(std::move(one));
    return cases.back();
  }

  std::vector<TimedCase> cases;

 private:
  Operand operand(const Words::Pointer& pointer) const {
    const Type types[] = {type_,    wide_,     Type::F32, Type::BF16, Type::I32,
                          Type::U8, Type::I64, Type::I64, type_};
    Operand made{pointer.name,   types[pointer.element], Role::INOUT,
                 Fill::POSITIVE, pointer.extent,         pointer.below ? pointer.below : 10};
    int64_t n = made.count;
    if (pointer.element == Words::STATE) {
      made.role = Role::SCRATCH;
      made.fill = Fill::STATE;
      made.count = 4;
      return made;
    } else if (pointer.access == Words::OUT) {
      made.role = Role::OUTPUT;
      made.fill = Fill::POISON;
    } else if (pointer.access == Words::IN) {
      made.role = Role::INPUT;
      made.fill = pointer.element != Words::INT32 ? Fill::SIGNED
                  : made.name == "index"          ? Fill::ORDER
                                                  : Fill::LABELS;
    }
    if (parts_ && made.is_written() && n == parts_ * cols_) {
      made.period = period_ / length_ * cols_;
      made.repeated = rows_ / length_ * cols_;  // the last part may be shorter
    } else if (n == rows_ * cols_) {
      made.period = period_ * cols_;
      made.repeated = n;
    } else if (n == rows_) {
      made.period = period_;
      made.repeated = n;
    }
    return made;
  }

  std::string suffix_;
  Type type_, wide_;
  int64_t elements_;
  int64_t rows_ = 0, cols_ = 0, parts_ = 0, length_ = 1, period_ = 0;  // see repeat
};

}  // namespace weft::harness
#endif  // WEFT_HARNESS_TIMED_TABLE_H
