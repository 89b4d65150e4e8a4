// Numbers as they stand in the file: little-endian, unaligned. A Reader never reads beyond its
// bytes and remembers that it would have had to.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <type_traits>
#include <vector>

#include "internal/blockfile/digest.h"

namespace spillway::blockfile {

static_assert(std::endian::native == std::endian::little, "numbers are copied as they are");

using Bytes = std::span<const uint8_t>;

// What decoders need to know of the file.
struct Shape {
  uint64_t page_bytes = 0;
  uint64_t pages = 0;  // what is said to stand beyond them is damage
  uint64_t digest_bytes = 0;
};

inline std::string_view AsText(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
inline Bytes AsBytes(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

template <class T>
T Load(const uint8_t* from) {
  static_assert(std::is_trivially_copyable_v<T>);
  T value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

template <class T>
uint8_t* Store(uint8_t* to, T value) {
  static_assert(std::is_trivially_copyable_v<T>);
  std::memcpy(to, &value, sizeof value);
  return to + sizeof value;
}
inline uint8_t* Store(uint8_t* to, Bytes bytes) {
  if (!bytes.empty()) {
    std::memcpy(to, bytes.data(), bytes.size());
  }
  return to + bytes.size();
}

class Reader {
 public:
  explicit Reader(Bytes bytes) : left_(bytes) {}

  template <class T>
  T Get() {
    T value{};
    const Bytes bytes = GetBytes(sizeof value);
    if (!bytes.empty()) {
      std::memcpy(&value, bytes.data(), sizeof value);
    }
    return value;
  }
  Bytes GetBytes(uint64_t count) {
    if (count > left_.size()) {
      ok_ = false;
      left_ = {};
      return {};
    }
    const Bytes bytes = left_.first(count);
    left_ = left_.subspan(count);
    return bytes;
  }
  Digest GetDigest(uint64_t digest_bytes) {
    const Bytes bytes = GetBytes(digest_bytes);
    return bytes.empty() ? Digest() : LoadDigest(bytes.data(), digest_bytes);
  }
  uint64_t left() const { return left_.size(); }
  // Whether all that was asked for was there.
  bool ok() const { return ok_; }
  // And nothing else.
  bool done() const { return ok_ && left_.empty(); }

 private:
  Bytes left_;
  bool ok_ = true;
};

class Writer {
 public:
  explicit Writer(std::vector<uint8_t>* out) : out_(out) {}

  template <class T>
  void Put(T value) {
    static_assert(std::is_trivially_copyable_v<T>);
    const auto* bytes = reinterpret_cast<const uint8_t*>(&value);
    out_->insert(out_->end(), bytes, bytes + sizeof value);
  }
  void PutDigest(const Digest& digest, uint64_t digest_bytes) {
    const auto* bytes = reinterpret_cast<const uint8_t*>(digest.words.data());
    PutBytes({bytes, digest_bytes});
  }
  void PutBytes(Bytes bytes) { out_->insert(out_->end(), bytes.begin(), bytes.end()); }

 private:
  std::vector<uint8_t>* const out_;
};

}  // namespace spillway::blockfile
