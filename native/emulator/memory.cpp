// SPDX-License-Identifier: Apache-2.0
#include "memory.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "driver.h"

namespace weft::emulator {

// Fresh memory and the slack around an allocation: NaN as float and as double.
constexpr unsigned char FRESH = 0xff;

Memory& memory() {
  static Memory* memory = new Memory;  // outlives every thread
  return *memory;
}

CUresult Memory::reserve() {
  if (base_) return CUDA_SUCCESS;
  void* range = mmap(nullptr, SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (range == MAP_FAILED)
    return fail(CUDA_ERROR_OUT_OF_MEMORY, "no address range for device memory");
  base_ = cursor_ = (CUdeviceptr)range;
  return CUDA_SUCCESS;
}

// Addresses are used again only when the whole range has been gone through, so that a stale pointer
// meets closed pages for as long as possible.
CUdeviceptr Memory::find_gap(uint64_t bytes) {
  for (int round = 0; round < 2; round++) {
    auto next = live_.lower_bound(cursor_);
    for (;;) {
      CUdeviceptr limit = next == live_.end() ? base_ + SIZE : next->first;
      if (cursor_ + bytes <= limit) {
        CUdeviceptr found = cursor_;
        cursor_ += bytes;
        return found;
      }
      if (next == live_.end()) break;
      cursor_ = next->second.pages + next->second.span + PAGE;
      ++next;
    }
    cursor_ = base_;
  }
  return 0;
}

CUresult Memory::allocate(uint64_t bytes, bool exact, CUcontext owner, CUdeviceptr* address) {
  if (bytes == 0) return fail(CUDA_ERROR_INVALID_VALUE, "an allocation of 0 bytes");
  if (bytes > total || live_bytes_ > (int64_t)(total - bytes)) {
    return fail(CUDA_ERROR_OUT_OF_MEMORY, "%llu bytes asked for, %lld of %llu live",
                (unsigned long long)bytes, (long long)live_bytes_, (unsigned long long)total);
  }
  if (CUresult result = reserve()) return result;
  uint64_t span = (bytes + PAGE - 1) / PAGE * PAGE;
  CUdeviceptr pages = find_gap(span + PAGE);
  if (!pages || mprotect((void*)pages, span, PROT_READ | PROT_WRITE) != 0) {
    return fail(CUDA_ERROR_OUT_OF_MEMORY, "the host has no memory for %llu bytes",
                (unsigned long long)bytes);
  }
  memset((void*)pages, FRESH, span);
  CUdeviceptr start = exact ? (pages + span - bytes) & ~CUdeviceptr{15} : pages;
  Shadow* shadow = controls.checked ? new Shadow(bytes) : nullptr;
  live_[pages] = {start, bytes, pages, span, owner, shadow};
  live_bytes_ += (int64_t)bytes;
  *address = start;
  return CUDA_SUCCESS;
}

bool Memory::slack_intact(const Allocation& a) const {
  auto untouched = [](CUdeviceptr from, CUdeviceptr to) {
    for (auto* p = (const unsigned char*)from; p < (const unsigned char*)to; p++)
      if (*p != FRESH) return false;
    return true;
  };
  return untouched(a.pages, a.start) && untouched(a.start + a.bytes, a.pages + a.span);
}

void Memory::close(const Allocation& allocation) {
  madvise((void*)allocation.pages, allocation.span, MADV_DONTNEED);
  mprotect((void*)allocation.pages, allocation.span, PROT_NONE);
  live_bytes_ -= (int64_t)allocation.bytes;
  delete allocation.shadow;
  if (freed_.size() < REMEMBERED) {
    freed_.push_back(allocation);
  } else {
    freed_[next_freed_++ % REMEMBERED] = allocation;
  }
}

CUresult Memory::free(CUdeviceptr address) {
  const Allocation* found = find(address);
  if (!found || found->start != address) {
    return fail(CUDA_ERROR_INVALID_VALUE, "free of %#llx, which is not an allocation%s", address,
                describe(address).c_str());
  }
  Allocation allocation = *found;
  bool intact = slack_intact(allocation);
  close(allocation);
  live_.erase(allocation.pages);
  if (intact) return CUDA_SUCCESS;
  return report(CUDA_ERROR_ILLEGAL_ADDRESS,
                "something was written just outside the allocation of %llu bytes at %#llx",
                (unsigned long long)allocation.bytes, allocation.start);
}

void Memory::free_all(CUcontext owner, int64_t* allocations, int64_t* bytes) {
  for (auto i = live_.begin(); i != live_.end();) {
    if (i->second.owner != owner) {
      ++i;
      continue;
    }
    ++*allocations;
    *bytes += (int64_t)i->second.bytes;
    close(i->second);
    i = live_.erase(i);
  }
}

const Allocation* Memory::find(CUdeviceptr address) const {
  auto after = live_.upper_bound(address);
  if (after == live_.begin()) return nullptr;
  const Allocation& a = std::prev(after)->second;
  return address >= a.start && address <= a.start + a.bytes ? &a : nullptr;
}

CUresult Memory::check(const char* what, CUdeviceptr address, uint64_t bytes) const {
  const Allocation* found = find(address);
  if (!found) {
    return fail(CUDA_ERROR_INVALID_VALUE, "%s: %#llx is not device memory%s", what, address,
                describe(address).c_str());
  }
  uint64_t left = found->start + found->bytes - address;
  if (bytes <= left) return CUDA_SUCCESS;
  return fail(CUDA_ERROR_INVALID_VALUE,
              "%s: %llu bytes at %#llx, but the allocation of %llu bytes at %#llx has %llu there",
              what, (unsigned long long)bytes, address, (unsigned long long)found->bytes,
              found->start, (unsigned long long)left);
}

void Memory::note_written(CUdeviceptr address, uint64_t bytes) {
  const Allocation* a = find(address);
  if (a && a->shadow) memset(a->shadow->written + (address - a->start), 1, bytes);
}

CUresult Memory::check_written(const char* what, CUdeviceptr address, uint64_t bytes) const {
  const Allocation* a = find(address);
  if (!a || !a->shadow) return CUDA_SUCCESS;
  uint64_t offset = address - a->start;
  auto* gap = (const uint8_t*)memchr(a->shadow->written + offset, 0, bytes);
  if (!gap) return CUDA_SUCCESS;
  return report(
      CUDA_ERROR_ILLEGAL_ADDRESS,
      "%s reads byte %llu of the allocation of %llu bytes at %#llx, which nobody has written", what,
      (unsigned long long)(gap - a->shadow->written), (unsigned long long)a->bytes, a->start);
}

std::string Memory::describe(CUdeviceptr address) const {
  char text[160];
  auto say = [&](const Allocation& a, const char* state) {
    bool past = address >= a.start + a.bytes, before = address < a.start;
    uint64_t distance = past     ? address - a.start - a.bytes
                        : before ? a.start - address
                                 : address - a.start;
    snprintf(text, sizeof text, ": %llu bytes %s the %s allocation of %llu bytes at %#llx",
             (unsigned long long)distance,
             past     ? "past the end of"
             : before ? "before"
                      : "into",
             state, (unsigned long long)a.bytes, a.start);
    return std::string(text);
  };
  auto near = [&](const Allocation& a) {
    return address + PAGE >= a.pages && address < a.pages + a.span + PAGE;
  };
  if (!holds(address)) return ", outside device memory";
  for (size_t i = freed_.size();
       i-- > 0;) {  // the newest first as long as the list has not wrapped
    const Allocation& a = freed_[i];
    if (address >= a.start && address < a.start + a.bytes && !find(address)) return say(a, "freed");
  }
  auto after = live_.upper_bound(address);
  if (after != live_.begin()) return say(std::prev(after)->second, "live");
  if (after != live_.end() && near(after->second)) return say(after->second, "live");
  return ", where nothing was allocated";
}

const char* describe_address(CUdeviceptr address) {
  static std::string text;
  text = memory().describe(address);
  return text.c_str();
}

}  // namespace weft::emulator
