// Brings what point reads and gathers find in the cold tier again and again into memory: a copy of
// the run around it, clean, which Residency drops again like any other.
//
// A promotion makes nobody wait and nothing spill: it takes memory below the soft limit, that of
// other clean segments if need be, and is given up, in silence, where there is none or anything
// fails. Thread-safe. No mutex is held while the tier is read.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <utility>

#include "internal/cold/cold_tier.h"
#include "internal/hybrid/cold_read_counts.h"
#include "internal/hybrid/counters.h"
#include "internal/hybrid/residency.h"
#include "internal/hybrid/stream.h"

namespace spillway::hybrid {

class Promoter {
 public:
  struct Parts {
    cold::ColdTier* tier;
    std::shared_ptr<memory::MemoryBudget> budget;
    Residency* residency;
    Counters* counters;
  };
  // `reads` as SPW_OPT_PROMOTE_READS.
  Promoter(Parts parts, int64_t reads) : parts_(std::move(parts)), reads_(reads) {}

  void SetReads(int64_t reads) { reads_.store(reads, std::memory_order_relaxed); }
  int64_t reads() const { return reads_.load(std::memory_order_relaxed); }

  // A record of `payload_bytes` was read from the cold tier: counts that for the part of the stream
  // it is in, and promotes it if that was the last one wanted. Where the part ends: a gather counts
  // once for all that it reads of it.
  uint64_t NoteColdRead(Stream* stream, uint64_t seq, uint64_t payload_bytes);

 private:
  // What is promoted at a time.
  struct Size {
    uint64_t bytes = 0;         // of payload that are read
    uint64_t record_bytes = 0;  // of payload at the most
    uint64_t records = 0;
  };
  Size SizeFor(const Stream& stream) const;
  base::Status Promote(Stream* stream, uint64_t first_seq, uint64_t seq, const Size& most);
  base::Status CopyIntoMemory(Stream* stream, const record::Columns& columns);

  const Parts parts_;
  std::atomic<int64_t> reads_;
  ColdReadCounts counts_;
};

}  // namespace spillway::hybrid
