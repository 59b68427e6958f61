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
// More would be a mistake in a unit, and OpenMP ends the process when it cannot start its threads.
constexpr int64_t most_threads = 1024;

#define WEFT_COUNT(...) +1
#define WEFT_COUNT_TYPED(...) +3
#define WEFT_COUNT_WIDE(...) +2
constexpr int64_t kernel_count =
    0 WEFT_TYPED_KERNELS(WEFT_COUNT_TYPED) WEFT_WIDE_KERNELS(WEFT_COUNT_WIDE)
        WEFT_UNTYPED_KERNELS(WEFT_COUNT) WEFT_LIBRARY_KERNELS(WEFT_COUNT_TYPED);

const char* const activations[] = {"identity", "sigmoid",  "tanh", "relu", "leaky_relu",
                                   "elu",      "softplus", "gelu", "silu"};
const char* const unaries[] = {"scale", "shift", "exp",        "log", "square",
                               "sqrt",  "pow",   "reciprocal", "abs"};
const char* const binaries[] = {"add", "subtract", "multiply", "divide", "maximum", "minimum"};
const char* const reductions[] = {"sum", "mean", "max", "sum_of_squares"};
const char* const fused_losses[] = {"softmax_cross_entropy", "mean_squared_error"};
const char* const fused_rules[] = {"sgd", "adam"};

void list_value(std::string& table, const char* type, const char* name, size_t value) {
  table += std::string("enum\t") + type + "\t" + name + "\t" + std::to_string(value) + "\n";
}

template <size_t Count>
void list_enum(std::string& table, const char* type, const char* const (&names)[Count]) {
  for (size_t value = 0; value < Count; value++) {
    list_value(table, type, names[value], value);
  }
}

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
#define WEFT_FIELD_P(name) WEFT_FIELD("P", name)
#define WEFT_FIELD_I(name) WEFT_FIELD("I", name)
#define WEFT_FIELD_D(name) WEFT_FIELD("D", name)
#define WEFT_LIST_STRUCT(name, FIELDS)                                                      \
  {                                                                                         \
    using arguments = weft_##name;                                                          \
    const char* structure = #name;                                                          \
    table += "struct\t" #name "\t" + std::to_string(sizeof(arguments)) + "\n";              \
    FIELDS(WEFT_FIELD_P, WEFT_FIELD_I, WEFT_FIELD_D)                                        \
  }
  WEFT_STRUCTS(WEFT_LIST_STRUCT)

  static_assert(sizeof activations / sizeof *activations == WEFT_ACTIVATIONS, "a name is missing");
  static_assert(sizeof unaries / sizeof *unaries == WEFT_UNARIES, "a name is missing");
  static_assert(sizeof binaries / sizeof *binaries == WEFT_BINARIES, "a name is missing");
  static_assert(sizeof reductions / sizeof *reductions == WEFT_REDUCTIONS, "a name is missing");
  list_enum(table, "activation", activations);
  list_enum(table, "unary", unaries);
  list_enum(table, "binary", binaries);
  list_enum(table, "reduction", reductions);
  static_assert(sizeof fused_losses / sizeof *fused_losses == WEFT_FUSED_LOSSES,
                "a name is missing");
  static_assert(sizeof fused_rules / sizeof *fused_rules == WEFT_FUSED_RULES, "a name is missing");
  list_enum(table, "fused_loss", fused_losses);
  list_enum(table, "fused_rule", fused_rules);
  list_value(table, "fused_limit", "layers", WEFT_FUSED_LAYERS);
  list_value(table, "fused_limit", "width", WEFT_FUSED_WIDTH);
  list_value(table, "fused_limit", "grain", WEFT_FUSED_GRAIN);
  list_value(table, "fused_limit", "tile", WEFT_FUSED_TILE);

  int64_t number = 0;
#define WEFT_LIST(name, arguments, threads, items) \
  list_kernel(table, number, #name, #arguments, threads, items);
#define WEFT_LIST_WIDE(name, arguments, threads, items)                 \
  list_kernel(table, number, #name "_f32", #arguments, threads, items); \
  list_kernel(table, number, #name "_f64", #arguments, threads, items);
#define WEFT_LIST_TYPED(name, arguments, threads, items) \
  WEFT_LIST_WIDE(name, arguments, threads, items)        \
  list_kernel(table, number, #name "_bf16", #arguments, threads, items);
  WEFT_TYPED_KERNELS(WEFT_LIST_TYPED)
  WEFT_WIDE_KERNELS(WEFT_LIST_WIDE)
  WEFT_UNTYPED_KERNELS(WEFT_LIST)
  WEFT_LIBRARY_KERNELS(WEFT_LIST_TYPED)
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
  int threads = thread_count;
  if (threads > 0 && omp_get_max_threads() != threads) omp_set_num_threads(threads);
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

WEFT_EXPORT void* weft_allocate(int64_t bytes) {
  constexpr int64_t line = 64;
  if (bytes < 0 || bytes > INT64_MAX - line) return nullptr;
  int64_t whole = bytes == 0 ? line : (bytes + line - 1) / line * line;
  return aligned_alloc(line, (size_t)whole);
}

WEFT_EXPORT void weft_free(void* memory) { free(memory); }

WEFT_EXPORT int64_t weft_threads(int64_t threads) {
  if (threads > 0) {
    thread_count = (int)(threads < most_threads ? threads : most_threads);
    omp_set_num_threads(thread_count);
  }
  return thread_count > 0 ? thread_count.load() : omp_get_max_threads();
}
