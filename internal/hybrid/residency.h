// Which clean segments stay in memory: copies of what the cold tier has, dropped when the memory is
// wanted, the least recently used first, over all streams.
//
// What is in memory the streams know; this decides what goes. A use is a point read or a gather,
// and being made; what a cursor scans is none, so that a scan of everything washes out nothing.
// Time is counted in segments that were made: uses between two of them are equally recent.
// Thread-safe; allocates nothing.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "internal/base/mutex.h"
#include "internal/hybrid/stream_table.h"
#include "internal/memory/budget.h"

namespace spillway::hybrid {

class Residency {
 public:
  Residency(StreamTable* streams, memory::MemoryBudget* budget)
      : streams_(streams), budget_(budget) {}

  // Goes on by one with each segment that is made; never 0.
  std::atomic<uint64_t>* clock() { return &clock_; }
  uint64_t now() const { return clock_.load(std::memory_order_relaxed); }

  // Drops one clean segment, of `only` or (null) of any stream; false if there is none.
  bool EvictOne(Stream* only) SPW_EXCLUDES(mu_);
  // Drops clean segments while the budget asks for it.
  void EvictWhileNeeded();
  // Drops all clean segments that are there now.
  void EvictAll();

  uint64_t evictions() const { return evictions_.load(std::memory_order_relaxed); }

 private:
  struct Victim {
    Stream* stream;
    uint64_t first_seq;
    uint64_t last_use;
  };
  // The least recently used of the segments it is shown.
  class Coldest;

  bool Pop(Victim* victim) SPW_EXCLUDES(mu_);
  bool Refill() SPW_EXCLUDES(mu_);
  bool Evict(const Victim& victim);

  static constexpr uint32_t kVictimsMost = 32;

  StreamTable* const streams_;
  memory::MemoryBudget* const budget_;
  std::atomic<uint64_t> clock_{1};
  std::atomic<uint64_t> evictions_{0};
  base::Mutex mu_;
  // Who is next, the last one first: looking through all streams for each would take too long where
  // there are many.
  std::array<Victim, kVictimsMost> victims_ SPW_GUARDED_BY(mu_) = {};
  size_t count_ SPW_GUARDED_BY(mu_) = 0;
};

}  // namespace spillway::hybrid
