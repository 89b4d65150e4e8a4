// What a store does by itself so that its records come to the device: batches that wait for it,
// flushes after a time, segments written behind the adder. And that it does nothing else.
#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "internal/hybrid/spiller.h"
#include "tests/support/sim_disk.h"
#include "tests/support/temp_folder.h"
#include "tests/support/test_store.h"
#include "tests/support/tier_bench.h"

namespace spillway::test {
namespace {

using base::Code;
using base::Deadline;
using cold::Durability;
using hybrid::Stream;

constexpr int64_t kHourMs = 3'600'000;

template <class Done>
void Await(Done&& done) {
  while (!done()) {
    std::this_thread::yield();
  }
}

// ---- Each batch waits for the device

TEST(SyncTest, AnAddReturnsWhenItsBatchIsOnTheDevice) {
  TierBench bench(2, SmallLimits(), {.sync_ms = 0});
  Stream* const stream = bench.MakeStream("a");
  for (uint64_t i = 1; i <= 10; ++i) {
    ASSERT_TRUE(bench.Add(stream, 3, 10).ok());
    ASSERT_EQ(stream->spilled_seq(), 3 * i);
  }
  EXPECT_EQ(bench.tier.commits().size(), 10U);
  EXPECT_EQ(bench.spiller.adders_syncing(), 0U);
  bench.ExpectHolds(*stream);
}

uint64_t NotDurable(const std::vector<Stream*>& streams) {
  uint64_t records = 0;
  for (const Stream* const stream : streams) {
    const uint64_t spilled = stream->spilled_seq();
    records += stream->tail_seq() - spilled;
  }
  return records;
}

// All eight wait before each commit is let on: two commits in a row then cover every one of them.
uint64_t BatchesOf(TierBench* bench, const std::vector<Stream*>& streams, uint64_t commits) {
  constexpr uint64_t kWriters = 8;
  std::atomic<bool> stop{false};
  bench->tier.Hold();
  std::vector<std::thread> writers;
  for (uint64_t i = 0; i < kWriters; ++i) {
    writers.emplace_back([&, i] {
      while (!stop.load()) {
        ASSERT_TRUE(bench->Add(streams[i % streams.size()], 1, kRecordBytes).ok());
      }
    });
  }
  for (uint64_t i = 0; i < commits; ++i) {
    // All have added another batch, and then: all have asked for it.
    Await([&] { return NotDurable(streams) == kWriters; });
    Await([&] { return bench->spiller.adders_syncing() == kWriters; });
    bench->tier.AwaitHeld(1);
    bench->tier.LetOn(1);
    Await([&] { return bench->tier.commits().size() > i; });
  }
  uint64_t durable = 0;
  for (const FakeTier::Committed& each : bench->tier.commits()) {
    durable += each.records;
  }
  stop.store(true);
  bench->tier.Release();
  for (std::thread& writer : writers) {
    writer.join();
  }
  return durable;
}

TEST(SyncTest, EightWritersOfOneStreamShareTheirBarriers) {
  TierBench bench(2, SmallLimits(), {.sync_ms = 0});
  Stream* const stream = bench.MakeStream("a");
  EXPECT_GE(BatchesOf(&bench, {stream}, 100), 4 * 100U - 4);
  EXPECT_EQ(stream->spilled_seq(), stream->tail_seq());
}

TEST(SyncTest, EightWritersOfEightStreamsShareTheirBarriers) {
  TierBench bench(2, memory::Limits(), {.sync_ms = 0});
  std::vector<Stream*> streams;
  for (const char* const name : {"a", "b", "c", "d", "e", "f", "g", "h"}) {
    streams.push_back(bench.MakeStream(name));
  }
  EXPECT_GE(BatchesOf(&bench, streams, 100), 4 * 100U - 4);
  for (Stream* const stream : streams) {
    EXPECT_EQ(stream->spilled_seq(), stream->tail_seq());
  }
}

TEST(SyncTest, AFailureLeavesTheBatchAdmittedAndNotDurable) {
  TierBench bench(2, SmallLimits(), {.sync_ms = 0});
  Stream* const stream = bench.MakeStream("a");
  bench.tier.FailAlways({Code::kFull, "no space"});
  EXPECT_EQ(bench.Add(stream, 5, 10).code(), Code::kFull);
  EXPECT_EQ(stream->tail_seq(), 5U);
  EXPECT_EQ(stream->spilled_seq(), 0U);
  bench.tier.Heal();
  EXPECT_TRUE(bench.Add(stream, 1, 10).ok());
  EXPECT_EQ(stream->spilled_seq(), 6U) << "the one before it comes first";
  bench.tier.Fail({Code::kIo, "broken"});
  EXPECT_EQ(bench.Add(stream, 1, 10).code(), Code::kIo);
  EXPECT_EQ(bench.Add(stream, 1, 10).code(), Code::kIo);
  EXPECT_EQ(stream->tail_seq(), 8U);
  EXPECT_EQ(stream->spilled_seq(), 6U);
  EXPECT_EQ(bench.spiller.adders_syncing(), 0U);
  bench.ExpectHolds(*stream);
}

TEST(SyncTest, AClearLeavesAnAdderWaitingForTheDeviceAndACloserLetsItGo) {
  TierBench bench(2, SmallLimits(), {.sync_ms = 0});
  Stream* const stream = bench.MakeStream("a");
  bench.tier.Hold();
  std::thread cleared([&] { EXPECT_TRUE(bench.Add(stream, 1, 10).ok()); });
  bench.tier.AwaitHeld(1);
  stream->TrimTo(UINT64_MAX);
  bench.spiller.Kick();
  EXPECT_EQ(bench.spiller.adders_syncing(), 1U);  // or its number might be given again
  bench.tier.LetOn(1);
  cleared.join();
  std::thread closed([&] { EXPECT_EQ(bench.Add(stream, 1, 10).code(), Code::kClosed); });
  Await([&] { return bench.spiller.adders_syncing() == 1; });
  bench.spiller.SetClosing(true);
  closed.join();
  EXPECT_EQ(stream->tail_seq(), 2U);
  bench.tier.Release();
}

// ---- Flushes after a time

TEST(SyncTest, WhatIsNotOnTheDeviceIsFlushedAfterATime) {
  TierBench bench(2, SmallLimits(), {.sync_ms = 1});
  Stream* const first = bench.MakeStream("a");
  Stream* const second = bench.MakeStream("b");
  for (uint64_t i = 1; i <= 20; ++i) {
    ASSERT_TRUE(bench.Add(first, 3, 10).ok());
    ASSERT_TRUE(bench.Add(second, 1, 10).ok());
    Await([&] { return first->spilled_seq() == 3 * i && second->spilled_seq() == i; });
  }
  for (const FakeTier::Committed& each : bench.tier.commits()) {
    EXPECT_EQ(each.durability, Durability::kDevice);
    EXPECT_GT(each.records, 0U) << "nothing is written while there is nothing";
  }
}

TEST(SyncTest, AFlushInTheBackgroundIsTriedAgainAfterAFullDisk) {
  TierBench bench(1, SmallLimits(), {.sync_ms = 1});
  Stream* const stream = bench.MakeStream("a");
  bench.tier.FailAlways({Code::kFull, "no space"});
  ASSERT_TRUE(bench.Add(stream, 3, 10).ok());
  Await([&] { return bench.counters.spill_errors.load() >= 2; });
  bench.tier.Heal();
  Await([&] { return stream->spilled_seq() == 3; });
}

TEST(SyncTest, TheTimeIsNotOverUntilItIsOverAndCanBeChanged) {
  TierBench bench(2, SmallLimits(), {.sync_ms = kHourMs});
  Stream* const stream = bench.MakeStream("a");
  ASSERT_TRUE(bench.Add(stream, 3, 10).ok());
  bench.spiller.Kick();
  EXPECT_TRUE(bench.tier.commits().empty());
  bench.spiller.SetSyncMs(hybrid::kNoLimit);
  ASSERT_TRUE(bench.Add(stream, 1, 10).ok());
  EXPECT_TRUE(bench.tier.commits().empty());
  bench.spiller.SetSyncMs(0);  // what was there before is asked for too
  Await([&] { return stream->spilled_seq() == 4; });
  ASSERT_TRUE(bench.Add(stream, 1, 10).ok());
  EXPECT_EQ(stream->spilled_seq(), 5U);
}

// ---- Eager and lazy

TEST(SyncTest, AnEagerStoreWritesSealedSegmentsAndNoOthers) {
  TierBench bench(2, SmallLimits(), {.eager = true});
  Stream* const stream = bench.MakeStream("a");
  Stream* const small = bench.MakeStream("b");
  ASSERT_TRUE(bench.Add(small, 1, 10).ok());
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(bench.Add(stream, kArena / (kRecordBytes + 16), kRecordBytes, Long()).ok());
  }
  const uint64_t sealed = stream->sealed_seq();
  ASSERT_GT(sealed, 0U);
  ASSERT_LT(sealed, stream->tail_seq());
  ASSERT_FALSE(bench.budget->behind());
  Await([&] { return stream->spilled_seq() == sealed; });
  EXPECT_EQ(bench.tier.end_seq(stream->id()), sealed);
  EXPECT_EQ(small->spilled_seq(), 0U);
  EXPECT_TRUE(bench.Flush(Durability::kDevice, Long()).ok());
  EXPECT_EQ(stream->spilled_seq(), stream->tail_seq());
  bench.ExpectHolds(*stream);
}

// Calls that change something on the disk.
uint64_t ChangesOf(const SimDisk& disk) {
  uint64_t changes = 0;
  for (const Call each : {Call::kWrite, Call::kTruncate, Call::kReserve, Call::kPunchHole,
                          Call::kSync, Call::kRemove, Call::kRename, Call::kSyncFolder}) {
    changes += disk.calls(each);
  }
  return changes;
}

void BelowTheSoftLimit(int64_t tier) {
  const TempFolder folder;
  SimDisk disk(folder.path(), 1, SimDisk::Record::kNo);
  const Settings settings = {{SPW_OPT_COLD_TIER, tier}, {SPW_OPT_BUDGET_BYTES, 16 << 20}};
  for (const uint64_t there : {uint64_t{0}, uint64_t{1000}}) {
    TestStore store(folder.File("store"), &disk);
    ASSERT_EQ(store.Open(settings), SPW_OK);
    const uint64_t changes = ChangesOf(disk);
    uint32_t stream = 0;
    ASSERT_EQ(store.Stream("a", {}, &stream), SPW_OK);
    uint64_t first = 0;
    for (uint64_t seq = there; seq < there + 1000; seq += 10) {
      const Records batch(10, Record{std::string(kRecordBytes, 'x')});
      ASSERT_EQ(store.Add(stream, batch, false, Form::kPacked, &first), SPW_OK);
    }
    Record found;
    ASSERT_EQ(store.Read(stream, there + 5, &found), SPW_OK);
    EXPECT_EQ(ChangesOf(disk), changes);
    ASSERT_EQ(store.Flush(SPW_FLUSH_DEVICE), SPW_OK);
    EXPECT_GT(ChangesOf(disk), changes);
    ASSERT_EQ(store.Close(), SPW_OK);
  }
}

TEST(SyncTest, ALazyStoreWritesNotAByteBelowTheSoftLimit) {
  BelowTheSoftLimit(SPW_TIER_SQLITE);
  BelowTheSoftLimit(SPW_TIER_BLOCK_FILE);
}

// ---- Idle memory

TEST(SyncTest, FreeMemoryThatNobodyUsesGoesBack) {
  TierBench bench(2, SmallLimits(), {.idle_ms = 1});
  Stream* const stream = bench.MakeStream("a");
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(bench.Add(stream, 64, kRecordBytes, Long()).ok());
    stream->TrimTo(UINT64_MAX);
    bench.spiller.Kick();
    Await([&] { return bench.budget->total().bytes_resident() == 0; });
    EXPECT_EQ(bench.budget->bytes_free(), 0U);
  }
}

TEST(SyncTest, FreeMemoryStaysUntilItIsIdleForLongEnough) {
  TierBench bench(2, SmallLimits(), {.idle_ms = kHourMs});
  Stream* const stream = bench.MakeStream("a");
  ASSERT_TRUE(bench.Add(stream, 64, kRecordBytes, Long()).ok());
  stream->TrimTo(UINT64_MAX);
  EXPECT_TRUE(bench.Flush(Durability::kDevice, Long()).ok());
  EXPECT_GT(bench.budget->bytes_free(), 0U);
}

// ---- Pacing

TEST(PaceTest, AddersAreSlowedOnlyAboveTheSoftLimitAndOnlyIfTheyMayWait) {
  TierBench bench(1);
  Stream* const stream = bench.MakeStream("a");
  bench.tier.Hold();  // nothing is spilled
  ASSERT_TRUE(bench.admission.Pace(Long()).ok());
  EXPECT_EQ(bench.counters.paced.load(), 0U);
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(bench.Add(stream, 64, kRecordBytes, Long()).ok());
  }
  ASSERT_TRUE(bench.budget->behind());
  ASSERT_TRUE(bench.admission.Pace({Deadline::Now()}).ok());
  EXPECT_EQ(bench.counters.paced.load(), 0U);
  ASSERT_TRUE(bench.admission.Pace(Long()).ok());
  EXPECT_EQ(bench.counters.paced.load(), 1U);
  EXPECT_GT(bench.counters.paced_ns_total.load(), 0U);
  EXPECT_EQ(bench.counters.waits.load(), 0U);
  base::Operation operation;
  operation.Cancel();
  EXPECT_EQ(bench.admission.Pace({Deadline::Never(), &operation}).code(), Code::kCancelled);
}

}  // namespace
}  // namespace spillway::test
