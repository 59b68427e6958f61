// SPDX-License-Identifier: Apache-2.0
#include "instruction_set.h"

#include <dnnl.h>
#include <stdlib.h>
#include <string.h>

#include <string>

namespace weft {

namespace avx512 {
extern void (*const kernels[])(const void*);
}
namespace avx2 {
extern void (*const kernels[])(const void*);
}
namespace baseline {
extern void (*const kernels[])(const void*);
}

namespace {

struct candidate {
  instruction_set set;
  bool supported;
  dnnl_cpu_isa_t onednn;  // the cap that holds oneDNN to the same set
};

instruction_set choose_set() {
#if defined(WEFT_HAS_AVX512)
  __builtin_cpu_init();
  const candidate candidates[] = {
      {{"avx512", avx512::kernels}, __builtin_cpu_supports("x86-64-v4") != 0, dnnl_cpu_isa_default},
      {{"avx2", avx2::kernels}, __builtin_cpu_supports("x86-64-v3") != 0, dnnl_cpu_isa_avx2},
      {{"baseline", baseline::kernels}, true, dnnl_cpu_isa_sse41},
  };
#else
  const candidate candidates[] = {
      {{"avx512", nullptr}, false, dnnl_cpu_isa_default},
      {{"avx2", nullptr}, false, dnnl_cpu_isa_default},
      {{"baseline", baseline::kernels}, true, dnnl_cpu_isa_default},
  };
#endif
  const char* cap = getenv("WEFT_MAX_ISA");
  bool allowed = !cap || !*cap;
  for (const candidate& c : candidates) {
    bool named = !allowed && strcmp(cap, c.set.name) == 0;
    allowed = allowed || named;
    if (!allowed || !c.supported) continue;
    // oneDNN reads its own ONEDNN_MAX_CPU_ISA where nothing is set here
    if (cap && *cap && strcmp(cap, "avx512") != 0) dnnl_set_max_cpu_isa(c.onednn);
    return c.set;
  }
  static std::string why;
  why = std::string("WEFT_MAX_ISA is '") + (cap ? cap : "") +
        "'; it must be avx512, avx2 or baseline";
  return {why.c_str(), nullptr};
}

}  // namespace

const instruction_set& chosen_set() {
  static const instruction_set set = choose_set();
  return set;
}

}  // namespace weft
