// Which clean segments stay in memory: copies of what the cold tier has, dropped when the memory is
// wanted.
//
// Thread-safe.
#pragma once

#include <atomic>
#include <cstdint>

#include "internal/hybrid/stream_table.h"
#include "internal/memory/budget.h"

namespace spillway::hybrid {

class Residency {
 public:
  Residency(StreamTable* streams, memory::MemoryBudget* budget)
      : streams_(streams), budget_(budget) {}

  // Drops one clean segment, of `only` or (null) of any stream; false if there is none.
  bool EvictOne(Stream* only);
  // Drops clean segments while the budget asks for it.
  void EvictWhileNeeded();
  // Drops all clean segments that are there now.
  void EvictAll();

  uint64_t evictions() const { return evictions_.load(std::memory_order_relaxed); }

 private:
  StreamTable* const streams_;
  memory::MemoryBudget* const budget_;
  std::atomic<uint32_t> next_{0};  // the stream that had one last time
  std::atomic<uint64_t> evictions_{0};
};

}  // namespace spillway::hybrid
