// A piece of memory mapped from the system, huge pages advised where it is large enough.
//
// Owns the mapping; movable. Its bytes are uninitialised: a recycled arena holds old records.
#pragma once

#include <cstdint>
#include <utility>

#include "internal/base/status.h"

namespace spillway::memory {

// Sizes of arenas that are kept for reuse are powers of two in this range.
inline constexpr uint64_t kArenaBytesMin = uint64_t{64} << 10;
inline constexpr uint64_t kArenaBytesMax = uint64_t{4} << 20;
inline constexpr size_t kArenaSizes = 7;
static_assert(kArenaBytesMin << (kArenaSizes - 1) == kArenaBytesMax);

class Arena {
 public:
  // Maps `bytes`, rounded up to 4 KiB. kNoMemory if there is none.
  static base::Result<Arena> Map(uint64_t bytes);
  // What Map charges for `bytes`.
  static uint64_t MappedBytes(uint64_t bytes);

  Arena() = default;
  Arena(uint8_t* data, uint64_t bytes) : data_(data), bytes_(bytes) {}
  ~Arena();
  Arena(Arena&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}
  Arena& operator=(Arena&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(bytes_, other.bytes_);
    return *this;
  }

  uint8_t* data() const { return data_; }
  uint64_t bytes() const { return bytes_; }
  explicit operator bool() const { return data_ != nullptr; }
  // The mapping is the caller's from now on.
  uint8_t* Leave() { return std::exchange(data_, nullptr); }

 private:
  uint8_t* data_ = nullptr;
  uint64_t bytes_ = 0;
};

// Arenas chained through their own first bytes, so that keeping one allocates nothing.
class ArenaList {
 public:
  ArenaList() = default;
  ~ArenaList();  // unmaps what is left
  ArenaList(ArenaList&& other) noexcept : head_(std::exchange(other.head_, nullptr)) {}
  ArenaList& operator=(ArenaList&& other) noexcept {
    std::swap(head_, other.head_);
    return *this;
  }

  bool empty() const { return head_ == nullptr; }
  void Push(Arena arena);
  Arena Pop();  // not empty

 private:
  struct Link {
    Link* next;
    uint64_t bytes;
  };
  Link* head_ = nullptr;
};

}  // namespace spillway::memory
