// Records that say by their bytes which they are: whoever reads one, at whatever moment, knows what
// it must be from its stream and its sequence number. A stream of them has one writer at a time.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>

#include "gtest/gtest.h"
#include "tests/support/test_store.h"
#include "tests/support/tier_records.h"

namespace spillway::test {

// Of 0 to bytes_max bytes; the same for all records of a stream.
struct Numbered {
  uint32_t number = 0;  // of the stream
  uint64_t bytes_max = 300;

  Record At(uint64_t seq) const {
    return {PayloadOf(number, seq, 0, bytes_max), TimeOf(number, seq, 0)};
  }
  Records Batch(uint64_t first, uint64_t count) const {
    Records records;
    for (uint64_t i = 0; i < count; ++i) {
      records.push_back(At(first + i));
    }
    return records;
  }
  // Empty: all are as they must be.
  std::string Wrong(uint64_t first, const Records& found) const {
    for (uint64_t i = 0; i < found.size(); ++i) {
      if (found[i].payload != At(first + i).payload) {
        return "record " + std::to_string(first + i) + " of stream " + std::to_string(number) +
               " has other bytes";
      }
    }
    return "";
  }
};

// Reads on to the end or to what was trimmed meanwhile; *end is where that was.
inline void ReadNumbered(TestCursor* cursor, const Numbered& stream, uint64_t max_records,
                         spw_status* status, uint64_t* end) {
  uint64_t position = cursor->begin_seq();
  for (;;) {
    uint64_t first = 0;
    Records found;
    *status = cursor->Next(max_records, SPW_NO_LIMIT, &first, &found);
    if (*status != SPW_OK || found.empty()) {
      break;
    }
    ASSERT_EQ(first, position);
    ASSERT_EQ(stream.Wrong(first, found), "");
    position += found.size();
  }
  *end = position;
}

// The stream holds [begin_seq, end_seq) and nothing else.
inline void ExpectHolds(TestStore* store, uint32_t id, const Numbered& stream, uint64_t begin_seq,
                        uint64_t end_seq) {
  const auto cursor = store->Cursor(id, 0, SPW_SEQ_NONE);
  ASSERT_NE(cursor, nullptr);
  ASSERT_EQ(cursor->begin_seq(), begin_seq);
  ASSERT_EQ(cursor->end_seq(), end_seq);
  spw_status status = SPW_OK;
  uint64_t end = 0;
  ASSERT_NO_FATAL_FAILURE(ReadNumbered(cursor.get(), stream, SPW_NO_LIMIT, &status, &end));
  ASSERT_EQ(status, SPW_OK);
  ASSERT_EQ(end, end_seq);
}

}  // namespace spillway::test
