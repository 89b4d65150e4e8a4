// Where a trim ends that was asked for by time or by size. Looks at records in memory and in the
// cold tier alike, and changes nothing.
//
// Thread-safe. kCorrupt, kIo: the records that had to be looked at cannot be read.
#pragma once

#include <cstdint>

#include "internal/hybrid/reader.h"

namespace spillway::hybrid {

class TrimPoint {
 public:
  TrimPoint(const Reader* reader, const Stream* stream) : reader_(reader), stream_(stream) {}

  // The first record that is not older than `time`; the tail if all are. Reads what is older.
  base::Result<uint64_t> ByTime(int64_t time) const;
  // The lowest sequence number from which on the stream has at most so many payload bytes. Reads
  // what is left, beginning with the youngest.
  base::Result<uint64_t> ByBytes(uint64_t bytes_most) const;

 private:
  base::Status FindTime(int64_t time, uint64_t* seq) const;
  base::Status FindBytes(uint64_t bytes_most, uint64_t* seq) const;
  // Goes on from *seq until `bytes` of payload are behind or end_seq is reached; *skipped is their
  // sum.
  base::Status Skip(uint64_t bytes, uint64_t end_seq, uint64_t* seq, uint64_t* skipped) const;

  const Reader* const reader_;
  const Stream* const stream_;
};

}  // namespace spillway::hybrid
