#include "internal/record/record_batch.h"

#include <algorithm>
#include <cstring>
#include <string>

namespace spillway::record {

using base::Code;
using base::Status;

static Status TooBig(uint64_t record, uint64_t bytes) {
  return Status(Code::kTooBig, "record " + std::to_string(record) + " of the batch has " +
                                   std::to_string(bytes) + " bytes; the largest may have " +
                                   std::to_string(kRecordBytesMax))
      .WithRecord(static_cast<int64_t>(record));
}

// Finds the offset that is wrong, for the message. Only called when there may be one.
static Status FindBadOffset(const uint64_t* offsets, uint64_t count, uint64_t data_bytes) {
  for (uint64_t i = 0; i < count; ++i) {
    if (offsets[i + 1] < offsets[i] || offsets[i + 1] > data_bytes) {
      return base::InvalidArgument("record " + std::to_string(i) + " of the batch: offsets " +
                                   std::to_string(offsets[i]) + " to " +
                                   std::to_string(offsets[i + 1]) + " of " +
                                   std::to_string(data_bytes) + " bytes")
          .WithRecord(static_cast<int64_t>(i));
    }
    if (offsets[i + 1] - offsets[i] > kRecordBytesMax) {
      return TooBig(i, offsets[i + 1] - offsets[i]);
    }
  }
  return {};
}

Status RecordBatch::Parse(const void* data, uint64_t data_bytes, const uint64_t* offsets,
                          uint64_t count, const int64_t* times, RecordBatch* out) {
  if (count >= kBatchRecordsMax) {
    return {Code::kTooBig, "a batch of " + std::to_string(count) + " records"};
  }
  if (count > 0) {
    // All sizes below 2^29, added to an offset within the data, cannot wrap around: so their bits
    // together say whether all is well. A loop without branches, which the compiler makes wide: it
    // reads the offsets that the copy reads next.
    uint64_t bits = 0;
    for (uint64_t i = 0; i < count; ++i) {
      bits |= offsets[i + 1] - offsets[i];
    }
    if (offsets[0] > data_bytes || offsets[count] > data_bytes || bits >= kRecordBytesMax) {
      if (offsets[0] > data_bytes) {
        return base::InvalidArgument("offsets begin at " + std::to_string(offsets[0]) + " of " +
                                     std::to_string(data_bytes) + " bytes")
            .WithRecord(0);
      }
      SPW_RETURN_IF_ERROR(FindBadOffset(offsets, count, data_bytes));
    }
    if (data == nullptr && offsets[count] > offsets[0]) {
      return base::InvalidArgument("data is NULL");
    }
  }
  out->data_ = static_cast<const uint8_t*>(data);
  out->offsets_ = offsets;
  out->slices_ = nullptr;
  out->times_ = times;
  out->count_ = count;
  out->payload_bytes_ = count == 0 ? 0 : offsets[count] - offsets[0];
  return {};
}

Status RecordBatch::Parse(const Slice* slices, uint64_t count, const int64_t* times,
                          RecordBatch* out) {
  if (count >= kBatchRecordsMax) {
    return {Code::kTooBig, "a batch of " + std::to_string(count) + " records"};
  }
  uint64_t payload_bytes = 0;
  for (uint64_t i = 0; i < count; ++i) {
    if (slices[i].bytes > kRecordBytesMax) {
      return TooBig(i, slices[i].bytes);
    }
    if (slices[i].data == nullptr && slices[i].bytes > 0) {
      return base::InvalidArgument("record " + std::to_string(i) + " of the batch has no data")
          .WithRecord(static_cast<int64_t>(i));
    }
    payload_bytes += slices[i].bytes;
  }
  out->data_ = nullptr;
  out->offsets_ = nullptr;
  out->slices_ = slices;
  out->times_ = times;
  out->count_ = count;
  out->payload_bytes_ = payload_bytes;
  return {};
}

uint64_t RecordBatch::Fit(uint64_t from, uint64_t max_records, uint64_t max_payload_bytes,
                          uint64_t* payload_bytes) const {
  const uint64_t limit = std::min(count_ - from, max_records);
  if (slices_ != nullptr) {
    uint64_t sum = 0;
    uint64_t fit = 0;
    while (fit < limit && slices_[from + fit].bytes <= max_payload_bytes - sum) {
      sum += slices_[from + fit].bytes;
      ++fit;
    }
    *payload_bytes = sum;
    return fit;
  }
  // The first end beyond what fits; ends never run backwards.
  const uint64_t* ends = offsets_ + from + 1;
  const uint64_t start = offsets_[from];
  const uint64_t* past = std::partition_point(
      ends, ends + limit, [&](uint64_t end) { return end - start <= max_payload_bytes; });
  const auto fit = static_cast<uint64_t>(past - ends);
  *payload_bytes = offsets_[from + fit] - start;
  return fit;
}

void RecordBatch::CopyPayload(uint64_t from, uint64_t count, uint8_t* data, uint64_t base,
                              uint64_t* begin) const {
  if (slices_ != nullptr) {
    for (uint64_t i = 0; i < count; ++i) {
      const Slice& slice = slices_[from + i];
      if (slice.bytes > 0) {
        std::memcpy(data + base, slice.data, slice.bytes);
      }
      base += slice.bytes;
      begin[i + 1] = base;
    }
    return;
  }
  const uint64_t start = offsets_[from];
  const uint64_t bytes = offsets_[from + count] - start;
  if (bytes > 0) {
    std::memcpy(data + base, data_ + start, bytes);
  }
  const uint64_t shift = base - start;  // may wrap around, and back in the sum
  for (uint64_t i = 1; i <= count; ++i) {
    begin[i] = offsets_[from + i] + shift;
  }
}

std::vector<Columns> RecordBatch::AsColumns(uint64_t first_seq,
                                            std::vector<uint64_t>* begins) const {
  if (slices_ == nullptr) {
    return {Columns{first_seq, count_, data_, offsets_, times_}};
  }
  std::vector<Columns> columns(count_);
  begins->resize(2 * count_);
  for (uint64_t i = 0; i < count_; ++i) {
    uint64_t* const begin = begins->data() + 2 * i;
    begin[0] = 0;
    begin[1] = slices_[i].bytes;
    columns[i] = Columns{first_seq + i, 1, static_cast<const uint8_t*>(slices_[i].data), begin,
                         times_ == nullptr ? nullptr : times_ + i};
  }
  return columns;
}

void RecordBatch::CopyTimes(uint64_t from, uint64_t count, int64_t* times) const {
  std::memcpy(times, times_ + from, count * sizeof(int64_t));
}

}  // namespace spillway::record
