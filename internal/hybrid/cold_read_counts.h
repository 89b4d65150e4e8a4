// How often parts of the cold tier were read of late, in a table of fixed size.
//
// Sets of four entries. A part that finds its set full of others takes one from the count of each
// of them, and has their place once one is down to nothing: so what is read often stays, and what
// is not fades away without a clock. Thread-safe and lock-free: threads that count at the same time
// may lose a read.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

namespace spillway::hybrid {

class ColdReadCounts {
 public:
  static constexpr uint64_t kMost = 65'535;

  // Counts a read of the part `key`, and says whether it was the n-th, n from 1 to kMost; its count
  // then begins again.
  bool Count(uint64_t key, uint64_t n) {
    key = Mix(key);
    Set& set = sets_[key % kSets];
    const uint64_t tag = key & ~kMost;
    std::atomic<uint64_t>* place = nullptr;
    for (std::atomic<uint64_t>& entry : set) {
      const uint64_t value = entry.load(std::memory_order_relaxed);
      if ((value & kMost) > 0 && (value & ~kMost) == tag) {
        place = &entry;
        break;
      }
      if ((value & kMost) == 0) {
        place = &entry;
      }
    }
    if (place == nullptr) {
      for (std::atomic<uint64_t>& entry : set) {
        const uint64_t value = entry.load(std::memory_order_relaxed);
        entry.store((value & kMost) > 0 ? value - 1 : 0, std::memory_order_relaxed);
      }
      return false;
    }
    const uint64_t value = place->load(std::memory_order_relaxed);
    const uint64_t count = (value & ~kMost) == tag ? (value & kMost) + 1 : 1;
    place->store(count >= n ? 0 : tag | count, std::memory_order_relaxed);
    return count >= n;
  }

 private:
  static constexpr uint64_t kSets = 1024;
  using Set = std::array<std::atomic<uint64_t>, 4>;

  // So that neighbours fall into different sets (the end of MurmurHash3).
  static uint64_t Mix(uint64_t key) {
    key = (key ^ (key >> 33)) * 0xff51afd7ed558ccd;
    key = (key ^ (key >> 33)) * 0xc4ceb9fe1a85ec53;
    return key ^ (key >> 33);
  }

  std::array<Set, kSets> sets_{};
};

}  // namespace spillway::hybrid
