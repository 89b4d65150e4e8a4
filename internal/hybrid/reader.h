// Reads records wherever they are: the memory of a stream, or its cold tier. Fetch is for those who
// go through a stream, and leaves no trace; Read and Gather are uses of what they find
// (residency.h), and what they find in the cold tier again and again is promoted (promoter.h).
//
// Thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "internal/cold/cold_tier.h"
#include "internal/hybrid/counters.h"
#include "internal/hybrid/events.h"
#include "internal/hybrid/promoter.h"
#include "internal/hybrid/residency.h"
#include "internal/hybrid/stream.h"

namespace spillway::hybrid {

// Records picked one by one, as columns: record i is data[begin[i] .. end[i]) and has the sequence
// number seqs[i]. Counted as pinned memory.
struct Gathered {
  std::vector<uint8_t> data;
  std::vector<uint64_t> begin;
  std::vector<uint64_t> end;
  std::vector<uint64_t> seqs;
  std::vector<int64_t> times;  // empty: the stream has none

  uint64_t allocated_bytes() const {
    return data.capacity() +
           (begin.capacity() + end.capacity() + seqs.capacity() + times.capacity()) *
               sizeof(uint64_t);
  }
};

class Reader {
 public:
  struct Parts {
    cold::ColdTier* tier;  // null: memory only
    std::shared_ptr<memory::MemoryBudget> budget;
    const Residency* residency;
    Promoter* promoter;  // null: nothing is promoted
    EventRing* events;
    Counters* counters;
  };
  explicit Reader(Parts parts) : parts_(std::move(parts)) {}

  // The records from `seq` on that lie together, at most up to end_seq. Cold ones are decoded until
  // decode_bytes of payload are reached. kNotFound: at or above the tail; kTrimmed: below the
  // begin; kCorrupt, kIo; kNoMemory.
  base::Status Fetch(const Stream& stream, uint64_t seq, uint64_t end_seq, uint64_t decode_bytes,
                     PinnedColumns* out) const;

  // One record. Errors as Fetch.
  base::Status Read(Stream* stream, uint64_t seq, PinnedColumns* out) const;

  // In the order of `seqs`, which may repeat. The index that is to blame is in Status::record().
  base::Result<std::shared_ptr<const Gathered>> Gather(Stream* stream,
                                                       std::span<const uint64_t> seqs) const;

  // What Fetch and a cursor say of records that were dropped.
  static base::Status Trimmed(const Stream& stream, uint64_t seq);

 private:
  base::Status GatherInto(Stream* stream, std::span<const uint64_t> seqs, Gathered* out) const;
  // *cold: whether the cold tier was read.
  base::Status Find(const Stream& stream, uint64_t seq, uint64_t end_seq, uint64_t decode_bytes,
                    uint64_t now, PinnedColumns* out, bool* cold) const;
  base::Status FetchCold(const Stream& stream, uint64_t seq, uint64_t end_seq,
                         uint64_t decode_bytes, PinnedColumns* out) const;

  const Parts parts_;
};

}  // namespace spillway::hybrid
