// SPDX-License-Identifier: Apache-2.0
//
// Fibers: stacks to switch between without the operating system. Used by one OS thread at a time.
#ifndef WEFT_EMULATOR_FIBER_H
#define WEFT_EMULATOR_FIBER_H

#include <stddef.h>

#if !defined(__x86_64__)
#include <ucontext.h>
#endif

namespace weft::emulator {

class Fiber {
 public:
  Fiber() = default;  // for the OS thread's own stack: only ever switched away from and back to
  Fiber(void* stack, size_t bytes) : stack_(stack), bytes_(bytes) {}

  // The next switch to this fiber calls entry, which must never return.
  void start(void (*entry)());

  // Leaves this fiber, which must be the running one, for the other.
  void switch_to(Fiber& other);

 private:
  void* stack_ = nullptr;
  size_t bytes_ = 0;
#if defined(__x86_64__)
  void* pointer_ = nullptr;
#else
  ucontext_t context_;
#endif
};

constexpr int MAX_FIBERS = 1024;  // the threads of the largest block

// The pool's fiber of this number, 0 to MAX_FIBERS - 1; its stack is 64 KiB with a guard page
// below.
Fiber& pooled_fiber(int number);

}  // namespace weft::emulator
#endif  // WEFT_EMULATOR_FIBER_H
