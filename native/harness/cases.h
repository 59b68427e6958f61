// SPDX-License-Identifier: Apache-2.0
//
// Kernel cases as they stand in a case file: what to launch over what memory, and what must come
// out. dev.weft.bench.harness.CaseFile writes them. Little-endian:
//
//   file     "WEFTCASE", u32 version, u32 blobs, u32 cases, u32 checksum of the 20 bytes before;
//            then the blobs, then the cases
//   blob     u32 bytes, u32 checksum, then u32 0 and a content of buffers, each only once; or u32 1
//            and how it is drawn: u32 type, u32 checksum of it, u64 bytes, u64 seed, f64 low, high
//   case     u32 bytes, u32 checksum, then text kernel, text label, f64 bytes, f64 flops, and
//            u32 launches: text symbol, u32 threads, u32 blocks, u32 slots: u32 buffer, u64 value
//            u32 buffers: text name, u32 type, u32 role, u64 bytes, u32 before, u32 after,
//                         f64 tolerance
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
  const std::string* before;  // null: poison
  const std::string* after;   // null: not looked at
  double tolerance;           // as a share of the number or of 1; see check.cpp
};

struct Case {
  std::string kernel, label;
  double bytes = 0, flops = 0;  // of the last launch, the one of the kernel
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
