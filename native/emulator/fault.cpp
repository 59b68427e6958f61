// SPDX-License-Identifier: Apache-2.0
#include "fault.h"

#include <pthread.h>
#include <signal.h>

#include <atomic>
#include <mutex>

namespace weft::emulator {
namespace {

std::atomic<bool> active;
pthread_t owner;
FaultAction on_fault;

constexpr int SIGNALS[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE};
struct sigaction previous[65];

void pass_on(int signal, siginfo_t* info, void* context) {
  const struct sigaction& old = previous[signal];
  if (old.sa_flags & SA_SIGINFO) {
    old.sa_sigaction(signal, info, context);
  } else if (old.sa_handler == SIG_DFL) {
    sigaction(signal, &old, nullptr);  // the instruction faults again, and that is the end
  } else if (old.sa_handler != SIG_IGN) {
    old.sa_handler(signal);
  }
}

void handle(int signal, siginfo_t* info, void* context) {
  if (!active.load(std::memory_order_acquire) || !pthread_equal(owner, pthread_self())) {
    pass_on(signal, info, context);
    return;
  }
  switch (signal) {
    case SIGILL:  // the kernels are compiled with traps on misaligned accesses
      on_fault(CUDA_ERROR_MISALIGNED_ADDRESS, info->si_addr);
      break;
    case SIGFPE: on_fault(CUDA_ERROR_LAUNCH_FAILED, info->si_addr); break;
    default: on_fault(CUDA_ERROR_ILLEGAL_ADDRESS, info->si_addr);
  }
}

void install() {
  for (int signal : SIGNALS) {
    struct sigaction action = {};
    action.sa_sigaction = handle;
    // NODEFER: the handler is left by a switch of stacks, so the signal must not stay blocked
    action.sa_flags = SA_SIGINFO | SA_RESTART | SA_NODEFER | SA_ONSTACK;
    sigemptyset(&action.sa_mask);
    sigaction(signal, &action, &previous[signal]);
  }
}

}  // namespace

void catch_faults(FaultAction action) {
  static std::once_flag once;
  std::call_once(once, install);
  on_fault = action;
  owner = pthread_self();
  active.store(true, std::memory_order_release);
}

void release_faults() { active.store(false, std::memory_order_release); }

}  // namespace weft::emulator
