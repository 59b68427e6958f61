// SPDX-License-Identifier: Apache-2.0
#include "memory.h"

#include <algorithm>
#include <stdexcept>

namespace weft::harness {

namespace {

constexpr size_t ALIGNMENT = 256;  // that of the driver's own allocations
constexpr size_t GUARD = 1024;

}  // namespace

CaseMemory::CaseMemory(Driver& driver, const Case& one, bool exact)
    : driver_(driver), case_(one), exact_(exact) {
  size_t end = GUARD;
  for (const Buffer& buffer : one.buffers) {
    offsets_.push_back(end);
    end += (buffer.bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT + GUARD;
  }
  before_.resize(end);
  for (size_t i = 0; i < end; i++) before_[i] = (char)(i % 2 ? POISON >> 8 : POISON & 255);
  for (size_t b = 0; b < one.buffers.size(); b++) {
    if (auto content = one.buffers[b].before) {
      before_.replace(offsets_[b], content->size(), *content);
    }
  }
  if (!exact) {
    taken_.push_back(driver.allocate(end));
    driver.copy_in(taken_[0], before_.data(), end);
    for (size_t offset : offsets_) addresses_.push_back(taken_[0] + offset);
    return;
  }
  for (size_t b = 0; b < one.buffers.size(); b++) {
    taken_.push_back(driver.allocate(one.buffers[b].bytes));
    driver.copy_in(taken_[b], before_.data() + offsets_[b], one.buffers[b].bytes);
  }
  addresses_ = taken_;
}

CaseMemory::~CaseMemory() {
  try {
    driver_.synchronize();
    for (Address address : taken_) driver_.free(address);
  } catch (const DriverError&) {
    // a lost device has lost its memory, too
  }
}

void CaseMemory::launch(const Launch& launch) const {
  Function function = driver_.find(launch.symbol);
  if (!function) throw std::runtime_error("no module has the kernel " + launch.symbol);
  std::vector<uint64_t> arguments;
  for (const Slot& slot : launch.slots) {
    arguments.push_back(slot.buffer == NONE ? slot.value : addresses_[slot.buffer]);
  }
  driver_.launch(function, launch.blocks, launch.threads, arguments.data());
}

void CaseMemory::fetch() {
  after_ = before_;
  if (!exact_) return driver_.copy_out(after_.data(), taken_[0], after_.size());
  for (size_t b = 0; b < case_.buffers.size(); b++) {
    driver_.copy_out(after_.data() + offsets_[b], taken_[b], case_.buffers[b].bytes);
  }
}

std::string CaseMemory::guards() const {
  size_t from = 0;
  for (size_t b = 0; b <= offsets_.size(); b++) {
    size_t to = b < offsets_.size() ? offsets_[b] : after_.size();
    auto end = after_.begin() + (ptrdiff_t)to;
    auto wrong =
        std::mismatch(after_.begin() + (ptrdiff_t)from, end, before_.begin() + (ptrdiff_t)from);
    if (wrong.first != end) {
      size_t at = (size_t)(wrong.first - after_.begin());
      bool before = b < offsets_.size() && (b == 0 || to - at <= GUARD / 2);
      const Buffer& near = case_.buffers[before ? b : b - 1];
      return near.name +
             (before ? ": memory " + std::to_string(to - at) + " bytes before it"
                     : ": memory " + std::to_string(at - from) + " bytes past its end") +
             " was written";
    }
    if (b < offsets_.size()) from = to + case_.buffers[b].bytes;
  }
  return "";
}

}  // namespace weft::harness
