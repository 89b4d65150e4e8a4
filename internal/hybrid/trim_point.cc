#include "internal/hybrid/trim_point.h"

#include <algorithm>

namespace spillway::hybrid {

using base::Code;
using base::Status;

static constexpr uint64_t kDecodeBytes = uint64_t{1} << 20;  // of the cold tier at a time
// Records that are looked at together when the way is from the tail backwards.
static constexpr uint64_t kWindow = 4096;

// Somebody else may trim meanwhile, further than the search has come: it then begins again behind
// that.
template <class Find>
static base::Result<uint64_t> Repeat(Find&& find) {
  uint64_t seq = 0;
  Status status;
  do {
    status = find(&seq);
  } while (status.code() == Code::kTrimmed);
  SPW_RETURN_IF_ERROR(status);
  return seq;
}

base::Result<uint64_t> TrimPoint::ByTime(int64_t time) const {
  return Repeat([&](uint64_t* seq) { return FindTime(time, seq); });
}

base::Result<uint64_t> TrimPoint::ByBytes(uint64_t bytes_most) const {
  return Repeat([&](uint64_t* seq) { return FindBytes(bytes_most, seq); });
}

Status TrimPoint::FindTime(int64_t time, uint64_t* seq) const {
  *seq = stream_->begin_seq();
  const uint64_t end = stream_->tail_seq();
  while (*seq < end) {
    PinnedColumns block;
    SPW_RETURN_IF_ERROR(reader_->Fetch(*stream_, *seq, end, kDecodeBytes, &block));
    const int64_t* const times = block.columns.times;
    const int64_t* const past = times + block.columns.count;
    const int64_t* const found =
        std::find_if(times, past, [&](int64_t each) { return each >= time; });
    *seq += static_cast<uint64_t>(found - times);
    if (found != past) {
      break;
    }
  }
  return {};
}

Status TrimPoint::FindBytes(uint64_t bytes_most, uint64_t* seq) const {
  const uint64_t begin = stream_->begin_seq();
  uint64_t end = stream_->tail_seq();
  uint64_t room = bytes_most;
  while (end > begin) {
    const uint64_t first = end - std::min(kWindow, end - begin);
    uint64_t at = first;
    uint64_t bytes = 0;
    SPW_RETURN_IF_ERROR(Skip(base::kUnlimited, end, &at, &bytes));
    if (bytes > room) {
      *seq = first;
      return Skip(bytes - room, end, seq, &bytes);
    }
    room -= bytes;
    end = first;
  }
  *seq = begin;
  return {};
}

Status TrimPoint::Skip(uint64_t bytes, uint64_t end_seq, uint64_t* seq, uint64_t* skipped) const {
  *skipped = 0;
  while (*skipped < bytes && *seq < end_seq) {
    PinnedColumns block;
    SPW_RETURN_IF_ERROR(reader_->Fetch(*stream_, *seq, end_seq, kDecodeBytes, &block));
    const record::Columns& columns = block.columns;
    const uint64_t* const ends = columns.begin + 1;
    const uint64_t wanted = bytes - *skipped;
    const uint64_t* const enough = std::partition_point(
        ends, ends + columns.count,
        [&](uint64_t record_end) { return record_end - columns.begin[0] < wanted; });
    const uint64_t count = std::min(static_cast<uint64_t>(enough - ends) + 1, columns.count);
    *skipped += columns.begin[count] - columns.begin[0];
    *seq += count;
  }
  return {};
}

}  // namespace spillway::hybrid
