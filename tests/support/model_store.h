// What a store must hold, as plain vectors: every record a stream ever had by its sequence number,
// where its batches end, what was cleared and what was promised to last.
//
// Not thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "tests/support/prng.h"
#include "tests/support/test_store.h"

namespace spillway::test {

// Records of random bytes and times, of 0 to bytes_max bytes, short ones more often.
Records RandomRecords(Prng* random, uint64_t count, uint64_t bytes_max);

struct ModelStream {
  // What a flush promised.
  struct Promise {
    uint64_t begin_seq = 0;
    uint64_t tail_seq = 0;
  };

  bool has_times = false;
  uint64_t begin_seq = 0;
  Records records;                   // by sequence number; those below begin_seq too
  std::vector<uint64_t> batch_ends;  // ascending
  std::vector<Promise> trims;        // the stream's range after each trim or clear, ascending
  Promise kernel;                    // survives the process
  Promise device;                    // survives a power cut

  uint64_t tail_seq() const { return records.size(); }
  uint64_t count() const { return tail_seq() - begin_seq; }
  void Add(const Records& batch);
  void Clear() { TrimTo(tail_seq()); }
  void TrimTo(uint64_t seq);
  void Flushed(int32_t level);

  // Whether it may be found with this range after everything but a promise was lost.
  ::testing::AssertionResult MayBecome(const Promise& promise, uint64_t begin, uint64_t tail) const;
  // It was found with this range.
  void Become(uint64_t begin, uint64_t tail);
};

// By name: ids may change when a stream was lost before its first flush.
using ModelStore = std::map<std::string, ModelStream>;

// Scans the whole stream and compares every byte.
::testing::AssertionResult Holds(TestStore* store, uint32_t stream, const ModelStream& model);

// Every record of `found` is the model's, from first_seq on.
::testing::AssertionResult Equals(const ModelStream& model, uint64_t first_seq,
                                  const Records& found);

// After a reopen: finds each stream of the store in the model, takes over the range it was found
// with if that may be (level 0: it must be all there; else SPW_FLUSH_*: what survived), and
// compares every byte. Streams that nothing was promised of may be missing, and are then empty.
::testing::AssertionResult Recovered(TestStore* store, int32_t level, ModelStore* model);

}  // namespace spillway::test
