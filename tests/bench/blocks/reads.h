// W6: random reads of whole blocks, warm, into caller memory.
#pragma once

#include <cstdint>
#include <memory>

#include "tests/bench/blocks/block_store.h"
#include "tests/bench/files.h"
#include "tests/bench/measure.h"

namespace spillway::bench {

struct ReadPlan {
  size_t blocks;
  size_t bytes_min;
  size_t bytes_max;
};

enum class ReadWay { kSingle, kBatch, kView };

struct ReadResult {
  Usage usage;              // of all passes
  double pass_seconds = 0;  // median; a pass is kReadsPerPass reads
  Latencies latencies;      // of single reads or views, in a pass of its own
  bool faithful = false;    // all blocks, read before the passes
};

constexpr size_t kReadsPerPass = 1000;

// A store that is filled once and opened for each run.
class ReadBench {
 public:
  ReadBench(const BlockContestant& contestant, const ReadPlan& plan);

  ReadResult Run(ReadWay way);

 private:
  double Pass(BlockSession* session, size_t pass, ReadWay way);
  void ReadOne(BlockSession* session, uint32_t index, ReadWay way);

  const BlockSet set_;
  const TempFolder folder_;
  const std::unique_ptr<BlockStore> store_;
  std::vector<char> buffer_;
};

}  // namespace spillway::bench
