// SPDX-License-Identifier: Apache-2.0
#include "accesses.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <string>

#include "checked.h"
#include "driver.h"
#include "execution.h"
#include "memory.h"

namespace weft::emulator {

Intervals intervals;
std::vector<Race> races;

Shadow::Shadow(uint64_t bytes)
    : pairs((TouchedPair*)calloc(bytes / 2 + 1, sizeof(TouchedPair))),
      written((uint8_t*)calloc(bytes, 1)) {
  if (!pairs || !written) {
    perror("weft emulator: no memory to keep an account of accesses");
    abort();
  }
}

Shadow::~Shadow() {
  free(pairs);
  free(written);
}

namespace {

// Shared memory is cleared by nobody: what a block before wrote is told from its interval.
struct {
  uintptr_t begin = 0, end = 0;
  TouchedPair* pairs = nullptr;
} shared;

const Kernel* (*checked_kernels)(const char* name);

// When a touch happened, as the running thread sees it.
enum class When { ORDERED, OTHER_BLOCK, SAME_INTERVAL };

When when(const Touch& touch, const Touch& mine) {
  if (touch.interval < intervals.launch) return When::ORDERED;
  if (touch.interval < intervals.block) return When::OTHER_BLOCK;
  if (touch.interval < intervals.now || touch.thread == mine.thread) return When::ORDERED;
  bool met = touch.thread / 32 == mine.thread / 32 && touch.step < mine.step;
  return met ? When::ORDERED : When::SAME_INTERVAL;
}

bool conflicts(const Touch& touch, const Touch& mine) {
  return (touch.bytes & mine.bytes) && !(touch.atomic && mine.atomic) &&
         when(touch, mine) != When::ORDERED;
}

struct Place {
  uintptr_t address;
  unsigned bytes;
  Access access;
  const void* pc;
  bool is_shared;
};

// Where in the code of the kernels: "libweft_checked_kernels.so+0x1234", for addr2line.
const char* place_of(const void* pc) {
  static char text[300];
  Dl_info info;
  if (!dladdr(pc, &info)) return "an unknown place";
  const char* slash = strrchr(info.dli_fname, '/');
  snprintf(text, sizeof text, "%s+%#lx", slash ? slash + 1 : info.dli_fname,
           (unsigned long)((uintptr_t)pc - (uintptr_t)info.dli_fbase));
  return text;
}

const char* name_of(Access access) {
  return access == Access::READ    ? "reads"
         : access == Access::WRITE ? "writes"
                                   : "atomically changes";
}

[[noreturn]] void fail_race(const Place& at, const Touch& touch, const Touch& mine, bool wrote) {
  char who[80];
  if (when(touch, mine) == When::OTHER_BLOCK) {
    snprintf(who, sizeof who, "another block of this launch");
  } else {
    snprintf(who, sizeof who, "thread %u of this block", (unsigned)touch.thread);
  }
  fail_kernel(CUDA_ERROR_LAUNCH_FAILED, "race: %s %u bytes at %#lx (%s), which %s %s%s; at %s",
              name_of(at.access), at.bytes, (unsigned long)at.address,
              at.is_shared ? "shared" : "global", who, wrote ? "writes" : "reads",
              when(touch, mine) == When::OTHER_BLOCK ? "" : " with no barrier between",
              place_of(at.pc));
}

[[noreturn]] void fail_unwritten(const Place& at) {
  fail_kernel(CUDA_ERROR_LAUNCH_FAILED, "%s %u bytes at %#lx (%s) that nobody has written%s; at %s",
              name_of(at.access), at.bytes, (unsigned long)at.address,
              at.is_shared ? "shared" : "global", at.is_shared ? " in this block" : "",
              place_of(at.pc));
}

void keep_reader(TouchedPair& pair, const Touch& mine) {
  Touch& last = pair.reader;
  bool same = last.interval == mine.interval && last.thread == mine.thread;
  if (same && last.step == mine.step) {
    last.bytes |= mine.bytes;
    return;
  }
  // of those that a later write could meet, a reader of another block is kept longest
  if (!same && when(last, mine) != When::ORDERED &&
      when(pair.other_reader, mine) != When::OTHER_BLOCK) {
    pair.other_reader = last;
  }
  last = mine;
}

void touch(TouchedPair& pair, const Touch& mine, const Place& at) {
  if (conflicts(pair.writer, mine)) fail_race(at, pair.writer, mine, true);
  if (at.access == Access::READ) {
    keep_reader(pair, mine);
    return;
  }
  for (const Touch& reader : {pair.reader, pair.other_reader})
    if (conflicts(reader, mine)) fail_race(at, reader, mine, false);
  Touch& last = pair.writer;
  uint64_t before = last.interval == mine.interval && last.thread == mine.thread ? last.bytes : 0;
  last = mine;
  last.bytes |= before;
}

// The halves of each pair of bytes in [offset, offset + bytes).
template <typename Visit>
void each_pair(uint64_t offset, unsigned bytes, Visit visit) {
  for (uint64_t i = offset; i < offset + bytes;) {
    unsigned half = i % 2, width = half || i + 1 == offset + bytes ? 1 : 2;
    visit(i / 2, width == 2 ? 3u : 1u << half);
    i += width;
  }
}

void look_at_shared(const Place& at, Touch mine) {
  each_pair(at.address - shared.begin, at.bytes, [&](uint64_t i, unsigned halves) {
    TouchedPair& pair = shared.pairs[i];
    if (at.access != Access::WRITE && pair.writer.interval < intervals.block) fail_unwritten(at);
    // blocks have shared memory of their own
    for (Touch* touch : {&pair.writer, &pair.reader, &pair.other_reader})
      if (touch->interval < intervals.block) *touch = {};
    mine.bytes = halves;
    touch(pair, mine, at);
  });
}

void look_at_global(const Place& at, Touch mine) {
  const Allocation* a = memory().find(at.address);
  if (!a || at.address + at.bytes > a->start + a->bytes) {
    fail_kernel(CUDA_ERROR_ILLEGAL_ADDRESS, "%s %u bytes at %#lx%s; at %s", name_of(at.access),
                at.bytes, (unsigned long)at.address, describe_address(at.address), place_of(at.pc));
  }
  if (!a->shadow) return;  // made before accesses were looked at
  uint64_t offset = at.address - a->start;
  uint8_t* written = a->shadow->written + offset;
  if (at.access == Access::WRITE) {
    memset(written, 1, at.bytes);
  } else {
    for (unsigned i = 0; i < at.bytes; i++)
      if (!written[i]) fail_unwritten(at);
  }
  for (const Race& race : races)
    if (at.address >= race.begin && at.address + at.bytes <= race.end) return;
  each_pair(offset, at.bytes, [&](uint64_t i, unsigned halves) {
    mine.bytes = halves;
    touch(a->shadow->pairs[i], mine, at);
  });
}

}  // namespace

void look_at(uintptr_t address, unsigned bytes, Access access, const void* pc) {
  bool is_shared = address >= shared.begin && address < shared.end;
  if (!is_shared && !memory().holds(address)) return;  // a thread's own
  Touch mine = running_touch();
  mine.atomic = access == Access::ATOMIC;
  Place at = {address, bytes, access, pc, is_shared};
  if (is_shared) {
    look_at_shared(at, mine);
  } else {
    look_at_global(at, mine);
  }
}

bool load_checked_kernels() {
  if (checked_kernels) return true;
  Dl_info own;
  if (!dladdr((const void*)&intervals, &own)) return false;
  std::string path = own.dli_fname;
  path = path.substr(0, path.rfind('/') + 1) + "libweft_checked_kernels.so";
  void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  void* kernels = library ? dlsym(library, "weft_checked_kernel") : nullptr;
  void* memory = library ? dlsym(library, "weft_checked_shared_memory") : nullptr;
  if (!kernels || !memory) {
    const char* why = library ? nullptr : dlerror();
    fail(CUDA_ERROR_NOT_FOUND, "no checked kernels: %s", why ? why : path.c_str());
    return false;
  }
  ((decltype(&weft_checked_shared_memory))memory)(&shared.begin, &shared.end);
  shared.begin &= ~uintptr_t{15};
  shared.pairs = (new Shadow(shared.end - shared.begin))->pairs;  // for the life of the process
  checked_kernels = (decltype(&weft_checked_kernel))kernels;
  return true;
}

const Kernel& checked_kernel(const char* name) { return *checked_kernels(name); }

}  // namespace weft::emulator

void weft_emulator_access(const void* address, unsigned bytes, unsigned access, const void* pc) {
  weft::emulator::look_at((uintptr_t)address, bytes, (weft::emulator::Access)access, pc);
}
