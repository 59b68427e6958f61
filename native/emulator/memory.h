// SPDX-License-Identifier: Apache-2.0
//
// Device memory: one reserved range of addresses, with pages opened for an allocation alone and
// closed when it is freed. What lies around an allocation cannot be touched.
#ifndef WEFT_EMULATOR_MEMORY_H
#define WEFT_EMULATOR_MEMORY_H

#include <stdint.h>

#include <map>
#include <string>
#include <vector>

#include "accesses.h"
#include "driver_api.h"

namespace weft::emulator {

struct Allocation {
  CUdeviceptr start;
  uint64_t bytes;
  CUdeviceptr pages;  // where its pages start, and how many bytes they have without the guard page
  uint64_t span;
  CUcontext owner;
  Shadow* shadow;  // null where accesses were not looked at when it was made
};

class Memory {
 public:
  // exact: the allocation ends (up to 15 bytes) where its last page ends, so that reading past its
  // end faults, and is aligned to 16 bytes; otherwise aligned to 256 as CUDA promises.
  CUresult allocate(uint64_t bytes, bool exact, CUcontext owner, CUdeviceptr* address);

  // Finds what was written around the allocation too.
  CUresult free(CUdeviceptr address);

  // Frees what a context owned; returns how many allocations and bytes these were.
  void free_all(CUcontext owner, int64_t* allocations, int64_t* bytes);

  // The allocation that holds address (or ends there), or null.
  const Allocation* find(CUdeviceptr address) const;

  // 0, or an error with a sentence: [address, address + bytes) must lie in one live allocation.
  CUresult check(const char* what, CUdeviceptr address, uint64_t bytes) const;

  // Keeps in mind that these bytes were written, not by a kernel.
  void note_written(CUdeviceptr address, uint64_t bytes);

  // 0, or an error with a sentence: all of these bytes must have been written by somebody.
  CUresult check_written(const char* what, CUdeviceptr address, uint64_t bytes) const;

  // ": 4 bytes past the end of the allocation of 400 bytes at 0x...", for a message.
  std::string describe(CUdeviceptr address) const;

  bool holds(CUdeviceptr address) const { return address >= base_ && address < base_ + SIZE; }
  int64_t live_bytes() const { return live_bytes_; }
  int64_t live_allocations() const { return (int64_t)live_.size(); }
  uint64_t total = uint64_t{8} << 30;

 private:
  static constexpr uint64_t SIZE = uint64_t{1} << 38, PAGE = 4096;
  static constexpr size_t REMEMBERED = 4096;

  CUresult reserve();
  CUdeviceptr find_gap(uint64_t bytes);
  bool slack_intact(const Allocation& allocation) const;
  void close(const Allocation& allocation);

  CUdeviceptr base_ = 0, cursor_ = 0;
  std::map<CUdeviceptr, Allocation> live_;  // by pages
  std::vector<Allocation> freed_;           // the last of them, for messages
  size_t next_freed_ = 0;
  int64_t live_bytes_ = 0;
};

Memory& memory();

// Memory::describe for the fault handler; the text stays until the next call.
const char* describe_address(CUdeviceptr address);

}  // namespace weft::emulator
#endif  // WEFT_EMULATOR_MEMORY_H
