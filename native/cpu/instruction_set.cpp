// SPDX-License-Identifier: Apache-2.0
#include "instruction_set.h"

#include <dnnl.h>
#include <stdlib.h>
#include <string.h>

#include <string>

namespace weft {

// Weak: 0 where this build lacks the set.
#define WEFT_DECLARE_SET(set)                                              \
  namespace set {                                                          \
  extern __attribute__((weak)) void (*const kernels[])(const void*); \
  }
WEFT_DECLARE_SET(avx512)
WEFT_DECLARE_SET(avx2)
WEFT_DECLARE_SET(baseline)
#undef WEFT_DECLARE_SET

namespace {

struct candidate {
  instruction_set set;
  bool supported;
  dnnl_cpu_isa_t onednn;  // the cap that holds oneDNN to the same set
};

#if defined(__x86_64__)
#define WEFT_SUPPORTED(level) (__builtin_cpu_supports(level) != 0)
#else
#define WEFT_SUPPORTED(level) false
#endif

instruction_set choose_set() {
  const candidate candidates[] = {
      {{"avx512", avx512::kernels}, WEFT_SUPPORTED("x86-64-v4"), dnnl_cpu_isa_default},
      {{"avx2", avx2::kernels}, WEFT_SUPPORTED("x86-64-v3"), dnnl_cpu_isa_avx2},
      {{"baseline", baseline::kernels}, true, dnnl_cpu_isa_sse41},
  };
  const char* cap = getenv("WEFT_MAX_ISA");
  const bool capped = cap && *cap;
  bool allowed = !capped;
  std::string built;
  for (const candidate& c : candidates) {
    if (c.set.kernels) built += (built.empty() ? "" : ", ") + std::string(c.set.name);
    allowed = allowed || strcmp(cap, c.set.name) == 0;
    if (!allowed || !c.supported || !c.set.kernels) continue;
#if defined(__x86_64__)
    // oneDNN reads its own ONEDNN_MAX_CPU_ISA where nothing is set here
    if (capped && strcmp(cap, "avx512") != 0) dnnl_set_max_cpu_isa(c.onednn);
#endif
    return c.set;
  }
  static std::string why;
  if (allowed) {
    why = "this build of Weft has CPU kernels for " + built + " alone, which " +
          (capped ? std::string("WEFT_MAX_ISA=") + cap + " rules out: unset that, or "
                  : "this processor lacks: ") +
          "build Weft with WEFT_CPU_ISAS=all";
  } else {
    why = std::string("WEFT_MAX_ISA is '") + cap + "'; it must be avx512, avx2 or baseline";
  }
  return {why.c_str(), nullptr};
}

}  // namespace

const instruction_set& chosen_set() {
  static const instruction_set set = choose_set();
  return set;
}

}  // namespace weft
