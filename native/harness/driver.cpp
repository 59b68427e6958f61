// SPDX-License-Identifier: Apache-2.0
//
// Symbols have the suffixes that cuda.h gives them: the plain names are older functions.
#include "driver.h"

#include <dlfcn.h>

namespace weft::harness {

namespace {

constexpr int NOT_FOUND = 500;
constexpr unsigned NON_BLOCKING = 1;  // the stream does not wait for the legacy one
constexpr int THREAD_LOCAL = 1;       // a capture that forbids this thread alone what breaks it
enum Attribute { CLOCK_KHZ = 13, PROCESSORS = 16, L2_BYTES = 38, MAJOR = 75, MINOR = 76 };

}  // namespace

// name, then the types of its arguments
#define WEFT_DRIVER_FUNCTIONS(F)                                                             \
  F(cuInit, unsigned)                                                                        \
  F(cuDriverGetVersion, int*)                                                                \
  F(cuDeviceGet, int*, int)                                                                  \
  F(cuDeviceGetName, char*, int, int)                                                        \
  F(cuDeviceGetAttribute, int*, int, int)                                                    \
  F(cuDeviceTotalMem_v2, size_t*, int)                                                       \
  F(cuDevicePrimaryCtxRetain, void**, int)                                                   \
  F(cuDevicePrimaryCtxRelease_v2, int)                                                       \
  F(cuCtxSetCurrent, void*)                                                                  \
  F(cuModuleLoadData, Module*, const void*)                                                  \
  F(cuModuleUnload, Module)                                                                  \
  F(cuModuleGetFunction, Function*, Module, const char*)                                     \
  F(cuMemAlloc_v2, Address*, size_t)                                                         \
  F(cuMemFree_v2, Address)                                                                   \
  F(cuMemGetInfo_v2, size_t*, size_t*)                                                       \
  F(cuMemcpyHtoDAsync_v2, Address, const void*, size_t, Stream)                              \
  F(cuMemcpyDtoH_v2, void*, Address, size_t)                                                 \
  F(cuMemcpyDtoDAsync_v2, Address, Address, size_t, Stream)                                  \
  F(cuMemsetD16Async, Address, unsigned short, size_t, Stream)                               \
  F(cuLaunchKernel, Function, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned,    \
    unsigned, Stream, void**, void**)                                                        \
  F(cuStreamCreate, Stream*, unsigned)                                                       \
  F(cuStreamDestroy_v2, Stream)                                                              \
  F(cuStreamSynchronize, Stream)                                                             \
  F(cuStreamBeginCapture_v2, Stream, int)                                                    \
  F(cuStreamEndCapture, Stream, struct CUgraph_st**)                                         \
  F(cuGraphInstantiateWithFlags, Graph*, struct CUgraph_st*, unsigned long long)             \
  F(cuGraphDestroy, struct CUgraph_st*)                                                      \
  F(cuGraphLaunch, Graph, Stream)                                                            \
  F(cuGraphExecDestroy, Graph)                                                               \
  F(cuEventCreate, Event*, unsigned)                                                         \
  F(cuEventRecord, Event, Stream)                                                            \
  F(cuEventElapsedTime, float*, Event, Event)                                                \
  F(cuGetErrorName, int, const char**)                                                       \
  F(cuGetErrorString, int, const char**)

struct Driver::Table {
#define WEFT_POINTER(name, ...) int (*name)(__VA_ARGS__);
  WEFT_DRIVER_FUNCTIONS(WEFT_POINTER)
#undef WEFT_POINTER
};

#define WEFT_CALL(name, ...) ok(table_->name(__VA_ARGS__), #name)

Driver::Driver(const std::string& library) {
  library_ = dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!library_) {
    throw DriverError(std::string("no CUDA driver (WEFT_CUDA_DRIVER or --driver names one): ") +
                      dlerror());
  }
  table_ = new Table;
  auto find = [&](auto& pointer, const char* name) {
    void* address = dlsym(library_, name);
    if (!address) throw DriverError(library + " has no function " + name);
    pointer = reinterpret_cast<std::remove_reference_t<decltype(pointer)>>(address);
  };
#define WEFT_FIND(name, ...) find(table_->name, #name);
  WEFT_DRIVER_FUNCTIONS(WEFT_FIND)
#undef WEFT_FIND

  WEFT_CALL(cuInit, 0);
  int device = 0;
  WEFT_CALL(cuDeviceGet, &device, 0);
  char name[256] = "";
  WEFT_CALL(cuDeviceGetName, name, (int)sizeof name, device);
  facts_.name = name;
  WEFT_CALL(cuDriverGetVersion, &facts_.driver);
  auto attribute = [&](Attribute which) {
    int value = 0;
    WEFT_CALL(cuDeviceGetAttribute, &value, which, device);
    return value;
  };
  facts_.capability = attribute(MAJOR) * 10 + attribute(MINOR);
  facts_.processors = attribute(PROCESSORS);
  facts_.clock_khz = attribute(CLOCK_KHZ);
  facts_.l2_bytes = (size_t)attribute(L2_BYTES);
  WEFT_CALL(cuDeviceTotalMem_v2, &facts_.memory_bytes, device);
  void* context = nullptr;
  WEFT_CALL(cuDevicePrimaryCtxRetain, &context, device);
  WEFT_CALL(cuCtxSetCurrent, context);
  WEFT_CALL(cuStreamCreate, &stream_, NON_BLOCKING);
}

// Nothing is checked: a device that is lost answers every call with its error. The library stays
// open, since a driver does not like to be unloaded.
Driver::~Driver() {
  for (Module module : modules_) table_->cuModuleUnload(module);
  if (stream_) {
    table_->cuStreamDestroy_v2(stream_);
    table_->cuDevicePrimaryCtxRelease_v2(0);
  }
  delete table_;
}

void Driver::ok(int result, const char* call) {
  if (result == 0) return;
  const char* name = nullptr;
  const char* text = nullptr;
  table_->cuGetErrorName(result, &name);
  table_->cuGetErrorString(result, &text);
  throw DriverError(std::string(call) + ": " + (name ? name : std::to_string(result)) +
                    (text ? std::string(", ") + text : ""));
}

void Driver::load(const std::string& image) {
  Module module = nullptr;
  WEFT_CALL(cuModuleLoadData, &module, image.data());
  modules_.push_back(module);
}

Function Driver::find(const std::string& symbol) {
  for (Module module : modules_) {
    Function function = nullptr;
    int result = table_->cuModuleGetFunction(&function, module, symbol.c_str());
    if (result == NOT_FOUND) continue;
    ok(result, "cuModuleGetFunction");
    return function;
  }
  return nullptr;
}

Address Driver::allocate(size_t bytes) {
  Address address = 0;
  WEFT_CALL(cuMemAlloc_v2, &address, bytes);
  return address;
}

void Driver::free(Address address) { WEFT_CALL(cuMemFree_v2, address); }

size_t Driver::free_bytes() {
  size_t left = 0, total = 0;
  WEFT_CALL(cuMemGetInfo_v2, &left, &total);
  return left;
}

// On the stream, which does not wait for others: the plain function returns while the last bytes are
// still on their way.
void Driver::copy_in(Address to, const void* from, size_t bytes) {
  WEFT_CALL(cuMemcpyHtoDAsync_v2, to, from, bytes, stream_);
  synchronize();
}

void Driver::copy_out(void* to, Address from, size_t bytes) {
  synchronize();
  WEFT_CALL(cuMemcpyDtoH_v2, to, from, bytes);
}

void Driver::copy(Address to, Address from, size_t bytes) {
  WEFT_CALL(cuMemcpyDtoDAsync_v2, to, from, bytes, stream_);
}

void Driver::fill16(Address to, uint16_t value, size_t count) {
  WEFT_CALL(cuMemsetD16Async, to, value, count, stream_);
}

void Driver::launch(Function function, unsigned blocks, unsigned threads, const void* arguments) {
  void* parameters[] = {const_cast<void*>(arguments)};
  WEFT_CALL(cuLaunchKernel, function, blocks, 1, 1, threads, 1, 1, 0, stream_, parameters, nullptr);
}

void Driver::launch(Graph graph) { WEFT_CALL(cuGraphLaunch, graph, stream_); }

void Driver::record(Event event) { WEFT_CALL(cuEventRecord, event, stream_); }

void Driver::begin_capture() { WEFT_CALL(cuStreamBeginCapture_v2, stream_, THREAD_LOCAL); }

Graph Driver::end_capture() {
  struct CUgraph_st* graph = nullptr;
  WEFT_CALL(cuStreamEndCapture, stream_, &graph);
  Graph ready = nullptr;
  WEFT_CALL(cuGraphInstantiateWithFlags, &ready, graph, 0);
  WEFT_CALL(cuGraphDestroy, graph);
  return ready;
}

void Driver::destroy(Graph graph) { WEFT_CALL(cuGraphExecDestroy, graph); }

void Driver::synchronize() { WEFT_CALL(cuStreamSynchronize, stream_); }

Event Driver::event() {
  Event event = nullptr;
  WEFT_CALL(cuEventCreate, &event, 0);
  return event;
}

double Driver::microseconds(Event from, Event to) {
  float milliseconds = 0;
  WEFT_CALL(cuEventElapsedTime, &milliseconds, from, to);
  return milliseconds * 1e3;
}

bool Driver::alive() {
  size_t left = 0, total = 0;
  return table_->cuStreamSynchronize(stream_) == 0 && table_->cuMemGetInfo_v2(&left, &total) == 0;
}

}  // namespace weft::harness
