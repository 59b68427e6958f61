// SPDX-License-Identifier: Apache-2.0
#include "kernels.h"

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

namespace weft::emulator {
namespace {

#define WEFT_POINTER(field, ...) {#field, offsetof(Struct, field)},
#define WEFT_POINTERS(name, FIELDS)                              \
  [[maybe_unused]] std::vector<PointerField> name##_pointers() { \
    using Struct [[maybe_unused]] = weft_##name;                 \
    return {FIELDS(WEFT_POINTER, WEFT_NOTHING, WEFT_NOTHING, WEFT_NOTHING)};   \
  }
WEFT_STRUCTS(WEFT_POINTERS)

std::map<std::string, Kernel> make_table() {
  std::map<std::string, Kernel> table;
#define WEFT_ADD(name, structure, threads)                                                   \
  if (name) {                                                                                \
    auto body = [](const void* a) { name(*static_cast<const weft_##structure*>(a)); };       \
    table[#name] = {                                                                         \
        #name, body, #structure, sizeof(weft_##structure), threads, structure##_pointers()}; \
  }
#define WEFT_SYMBOL(symbol, name, structure, threads, ...) \
  WEFT_ADD(symbol, structure, threads)
  WEFT_KERNELS(WEFT_EACH_SYMBOL)
#define WEFT_ADD_PROBE(name) WEFT_ADD(name, fill, 256)
  WEFT_PROBES(WEFT_ADD_PROBE)
  WEFT_ADD(probe_changes_input, cast, 256)
  return table;
}

}  // namespace

const Kernel* find_kernel(const char* name) {
  static const auto* table = new std::map<std::string, Kernel>(make_table());
  auto found = table->find(name);
  return found == table->end() ? nullptr : &found->second;
}

}  // namespace weft::emulator
