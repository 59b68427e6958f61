// SPDX-License-Identifier: Apache-2.0
//
// Every access of a kernel, looked at: is it inside one live allocation, was what it reads ever
// written, and could another thread make the same access at the same time? For kernels that were
// compiled to tell (see checked.cpp); the others run as fast as ever.
#ifndef WEFT_EMULATOR_ACCESSES_H
#define WEFT_EMULATOR_ACCESSES_H

#include <stdint.h>

#include <vector>

namespace weft::emulator {

enum class Access : unsigned { READ, WRITE, ATOMIC };

// Who last touched two bytes, and when. An interval is what a block does between two barriers;
// since blocks run in turn, its number tells launch, block and interval at once.
struct Touch {
  uint64_t interval : 40;
  uint64_t thread : 10;
  uint64_t step : 11;  // how often the warp had met at a full __syncwarp in this interval
  uint64_t bytes : 2;  // which of the two
  uint64_t atomic : 1;
};

struct TouchedPair {
  Touch writer, reader, other_reader;
};

// What is known of an allocation's bytes.
struct Shadow {
  explicit Shadow(uint64_t bytes);
  ~Shadow();
  Shadow(const Shadow&) = delete;
  Shadow& operator=(const Shadow&) = delete;

  TouchedPair* pairs;
  uint8_t* written;  // one a byte
};

// The interval in which a launch, its block and what the block does now began.
struct Intervals {
  uint64_t launch, block, now;
};
extern Intervals intervals;

// Where the threads of a launch may meet, since the contract says so.
struct Race {
  uintptr_t begin, end;
};
extern std::vector<Race> races;

// One access of the running thread; pc is where in the code. Ends the launch where it is wrong.
void look_at(uintptr_t address, unsigned bytes, Access access, const void* pc);

}  // namespace weft::emulator
#endif  // WEFT_EMULATOR_ACCESSES_H
