// SPDX-License-Identifier: Apache-2.0
#include "kernels.h"

#include <string.h>

#include <map>
#include <string>

#include "../abi/kernels.h"

// The entry points in the .cu files. Weak: a kernel that nobody has written is not found, as on a
// GPU.
#define WEFT_ENTRY(name, structure) \
  extern "C" __attribute__((weak, visibility("hidden"))) void name(weft_##structure);
#define WEFT_SYMBOL(symbol, name, structure, threads, ...) \
  WEFT_ENTRY(symbol, structure)
WEFT_KERNELS(WEFT_EACH_SYMBOL)
#undef WEFT_SYMBOL

#define WEFT_PROBES(K)             \
  K(probe_returned_before_barrier) \
  K(probe_two_barriers)            \
  K(probe_lane_missing)            \
  K(probe_two_collectives)         \
  K(probe_past_end)                \
  K(probe_all_but_last)            \
  K(probe_one_too_many)            \
  K(probe_within_tolerance)        \
  K(probe_beyond_tolerance)        \
  K(probe_wrong_last)              \
  K(probe_nothing)                 \
  K(probe_null)                    \
  K(probe_misaligned)              \
  K(probe_division_by_zero)        \
  K(probe_no_barrier)              \
  K(probe_blocks_meet)             \
  K(probe_blocks_read)             \
  K(probe_unwritten)               \
  K(probe_unwritten_shared)        \
  K(probe_shuffle_for_syncwarp)    \
  K(probe_syncwarp)                \
  K(probe_syncwarp_for_barrier)    \
  K(probe_atomics)                 \
  K(probe_atomic_and_plain)        \
  K(probe_collectives)
#define WEFT_PROBE_ENTRY(name) WEFT_ENTRY(name, fill)
WEFT_PROBES(WEFT_PROBE_ENTRY)
WEFT_ENTRY(probe_changes_input, cast)
WEFT_ENTRY(probe_races, cast)

namespace weft::emulator {
namespace {

bool ends_with(const std::string& text, const std::string& end) {
  return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

// What one element of each type has, in a kernel.
struct Bytes {
  explicit Bytes(const char* kernel)
      : T(ends_with(kernel, "_f64")    ? 8
          : ends_with(kernel, "_bf16") ? 2
                                       : 4),
        WIDE(T == 8 ? 8 : 4) {}
  const int64_t T, WIDE, F32 = 4, F64 = 8, BF16 = 2, INT32 = 4, UINT8 = 1,
                         STATE = sizeof(weft_step_state), LAYER = sizeof(weft_fused_layer),
                         OPAQUE = 0;
};

// The operands of a struct: its fields and the bytes of types stand where the contract's words are.
#define WEFT_OPERAND(field, access, type, extent, ...)                   \
  {#field, (CUdeviceptr)field, (uint64_t)((extent) * (type)),            \
   strstr(options, "RACES(" #field ")") != nullptr},
#define WEFT_OPERANDS(name, FIELDS)                                                          \
  struct name##_operands : weft_##name, Bytes {                                              \
    name##_operands(const void* arguments, const char* kernel)                               \
        : weft_##name(*static_cast<const weft_##name*>(arguments)), Bytes(kernel) {}         \
    std::vector<Operand> with([[maybe_unused]] const char* options) const {                  \
      return {FIELDS(WEFT_OPERAND, WEFT_NOTHING, WEFT_NOTHING, WEFT_NOTHING)};               \
    }                                                                                        \
  };
WEFT_STRUCTS(WEFT_OPERANDS)

std::map<std::string, Kernel> make_table() {
  std::map<std::string, Kernel> table;
#define WEFT_ADD(name, structure, threads, items, ...)                                           \
  if (name) {                                                                                    \
    using Struct = weft_##structure;                                                             \
    table[#name] = {                                                                             \
        #name,                                                                                   \
        [](const void* a) { name(*static_cast<const Struct*>(a)); },                             \
        #structure,                                                                              \
        sizeof(Struct),                                                                          \
        threads,                                                                                 \
        items,                                                                                   \
        [](const void* a) { return static_cast<const Struct*>(a)->work(); },                     \
        [](const void* a) { return structure##_operands(a, #name).with("" #__VA_ARGS__); }}; \
  }
#define WEFT_SYMBOL(symbol, name, structure, ...) WEFT_ADD(symbol, structure, __VA_ARGS__)
  WEFT_KERNELS(WEFT_EACH_SYMBOL)
#define WEFT_ADD_PROBE(name) WEFT_ADD(name, fill, 256, 0)
  WEFT_PROBES(WEFT_ADD_PROBE)
  WEFT_ADD(probe_changes_input, cast, 256, 0)
  WEFT_ADD(probe_races, cast, 256, 0, RACES(y))
  return table;
}

}  // namespace

const Kernel* find_kernel(const char* name) {
  static const auto* table = new std::map<std::string, Kernel>(make_table());
  auto found = table->find(name);
  return found == table->end() ? nullptr : &found->second;
}

}  // namespace weft::emulator
