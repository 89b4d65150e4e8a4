// XXH3 of 64 bits against accidents, SHA-256 against people; with the widest instructions that the
// processor has.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace spillway::base {

uint64_t Hash64(std::span<const uint8_t> bytes, uint64_t seed);

using Sha256Sum = std::array<uint8_t, 32>;

// Of the bytes of `head` and, right behind them, those of `body`.
Sha256Sum Sha256(std::span<const uint8_t> head, std::span<const uint8_t> body);

// The same as Hash64 over parts: Hasher(seed).Update(a).Update(b).Digest() equals Hash64(a + b,
// seed).
class Hasher {
 public:
  explicit Hasher(uint64_t seed);
  Hasher(const Hasher&) = delete;
  Hasher& operator=(const Hasher&) = delete;

  void Reset(uint64_t seed);
  Hasher& Update(std::span<const uint8_t> bytes);
  uint64_t Digest() const;

 private:
  // The library's state, in place: its own constructor would take memory from the host's malloc.
  static constexpr size_t kStateBytes = 576;
  alignas(64) unsigned char state_[kStateBytes];
};

}  // namespace spillway::base
