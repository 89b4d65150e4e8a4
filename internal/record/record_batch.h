// A caller's batch, checked: every record lies within the caller's bytes and is no larger than a
// record may be.
//
// Borrows the caller's memory for the call. Immutable. All validation happens in Parse, before any
// state of the store changes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "internal/base/status.h"
#include "internal/record/columns.h"

namespace spillway::record {

inline constexpr uint64_t kRecordBytesMax = uint64_t{512} << 20;
// More would overflow the sums below; the offsets alone would be 128 GiB.
inline constexpr uint64_t kBatchRecordsMax = uint64_t{1} << 34;

struct Slice {
  const void* data;
  size_t bytes;
};

class RecordBatch {
 public:
  // Record i is data[offsets[i] .. offsets[i + 1]).
  static base::Status Parse(const void* data, uint64_t data_bytes, const uint64_t* offsets,
                            uint64_t count, const int64_t* times, RecordBatch* out);
  // Record i is slices[i].
  static base::Status Parse(const Slice* slices, uint64_t count, const int64_t* times,
                            RecordBatch* out);

  uint64_t count() const { return count_; }
  bool has_times() const { return times_ != nullptr; }
  uint64_t payload_bytes() const { return payload_bytes_; }
  uint64_t record_bytes(uint64_t i) const {
    return slices_ != nullptr ? slices_[i].bytes : offsets_[i + 1] - offsets_[i];
  }

  // How many records from `from` on have together at most max_payload_bytes, and are at most
  // max_records; *payload_bytes is their sum. O(log count) for a packed batch.
  uint64_t Fit(uint64_t from, uint64_t max_records, uint64_t max_payload_bytes,
               uint64_t* payload_bytes) const;

  // Copies the payloads of [from, from + count) to data + base and writes where each ends: begin[1
  // .. count], as offsets from data. begin[0] must be `base`.
  void CopyPayload(uint64_t from, uint64_t count, uint8_t* data, uint64_t base,
                   uint64_t* begin) const;
  // The batch where it lies, with sequence numbers from first_seq on: one piece, or one per record
  // in the vectored form, whose offsets go to *begins.
  std::vector<Columns> AsColumns(uint64_t first_seq, std::vector<uint64_t>* begins) const;
  void CopyTimes(uint64_t from, uint64_t count, int64_t* times) const;

 private:
  const uint8_t* data_ = nullptr;
  const uint64_t* offsets_ = nullptr;  // packed form
  const Slice* slices_ = nullptr;      // vectored form
  const int64_t* times_ = nullptr;
  uint64_t count_ = 0;
  uint64_t payload_bytes_ = 0;
};

}  // namespace spillway::record
