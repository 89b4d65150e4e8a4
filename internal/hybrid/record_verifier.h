// Proves the records of a store that are in its cold tier, while the store is in use: see
// spw_store_verify.
//
// Memory of a read and of the ranges that are kept, whatever the store holds. Used by one thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "internal/base/operation.h"
#include "internal/base/rate_limit.h"
#include "internal/base/status.h"
#include "internal/cold/cold_tier.h"
#include "internal/hybrid/stream.h"

namespace spillway::hybrid {

// Consecutive records that cannot be read.
struct DamagedRange {
  base::Code code = base::Code::kOk;
  uint32_t stream = 0;
  uint64_t begin_seq = 0;
  uint64_t end_seq = 0;
  std::string message;
};

struct RecordReport {
  uint64_t streams = 0;
  uint64_t records = 0;
  uint64_t records_damaged = 0;
  uint64_t bytes = 0;  // payload that was read
  uint64_t ranges_found = 0;
  std::vector<DamagedRange> ranges;  // the first kRangesMost
  static constexpr size_t kRangesMost = 1000;
};

class RecordVerifier {
 public:
  // All outlive it; `operation` may be null. `gate` is that of the store.
  RecordVerifier(cold::ColdTier* tier, const base::CallGate* gate, uint64_t bytes_per_second,
                 base::Operation* operation, RecordReport* report)
      : tier_(tier),
        rate_(bytes_per_second, operation, gate),
        operation_(operation),
        report_(report) {}

  // What is in the tier of each of them when it is called. Damage is noted; kCancelled, kClosed,
  // kNoMemory.
  base::Status Run(const std::vector<const Stream*>& streams);

 private:
  base::Status VerifyStream(const Stream& stream, uint64_t end_seq);
  base::Status Skip(const Stream& stream, base::Status why, uint64_t end_seq, uint64_t* seq);
  void Note(DamagedRange range);
  void Advance(uint64_t records);

  cold::ColdTier* const tier_;
  const base::RateLimit rate_;
  base::Operation* const operation_;
  RecordReport* const report_;
  record::ColumnBuffer records_;
  uint64_t done_ = 0;  // records, those that were trimmed meanwhile too
  uint64_t total_ = 0;
  DamagedRange last_;  // without its message
};

}  // namespace spillway::hybrid
