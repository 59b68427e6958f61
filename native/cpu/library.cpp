// SPDX-License-Identifier: Apache-2.0
//
// The exported functions: the contract as text, the choice of an instruction set, and the loop over
// records.
#include "../abi/library.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include <atomic>
#include <exception>
#include <string>

#include "../abi/kernels.h"
#include "clock.h"
#include "failure.h"
#include "governor.h"
#include "instruction_set.h"
#include "pool.h"

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

// The same, on as many threads as are fastest.
template <typename Between>
int64_t run(const weft_record* records, int64_t count, int64_t threads, weft_pace* pace,
            double work, const Between& between) {
  bool free = pace && !pool_is_disturbed();
  int64_t chosen = free ? threads_of_next_run(*pace, threads) : threads;
  pool_limit limit(chosen);
  // threads that sleep come while the first records run
  if (free && pace->shares && chosen > 1) pool_rouse(pool_limit::here());
  bool timed = free && pace->shares;  // the clock is a tenth of a small kernel
  int64_t start = timed ? monotonic_time() : 0, failed = run(records, count, between);
  if (free && !failed) {
    note_run(*pace, timed ? monotonic_time() - start : 0, work, pool_limit::here(), limit.shared());
  }
  return failed;
}

}  // namespace
}  // namespace weft

using namespace weft;

static_assert(sizeof(weft_pace) == 22 * 8, "as long as Paces.LAYOUT in Java");

WEFT_EXPORT const char* weft_abi_table(void) { return table.c_str(); }

WEFT_EXPORT const char* weft_error(void) { return last_error.c_str(); }

WEFT_EXPORT const char* weft_isa(void) {
  const instruction_set& set = chosen_set();
  if (!set.kernels) last_error = set.name;
  return set.kernels ? set.name : nullptr;
}

WEFT_EXPORT int64_t weft_run(const weft_record* records, int64_t count, int64_t threads,
                             weft_pace* pace, double work) {
  return run(records, count, threads, pace, work, [](int64_t) {});
}

WEFT_EXPORT int64_t weft_run_timed(const weft_record* records, int64_t count, int64_t threads,
                                   weft_pace* pace, int64_t* nanoseconds) {
  return run(records, count, threads, pace, 1,
             [=](int64_t k) { nanoseconds[k] = monotonic_time(); });
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

WEFT_EXPORT void weft_open(void) { pool_open(); }

WEFT_EXPORT void weft_close(void) { pool_close(); }

WEFT_EXPORT void weft_disturb(int64_t seed) { pool_disturb((uint64_t)seed); }
