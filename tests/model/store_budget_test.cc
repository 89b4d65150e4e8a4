// Budgets that change all the time under load: what is in memory never passes the limit that is in
// force, and no record is lost or changed on its way.
//
// What capi/spillway.h promises of it: no add passes beyond the hard limit, and a lower budget
// takes effect by spilling. So, right after a budget became lower, there may be more in memory than
// it allows; then it only becomes less until the limit is kept, with or without further calls, and
// from then on it is kept.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "tests/support/crew.h"
#include "tests/support/numbered_records.h"
#include "tests/support/prng.h"
#include "tests/support/temp_folder.h"
#include "tests/support/test_store.h"
#include "tests/support/tier_of_run.h"

namespace spillway::test {
namespace {

constexpr uint64_t kWriters = 4;
constexpr uint64_t kChanges = 1000;
constexpr uint64_t kBatchesOfAChange = 8;  // of each writer
constexpr int64_t kBytesMin = 256 << 10;
constexpr auto kLong = std::chrono::seconds(60);  // whoever takes so long never ends

// How many batches writers may still add: so there is load at each change, and no more data than
// the test can read back.
class Ration {
 public:
  void Give(uint64_t batches) {
    std::lock_guard lock(mutex_);
    given_ += batches;
    moved_.notify_all();
  }
  void End() {
    std::lock_guard lock(mutex_);
    ended_ = true;
    moved_.notify_all();
  }
  // False: it is over.
  bool Take(uint64_t taken) {
    std::unique_lock lock(mutex_);
    moved_.wait(lock, [&] { return ended_ || taken < given_; });
    return taken < given_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable moved_;
  uint64_t given_ = 0;  // to each
  bool ended_ = false;
};

struct Watched {
  Numbered records;
  uint32_t id = 0;
  std::atomic<uint64_t> tail{0};   // admitted
  std::atomic<uint64_t> begin{0};  // one thread trims
  int64_t budget_bytes = SPW_UNLIMITED;
  int64_t budget_records = SPW_UNLIMITED;
};

uint64_t HardOf(int64_t budget) {
  return budget == SPW_UNLIMITED ? UINT64_MAX : static_cast<uint64_t>(budget) * 130 / 100;
}

class StoreBudgetTest : public ::testing::Test {
 protected:
  StoreBudgetTest() : store_(folder_.File("store")) {
    EXPECT_EQ(store_.Open({{SPW_OPT_BUDGET_BYTES, 4 * kBytesMin},
                           {SPW_OPT_IDLE_MS, SPW_UNLIMITED},  // idle memory goes for other reasons
                           TierOfRun()}),
              SPW_OK);
    for (uint32_t i = 0; i < kWriters; ++i) {
      streams_[i].records.number = i;
      EXPECT_EQ(store_.Stream("stream " + std::to_string(i), {}, &streams_[i].id), SPW_OK);
    }
  }

  void Write(Watched* stream, Prng random) {
    for (uint64_t taken = 0; ration_.Take(taken); ++taken) {
      const uint64_t tail = stream->tail.load(std::memory_order_relaxed);
      const Records batch = stream->records.Batch(tail, random.Between(1, 40));
      uint64_t first = 0;
      ASSERT_EQ(store_.Add(stream->id, batch, false, Form::kPacked, &first), SPW_OK);
      ASSERT_EQ(first, tail);
      stream->tail.store(tail + batch.size(), std::memory_order_release);
    }
  }

  // Reads a stream from its begin to its end, or until it is trimmed.
  void Read(Prng* random) {
    Watched& stream = streams_[random->Below(kWriters)];
    const auto cursor = store_.Cursor(stream.id, 0, SPW_SEQ_NONE);
    ASSERT_NE(cursor, nullptr);
    spw_status status = SPW_OK;
    uint64_t end = 0;
    const uint64_t most = random->OneIn(2) ? SPW_NO_LIMIT : random->Between(1, 300);
    ASSERT_NO_FATAL_FAILURE(ReadNumbered(cursor.get(), stream.records, most, &status, &end));
    ASSERT_TRUE(status == SPW_TRIMMED || (status == SPW_OK && end == cursor->end_seq()))
        << spw_status_name(status) << " at " << end;
  }

  void Tidy(Prng* random) {
    Watched& stream = streams_[random->Below(kWriters)];
    const uint64_t choice = random->Below(4);
    if (choice < 2) {
      ASSERT_EQ(store_.Flush(choice == 0 ? SPW_FLUSH_KERNEL : SPW_FLUSH_DEVICE), SPW_OK);
    } else if (choice == 2) {
      ASSERT_EQ(spw_store_settle(store_.handle(), SPW_WAIT_FOREVER, nullptr, nullptr), SPW_OK);
    } else {
      const uint64_t seq = random->Between(stream.begin.load(), stream.tail.load());
      ASSERT_EQ(store_.Trim(stream.id, seq), SPW_OK);
      stream.begin.store(seq);
    }
  }

  void Change(Prng* random) {
    const bool of_store = random->OneIn(2);
    Watched& stream = streams_[random->Below(kWriters)];
    const bool bytes = random->OneIn(2);
    // Fewer records than a batch has: it goes around memory, which takes its time.
    const uint64_t records_least = random->OneIn(100) ? 1 : 60;
    int64_t value = bytes ? kBytesMin + static_cast<int64_t>(random->Below(4 * kBytesMin))
                          : static_cast<int64_t>(random->Between(records_least, 5000));
    value = random->OneIn(8) && !(of_store && bytes) ? SPW_UNLIMITED : value;
    const int32_t key = bytes ? SPW_OPT_BUDGET_BYTES : SPW_OPT_BUDGET_RECORDS;
    ASSERT_EQ(store_.Set(of_store ? SPW_ALL : stream.id, key, value), SPW_OK);
    if (!of_store) {
      (bytes ? stream.budget_bytes : stream.budget_records) = value;
    }
  }

  // From now on it only comes down until it is below the limits, and stays there.
  void ExpectLimitsAreKept() {
    const auto end = std::chrono::steady_clock::now() + kLong;
    spw_stats last = store_.Stats();
    for (bool kept = false; !kept;) {
      const spw_stats now = store_.Stats();
      ASSERT_LE(now.bytes_resident, std::max(last.bytes_resident, now.bytes_hard));
      ASSERT_LE(now.records_resident, std::max(last.records_resident, now.records_hard));
      kept = now.bytes_resident <= now.bytes_hard && now.records_resident <= now.records_hard;
      last = now;
      ASSERT_LT(std::chrono::steady_clock::now(), end)
          << now.bytes_resident << " of " << now.bytes_hard << " bytes (" << now.bytes_free
          << " free), " << now.records_resident << " of " << now.records_hard << " records";
      std::this_thread::yield();
    }
    for (Watched& stream : streams_) {
      for (bool kept = false; !kept;) {
        const spw_stream_stats now = store_.StreamStats(stream.id);
        const uint64_t unspilled = now.tail_seq - std::max(now.spilled_seq, now.begin_seq);
        kept = now.bytes_unspilled <= HardOf(stream.budget_bytes) &&
               unspilled <= HardOf(stream.budget_records);
        ASSERT_LT(std::chrono::steady_clock::now(), end) << "stream " << stream.records.number;
        std::this_thread::yield();
      }
    }
    for (int i = 0; i < 3; ++i) {
      const spw_stats now = store_.Stats();
      ASSERT_LE(now.bytes_resident, now.bytes_hard);
      ASSERT_LE(now.records_resident, now.records_hard);
    }
  }

  void ExpectAllRecords() {
    for (Watched& stream : streams_) {
      ASSERT_NO_FATAL_FAILURE(
          ExpectHolds(&store_, stream.id, stream.records, stream.begin.load(), stream.tail.load()));
    }
  }

  TempFolder folder_;
  TestStore store_;
  Ration ration_;
  Watched streams_[kWriters];
};

TEST_F(StoreBudgetTest, AThousandChangesUnderLoadKeepTheLimitInForceAndLoseNothing) {
  const uint64_t seed = TestSeed("AThousandChanges", 21);
  std::vector<std::thread> writers;
  for (uint64_t i = 0; i < kWriters; ++i) {
    writers.emplace_back([this, i, seed] { Write(&streams_[i], Prng(seed + i)); });
  }
  Crew crew;
  crew.Add([this, random = Prng(seed + 10)]() mutable { Read(&random); });
  crew.Add([this, random = Prng(seed + 11)]() mutable { Tidy(&random); });
  Prng random(seed + 12);
  for (uint64_t i = 0; i < kChanges && !HasFatalFailure(); ++i) {
    ration_.Give(kBatchesOfAChange);
    Change(&random);
    ExpectLimitsAreKept();
  }
  ration_.End();
  for (std::thread& writer : writers) {
    writer.join();
  }
  crew.End();
  const spw_stats stats = store_.Stats();
  std::printf("%llu records added, %llu spills, %llu waits\n",
              static_cast<unsigned long long>(stats.records_added),
              static_cast<unsigned long long>(stats.spills),
              static_cast<unsigned long long>(stats.waits));
  ASSERT_FALSE(HasFatalFailure());
  EXPECT_GE(stats.records_added, kChanges * kBatchesOfAChange * kWriters);
  EXPECT_GT(stats.spills, 0u);
  ExpectAllRecords();
  ASSERT_EQ(store_.Close(), SPW_OK);
  store_.Drop();
  ASSERT_EQ(store_.Open({TierOfRun()}), SPW_OK);
  ExpectAllRecords();
}

// Nobody adds, reads or flushes any more: what is above the new limit goes by itself.
TEST_F(StoreBudgetTest, ALowerBudgetIsKeptWithoutFurtherCalls) {
  Watched& stream = streams_[0];
  for (const bool spilled : {false, true}) {
    SCOPED_TRACE(spilled ? "memory that is free" : "records that are not spilled");
    ASSERT_EQ(store_.Set(SPW_ALL, SPW_OPT_BUDGET_BYTES, 16 * kBytesMin), SPW_OK);
    const uint64_t tail = stream.tail.load();
    uint64_t first = 0;
    const Records batch = stream.records.Batch(tail, 20'000);
    ASSERT_EQ(store_.Add(stream.id, batch, false, Form::kPacked, &first), SPW_OK);
    stream.tail.store(tail + batch.size());
    if (spilled) {
      ASSERT_EQ(store_.Clear(stream.id), SPW_OK);
      stream.begin.store(stream.tail.load());
    }
    ASSERT_GT(store_.Stats().bytes_resident, HardOf(kBytesMin));
    ASSERT_EQ(store_.Set(SPW_ALL, SPW_OPT_BUDGET_BYTES, kBytesMin), SPW_OK);
    ASSERT_NO_FATAL_FAILURE(ExpectLimitsAreKept());
  }
  ExpectAllRecords();
}

}  // namespace
}  // namespace spillway::test
