// Batches as callers give them: what is refused, and that what is taken is copied byte for byte.

#include "internal/record/record_batch.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "internal/record/column_buffer.h"
#include "tests/support/prng.h"

namespace spillway::test {
namespace {

using base::Code;
using record::RecordBatch;
using record::Slice;

base::Status Parse(const std::string& data, const std::vector<uint64_t>& offsets,
                   RecordBatch* batch) {
  return RecordBatch::Parse(data.data(), data.size(), offsets.data(), offsets.size() - 1, nullptr,
                            batch);
}

TEST(RecordBatchTest, OffsetsThatRunBackwardsOrPastTheEndAreRefusedWithTheirRecord) {
  RecordBatch batch;
  const std::string data(100, 'x');
  const struct {
    std::vector<uint64_t> offsets;
    int64_t record;
  } cases[] = {
      {{0, 50, 40, 60}, 1}, {{0, 101}, 0},        {{0, 10, 200, 20}, 1},   {{101, 101}, 0},
      {{UINT64_MAX, 5}, 0}, {{5, UINT64_MAX}, 0}, {{0, UINT64_MAX, 3}, 0},
  };
  for (const auto& each : cases) {
    const base::Status status = Parse(data, each.offsets, &batch);
    EXPECT_EQ(status.code(), Code::kInvalidArgument) << status.message();
    EXPECT_EQ(status.record(), each.record) << status.message();
  }
}

TEST(RecordBatchTest, RecordAboveTheLargestIsTooBigAndNotTouched) {
  RecordBatch batch;
  const char nothing = 0;
  const std::vector<uint64_t> fits = {0, record::kRecordBytesMax};
  EXPECT_TRUE(RecordBatch::Parse(&nothing, fits[1], fits.data(), 1, nullptr, &batch).ok());
  const std::vector<uint64_t> too_big = {0, 1, record::kRecordBytesMax + 2};
  const base::Status status =
      RecordBatch::Parse(&nothing, too_big[2], too_big.data(), 2, nullptr, &batch);
  EXPECT_EQ(status.code(), Code::kTooBig);
  EXPECT_EQ(status.record(), 1);
  const Slice slices[] = {{"a", 1}, {&nothing, record::kRecordBytesMax + 1}};
  EXPECT_EQ(RecordBatch::Parse(slices, 2, nullptr, &batch).code(), Code::kTooBig);
}

TEST(RecordBatchTest, NoDataIsFineForEmptyRecordsOnly) {
  RecordBatch batch;
  const uint64_t empty[] = {0, 0, 0};
  EXPECT_TRUE(RecordBatch::Parse(nullptr, 0, empty, 2, nullptr, &batch).ok());
  EXPECT_EQ(batch.payload_bytes(), 0U);
  const uint64_t some[] = {0, 1};
  EXPECT_EQ(RecordBatch::Parse(nullptr, 1, some, 1, nullptr, &batch).code(),
            Code::kInvalidArgument);
  const Slice slices[] = {{nullptr, 0}, {nullptr, 3}};
  EXPECT_EQ(RecordBatch::Parse(slices, 1, nullptr, &batch).code(), Code::kOk);
  EXPECT_EQ(RecordBatch::Parse(slices, 2, nullptr, &batch).record(), 1);
}

// Fit and CopyPayload against the plain loop, in both forms and at every start.
TEST(RecordBatchTest, FitsAndCopiesAsThePlainLoopDoes) {
  const uint64_t seed = TestSeed("RecordBatchTest", 7);
  Prng random(seed);
  SCOPED_TRACE("seed=" + std::to_string(seed));
  for (int round = 0; round < 50; ++round) {
    std::string data(random.Below(40), '?');
    std::vector<uint64_t> offsets = {data.size()};
    const uint64_t count = 1 + random.Below(30);
    for (uint64_t i = 0; i < count; ++i) {
      for (uint64_t n = random.Below(4) == 0 ? 0 : random.Below(50); n > 0; --n) {
        data.push_back(static_cast<char>(random.Below(256)));
      }
      offsets.push_back(data.size());
    }
    std::vector<Slice> slices;
    for (uint64_t i = 0; i < count; ++i) {
      slices.push_back(Slice{data.data() + offsets[i], offsets[i + 1] - offsets[i]});
    }
    RecordBatch forms[2];
    ASSERT_TRUE(Parse(data, offsets, &forms[0]).ok());
    ASSERT_TRUE(RecordBatch::Parse(slices.data(), count, nullptr, &forms[1]).ok());
    const uint64_t from = random.Below(count);
    const uint64_t max_records = random.Below(count + 2);
    const uint64_t max_bytes = random.Below(data.size() + 2);
    uint64_t fit = 0;
    uint64_t bytes = 0;
    while (from + fit < count && fit < max_records &&
           bytes + slices[from + fit].bytes <= max_bytes) {
      bytes += slices[from + fit++].bytes;
    }
    for (const RecordBatch& batch : forms) {
      uint64_t payload_bytes = 99;
      EXPECT_EQ(batch.Fit(from, max_records, max_bytes, &payload_bytes), fit);
      EXPECT_EQ(payload_bytes, bytes);
      std::vector<uint8_t> copy(7 + bytes);
      std::vector<uint64_t> begin(fit + 1, 7);
      batch.CopyPayload(from, fit, copy.data(), 7, begin.data());
      for (uint64_t i = 0; i < fit; ++i) {
        EXPECT_EQ(std::string(copy.begin() + static_cast<ptrdiff_t>(begin[i]),
                              copy.begin() + static_cast<ptrdiff_t>(begin[i + 1])),
                  data.substr(offsets[from + i], slices[from + i].bytes));
      }
    }
  }
}

TEST(RecordBatchTest, AsColumnsShowsTheBatchWhereItLies) {
  const std::string data = "..abcde";
  const std::vector<uint64_t> offsets = {2, 4, 4, 7};
  const Slice slices[] = {{data.data() + 2, 2}, {nullptr, 0}, {data.data() + 4, 3}};
  RecordBatch forms[2];
  ASSERT_TRUE(Parse(data, offsets, &forms[0]).ok());
  ASSERT_TRUE(RecordBatch::Parse(slices, 3, nullptr, &forms[1]).ok());
  for (const RecordBatch& batch : forms) {
    std::vector<uint64_t> begins;
    std::string all;
    uint64_t next = 10;
    for (const record::Columns& columns : batch.AsColumns(10, &begins)) {
      EXPECT_EQ(columns.first_seq, next);
      next = columns.end_seq();
      for (uint64_t i = 0; i < columns.count; ++i) {
        const auto payload = columns.payload(i);
        all += "|" + std::string(payload.begin(), payload.end());
      }
    }
    EXPECT_EQ(next, 13U);
    EXPECT_EQ(all, "|ab||cde");
  }
}

TEST(ColumnBufferTest, KeepsWhatIsAppendedAndSlicesIt) {
  record::ColumnBuffer buffer;
  buffer.Reset(100, true);
  const std::vector<std::string> records = {"one", "", "three"};
  for (size_t i = 0; i < records.size(); ++i) {
    buffer.Append(std::span(reinterpret_cast<const uint8_t*>(records[i].data()), records[i].size()),
                  static_cast<int64_t>(i) - 1);
  }
  const record::Columns last = buffer.columns().Slice(101, 103);
  EXPECT_EQ(last.count, 2U);
  EXPECT_EQ(last.payload(0).size(), 0U);
  EXPECT_EQ(std::string(last.payload(1).begin(), last.payload(1).end()), "three");
  EXPECT_EQ(last.times[1], 1);
  EXPECT_EQ(last.payload_bytes(), 5U);
  buffer.Reset(5, false);
  EXPECT_EQ(buffer.columns().count, 0U);
  EXPECT_EQ(buffer.columns().times, nullptr);
}

}  // namespace
}  // namespace spillway::test
