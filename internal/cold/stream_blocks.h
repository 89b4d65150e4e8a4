// Which blocks of a file hold which records of its streams.
//
// This is what stands in the file, which may be ahead of what the tier shows (StreamStates): what a
// commit put there stays if its flush fails, and the same records come again. Thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include "internal/base/mutex.h"
#include "internal/base/status.h"
#include "internal/cold/block_format.h"
#include "internal/cold/cold_tier.h"

namespace spillway::cold {

struct StreamInFile {
  bool described = false;  // there is the block that describes it
  uint64_t begin_seq = 0;  // as that says
  uint64_t end_seq = 0;
  std::vector<RecordsBlock> blocks;  // in order; a gap is of records that are lost
};

// How a commit makes a stream end.
struct StreamEnd {
  bool described = false;
  uint64_t begin_seq = 0;
  uint64_t end_seq = 0;
  RecordsBlock last;                 // as it is; without records: there is none
  std::vector<RecordsBlock> blocks;  // new ones; the first may be `last`, grown
};

class StreamBlocks {
 public:
  using Plan = std::map<uint32_t, StreamEnd>;

  // As it was found at open.
  void Add(uint32_t id, StreamInFile stream) SPW_EXCLUDES(mu_);

  // Of these streams, what a plan starts from. Nobody else may plan for one of them until it is
  // applied or given up.
  Plan Ends(std::span<const StreamState> streams) const SPW_EXCLUDES(mu_);
  // Makes room, so that Apply cannot fail.
  void Reserve(const Plan& plan) SPW_EXCLUDES(mu_);
  void Apply(const Plan& plan) noexcept SPW_EXCLUDES(mu_);

  // The block with a record. kCorrupt: there should be one.
  base::Status Find(uint32_t stream, uint64_t seq, RecordsBlock* block) const SPW_EXCLUDES(mu_);

  // Where the first block begins that is behind a record and does not hold it; UINT64_MAX: none.
  uint64_t NextBlock(uint32_t stream, uint64_t seq) const SPW_EXCLUDES(mu_);

  // The blocks of one stream whose records are all below where it begins, at most so many. *more:
  // there are others.
  std::vector<RecordsName> Dropped(std::span<const Trim> begins, size_t most, bool* more) const
      SPW_EXCLUDES(mu_);
  // Forgets what Dropped found.
  void EraseFirst(uint32_t stream, size_t count) noexcept SPW_EXCLUDES(mu_);
  // Forgets the last block of a stream if its records are all at or above seq. False: they are not.
  bool TakeBack(uint32_t stream, uint64_t seq, RecordsName* name) noexcept SPW_EXCLUDES(mu_);

 private:
  mutable base::Mutex mu_;
  std::map<uint32_t, StreamInFile> streams_ SPW_GUARDED_BY(mu_);
};

}  // namespace spillway::cold
