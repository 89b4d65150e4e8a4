// One position that walks a snapshot of a stream, cold and hot alike.
//
// The snapshot is a range of sequence numbers; the only memory that it holds is the block of its
// current view. After an error (kTrimmed, kCorrupt, kIo) it stays at its place and says so until
// Seek: it never skips. For one thread at a time. Keeps its store alive.
#pragma once

#include <cstdint>
#include <memory>

#include "internal/hybrid/store.h"

namespace spillway::hybrid {

class Cursor {
 public:
  // The records of [begin_seq, end_seq) that are there now.
  Cursor(std::shared_ptr<Store> store, const Stream* stream, uint64_t begin_seq, uint64_t end_seq);

  uint64_t begin_seq() const { return begin_; }
  uint64_t end_seq() const { return end_; }
  const std::shared_ptr<Store>& store() const { return store_; }

  // The next records, at most so many and so much, at least one; none at the end. Valid until the
  // next call.
  base::Status Next(uint64_t max_records, uint64_t max_payload_bytes, record::Columns* view);
  base::Status Seek(uint64_t seq);
  // The current view and what keeps it alive; owner null: there is none.
  const PinnedColumns& view() const { return view_; }

 private:
  base::Status FillBlock();

  const std::shared_ptr<Store> store_;
  const Stream* const stream_;
  uint64_t begin_;
  uint64_t end_;
  uint64_t position_;
  uint64_t decode_bytes_;
  PinnedColumns block_;  // records from some place at or before position_
  PinnedColumns view_;   // a part of it
  base::Status error_;
};

}  // namespace spillway::hybrid
