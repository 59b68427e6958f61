// SPDX-License-Identifier: Apache-2.0
//
// The exported functions: the contract as text, the choice of an instruction set, and the loop over
// records.
#include "../abi/library.h"

#include <omp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

#include <atomic>
#include <exception>
#include <string>

#include "../abi/kernels.h"
#include "failure.h"
#include "instruction_set.h"

#define WEFT_EXPORT extern "C" __attribute__((visibility("default")))

namespace weft {

void fail(const char* format, ...) {
  failure f;
  va_list values;
  va_start(values, format);
  vsnprintf(f.sentence, sizeof f.sentence, format, values);
  va_end(values);
  throw f;
}

namespace {

thread_local std::string last_error;
std::atomic<int> thread_count{0};  // 0: what OpenMP takes by itself
thread_local int own_count = 0;    // of the device that runs on this thread; 0: thread_count
const int openmp_count = omp_get_max_threads();
// More would be a mistake in a unit, and OpenMP ends the process when it cannot start its threads.
constexpr int64_t most_threads = 1024;

#define WEFT_SYMBOL(...) +1
constexpr int64_t kernel_count = 0 WEFT_KERNELS(WEFT_EACH_SYMBOL);
#undef WEFT_SYMBOL

void list_kernel(std::string& table, int64_t& number, const std::string& symbol,
                 const char* arguments, int threads, int items) {
  table += "kernel\t" + std::to_string(number++) + "\t" + symbol + "\t" + arguments + "\t" +
           std::to_string(threads) + "\t" + std::to_string(items) + "\n";
}

// noinline: inlined for each field, this file took 17 s to compile
__attribute__((noinline)) void list_field(std::string& table, const char* structure,
                                          const char* name, const char* kind, size_t offset) {
  table += std::string("field\t") + structure + "\t" + name + "\t" + kind + "\t" +
           std::to_string(offset) + "\n";
}

std::string contract() {
  std::string table;
#define WEFT_FIELD(kind, name) \
  list_field(table, structure, #name, kind, offsetof(arguments, name));
#define WEFT_FIELD_P(name, ...) WEFT_FIELD("P", name)
#define WEFT_FIELD_I(name, ...) WEFT_FIELD("I", name)
#define WEFT_FIELD_D(name) WEFT_FIELD("D", name)
#define WEFT_LIST_STRUCT(name, FIELDS)                                         \
  {                                                                            \
    using arguments = weft_##name;                                             \
    const char* structure = #name;                                             \
    table += "struct\t" #name "\t" + std::to_string(sizeof(arguments)) + "\n"; \
    FIELDS(WEFT_FIELD_P, WEFT_FIELD_I, WEFT_FIELD_D, WEFT_NOTHING)             \
  }
  WEFT_STRUCTS(WEFT_LIST_STRUCT)

  int64_t number = 0;
#define WEFT_SYMBOL(symbol, name, arguments, threads, items, ...) \
  list_kernel(table, number, #symbol, #arguments, threads, items);
  WEFT_KERNELS(WEFT_EACH_SYMBOL)
#undef WEFT_SYMBOL
  return table;
}

const std::string table = contract();

// Runs the records; between(k) before record k and once more after the last.
template <typename Between>
int64_t run(const weft_record* records, int64_t count, const Between& between) {
  const instruction_set& set = chosen_set();
  if (!set.kernels) {
    last_error = set.name;
    return 1;
  }
  // OpenMP keeps the number per calling thread
  int all = thread_count, threads = own_count ? own_count : all ? all : openmp_count;
  if (omp_get_max_threads() != threads) omp_set_num_threads(threads);
  int64_t k = 0;
  try {
    for (; k < count; k++) {
      const weft_record& record = records[k];
      if (record.kernel < 0 || record.kernel >= kernel_count) {
        fail("no kernel has number %lld; there are %lld", (long long)record.kernel,
             (long long)kernel_count);
      }
      if (!record.arguments) fail("record %lld has no arguments", (long long)k);
      between(k);
      set.kernels[record.kernel](record.arguments);
    }
    between(count);
  } catch (const failure& f) {
    last_error = f.sentence;
    return k + 1;
  } catch (const std::exception& e) {
    last_error = e.what();
    return k + 1;
  }
  return 0;
}

}  // namespace
}  // namespace weft

using namespace weft;

WEFT_EXPORT const char* weft_abi_table(void) { return table.c_str(); }

WEFT_EXPORT const char* weft_error(void) { return last_error.c_str(); }

WEFT_EXPORT const char* weft_isa(void) {
  const instruction_set& set = chosen_set();
  if (!set.kernels) last_error = set.name;
  return set.kernels ? set.name : nullptr;
}

WEFT_EXPORT int64_t weft_run(const weft_record* records, int64_t count) {
  return run(records, count, [](int64_t) {});
}

WEFT_EXPORT int64_t weft_run_timed(const weft_record* records, int64_t count,
                                   int64_t* nanoseconds) {
  return run(records, count, [=](int64_t k) {
    timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    nanoseconds[k] = now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
  });
}

// Large blocks ask for pages of 2 MiB: rows of a table that are taken in no order then find theirs
// in the processor's list of pages (8,192 rows of 512 bytes out of 30 MB: 363 us instead of 450).
WEFT_EXPORT void* weft_allocate(int64_t bytes) {
  constexpr int64_t line = 64, page = 2 << 20;
  if (bytes < 0 || bytes > INT64_MAX - page) return nullptr;
  int64_t whole = bytes == 0 ? line : (bytes + line - 1) / line * line;
  bool large = whole >= 2 * page;
  void* memory = nullptr;
  if (posix_memalign(&memory, large ? page : line, (size_t)whole) != 0) return nullptr;
  if (large) madvise(memory, (size_t)whole, MADV_HUGEPAGE);  // what has none goes on without
  return memory;
}

WEFT_EXPORT void weft_free(void* memory) { free(memory); }

// Below 0, -1 - n: n for what this thread runs from now on, or where n is 0 as many as for all.
WEFT_EXPORT int64_t weft_threads(int64_t threads) {
  int64_t wanted = threads < 0 ? -1 - threads : threads;
  int count = (int)(wanted < most_threads ? wanted : most_threads);
  if (threads < 0) {
    own_count = count;
  } else if (threads > 0) {
    thread_count = count;
  }
  int all = thread_count;
  return all ? all : openmp_count;
}
