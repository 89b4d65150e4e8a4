// Records whose bytes follow from stream, sequence number and salt, and a plain model of a cold
// tier made of them: what was committed can be computed again, so a model needs to keep only
// numbers.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "internal/cold/cold_tier.h"
#include "internal/record/column_buffer.h"

namespace spillway::test {

// Lengths of 0 to bytes_max, short ones more often than long ones.
std::string PayloadOf(uint32_t stream, uint64_t seq, uint64_t salt, uint64_t bytes_max);
int64_t TimeOf(uint32_t stream, uint64_t seq, uint64_t salt);

// What a test wants a stream to hold.
struct TierStream {
  std::string name;
  bool has_times = false;
  uint64_t begin_seq = 0;
  uint64_t end_seq = 0;
};

// The streams of a tier as the model has them. The salt belongs to the test, the record size too.
struct TierModel {
  uint64_t salt = 0;
  uint64_t bytes_max = 100;
  std::map<uint32_t, TierStream> streams;

  // The next `count` records of a stream, not yet part of the model.
  record::ColumnBuffer Next(uint32_t stream, uint64_t count) const;
};

// Reads [begin_seq, end_seq) in steps of about step_bytes and compares every byte with the model's.
::testing::AssertionResult HoldsRecords(cold::ColdTier* tier, const TierModel& model,
                                        uint32_t stream, uint64_t begin_seq, uint64_t end_seq,
                                        uint64_t step_bytes);

// All streams of the model and nothing else, every record.
::testing::AssertionResult Equals(cold::ColdTier* tier, const TierModel& model,
                                  const std::vector<cold::StreamState>& found);

}  // namespace spillway::test
