// Checked arithmetic on sizes, which may come from a caller or a disk that means harm.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <limits>

namespace spillway::base {

inline constexpr uint64_t kUnlimited = std::numeric_limits<uint64_t>::max();

// a + b and a * b, or kUnlimited where 64 bits do not hold them.
inline uint64_t SaturatingAdd(uint64_t a, uint64_t b) {
  uint64_t sum = 0;
  return __builtin_add_overflow(a, b, &sum) ? kUnlimited : sum;
}
inline uint64_t SaturatingMul(uint64_t a, uint64_t b) {
  uint64_t product = 0;
  return __builtin_mul_overflow(a, b, &product) ? kUnlimited : product;
}

// limit * percent / 100 without overflow; an unlimited one stays so.
inline uint64_t PercentOf(uint64_t limit, uint64_t percent) {
  if (limit == kUnlimited) {
    return kUnlimited;
  }
  return SaturatingAdd(SaturatingMul(limit / 100, percent), limit % 100 * percent / 100);
}

// The next multiple of a power of two.
constexpr uint64_t RoundUp(uint64_t value, uint64_t unit) {
  return (value + unit - 1) & ~(unit - 1);
}

// How many units hold so many bytes.
constexpr uint64_t CeilDiv(uint64_t bytes, uint64_t unit) { return (bytes + unit - 1) / unit; }

}  // namespace spillway::base
