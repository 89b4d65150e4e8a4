// Bringing back into memory what is read often: when, how much, and what it must not do.
#include "internal/hybrid/promoter.h"

#include <vector>

#include "gtest/gtest.h"
#include "internal/base/allocation.h"
#include "tests/support/residency_bench.h"
#include "tests/support/tier_bench.h"

namespace spillway::test {
namespace {

using hybrid::ColdReadCounts;
using hybrid::Stream;

constexpr uint64_t kBytes = 200;
constexpr uint64_t kRecords = 1000;

class PromoterTest : public ::testing::Test {
 protected:
  PromoterTest() : bench_(SmallLimits(), 3), stream_(bench_.MakeStream("s")) {
    AddCold(stream_, kRecords);
  }

  void AddCold(Stream* stream, uint64_t count) {
    for (uint64_t i = 0; i < count; i += 100) {
      ASSERT_TRUE(bench_.Add(stream, 100, kBytes).ok());
      bench_.SpillAndEvictAll(stream);
    }
  }
  void Read(uint64_t seq, int times = 1) {
    for (int i = 0; i < times; ++i) {
      bench_.Read(stream_, seq, kBytes);
    }
  }
  bool IsInMemory(uint64_t seq) const { return ResidencyBench::IsInMemory(*stream_, seq); }
  uint64_t promotions() const { return bench_.counters.promotions.load(); }
  uint64_t clean_bytes() const {
    const memory::Account& total = bench_.budget->total();
    return total.bytes_resident() - total.bytes_unspilled() - bench_.budget->bytes_free();
  }

  ResidencyBench bench_;
  Stream* const stream_;
};

TEST_F(PromoterTest, TheThirdReadOfARunBringsItIntoMemory) {
  Read(500, 2);
  EXPECT_FALSE(IsInMemory(500));
  Read(505);  // a neighbour counts
  EXPECT_EQ(promotions(), 1U);
  EXPECT_TRUE(IsInMemory(500) && IsInMemory(505));
  EXPECT_FALSE(IsInMemory(479) || IsInMemory(700));
  EXPECT_EQ(bench_.counters.reads_cold.load(), 3U);
  const uint64_t cold_reads = bench_.counters.cold_reads.load();
  Read(500);
  EXPECT_EQ(bench_.counters.reads_memory.load(), 1U);
  EXPECT_EQ(bench_.counters.cold_reads.load(), cold_reads);
  EXPECT_GT(clean_bytes(), 0U);
  EXPECT_EQ(bench_.budget->total().bytes_unspilled(), 0U);
  EXPECT_EQ(bench_.budget->total().records_unspilled(), 0U);
  EXPECT_EQ(bench_.budget->bytes_pinned(), 0U);
  bench_.Scan(*stream_, kBytes);
}

TEST_F(PromoterTest, NothingIsPromotedWhereItIsOffAndItCanBeSwitchedWhileInUse) {
  bench_.promoter.SetReads(0);
  Read(500, 20);
  EXPECT_EQ(promotions(), 0U);
  bench_.promoter.SetReads(1);
  Read(500);
  EXPECT_EQ(promotions(), 1U);
}

TEST_F(PromoterTest, ACursorPromotesNothingAndReadsWhatIs) {
  for (int i = 0; i < 10; ++i) {
    bench_.Scan(*stream_, kBytes);
  }
  EXPECT_EQ(promotions(), 0U);
  Read(500, 3);
  hybrid::PinnedColumns found;
  const uint64_t cold_reads = bench_.counters.cold_reads.load();
  ASSERT_TRUE(bench_.reader.Fetch(*stream_, 500, 505, 1, &found).ok());
  EXPECT_EQ(bench_.counters.cold_reads.load(), cold_reads);
  EXPECT_EQ(found.columns.count, 5U);
}

TEST_F(PromoterTest, AGatherCountsOnceForEachRun) {
  const std::vector<uint64_t> seqs = {502, 500, 501, 503, 900};
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(bench_.reader.Gather(stream_, seqs).ok());
  }
  EXPECT_EQ(promotions(), 0U);
  ASSERT_TRUE(bench_.reader.Gather(stream_, seqs).ok());
  EXPECT_EQ(promotions(), 2U);
  EXPECT_TRUE(IsInMemory(503) && IsInMemory(900));
  const auto gathered = bench_.reader.Gather(stream_, seqs);
  ASSERT_TRUE(gathered.ok());
  const hybrid::Gathered& records = *gathered.value();
  for (size_t i = 0; i < seqs.size(); ++i) {
    EXPECT_TRUE(ResidencyBench::Equals(
        *stream_, seqs[i], kBytes,
        std::span(records.data).subspan(records.begin[i], records.end[i] - records.begin[i])));
  }
  EXPECT_EQ(bench_.counters.reads_memory.load() + bench_.counters.reads_cold.load(), 20U);
}

TEST_F(PromoterTest, WhatIsTrimmedOrClearedIsGone) {
  Read(500, 3);
  Read(900, 3);
  ASSERT_TRUE(IsInMemory(500) && IsInMemory(900));
  const uint64_t before = clean_bytes();
  stream_->TrimTo(700);
  EXPECT_LT(clean_bytes(), before);
  EXPECT_TRUE(IsInMemory(900));
  stream_->TrimTo(UINT64_MAX);
  EXPECT_EQ(clean_bytes(), 0U);
  EXPECT_EQ(bench_.budget->total().records_resident(), 0U);
}

// The cache is given back before anybody waits, and takes nothing from records that are nowhere
// else.
TEST_F(PromoterTest, AddersGetAllTheMemoryThereIs) {
  for (uint64_t seq = 0; seq < kRecords; seq += 32) {
    Read(seq, 3);
  }
  EXPECT_GT(promotions(), 5U);
  Stream* const other = bench_.MakeStream("other");
  uint64_t added = 0;
  while (bench_.Add(other, 50, kBytes).ok()) {
    added += 50;
  }
  EXPECT_EQ(clean_bytes(), 0U);
  const memory::Limit limit = SmallLimits().bytes;
  EXPECT_GT(bench_.budget->total().bytes_unspilled(), limit.hard - memory::kArenaBytesMin);
  EXPECT_LE(bench_.budget->bytes_resident_peak(), limit.hard);
  const uint64_t promoted = promotions();
  Read(500, 20);
  EXPECT_EQ(promotions(), promoted) << "above the soft limit there is no room for a cache";
  EXPECT_GT(added, 1000U);
}

TEST_F(PromoterTest, AStreamsOwnLimitHoldsForItsCopies) {
  const memory::Limit bytes{.low = 10 << 10, .soft = 20 << 10, .hard = 1 << 20};
  bench_.budget->SetLimits(stream_->account(), {.bytes = bytes, .records = {}});
  for (uint64_t seq = 0; seq < kRecords; seq += 32) {
    Read(seq, 3);
    ASSERT_LE(stream_->account()->bytes_resident(), bytes.soft);
  }
  EXPECT_GT(promotions(), 5U);
  EXPECT_GT(bench_.residency.evictions(), 5U);
}

TEST_F(PromoterTest, RecordsAreLimitedTooAndALargeOneStaysWhereItIs) {
  memory::Limits limits = SmallLimits();
  limits.records = {.low = 10, .soft = 48, .hard = 60};
  bench_.budget->SetLimits(limits);
  for (uint64_t seq = 0; seq < kRecords; seq += 32) {
    Read(seq, 3);
    ASSERT_LE(bench_.budget->total().records_resident(), 48U);
  }
  EXPECT_GT(promotions(), 0U);

  bench_.budget->SetLimits(SmallLimits());
  Stream* const large = bench_.MakeStream("large");
  constexpr uint64_t kLarge = 20'000;  // more than a 16th of the budget
  ASSERT_TRUE(bench_.Add(large, 1, kLarge).ok());
  bench_.SpillAndEvictAll(large);
  const uint64_t promoted = promotions();
  for (int i = 0; i < 10; ++i) {
    bench_.Read(large, 0, kLarge);
  }
  EXPECT_EQ(promotions(), promoted);
}

// Every allocation behind those of the read itself fails once: the read gives the record, and
// nothing is left behind.
TEST_F(PromoterTest, AFailedAllocationIsNoFailureOfTheRead) {
  Read(500, 2);
  const int64_t before = base::AllocationCount();
  hybrid::PinnedColumns found;
  bench_.promoter.SetReads(0);
  ASSERT_TRUE(bench_.reader.Read(stream_, 500, &found).ok());
  const int64_t of_read = base::AllocationCount() - before;
  found = hybrid::PinnedColumns();
  bench_.promoter.SetReads(1);
  int64_t failed = 0;
  while (promotions() == 0) {
    base::FailAllocationAfter(of_read + ++failed, false);
    const base::Status status = bench_.reader.Read(stream_, 500, &found);
    base::FailAllocationAfter(0, false);
    ASSERT_TRUE(status.ok()) << failed;
    ASSERT_TRUE(ResidencyBench::Equals(*stream_, 500, kBytes, found.columns.payload(0)));
    found = hybrid::PinnedColumns();
    ASSERT_EQ(bench_.budget->bytes_pinned(), 0U);
    if (promotions() == 0) {
      ASSERT_EQ(clean_bytes(), 0U);
      ASSERT_EQ(bench_.budget->total().records_resident(), 0U);
      ASSERT_LT(failed, 1000);
    }
  }
  EXPECT_GT(failed, 5);
  EXPECT_TRUE(IsInMemory(500));
}

TEST(ColdReadCountsTest, TheNthReadIsTold) {
  ColdReadCounts counts;
  for (int round = 0; round < 3; ++round) {
    EXPECT_FALSE(counts.Count(7, 3));
    EXPECT_FALSE(counts.Count(8, 3));
    EXPECT_FALSE(counts.Count(7, 3));
    EXPECT_TRUE(counts.Count(7, 3));
    EXPECT_FALSE(counts.Count(8, 4));
    EXPECT_FALSE(counts.Count(8, 4));
    EXPECT_TRUE(counts.Count(8, 4));
  }
  EXPECT_TRUE(counts.Count(9, 1));
}

// What is read all the time is told of although a hundred times as many others as the table holds
// pass by; of those, none.
TEST(ColdReadCountsTest, WhatPassesByOnceWashesOutNothingThatIsReadOften) {
  ColdReadCounts counts;
  uint64_t told = 0;
  for (uint64_t i = 0; i < 400'000; ++i) {
    EXPECT_FALSE(counts.Count(1000 + i, 3)) << i;
    told += counts.Count(i % 16, 3) ? 1 : 0;
  }
  EXPECT_GT(told, 400'000U / 3 * 9 / 10);
}

}  // namespace
}  // namespace spillway::test
