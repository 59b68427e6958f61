// SPDX-License-Identifier: Apache-2.0
//
// Kernel cases as they stand in a case file: what to launch over what memory, and what must come
// out; or what to time over large operands, which are told by a rule and made here.
// dev.weft.bench.harness.CaseFile writes them. Little-endian:
//
//   file     "WEFTCASE", u32 version, u32 blobs, u32 cases, u32 checksum of the 20 bytes before;
//            then the blobs, then the cases
//   blob     u32 bytes, u32 checksum, then u32 0 and a content of buffers, each only once; or u32 1
//            and how it is drawn: u32 type, u32 checksum of it, u64 bytes, u64 seed, f64 low, high
//   case     u32 bytes, u32 checksum, then text kernel, text label, u32 type, f64 bytes, f64 flops,
//            u32 timed, f64 size, and
//            u32 launches: text symbol, u32 threads, u32 blocks, u32 slots: u32 buffer, u64 value
//            u32 buffers: text name, u32 type, u32 role, u64 bytes, and then
//              where size is 0: u32 before, u32 after, f64 tolerance
//              else: u32 fill, u64 bound, u64 period, u64 repeated, u64 lines
//   text     u32 bytes, UTF-8
//
// A slot is eight bytes of an argument struct: a value, or the address of a buffer; buffer, before
// and after are 0xffffffff where there is none. Checksums are CRC-32 (that of zip) of all that
// follows them in the blob or case.
#ifndef WEFT_HARNESS_CASES_H
#define WEFT_HARNESS_CASES_H

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace weft::harness {

enum class Type : uint32_t { F32, F64, BF16, I32, I64, U8 };
size_t size_of(Type type);

enum class Role : uint32_t {
  INPUT,    // before; must not change
  OUTPUT,   // poison before: nobody may read it
  INOUT,    // before and after
  SCRATCH,  // poison before, and whatever after: what it held is seen in a later launch's output
};

constexpr uint32_t NONE = 0xffffffff;

// Where a case is timed: never, over sets of operands in turn, in a graph.
enum class Timed : uint32_t { NOT, IN_MEMORY, IN_CACHE };

// What an operand that is made here holds before it is worked on.
enum class Fill : uint32_t {
  POISON,
  SIGNED,    // numbers in [-1, 1)
  POSITIVE,  // numbers in [0.1, 1)
  BYTES,     // any
  LABELS,    // int32, less than bound
  ORDER,     // int32, every number less than the count once, by period the same ones modulo it
  STATE,     // a weft_step_state
};

// NaN in every type of floating-point numbers, and an integer that no kernel writes.
constexpr uint16_t POISON = 0xfff5;

struct Slot {
  uint32_t buffer;  // NONE: the value
  uint64_t value;
};

struct Launch {
  std::string symbol;
  unsigned threads, blocks;
  std::vector<Slot> slots;
};

struct Buffer {
  std::string name;
  Type type;
  Role role;
  uint64_t bytes;
  const std::string* before = nullptr;  // null: poison
  const std::string* after = nullptr;   // null: not looked at
  double tolerance = 0;                 // as a share of the number or of 1; see check.cpp
  Fill fill = Fill::POISON;
  int64_t bound = 0;
  // It is so many lines, of each of which so many elements repeat with a period: what it holds
  // before, and an output where the call is right. 0: it does not repeat.
  int64_t period = 0, repeated = 0, lines = 1;

  int64_t count() const { return (int64_t)(bytes / size_of(type)); }
  bool is_written() const { return role == Role::OUTPUT || role == Role::INOUT; }
  // How often the first period must come again in what is written.
  int64_t repeats() const {
    return is_written() && period ? (repeated + period - 1) / period - 1 : 0;
  }
};

struct Case {
  std::string kernel, label;
  Type type = Type::F32;        // that the kernel computes in
  double bytes = 0, flops = 0;  // of the last launch, the one of the kernel
  Timed timed = Timed::NOT;
  double size = 0;  // bytes of an operand, about, where they are made here; 0: it is replayed
  std::vector<Launch> launches;
  std::vector<Buffer> buffers;
  std::string damage;  // why it cannot be trusted, else empty
};

struct CaseFile {
  std::vector<Case> cases;
  std::string damage;  // of the file, where a part could not even be named
  std::vector<std::unique_ptr<std::string>> blobs;
};

// Reads a file whole. Throws std::runtime_error where it cannot.
std::string read_file(const std::string& path);

// What can be read of it; the rest is told as damage.
CaseFile read_cases(const std::string& content);

}  // namespace weft::harness
#endif  // WEFT_HARNESS_CASES_H
