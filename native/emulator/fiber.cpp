// SPDX-License-Identifier: Apache-2.0
#include "fiber.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include <new>

namespace weft::emulator {

#if defined(__x86_64__)

// Saves what the System V ABI lets a callee rely on, and goes on with the other stack.
extern "C" __attribute__((visibility("hidden"))) void weft_fiber_switch(void** save, void* load);
asm(R"(
.text
.hidden weft_fiber_switch
.globl weft_fiber_switch
.type weft_fiber_switch, @function
weft_fiber_switch:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
.size weft_fiber_switch, .-weft_fiber_switch
)");

void Fiber::start(void (*entry)()) {
  // after the final ret the stack must look as if entry had been called: 8 below a multiple of 16
  auto top = ((uintptr_t)stack_ + bytes_ - 16) & ~(uintptr_t)15;
  auto* slots = (void**)top;
  slots[0] = (void*)entry;
  for (int i = 1; i <= 6; i++) slots[-i] = nullptr;
  slots[1] = nullptr;
  pointer_ = slots - 6;
}

void Fiber::switch_to(Fiber& other) { weft_fiber_switch(&pointer_, other.pointer_); }

#else

void Fiber::start(void (*entry)()) {
  getcontext(&context_);
  context_.uc_stack.ss_sp = stack_;
  context_.uc_stack.ss_size = bytes_;
  context_.uc_link = nullptr;
  makecontext(&context_, entry, 0);
}

void Fiber::switch_to(Fiber& other) { swapcontext(&context_, &other.context_); }

#endif

namespace {

constexpr size_t PAGE = 4096, STACK = 16 * PAGE, STRIDE = STACK + PAGE;

Fiber* make_pool() {
  auto* memory = (char*)mmap(nullptr, MAX_FIBERS * STRIDE, PROT_READ | PROT_WRITE,
                             MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
  if (memory == MAP_FAILED) {
    perror("weft emulator: no memory for fiber stacks");
    abort();
  }
  auto* fibers = (Fiber*)malloc(MAX_FIBERS * sizeof(Fiber));
  for (int i = 0; i < MAX_FIBERS; i++) {
    char* guard = memory + i * STRIDE;
    mprotect(guard, PAGE, PROT_NONE);
    // tops at different places in a page, or they would all compete for the same cache lines
    size_t colour = (size_t)i * 320 % PAGE & ~(size_t)63;
    new (&fibers[i]) Fiber(guard + PAGE, STACK - colour);
  }
  return fibers;
}

}  // namespace

Fiber& pooled_fiber(int number) {
  static Fiber* pool = make_pool();
  return pool[number];
}

}  // namespace weft::emulator
