#include "internal/hybrid/cursor.h"

#include <algorithm>
#include <string>

namespace spillway::hybrid {

using base::Code;
using base::Status;

// What is decoded of the cold tier at a time: little after a seek, for it may be the only look;
// more and more while the cursor goes on.
static constexpr uint64_t kDecodeBytesFirst = uint64_t{64} << 10;
static constexpr uint64_t kDecodeBytesMost = uint64_t{1} << 20;

Cursor::Cursor(std::shared_ptr<Store> store, const Stream* stream, uint64_t begin_seq,
               uint64_t end_seq)
    : store_(std::move(store)), stream_(stream), decode_bytes_(kDecodeBytesFirst) {
  const uint64_t first = stream->begin_seq();  // before the tail: it may not pass it
  end_ = std::min(end_seq, stream->tail_seq());
  begin_ = std::min(std::max(begin_seq, first), end_);
  position_ = begin_;
}

Status Cursor::FillBlock() {
  if (block_.owner != nullptr && position_ < block_.columns.end_seq()) {
    return {};
  }
  block_ = PinnedColumns();
  SPW_RETURN_IF_ERROR(store_->reader().Fetch(*stream_, position_, end_, decode_bytes_, &block_));
  decode_bytes_ = std::min(decode_bytes_ * 2, kDecodeBytesMost);
  return {};
}

Status Cursor::Next(uint64_t max_records, uint64_t max_payload_bytes, record::Columns* view) {
  view_ = PinnedColumns();
  if (!error_.ok()) {
    return error_;
  }
  if (position_ == end_) {
    block_ = PinnedColumns();
    *view = record::Columns{.first_seq = end_};
    return {};
  }
  Status status =
      position_ < stream_->begin_seq() ? Reader::Trimmed(*stream_, position_) : FillBlock();
  if (!status.ok()) {
    block_ = PinnedColumns();
    if (status.code() == Code::kTrimmed || status.code() == Code::kCorrupt ||
        status.code() == Code::kIo) {
      error_ = status;
    }
    return status;
  }
  const uint64_t available = std::min(block_.columns.end_seq() - position_, max_records);
  record::Columns columns = block_.columns.Slice(position_, position_ + available);
  const uint64_t* const ends = columns.begin + 1;
  const uint64_t* const past = std::partition_point(ends, ends + available, [&](uint64_t end) {
    return end - columns.begin[0] <= max_payload_bytes;
  });
  columns.count = std::max<uint64_t>(1, static_cast<uint64_t>(past - ends));
  position_ += columns.count;
  view_ = PinnedColumns{block_.owner, columns};
  *view = columns;
  return {};
}

Status Cursor::Seek(uint64_t seq) {
  if (seq < begin_ || seq > end_) {
    return base::InvalidArgument("seek to " + std::to_string(seq) + " outside of " +
                                 std::to_string(begin_) + " to " + std::to_string(end_));
  }
  view_ = PinnedColumns();
  error_ = Status();
  if (block_.owner != nullptr &&
      (seq < block_.columns.first_seq || seq >= block_.columns.end_seq())) {
    block_ = PinnedColumns();
    decode_bytes_ = kDecodeBytesFirst;
  }
  position_ = seq;
  return {};
}

}  // namespace spillway::hybrid
