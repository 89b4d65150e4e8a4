// The forms that older benchmarks of block providers had: small blocks, changed and read in
// batches.
#pragma once

#include <cstdint>

#include "tests/bench/blocks/block_store.h"
#include "tests/bench/measure.h"

namespace spillway::bench {

// Of `preloaded` blocks in one file. Each kind is one batch; a change is durable when its batch
// returns. Order: inserts, updates, reads, deletes.
struct NeutralPlan {
  size_t preloaded;
  size_t bytes;  // of a block
  size_t inserts;
  size_t updates;
  size_t reads;
  size_t deletes;
};

struct NeutralResult {
  Usage usage;  // of all batches and Close
  double insert_seconds = 0;
  double update_seconds = 0;
  double read_seconds = 0;
  double delete_seconds = 0;
  uint64_t disk_bytes = 0;
  bool faithful = false;
};

NeutralResult RunNeutral(const BlockContestant& contestant, const NeutralPlan& plan);

}  // namespace spillway::bench
