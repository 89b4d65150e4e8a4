// Consecutive records laid out as columns, borrowed: the one form in which records travel through
// the library.
#pragma once

#include <cstdint>
#include <span>

namespace spillway::record {

// Record i, with sequence number first_seq + i, is data[begin[i] .. begin[i + 1]).
struct Columns {
  uint64_t first_seq = 0;
  uint64_t count = 0;
  const uint8_t* data = nullptr;
  const uint64_t* begin = nullptr;  // count + 1 entries, ascending; begin[0] may be above 0
  const int64_t* times = nullptr;   // count entries, or null

  uint64_t end_seq() const { return first_seq + count; }
  uint64_t payload_bytes() const { return count == 0 ? 0 : begin[count] - begin[0]; }
  std::span<const uint8_t> payload(uint64_t i) const {
    return {data + begin[i], begin[i + 1] - begin[i]};
  }

  // The part of it in [from, to), which must lie within.
  Columns Slice(uint64_t from, uint64_t to) const {
    const uint64_t skip = from - first_seq;
    return {from, to - from, data, begin + skip, times == nullptr ? nullptr : times + skip};
  }
};

}  // namespace spillway::record
