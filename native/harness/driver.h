// SPDX-License-Identifier: Apache-2.0
//
// The few functions of the CUDA driver that the harness calls, found in the library at run time and
// declared here, so that it builds with no CUDA.
#ifndef WEFT_HARNESS_DRIVER_H
#define WEFT_HARNESS_DRIVER_H

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

namespace weft::harness {

using Address = unsigned long long;
using Module = struct CUmod_st*;
using Function = struct CUfunc_st*;
using Stream = struct CUstream_st*;
using Event = struct CUevent_st*;
using Graph = struct CUgraphExec_st*;

struct DriverError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// What to say where a kernel took the device along.
inline std::string lost_after(const std::string& kernel) {
  return "the device is lost after " + kernel + "; the others: start anew with --except '^" +
         kernel + "\\b'";
}

struct DeviceFacts {
  std::string name;
  int driver;      // 13000 is CUDA 13.0
  int capability;  // 90 is sm_90
  int processors;  // SMs
  int clock_khz;   // of the processors, at most
  size_t l2_bytes;
  size_t memory_bytes;

  // Multiplications and additions a second, in float32.
  double flops() const { return processors * 128.0 * 2 * clock_khz * 1e3; }
  // The same in float64: half as many units on the chips for servers, a 64th on the others.
  double flops_f64() const {
    bool server = capability == 60 || capability == 70 || capability == 80 || capability == 90 ||
                  capability == 100;
    return server ? flops() / 2 : flops() / 64;
  }
};

// A device, its one stream and the modules of kernels. Every call that fails throws DriverError,
// which names the call.
class Driver {
 public:
  // Opens a library, such as libcuda.so.1, and its first device.
  explicit Driver(const std::string& library);
  ~Driver();
  Driver(const Driver&) = delete;
  Driver& operator=(const Driver&) = delete;

  const DeviceFacts& device() const { return facts_; }

  // One more module.
  void load(const std::string& image);
  // Null where no module has such a kernel.
  Function find(const std::string& symbol);

  Address allocate(size_t bytes);
  void free(Address address);
  size_t free_bytes();
  void copy_in(Address to, const void* from, size_t bytes);
  void copy_out(void* to, Address from, size_t bytes);

  // What follows is queued on the stream.
  void copy(Address to, Address from, size_t bytes);
  void fill16(Address to, uint16_t value, size_t count);
  void launch(Function function, unsigned blocks, unsigned threads, const void* arguments);
  void launch(Graph graph);
  void record(Event event);
  void begin_capture();
  Graph end_capture();
  void destroy(Graph graph);

  void synchronize();
  Event event();
  // After both have passed.
  double microseconds(Event from, Event to);

  // Whether the device still answers: after some errors no call succeeds any more.
  bool alive();

 private:
  struct Table;
  void ok(int result, const char* call);

  void* library_ = nullptr;
  Table* table_ = nullptr;
  Stream stream_ = nullptr;
  std::vector<Module> modules_;
  DeviceFacts facts_{};
};

}  // namespace weft::harness
#endif  // WEFT_HARNESS_DRIVER_H
