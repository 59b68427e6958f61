// SPDX-License-Identifier: Apache-2.0
#include "launch.h"

#include <string.h>

#include <algorithm>
#include <vector>

#include "../abi/contract.h"
#include "checked.h"
#include "memory.h"
#include "stream.h"

namespace weft::emulator {
namespace {

struct Call {
  const Kernel* kernel;
  Size3 grid, block;
  std::vector<char> arguments;

  CUresult operator()() const {
    if (controls.do_nothing) return CUDA_SUCCESS;
    if (controls.launch.hit()) {
      return ended(fail(CUDA_ERROR_LAUNCH_FAILED, "kernel %s: fails because a test asked for it",
                        kernel->name));
    }
    std::vector<Operand> operands = kernel->operands(arguments.data());
    WEFT_TRY(check_pointers(operands));
    WEFT_TRY(check_grid());
    controls.launches++;
    races.clear();
    for (const Operand& operand : operands) {
      if (operand.races) races.push_back({operand.address, operand.address + operand.bytes});
    }
    std::string why;
    KernelBody body = controls.checked ? checked_kernel(kernel->name).body : kernel->body;
    CUresult result =
        execute(kernel->name, body, arguments.data(), grid, block, controls.reverse, &why);
    return result == CUDA_SUCCESS ? result : ended(report(result, "%s", why.c_str()));
  }

  // A pointer may be null, may end an allocation (of an empty slice), and must otherwise lie in
  // one.
  CUresult check_pointers(const std::vector<Operand>& operands) const {
    for (const Operand& operand : operands) {
      CUdeviceptr address = operand.address;
      if (!address || memory().find(address)) continue;
      return report(CUDA_ERROR_ILLEGAL_ADDRESS, "kernel %s: %s.%s = %#llx is not device memory%s",
                    kernel->name, kernel->structure, operand.name, address,
                    memory().describe(address).c_str());
    }
    return CUDA_SUCCESS;
  }

  // As many blocks as the work takes; one where there is none, for there is no empty launch.
  CUresult check_grid() const {
    if (kernel->items == 0) return CUDA_SUCCESS;
    int64_t work = kernel->work(arguments.data());
    int64_t blocks = std::max<int64_t>(1, weft_ceil_div(work, kernel->items));
    if (grid.x == blocks && grid.y == 1 && grid.z == 1) return CUDA_SUCCESS;
    return ended(report(CUDA_ERROR_LAUNCH_FAILED,
                        "kernel %s: a grid of (%u, %u, %u) blocks for %lld work items; at %u a "
                        "block they take (%lld, 1, 1)",
                        kernel->name, grid.x, grid.y, grid.z, (long long)work, kernel->items,
                        (long long)blocks));
  }
};

CUresult check_shape(CUfunction function, Size3 grid, Size3 block, unsigned shared) {
  const Kernel& kernel = *function->kernel;
  if (!grid.volume() || grid.x > MAX_GRID_X || grid.y > MAX_GRID_YZ || grid.z > MAX_GRID_YZ) {
    return fail(CUDA_ERROR_INVALID_VALUE, "kernel %s: a grid of (%u, %u, %u) blocks", kernel.name,
                grid.x, grid.y, grid.z);
  }
  if (!block.volume() || block.x > MAX_THREADS || block.y > MAX_THREADS || block.z > MAX_BLOCK_Z ||
      block.volume() > MAX_THREADS) {
    return fail(CUDA_ERROR_INVALID_VALUE, "kernel %s: a block of (%u, %u, %u) threads", kernel.name,
                block.x, block.y, block.z);
  }
  if (block.volume() > kernel.threads) {
    return fail(CUDA_ERROR_INVALID_VALUE, "kernel %s: %llu threads in a block, launch bound %u",
                kernel.name, (unsigned long long)block.volume(), kernel.threads);
  }
  if (shared > function->dynamic_shared_limit) {
    return fail(CUDA_ERROR_INVALID_VALUE, "kernel %s: %u bytes of dynamic shared memory, limit %u",
                kernel.name, shared, function->dynamic_shared_limit);
  }
  return CUDA_SUCCESS;
}

// CU_LAUNCH_PARAM_BUFFER_POINTER, CU_LAUNCH_PARAM_BUFFER_SIZE, CU_LAUNCH_PARAM_END
CUresult read_extra(void** extra, const Kernel& kernel, const void** arguments) {
  size_t bytes = 0;
  for (; *extra != CU_LAUNCH_PARAM_END; extra += 2) {
    if (*extra == CU_LAUNCH_PARAM_BUFFER_POINTER) {
      *arguments = extra[1];
    } else if (*extra == CU_LAUNCH_PARAM_BUFFER_SIZE) {
      bytes = *(size_t*)extra[1];
    } else {
      return fail(CUDA_ERROR_INVALID_VALUE, "kernel %s: unknown entry in extra", kernel.name);
    }
  }
  if (*arguments && bytes == kernel.bytes) return CUDA_SUCCESS;
  return fail(CUDA_ERROR_INVALID_VALUE, "kernel %s: %zu bytes of arguments, not %zu", kernel.name,
              bytes, kernel.bytes);
}

}  // namespace
}  // namespace weft::emulator

using namespace weft::emulator;

WEFT_EXPORT CUresult cuLaunchKernel(CUfunction function, unsigned grid_x, unsigned grid_y,
                                    unsigned grid_z, unsigned block_x, unsigned block_y,
                                    unsigned block_z, unsigned shared, CUstream stream,
                                    void** parameters, void** extra) {
  if (controls.do_nothing.load(std::memory_order_relaxed)) return CUDA_SUCCESS;
  WEFT_ENTER(context);
  WEFT_TRY(check_function(function));
  if (function->module->owner != context) {
    return fail(CUDA_ERROR_INVALID_CONTEXT, "a function of another context than this thread's");
  }
  Size3 grid = {grid_x, grid_y, grid_z}, block = {block_x, block_y, block_z};
  WEFT_TRY(check_shape(function, grid, block, shared));
  const Kernel& kernel = *function->kernel;
  if (!parameters == !extra) {
    return fail(CUDA_ERROR_INVALID_VALUE, "kernel %s: either kernelParams or extra", kernel.name);
  }
  const void* arguments = parameters ? parameters[0] : nullptr;
  if (extra) WEFT_TRY(read_extra(extra, kernel, &arguments));
  if (!arguments) return fail(CUDA_ERROR_INVALID_VALUE, "kernel %s: null arguments", kernel.name);
  auto* bytes = (const char*)arguments;
  Call call{&kernel, grid, block, std::vector<char>(bytes, bytes + kernel.bytes)};
  return submit(context, stream, CU_GRAPH_NODE_TYPE_KERNEL, "cuLaunchKernel", std::move(call));
}
