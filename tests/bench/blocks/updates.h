// W5: blocks that are there get new content, in durable groups; timed, read back and compared.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "tests/bench/blocks/block_store.h"
#include "tests/bench/measure.h"

namespace spillway::bench {

constexpr size_t kUpdateBlocks = 1000;
constexpr size_t kUpdates = 500;
constexpr size_t RoundsMost(size_t block_bytes) { return block_bytes > 4096 ? 12 : 48; }

struct UpdatePlan {
  size_t bytes;   // of a block
  size_t groups;  // 1, 10, or kUpdates: durable after each
};

struct UpdateResult {
  size_t rounds = 0;       // of 500 updates each, one after another
  Usage usage;             // of all rounds and Close
  double put_seconds = 0;  // of a round, with the last sync; the mean
  double close_seconds = 0;
  Latencies latencies;  // of each group
  uint64_t disk_bytes = 0;
  uint64_t payload_bytes = 0;  // of all rounds
  // The contestant's own account, if it has one, without what Close wrote.
  std::optional<uint64_t> own_bytes;
  bool faithful = false;  // every block held what it should, before and after

  // Close included.
  double written_per_payload() const {
    return static_cast<double>(usage.called_bytes) / static_cast<double>(payload_bytes);
  }
};

UpdateResult Update(const BlockContestant& contestant, const UpdatePlan& plan);

}  // namespace spillway::bench
