// Records as columns in memory of their own: what a cold tier decodes into and what a gather copies
// into.
//
// Not thread-safe while it is filled; afterwards it is immutable. May throw std::bad_alloc.
#pragma once

#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

#include "internal/base/status.h"
#include "internal/record/columns.h"

namespace spillway::record {

class ColumnBuffer {
 public:
  // Empties it for records from first_seq on.
  void Reset(uint64_t first_seq, bool has_times) {
    first_seq_ = first_seq;
    has_times_ = has_times;
    data_.clear();
    begin_.assign(1, 0);
    times_.clear();
  }

  void Append(std::span<const uint8_t> payload, int64_t time) {
    data_.insert(data_.end(), payload.begin(), payload.end());
    begin_.push_back(data_.size());
    if (has_times_) {
      times_.push_back(time);
    }
  }

  // Adds records that lie one behind the other: the i-th takes the bytes from ends[i] to
  // ends[i + 1] of something that `fill` (std::span<uint8_t>) copies from ends[0] on. Unless that
  // returns OK nothing is added.
  template <class Fill>
  base::Status AppendRun(std::span<const uint32_t> ends, std::span<const int64_t> times,
                         Fill&& fill) {
    const uint64_t before = data_.size();
    begin_.reserve(begin_.size() + ends.size() - 1);
    times_.reserve(times_.size() + times.size());
    data_.resize(before + (ends.back() - ends.front()));
    const base::Status status = fill(std::span(data_).subspan(before));
    if (!status.ok()) {
      data_.resize(before);
      return status;
    }
    times_.insert(times_.end(), times.begin(), times.end());
    for (const uint32_t end : ends.subspan(1)) {
      begin_.push_back(before + (end - ends.front()));
    }
    return {};
  }

  uint64_t count() const { return begin_.size() - 1; }
  uint64_t payload_bytes() const { return data_.size(); }
  uint64_t allocated_bytes() const {
    return data_.capacity() + (begin_.capacity() + times_.capacity()) * sizeof(uint64_t);
  }

  // Valid until the next Reset or Append.
  Columns columns() const {
    return {first_seq_, count(), data_.data(), begin_.data(), has_times_ ? times_.data() : nullptr};
  }

 private:
  uint64_t first_seq_ = 0;
  bool has_times_ = false;
  std::vector<uint8_t> data_;
  std::vector<uint64_t> begin_ = {0};
  std::vector<int64_t> times_;
};

}  // namespace spillway::record
