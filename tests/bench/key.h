// A sequence number as the key of a store that orders its keys by their bytes.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace spillway::bench {

class Key {
 public:
  explicit Key(uint64_t seq) {
    for (size_t i = bytes_.size(); i-- > 0;) {
      bytes_[i] = static_cast<char>(seq & 0xFF);
      seq >>= 8;
    }
  }
  const char* data() const { return bytes_.data(); }
  size_t size() const { return bytes_.size(); }

 private:
  std::array<char, 8> bytes_;
};

}  // namespace spillway::bench
