// Threads that read, put and delete single blocks of one store at random; durable at the end.
#pragma once

#include <array>
#include <cstdint>

#include "tests/bench/blocks/block_store.h"
#include "tests/bench/measure.h"

namespace spillway::bench {

struct MixedPlan {
  size_t blocks;
  size_t bytes;  // of a block
  size_t threads;
  double seconds;
};

enum MixedCall { kMixedRead, kMixedPut, kMixedDelete, kMixedCalls };
constexpr std::array<uint64_t, kMixedCalls> kMixedPercent = {60, 30, 10};

struct MixedResult {
  Usage usage;  // Close included
  double close_seconds = 0;
  uint64_t calls = 0;
  std::array<Latencies, kMixedCalls> latencies;
  bool faithful = false;  // every block that was read, then or at the end, was one that was put
};

MixedResult RunMixed(const BlockContestant& contestant, const MixedPlan& plan);

}  // namespace spillway::bench
