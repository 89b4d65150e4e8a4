// What a store keeps in memory for its readers: a scan washes out nothing that is read often, and
// bringing in and dropping copies disturbs nobody.
#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdio>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "tests/support/prng.h"
#include "tests/support/temp_folder.h"
#include "tests/support/test_store.h"
#include "tests/support/tier_of_run.h"

namespace spillway::test {
namespace {

constexpr int64_t kBudgetBytes = 2 << 20;

// Record `seq` of every stream.
std::string PayloadOf(uint64_t seq) {
  std::string payload = std::to_string(seq) + " ";
  payload.resize(100 + seq * 7919 % 200, static_cast<char>('a' + seq % 26));
  return payload;
}
Records RecordsFrom(uint64_t seq, uint64_t count) {
  Records records(count);
  for (uint64_t i = 0; i < count; ++i) {
    records[i].payload = PayloadOf(seq + i);
  }
  return records;
}

// One call, one read; what it gives is compared.
spw_status ReadOnce(TestStore* store, uint32_t stream, uint64_t seq) {
  std::string buffer(512, ' ');
  uint64_t len = 0;
  const spw_status status = spw_store_read(store->handle(), stream, seq, buffer.data(),
                                           buffer.size(), &len, nullptr, nullptr);
  buffer.resize(len);
  EXPECT_TRUE(status != SPW_OK || buffer == PayloadOf(seq)) << seq;
  return status;
}

class StoreResidencyTest : public ::testing::Test {
 protected:
  StoreResidencyTest() : store_(folder_.File("store.db")) {}

  void Open(int64_t promote_reads) {
    ASSERT_EQ(store_.Open({{SPW_OPT_BUDGET_BYTES, kBudgetBytes},
                           {SPW_OPT_PROMOTE_READS, promote_reads},
                           TierOfRun()}),
              SPW_OK);
    ASSERT_EQ(store_.Stream("s", {}, &stream_), SPW_OK);
  }
  void Add(uint64_t count) {
    for (uint64_t seq = 0; seq < count; seq += 500) {
      uint64_t first = 0;
      ASSERT_EQ(store_.Add(stream_, RecordsFrom(seq, 500), false, Form::kPacked, &first), SPW_OK);
      ASSERT_EQ(first, seq);
    }
  }
  void Settle() {
    ASSERT_EQ(spw_store_settle(store_.handle(), SPW_WAIT_FOREVER, nullptr, nullptr), SPW_OK);
    ASSERT_EQ(store_.Stats().records_resident, 0U);
  }

  TempFolder folder_;
  TestStore store_;
  uint32_t stream_ = 0;
};

// Zipfian, exponent 1, over ranks that lie scattered in the stream.
class ZipfianReader {
 public:
  ZipfianReader(uint64_t records, uint64_t seed) : random_(seed), sums_(records) {
    double sum = 0;
    for (uint64_t rank = 0; rank < records; ++rank) {
      sums_[rank] = sum += 1 / static_cast<double>(rank + 1);
    }
  }
  uint64_t Next() {
    const double at = static_cast<double>(random_.Next() >> 11) * 0x1.0p-53 * sums_.back();
    const auto rank =
        static_cast<uint64_t>(std::upper_bound(sums_.begin(), sums_.end(), at) - sums_.begin());
    return Prng(rank).Below(sums_.size());
  }

 private:
  Prng random_;
  std::vector<double> sums_;
};

// The share of reads that memory answered, in percent, once it has been warmed up. Between any ten
// of them a cursor goes on by `scan` records, over and over.
class HitRate {
 public:
  HitRate(TestStore* store, uint32_t stream, uint64_t records)
      : store_(store), stream_(stream), records_(records) {}

  double Measure(uint64_t reads, uint64_t scan, uint64_t seed) {
    ZipfianReader reader(records_, seed);
    Run(&reader, reads, scan);
    const spw_stats before = store_->Stats();
    Run(&reader, reads, scan);
    const spw_stats after = store_->Stats();
    EXPECT_EQ(after.reads_memory + after.reads_cold - before.reads_memory - before.reads_cold,
              reads);
    EXPECT_LE(after.bytes_resident_peak, after.bytes_hard);
    EXPECT_EQ(after.bytes_unspilled, 0U);
    EXPECT_LE(after.bytes_clean, after.bytes_soft);
    return 100 * static_cast<double>(after.reads_memory - before.reads_memory) /
           static_cast<double>(reads);
  }

 private:
  void Run(ZipfianReader* reader, uint64_t reads, uint64_t scan) {
    for (uint64_t i = 0; i < reads && !::testing::Test::HasFatalFailure(); ++i) {
      ASSERT_EQ(ReadOnce(store_, stream_, reader->Next()), SPW_OK);
      if (i % 10 == 0) {
        Scan(scan);
      }
    }
  }
  void Scan(uint64_t count) {
    while (count > 0) {
      if (cursor_ == nullptr || position_ == cursor_->end_seq()) {
        cursor_ = store_->Cursor(stream_, 0, SPW_SEQ_NONE);
        position_ = 0;
      }
      uint64_t first = 0;
      Records found;
      ASSERT_EQ(cursor_->Next(count, SPW_NO_LIMIT, &first, &found), SPW_OK);
      ASSERT_EQ(first, position_);
      ASSERT_FALSE(found.empty());
      for (const Record& record : found) {
        ASSERT_EQ(record.payload, PayloadOf(position_));
        ++position_;
      }
      count -= found.size();
    }
  }

  TestStore* const store_;
  const uint32_t stream_;
  const uint64_t records_;
  std::unique_ptr<TestCursor> cursor_;
  uint64_t position_ = 0;
};

TEST_F(StoreResidencyTest, AScanOfColdDataChangesTheHitRateOfPointReadsByLessThanFivePoints) {
  constexpr uint64_t kRecords = 40'000;  // four times the budget
  constexpr uint64_t kReads = 10'000;
  const uint64_t seed = TestSeed("AScanOfColdData", 31);
  Open(3);
  Add(kRecords);
  double rates[2] = {};
  for (const uint64_t scan : {uint64_t{0}, uint64_t{100}}) {
    Settle();
    rates[scan > 0 ? 1 : 0] = HitRate(&store_, stream_, kRecords).Measure(kReads, scan, seed);
  }
  std::printf("hit rate without a scan %.1f %%, with one %.1f %%\n", rates[0], rates[1]);
  EXPECT_LT(std::abs(rates[0] - rates[1]), 5);
  EXPECT_GT(rates[0], 30) << "there is something to wash out";
  Settle();
  ASSERT_EQ(store_.Set(SPW_ALL, SPW_OPT_PROMOTE_READS, 0), SPW_OK);
  EXPECT_EQ(HitRate(&store_, stream_, kRecords).Measure(1000, 0, seed), 0);
}

// Whoever reads gets the record, or hears that it was trimmed, or is not there yet, or closed.
TEST_F(StoreResidencyTest, CopiesComeAndGoWhileOthersAddTrimClearSettleAndClose) {
  constexpr uint64_t kRecords = 60'000;
  const uint64_t seed = TestSeed("CopiesComeAndGo", 32);
  Open(1);
  std::atomic<uint64_t> tail{0};
  std::vector<std::thread> threads;
  // `round` until it returns false, which is when the store is closed.
  const auto start = [&](const std::function<spw_status(Prng*)>& round) {
    threads.emplace_back([&, round, random = Prng(seed + threads.size())]() mutable {
      spw_status status = SPW_OK;
      while (status != SPW_CLOSED && !::testing::Test::HasFatalFailure()) {
        status = round(&random);
        ASSERT_TRUE(status == SPW_OK || status == SPW_TRIMMED || status == SPW_NOT_FOUND ||
                    status == SPW_CLOSED)
            << spw_status_name(status);
      }
    });
  };
  const auto somewhere = [&](Prng* random) {
    const uint64_t end = tail.load(std::memory_order_acquire);
    return end - std::min(end, random->Below(random->OneIn(2) ? 300 : 12'000));
  };
  for (int i = 0; i < 2; ++i) {
    start([&](Prng* random) { return ReadOnce(&store_, stream_, somewhere(random)); });
  }
  start([&](Prng* random) {
    std::vector<uint64_t> seqs(random->Between(1, 30));
    std::generate(seqs.begin(), seqs.end(), [&] { return somewhere(random); });
    Records found;
    int64_t bad = 0;
    const spw_status status = store_.Gather(stream_, seqs, &found, &bad);
    for (size_t i = 0; i < found.size(); ++i) {
      EXPECT_EQ(found[i].payload, PayloadOf(seqs[i]));
    }
    return status;
  });
  start([&](Prng* random) {
    spw_status status = SPW_OK;
    const auto cursor = store_.Cursor(stream_, somewhere(random), SPW_SEQ_NONE, &status);
    uint64_t position = cursor == nullptr ? 0 : cursor->begin_seq();
    while (status == SPW_OK && position < cursor->end_seq()) {
      uint64_t first = 0;
      Records found;
      status = cursor->Next(random->Between(1, 2000), SPW_NO_LIMIT, &first, &found);
      for (const Record& record : found) {
        EXPECT_EQ(record.payload, PayloadOf(position)) << position;
        ++position;
      }
    }
    return status;
  });
  start([&](Prng* random) {
    uint64_t begin = 0;
    std::this_thread::yield();
    return random->OneIn(50)
               ? store_.Clear(stream_)
               : spw_store_trim_bytes(store_.handle(), stream_, 1 << 20, &begin, nullptr);
  });
  start([&](Prng* random) {
    if (random->OneIn(3)) {
      return spw_store_settle(store_.handle(), SPW_WAIT_FOREVER, nullptr, nullptr);
    }
    const bool reads = random->OneIn(2);
    return store_.Set(SPW_ALL, reads ? SPW_OPT_PROMOTE_READS : SPW_OPT_BUDGET_BYTES,
                      reads ? static_cast<int64_t>(random->Below(3))
                            : static_cast<int64_t>(random->Between(400 << 10, kBudgetBytes)));
  });
  while (tail < kRecords && !::testing::Test::HasFailure()) {
    uint64_t first = 0;
    ASSERT_EQ(store_.Add(stream_, RecordsFrom(tail, 100), false, Form::kPacked, &first), SPW_OK);
    ASSERT_EQ(first, tail);
    tail.store(tail + 100, std::memory_order_release);
  }
  const spw_stats stats = store_.Stats();
  EXPECT_LE(stats.bytes_resident_peak, static_cast<uint64_t>(kBudgetBytes) * 130 / 100);
  EXPECT_GT(stats.evictions, 0U);
  EXPECT_GT(stats.promotions, 0U);
  EXPECT_EQ(store_.Close(), SPW_OK);
  for (std::thread& thread : threads) {
    thread.join();
  }
}

}  // namespace
}  // namespace spillway::test
