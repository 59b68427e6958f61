// SPDX-License-Identifier: Apache-2.0
#include "cases.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <stdexcept>

#include "draws.h"

namespace weft::harness {

namespace {

constexpr char MAGIC[] = "WEFTCASE";
constexpr uint32_t VERSION = 2;

uint32_t checksum(const char* from, size_t bytes) {
  static const auto table = [] {
    std::array<uint32_t, 256> entries{};
    for (uint32_t i = 0; i < 256; i++) {
      uint32_t value = i;
      for (int bit = 0; bit < 8; bit++) value = value & 1 ? 0xedb88320 ^ (value >> 1) : value >> 1;
      entries[i] = value;
    }
    return entries;
  }();
  uint32_t sum = 0xffffffff;
  for (size_t i = 0; i < bytes; i++) sum = table[(sum ^ (unsigned char)from[i]) & 255] ^ (sum >> 8);
  return ~sum;
}

// Takes numbers and texts off a stretch of memory; throws at its end.
class Reader {
 public:
  Reader(const char* from, size_t bytes) : at_(from), left_(bytes) {}

  const char* take(size_t bytes) {
    if (bytes > left_) throw std::runtime_error("it ends too early");
    const char* taken = at_;
    at_ += bytes;
    left_ -= bytes;
    return taken;
  }

  template <typename T>
  T number() {
    T value;
    memcpy(&value, take(sizeof value), sizeof value);
    return value;
  }

  std::string text() {
    uint32_t bytes = number<uint32_t>();
    return std::string(take(bytes), bytes);
  }

  size_t left() const { return left_; }

 private:
  const char* at_;
  size_t left_;
};

// The content of a blob; throws where it is none, or its numbers come out otherwise here.
std::string blob_content(const char* data, size_t bytes) {
  Reader reader(data, bytes);
  uint32_t kind = reader.number<uint32_t>();
  if (kind == 0) return std::string(reader.take(reader.left()), bytes - sizeof kind);
  auto type = (Type)reader.number<uint32_t>();
  auto sum = reader.number<uint32_t>();
  auto size = reader.number<uint64_t>();
  auto seed = reader.number<uint64_t>();
  auto low = reader.number<double>();
  auto high = reader.number<double>();
  std::string content = drawn(type, size, seed, low, high);
  if (checksum(content.data(), size) != sum) throw std::runtime_error("it is drawn otherwise");
  return content;
}

const std::string* blob(const CaseFile& file, const std::vector<bool>& sound, uint32_t index,
                        Case& into) {
  if (index == NONE) return nullptr;
  if (index >= file.blobs.size()) throw std::runtime_error("it names data that is not there");
  if (!sound[index]) into.damage = "its data is not what was written: checksum";
  return file.blobs[index].get();
}

void read_launches(Reader& reader, Case& into) {
  for (uint32_t i = reader.number<uint32_t>(); i > 0; i--) {
    Launch launch{reader.text(), reader.number<uint32_t>(), 0, {}};
    launch.blocks = reader.number<uint32_t>();
    for (uint32_t j = reader.number<uint32_t>(); j > 0; j--) {
      Slot slot{reader.number<uint32_t>(), 0};
      slot.value = reader.number<uint64_t>();
      launch.slots.push_back(slot);
    }
    into.launches.push_back(std::move(launch));
  }
}

void read_case(Reader& reader, const CaseFile& file, const std::vector<bool>& sound, Case& into) {
  into.kernel = reader.text();
  into.label = reader.text();
  into.type = (Type)reader.number<uint32_t>();
  into.bytes = reader.number<double>();
  into.flops = reader.number<double>();
  into.timed = (Timed)reader.number<uint32_t>();
  into.size = reader.number<double>();
  read_launches(reader, into);
  for (uint32_t i = reader.number<uint32_t>(); i > 0; i--) {
    Buffer buffer{};
    buffer.name = reader.text();
    buffer.type = (Type)reader.number<uint32_t>();
    buffer.role = (Role)reader.number<uint32_t>();
    buffer.bytes = reader.number<uint64_t>();
    if (into.size > 0) {
      buffer.fill = (Fill)reader.number<uint32_t>();
      for (auto place : {&buffer.bound, &buffer.period, &buffer.repeated, &buffer.lines}) {
        *place = reader.number<int64_t>();
      }
    } else {
      buffer.before = blob(file, sound, reader.number<uint32_t>(), into);
      buffer.after = blob(file, sound, reader.number<uint32_t>(), into);
      buffer.tolerance = reader.number<double>();
    }
    for (auto content : {buffer.before, buffer.after}) {
      bool fits = !content || content->size() == buffer.bytes;
      if (!fits && into.damage.empty()) throw std::runtime_error("sizes differ");
    }
    into.buffers.push_back(std::move(buffer));
  }
  for (const Launch& launch : into.launches) {
    for (const Slot& slot : launch.slots) {
      if (slot.buffer != NONE && slot.buffer >= into.buffers.size()) {
        throw std::runtime_error("it names a buffer that is not there");
      }
    }
  }
}

}  // namespace

size_t size_of(Type type) {
  switch (type) {
    case Type::U8: return 1;
    case Type::BF16: return 2;
    case Type::F32:
    case Type::I32: return 4;
    default: return 8;
  }
}

std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) throw std::runtime_error("cannot read " + path + ": " + strerror(errno));
  return std::string(std::istreambuf_iterator<char>(in), {});
}

CaseFile read_cases(const std::string& content) {
  CaseFile file;
  Reader reader(content.data(), content.size());
  try {
    if (memcmp(reader.take(8), MAGIC, 8) != 0) throw std::runtime_error("it is no case file");
    uint32_t version = reader.number<uint32_t>();
    uint32_t blobs = reader.number<uint32_t>();
    uint32_t cases = reader.number<uint32_t>();
    if (reader.number<uint32_t>() != checksum(content.data(), 20)) {
      throw std::runtime_error("its first 20 bytes are not what was written: checksum");
    }
    if (version != VERSION) {
      throw std::runtime_error("it has version " + std::to_string(version) + ", this reads " +
                               std::to_string(VERSION));
    }
    std::vector<bool> sound;
    for (uint32_t i = 0; i < blobs; i++) {
      uint32_t bytes = reader.number<uint32_t>();
      uint32_t sum = reader.number<uint32_t>();
      const char* data = reader.take(bytes);
      sound.push_back(checksum(data, bytes) == sum);
      file.blobs.push_back(std::make_unique<std::string>());
      try {
        if (sound[i]) *file.blobs[i] = blob_content(data, bytes);
      } catch (const std::runtime_error&) {
        sound[i] = false;
      }
    }
    for (uint32_t i = 0; i < cases; i++) {
      uint32_t bytes = reader.number<uint32_t>();
      uint32_t sum = reader.number<uint32_t>();
      const char* data = reader.take(bytes);
      Case one;
      try {
        Reader own(data, bytes);
        read_case(own, file, sound, one);
      } catch (const std::runtime_error& e) {
        one.damage = e.what();
      }
      if (checksum(data, bytes) != sum) one.damage = "it is not what was written: checksum";
      file.cases.push_back(std::move(one));
    }
    if (reader.left()) throw std::runtime_error("there is more than it should hold");
  } catch (const std::runtime_error& e) {
    file.damage = std::string("the case file is damaged: ") + e.what();
  }
  return file;
}

}  // namespace weft::harness
