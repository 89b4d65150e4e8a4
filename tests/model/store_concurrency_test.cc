// Many threads on one store: whoever looks, at whatever moment, sees whole batches in order without
// gaps, and never more memory in use than the hard limit.
#include <algorithm>
#include <atomic>
#include <cstring>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "tests/support/crew.h"
#include "tests/support/prng.h"
#include "tests/support/temp_folder.h"
#include "tests/support/test_store.h"
#include "tests/support/tier_of_run.h"

namespace spillway::test {
namespace {

constexpr uint64_t kWriters = 8;
constexpr uint64_t kBatchRecordsMax = 40;
constexpr uint64_t kRecords = 12'000;  // of each writer
constexpr int64_t kBudgetBytes = 1 << 20;
constexpr int64_t kBudgetRecords = 3000;

// What stands at the front of every record.
struct Stamp {
  uint32_t writer;
  uint32_t batch_records;  // of its batch
  uint64_t number;         // of this writer's records
  uint32_t index;          // in its batch
  uint32_t filler_bytes;
};

Records StampedBatch(uint32_t writer, uint64_t number, Prng* random) {
  Records records(random->Between(1, kBatchRecordsMax));
  for (size_t i = 0; i < records.size(); ++i) {
    const Stamp stamp{writer, static_cast<uint32_t>(records.size()), number + i,
                      static_cast<uint32_t>(i), static_cast<uint32_t>(random->Below(600))};
    records[i].payload.assign(sizeof stamp + stamp.filler_bytes, static_cast<char>(number + i));
    std::memcpy(records[i].payload.data(), &stamp, sizeof stamp);
  }
  return records;
}

// Checks records of one stream from its begin on, one after the other.
class OrderCheck {
 public:
  // Empty: all is well.
  std::string Take(const Record& record) {
    Stamp stamp;
    if (record.payload.size() < sizeof stamp) {
      return "a record that nobody wrote";
    }
    std::memcpy(&stamp, record.payload.data(), sizeof stamp);
    const bool whole = record.payload.size() == sizeof stamp + stamp.filler_bytes &&
                       std::all_of(record.payload.begin() + sizeof stamp, record.payload.end(),
                                   [&](char c) { return c == static_cast<char>(stamp.number); });
    if (!whole || stamp.writer >= kWriters) {
      return "a record with wrong bytes";
    }
    if (stamp.number != next_[stamp.writer]) {
      return "record " + std::to_string(stamp.number) + " of writer " +
             std::to_string(stamp.writer) + " where " + std::to_string(next_[stamp.writer]) +
             " is next";
    }
    if (stamp.index != index_ || (index_ > 0 && stamp.writer != writer_)) {
      return "a batch that is torn";
    }
    ++next_[stamp.writer];
    writer_ = stamp.writer;
    index_ = stamp.index + 1 == stamp.batch_records ? 0 : stamp.index + 1;
    return "";
  }
  bool between_batches() const { return index_ == 0; }
  uint64_t count() const {
    uint64_t sum = 0;
    for (const uint64_t next : next_) {
      sum += next;
    }
    return sum;
  }
  uint64_t count_of(uint32_t writer) const { return next_[writer]; }

 private:
  uint64_t next_[kWriters] = {};
  uint32_t writer_ = 0;
  uint32_t index_ = 0;
};

// Opens a cursor now and walks it to its end: whole batches, at least `at_least` records.
void CheckPrefix(TestStore* store, uint32_t stream, uint64_t at_least, Prng* random) {
  const auto cursor = store->Cursor(stream, 0, SPW_SEQ_NONE);
  ASSERT_NE(cursor, nullptr);
  OrderCheck check;
  uint64_t position = 0;
  while (position < cursor->end_seq()) {
    uint64_t first = 0;
    Records found;
    const uint64_t most = random->OneIn(2) ? SPW_NO_LIMIT : random->Between(1, 500);
    ASSERT_EQ(cursor->Next(most, SPW_NO_LIMIT, &first, &found), SPW_OK) << position;
    ASSERT_EQ(first, position);
    ASSERT_FALSE(found.empty());
    for (const Record& record : found) {
      ASSERT_EQ(check.Take(record), "") << "at " << position;
      ++position;
    }
  }
  ASSERT_TRUE(check.between_batches());
  ASSERT_EQ(check.count(), cursor->end_seq());
  ASSERT_GE(check.count(), at_least);
}

Settings SmallBudgets() {
  return {
      {SPW_OPT_BUDGET_BYTES, kBudgetBytes}, {SPW_OPT_BUDGET_RECORDS, kBudgetRecords}, TierOfRun()};
}

class StoreConcurrencyTest : public ::testing::Test {
 protected:
  StoreConcurrencyTest() : store_(folder_.File("store.db")) {
    EXPECT_EQ(store_.Open(SmallBudgets()), SPW_OK);
  }

  uint32_t MakeStream(const std::string& name) {
    uint32_t id = 0;
    EXPECT_EQ(store_.Stream(name, {}, &id), SPW_OK);
    return id;
  }

  // Each writer adds to streams[writer % size], until it has `records` or more.
  void Write(const std::vector<uint32_t>& streams, uint64_t records, uint64_t seed) {
    std::vector<std::thread> writers;
    for (uint32_t writer = 0; writer < kWriters; ++writer) {
      writers.emplace_back([this, &streams, records, seed, writer] {
        Prng random(seed * kWriters + writer);
        const uint32_t stream = streams[writer % streams.size()];
        uint64_t number = 0;
        while (number < records && !::testing::Test::HasFatalFailure()) {
          const Records batch = StampedBatch(writer, number, &random);
          uint64_t first = 0;
          const Form form = random.OneIn(2) ? Form::kPacked : Form::kVectored;
          ASSERT_EQ(store_.Add(stream, batch, false, form, &first), SPW_OK);
          number += batch.size();
          admitted_[stream].fetch_add(batch.size(), std::memory_order_acq_rel);
        }
      });
    }
    for (std::thread& writer : writers) {
      writer.join();
    }
  }

  // A cursor sees at least what was admitted before it was opened.
  void CheckPrefixNow(uint32_t stream, Prng* random) {
    const uint64_t before = admitted_[stream].load(std::memory_order_acquire);
    CheckPrefix(&store_, stream, before, random);
  }

  // Peaks too, so that no instant is missed.
  void CheckLimits() {
    const spw_stats stats = store_.Stats();
    ASSERT_LE(stats.bytes_resident, kBudgetBytes * 130 / 100);
    ASSERT_LE(stats.bytes_resident_peak, kBudgetBytes * 130 / 100);
    ASSERT_LE(stats.records_resident, kBudgetRecords * 130 / 100);
    ASSERT_LE(stats.records_resident_peak, kBudgetRecords * 130 / 100);
    ASSERT_EQ(stats.health, static_cast<uint64_t>(SPW_OK));
  }

  TempFolder folder_;
  TestStore store_;
  std::atomic<uint64_t> admitted_[64] = {};
};

TEST_F(StoreConcurrencyTest, CursorsOpenedAtAnyMomentSeeAGaplessPrefixOfOneStream) {
  const uint64_t seed = TestSeed("CursorsOpenedAtAnyMoment", 11);
  const uint32_t stream = MakeStream("one");
  Crew crew;
  for (uint64_t reader = 0; reader < 2; ++reader) {
    crew.Add([this, stream, random = Prng(seed + reader)]() mutable {
      CheckPrefixNow(stream, &random);
    });
  }
  crew.Add([this] { CheckLimits(); });
  Write({stream}, kRecords, seed);
  crew.End();
  EXPECT_GT(store_.Stats().spills, 0u);
  Prng random(seed);
  CheckPrefix(&store_, stream, kWriters * kRecords, &random);
  ASSERT_EQ(store_.Close(), SPW_OK);
  store_.Drop();
  ASSERT_EQ(store_.Open(SmallBudgets()), SPW_OK);
  CheckPrefix(&store_, MakeStream("one"), kWriters * kRecords, &random);
}

// Flushes, clears of another stream and changing budgets go on meanwhile.
TEST_F(StoreConcurrencyTest, FlushClearAndBudgetsDoNotDisturbReadersOfManyStreams) {
  const uint64_t seed = TestSeed("FlushClearAndBudgets", 12);
  std::vector<uint32_t> streams;
  for (int i = 0; i < 4; ++i) {
    streams.push_back(MakeStream("stream " + std::to_string(i)));
  }
  const uint32_t other = MakeStream("other");
  Crew crew;
  for (uint64_t reader = 0; reader < 2; ++reader) {
    crew.Add([this, &streams, random = Prng(seed + reader)]() mutable {
      CheckPrefixNow(streams[random.Below(streams.size())], &random);
    });
  }
  crew.Add([this, random = Prng(seed + 3)]() mutable {
    const int32_t level = random.OneIn(2) ? SPW_FLUSH_KERNEL : SPW_FLUSH_DEVICE;
    ASSERT_EQ(store_.Flush(level), SPW_OK);
  });
  crew.Add([this, other, random = Prng(seed + 4)]() mutable {
    uint64_t first = 0;
    const Records batch = StampedBatch(0, 0, &random);
    ASSERT_EQ(store_.Add(other, batch, false, Form::kPacked, &first), SPW_OK);
    if (random.OneIn(3)) {
      ASSERT_EQ(store_.Clear(other), SPW_OK);
    }
  });
  crew.Add([this, random = Prng(seed + 5)]() mutable {
    CheckLimits();  // what is set is never above the first
    const auto bytes = static_cast<int64_t>(random.Between(300 << 10, kBudgetBytes));
    ASSERT_EQ(store_.Set(SPW_ALL, SPW_OPT_BUDGET_BYTES, bytes), SPW_OK);
    const auto records = static_cast<int64_t>(random.Between(100, kBudgetRecords));
    ASSERT_EQ(store_.Set(SPW_ALL, SPW_OPT_BUDGET_RECORDS, records), SPW_OK);
  });
  Write(streams, kRecords, seed);
  crew.End();
  Prng random(seed);
  for (const uint32_t stream : streams) {
    CheckPrefix(&store_, stream, 2 * kRecords, &random);
  }
  ASSERT_EQ(store_.Flush(SPW_FLUSH_DEVICE), SPW_OK);
  ASSERT_EQ(store_.Close(), SPW_OK);
}

// A batch above the hard limit goes around memory; it keeps its place among the others.
TEST_F(StoreConcurrencyTest, OversizeBatchesKeepTheirPlaceAmongOtherWriters) {
  const uint64_t seed = TestSeed("OversizeBatches", 13);
  const uint32_t stream = MakeStream("one");
  ASSERT_EQ(store_.Set(SPW_ALL, SPW_OPT_BUDGET_RECORDS, kBatchRecordsMax / 2), SPW_OK);
  Crew crew;
  crew.Add([this, stream, random = Prng(seed)]() mutable { CheckPrefixNow(stream, &random); });
  crew.Add([this, stream] {
    ASSERT_EQ(store_.Flush(SPW_FLUSH_DEVICE), SPW_OK);
    const spw_stream_stats stats = store_.StreamStats(stream);
    ASSERT_LE(stats.spilled_seq, stats.tail_seq);
  });
  Write({stream}, 300, seed);
  crew.End();
  Prng random(seed);
  CheckPrefix(&store_, stream, kWriters * 300, &random);
}

// The one who closes ends the others' calls: each returns, with SPW_CLOSED at the latest.
TEST_F(StoreConcurrencyTest, CloseEndsWaitingAndRunningCallsAndKeepsWhatWasAdmitted) {
  const uint64_t seed = TestSeed("CloseEndsWaiting", 14);
  const uint32_t stream = MakeStream("one");
  std::vector<std::thread> writers;
  std::atomic<uint64_t> admitted{0};
  for (uint32_t writer = 0; writer < kWriters; ++writer) {
    writers.emplace_back([&, writer] {
      Prng random(seed * kWriters + writer);
      for (uint64_t number = 0;;) {
        const Records batch = StampedBatch(writer, number, &random);
        uint64_t first = 0;
        const spw_status status = store_.Add(stream, batch, false, Form::kPacked, &first);
        ASSERT_TRUE(status == SPW_OK || status == SPW_CLOSED) << spw_status_name(status);
        ASSERT_EQ(first == SPW_SEQ_NONE, status != SPW_OK);
        if (status == SPW_CLOSED) {
          return;
        }
        number += batch.size();
        admitted.fetch_add(batch.size(), std::memory_order_relaxed);
      }
    });
  }
  std::thread reader([&] {
    spw_status status = SPW_OK;
    while (status == SPW_OK) {
      const auto cursor = store_.Cursor(stream, 0, SPW_SEQ_NONE, &status);
      for (uint64_t got = 1; status == SPW_OK && got > 0;) {
        uint64_t first = 0;
        Records found;
        status = cursor->Next(SPW_NO_LIMIT, SPW_NO_LIMIT, &first, &found);
        got = found.size();
      }
    }
    ASSERT_EQ(status, SPW_CLOSED);
  });
  while (admitted.load(std::memory_order_relaxed) < 10'000) {
    std::this_thread::yield();
  }
  EXPECT_EQ(store_.Close(), SPW_OK);
  for (std::thread& writer : writers) {
    writer.join();
  }
  reader.join();
  store_.Drop();
  ASSERT_EQ(store_.Open(SmallBudgets()), SPW_OK);
  Prng random(seed);
  CheckPrefix(&store_, MakeStream("one"), admitted.load(), &random);
  EXPECT_EQ(store_.Stats().records_live, admitted.load());
}

}  // namespace
}  // namespace spillway::test
