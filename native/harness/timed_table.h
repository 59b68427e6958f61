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

// The kinds of a struct's fields: "PAI"; A: a pointer to what may be added to, one operation each.
#define WEFT_KIND_IN "P"
#define WEFT_KIND_OUT "P"
#define WEFT_KIND_INOUT "P"
#define WEFT_KIND_ADD(condition) "A"
#define WEFT_KIND_P(name, access, ...) WEFT_KIND_##access
#define WEFT_KIND_I(name, ...) "I"
#define WEFT_KIND_D(name) "D"
template <typename Arguments>
const char* kinds();
#define WEFT_KINDS(name, FIELDS)                              \
  template <>                                                 \
  inline const char* kinds<weft_##name>() {                          \
    return FIELDS(WEFT_KIND_P, WEFT_KIND_I, WEFT_KIND_D, WEFT_NOTHING) "";  \
  }
WEFT_STRUCTS(WEFT_KINDS)
#undef WEFT_KINDS

// Collects the operands of the next case and the cases. An operand stands in an argument struct as
// its place plus one, so that 0 stays the null pointer.
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

  void* in(const char* name, int64_t n) { return in(name, n, type_); }
  void* in(const char* name, int64_t n, Type type) {
    return add({name, type, Role::INPUT, Fill::SIGNED, n, 0});
  }
  void* positive(const char* name, int64_t n) {
    return add({name, type_, Role::INPUT, Fill::POSITIVE, n, 0});
  }
  void* out(const char* name, int64_t n) { return out(name, n, type_); }
  void* out(const char* name, int64_t n, Type type) {
    return add({name, type, Role::OUTPUT, Fill::POISON, n, 0});
  }
  void* inout(const char* name, int64_t n) {
    return add({name, type_, Role::INOUT, Fill::POSITIVE, n, 0});
  }
  void* wide_in(const char* name, int64_t n) { return in(name, n, wide_); }
  void* wide_out(const char* name, int64_t n) { return out(name, n, wide_); }
  // The sums of a matrix's columns over each of its parts.
  void* sums(const char* name, int64_t parts, int64_t n) {
    void* place = wide_out(name, parts * n);
    set_period(period_ / length_ * n, rows_ / length_ * n);  // the last part may be shorter
    return place;
  }
  // (cols, rows)
  void* transposed_out(const char* name, int64_t n) {
    void* place = out(name, n);
    set_period(period_, rows_);
    operands_.back().lines = cols_;
    return place;
  }
  // Each number follows from its place, so that none repeats.
  void* random_out(const char* name, int64_t n) {
    void* place = out(name, n);
    set_period(0, 0);
    return place;
  }
  void* wide_inout(const char* name, int64_t n) {
    return add({name, wide_, Role::INOUT, Fill::SIGNED, n, 0});
  }
  void* labels(int64_t n, int64_t bound) {
    return add({"labels", Type::I32, Role::INPUT, Fill::LABELS, n, bound});
  }
  void* order(int64_t n) { return add({"index", Type::I32, Role::INPUT, Fill::ORDER, n, 0}); }
  void* state() {
    void* place = add({"state", Type::I64, Role::SCRATCH, Fill::STATE, 4, 0});
    set_period(0, 0);  // also where there are four rows
    return place;
  }
  void* add(Operand operand) {
    operands_.push_back(operand);
    int64_t n = operand.count;
    if (n == rows_ * cols_) {
      set_period(period_ * cols_, n);
    } else if (n == rows_) {
      set_period(period_, n);
    }
    return reinterpret_cast<void*>(operands_.size());
  }

  // A call of a typed kernel over the operands since the one before.
  template <typename Arguments>
  void call(const char* kernel, const std::string& variant, const Arguments& arguments) {
    untyped(kernel + suffix_, variant, arguments);
  }

  template <typename Arguments>
  void untyped(const std::string& symbol, const std::string& variant, const Arguments& arguments) {
    TimedCase one{symbol, variant, {symbol, 0, 0, {}}, std::move(operands_), arguments.flops(),
                  false};
    operands_.clear();
    for (const Kernel& kernel : kernels()) {
      if (kernel.symbol != symbol) continue;
      one.launch.threads = kernel.threads;
      one.launch.blocks = (unsigned)weft_ceil_div(arguments.work(), kernel.items);
    }
    uint64_t words[sizeof arguments / 8];
    memcpy(words, &arguments, sizeof arguments);
    for (size_t i = 0; i < sizeof arguments / 8; i++) {
      char kind = kinds<Arguments>()[i];
      bool points = (kind == 'P' || kind == 'A') && words[i] != 0;
      uint32_t place = points ? (uint32_t)words[i] - 1 : NONE;
      one.launch.slots.push_back({place, points ? 0 : words[i]});
      if (kind == 'A' && points && one.operands[place].role == Role::INOUT)
        one.flops += (double)one.operands[place].count;
    }
    cases.push_back(std::move(one));
  }

  std::vector<TimedCase> cases;

 private:
  void set_period(int64_t period, int64_t repeated) {
    operands_.back().period = period;
    operands_.back().repeated = repeated;
  }

  std::string suffix_;
  Type type_, wide_;
  int64_t elements_;
  int64_t rows_ = 0, cols_ = 0, length_ = 1, period_ = 0;  // see repeat
  std::vector<Operand> operands_;
};

}  // namespace weft::harness
#endif  // WEFT_HARNESS_TIMED_TABLE_H
