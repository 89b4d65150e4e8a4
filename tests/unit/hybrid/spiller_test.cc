// The spiller on a tier that stops and fails when it is told to.
#include "internal/hybrid/spiller.h"

#include <algorithm>
#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "tests/support/prng.h"
#include "tests/support/tier_bench.h"

namespace spillway::test {
namespace {

using base::Code;
using base::Deadline;
using base::Status;
using cold::Durability;
using hybrid::Event;
using hybrid::EventKind;
using hybrid::Spiller;
using hybrid::Stream;

// Fills about `arenas` arenas.
Status AddArenas(TierBench* bench, Stream* stream, uint64_t arenas,
                 const base::Patience& patience = Long()) {
  for (uint64_t i = 0; i < arenas; ++i) {
    SPW_RETURN_IF_ERROR(bench->Add(stream, kArena / (kRecordBytes + 16), kRecordBytes, patience));
  }
  return {};
}

void AwaitEvent(TierBench* bench, EventKind kind) {
  Event event;
  while (!bench->events.Take(&event) || event.kind != kind) {
    std::this_thread::yield();
  }
}

TEST(SpillerTest, BelowTheSoftLimitNothingIsWritten) {
  TierBench bench(2);
  Stream* const stream = bench.MakeStream("a");
  ASSERT_TRUE(AddArenas(&bench, stream, 3).ok());
  bench.spiller.Kick();
  EXPECT_FALSE(bench.budget->total().pressed());
  EXPECT_TRUE(bench.tier.commits().empty());
  EXPECT_EQ(bench.tier.end_seq(0), 0u);
}

TEST(SpillerTest, TwoRunsAreInFlightAndNoStreamIsInBoth) {
  TierBench bench(2);
  Stream* const first = bench.MakeStream("a");
  Stream* const second = bench.MakeStream("b");
  bench.tier.Hold();
  ASSERT_TRUE(AddArenas(&bench, first, 4).ok());
  ASSERT_TRUE(bench.Add(second, 1, 10).ok());  // above the soft limit: a run of the first stream
  bench.tier.AwaitHeld(1);
  // What is in flight counts as gone; a flush asks for more than that.
  std::thread flusher([&] { EXPECT_TRUE(bench.Flush(Durability::kDevice, Long()).ok()); });
  bench.tier.AwaitHeld(2);
  bench.tier.Release();
  flusher.join();
  for (const FakeTier::Committed& each : bench.tier.commits()) {
    EXPECT_EQ(each.durability, Durability::kDevice);
    EXPECT_EQ(std::count(each.streams.begin(), each.streams.end(), each.streams.front()),
              static_cast<ptrdiff_t>(each.streams.size()));
  }
  bench.ExpectHolds(*first);
  bench.ExpectHolds(*second);
}

TEST(SpillerTest, TwoThreadsWriteEachStreamOldestFirstWithoutAGap) {
  const uint64_t seed = TestSeed("TwoThreadsWriteEachStream", 5);
  TierBench bench(2);
  std::vector<Stream*> streams;
  for (const char* const name : {"a", "b", "c"}) {
    streams.push_back(bench.MakeStream(name));
  }
  std::vector<std::thread> writers;
  for (uint64_t i = 0; i < streams.size(); ++i) {
    writers.emplace_back([&, i] {
      Prng random(seed + i);
      for (int round = 0; round < 300; ++round) {
        ASSERT_TRUE(bench.Add(streams[i], random.Between(1, 40), random.Below(2000), Long()).ok());
        if (random.OneIn(20)) {
          const auto level = random.OneIn(2) ? Durability::kDevice : Durability::kKernel;
          ASSERT_TRUE(bench.Flush(level, Long()).ok());
        }
      }
    });
  }
  for (std::thread& writer : writers) {
    writer.join();
  }
  EXPECT_TRUE(bench.Flush(Durability::kDevice, Long()).ok());
  for (Stream* const stream : streams) {
    EXPECT_EQ(bench.tier.end_seq(stream->id()), stream->tail_seq());
    EXPECT_EQ(stream->spilled_seq(), stream->tail_seq());
    bench.ExpectHolds(*stream);
  }
  EXPECT_LE(bench.budget->bytes_resident_peak(), SmallLimits().bytes.hard);
}

TEST(SpillerTest, FullDiskKeepsTheRecordsAndIsTriedAgainUntilThereIsSpace) {
  TierBench bench(1);
  Stream* const stream = bench.MakeStream("a");
  bench.tier.FailAlways({Code::kFull, "no space"});
  ASSERT_TRUE(AddArenas(&bench, stream, 2).ok());
  EXPECT_EQ(bench.Flush(Durability::kDevice, Long()).code(), Code::kFull);
  EXPECT_EQ(bench.Flush(Durability::kDevice, Long()).code(), Code::kFull);
  EXPECT_EQ(stream->spilled_seq(), 0u);
  bench.ExpectHolds(*stream);
  bench.tier.Heal();
  AwaitEvent(&bench, EventKind::kRecovered);
  EXPECT_EQ(bench.spiller.health_code(), Code::kOk);
  EXPECT_GE(bench.counters.spill_errors.load(), 2u);
  EXPECT_TRUE(bench.Flush(Durability::kDevice, Long()).ok());
  EXPECT_EQ(bench.tier.end_seq(0), stream->tail_seq());
}

TEST(SpillerTest, AdderAtTheHardLimitIsToldThatTheDiskIsFull) {
  TierBench bench(1);
  Stream* const stream = bench.MakeStream("a");
  bench.tier.FailAlways({Code::kFull, "no space"});
  Status status;
  for (int i = 0; i < 10 && status.ok(); ++i) {
    status = AddArenas(&bench, stream, 1);
  }
  EXPECT_EQ(status.code(), Code::kFull);
  EXPECT_EQ(bench.counters.adds_refused.load(), 1u);
  EXPECT_EQ(stream->spilled_seq(), 0u);
  bench.ExpectHolds(*stream);
}

// Once the batch that met the full disk is given up, nothing waits for space; the spiller used to
// try nothing again and again with all its might, and adders at the hard limit heard of it for
// ever.
TEST(SpillerTest, FullDiskIsForgottenWhenNothingIsLeftToWrite) {
  TierBench bench(2);
  Stream* const stream = bench.MakeStream("a");
  ASSERT_TRUE(bench.Add(stream, 1, 10).ok());
  bench.tier.FailAlways({Code::kFull, "no space"});
  EXPECT_EQ(bench.Flush(Durability::kDevice, Long()).code(), Code::kFull);
  bench.tier.Hold();
  bench.tier.AwaitHeld(1);
  stream->TrimTo(UINT64_MAX);
  bench.tier.Heal();
  bench.tier.Release();
  AwaitEvent(&bench, EventKind::kRecovered);
  EXPECT_EQ(bench.spiller.health_code(), Code::kOk);
}

// Records that are dropped while somebody flushes them are as safe as asked for once it is on the
// device that they are gone; before that their numbers would be given again after a crash. The
// flush used to return when the trim did.
TEST(SpillerTest, AFlushWhoseRecordsAreTrimmedMeanwhileWaitsForTheTrim) {
  TierBench bench(1);
  Stream* const stream = bench.MakeStream("a");
  ASSERT_TRUE(bench.Add(stream, 10, 10).ok());
  for (const Status& disk : {Status(), Status(Code::kIo, "gone")}) {
    bench.tier.Hold();
    Status flushed;
    std::thread flusher([&] { flushed = bench.Flush(Durability::kDevice, Long()); });
    bench.tier.AwaitHeld(1);
    stream->TrimTo(UINT64_MAX);
    bench.spiller.Kick();
    if (!disk.ok()) {
      bench.tier.FailAlways(disk);
    }
    bench.tier.Release();
    flusher.join();
    EXPECT_EQ(flushed.code(), disk.code());
    EXPECT_EQ(bench.tier.end_seq(0), 10U);
    if (disk.ok()) {
      ASSERT_TRUE(bench.Add(stream, 10, 10).ok());
    }
  }
}

// A run that was picked before somebody made room on the disk and called flush used to fail that
// flush.
TEST(SpillerTest, FlushIsNotToldOfARunThatWasPickedBeforeIt) {
  TierBench bench(1);
  Stream* const stream = bench.MakeStream("a");
  ASSERT_TRUE(bench.Add(stream, 10, 10).ok());
  bench.tier.Hold();
  bench.tier.Fail({Code::kFull, "no space"});
  std::thread first([&] { (void)bench.Flush(Durability::kDevice, Long()); });
  bench.tier.AwaitHeld(1);
  base::Operation operation;
  std::thread second([&] {
    EXPECT_TRUE(bench.Flush(Durability::kDevice, {Deadline::AfterMs(kLongMs), &operation}).ok());
  });
  while (operation.total() == 0) {
    std::this_thread::yield();
  }
  bench.tier.Release();
  first.join();
  second.join();
  EXPECT_EQ(stream->spilled_seq(), 10u);
}

TEST(SpillerTest, IoErrorEndsWritingForGoodAndMemoryStaysReadable) {
  TierBench bench(2);
  Stream* const stream = bench.MakeStream("a");
  bench.tier.Fail(Status::Os(Code::kIo, 5, "broken"));
  ASSERT_TRUE(AddArenas(&bench, stream, 2).ok());
  EXPECT_EQ(bench.Flush(Durability::kKernel, Long()).code(), Code::kIo);
  EXPECT_EQ(bench.Flush(Durability::kDevice, Long()).os_code(), 5);
  EXPECT_EQ(bench.spiller.health().message(), "broken");
  Status status;
  for (int i = 0; i < 10 && status.ok(); ++i) {
    status = AddArenas(&bench, stream, 1);
  }
  EXPECT_EQ(status.code(), Code::kIo);
  EXPECT_TRUE(bench.tier.commits().empty());
  bench.ExpectHolds(*stream);
}

TEST(SpillerTest, KernelFlushIsMadeDurableByOneEmptyCommitLater) {
  TierBench bench(2);
  Stream* const stream = bench.MakeStream("a");
  ASSERT_TRUE(bench.Add(stream, 10, 10).ok());
  ASSERT_TRUE(bench.Flush(Durability::kKernel, Long()).ok());
  EXPECT_EQ(stream->written_seq(), 10u);
  EXPECT_EQ(stream->spilled_seq(), 0u);
  ASSERT_EQ(bench.tier.commits().size(), 1u);
  EXPECT_EQ(bench.tier.commits()[0].durability, Durability::kKernel);
  ASSERT_TRUE(bench.Flush(Durability::kDevice, Long()).ok());
  EXPECT_EQ(stream->spilled_seq(), 10u);
  ASSERT_EQ(bench.tier.commits().size(), 2u);
  EXPECT_EQ(bench.tier.commits()[1].durability, Durability::kDevice);
  EXPECT_EQ(bench.tier.commits()[1].records, 0u);
  ASSERT_TRUE(bench.Flush(Durability::kDevice, Long()).ok());
  EXPECT_EQ(bench.tier.commits().size(), 2u);  // there was nothing left to do
}

// What a failed commit was to make durable is still to be made durable.
TEST(SpillerTest, SyncThatThrewOrFailedIsAskedForAgain) {
  for (const bool throws : {true, false}) {
    TierBench bench(1);
    Stream* const stream = bench.MakeStream("a");
    ASSERT_TRUE(bench.Add(stream, 10, 10).ok());
    ASSERT_TRUE(bench.Flush(Durability::kKernel, Long()).ok());
    bench.tier.FailAlways(throws ? Status() : Status(Code::kNoMemory));
    EXPECT_EQ(bench.Flush(Durability::kDevice, Long()).code(), Code::kNoMemory);
    bench.tier.Heal();
    EXPECT_TRUE(bench.Flush(Durability::kDevice, Long()).ok());
    EXPECT_EQ(stream->spilled_seq(), 10u);
    EXPECT_EQ(bench.tier.commits().back().durability, Durability::kDevice);
  }
}

// The records were with the operating system already, so there was nothing to spill and nobody saw
// that a sync was wanted: the adder waited for ever.
TEST(SpillerTest, AdderAtItsStreamsCapGetsRoomBehindAKernelFlush) {
  TierBench bench(2);
  Stream* const stream = bench.MakeStream("a");
  memory::Limits cap;
  cap.records = {.low = 7, .soft = 10, .hard = 13};
  bench.budget->SetLimits(stream->account(), cap);
  ASSERT_TRUE(bench.Add(stream, 13, 10, Long()).ok());
  ASSERT_TRUE(bench.Flush(Durability::kKernel, Long()).ok());
  EXPECT_TRUE(bench.Add(stream, 5, 10, Long()).ok());
  EXPECT_LE(stream->account()->records_resident(), 13u);
  bench.ExpectHolds(*stream);
}

TEST(SpillerTest, FlushEndsByDeadlineCancelOrNoWaitAndGoesOnInTheBackground) {
  TierBench bench(1);
  Stream* const stream = bench.MakeStream("a");
  ASSERT_TRUE(bench.Add(stream, 10, 10).ok());
  bench.tier.Hold();
  EXPECT_EQ(bench.Flush(Durability::kDevice, {Deadline::Now()}).code(), Code::kWouldBlock);
  EXPECT_EQ(bench.Flush(Durability::kDevice, {Deadline::AfterMs(1)}).code(), Code::kTimeout);
  base::Operation operation;
  std::thread canceller([&] {
    bench.tier.AwaitHeld(1);
    operation.Cancel();
  });
  EXPECT_EQ(bench.Flush(Durability::kDevice, {Deadline::Never(), &operation}).code(),
            Code::kCancelled);
  canceller.join();
  EXPECT_EQ(operation.total(), 10u);
  bench.tier.Release();
  EXPECT_TRUE(bench.Flush(Durability::kDevice, Long()).ok());
  EXPECT_EQ(bench.tier.end_seq(0), 10u);
}

TEST(SpillerTest, CloserTurnsFlushersAndAddersAwayAndFlushesItself) {
  TierBench bench(1);
  Stream* const stream = bench.MakeStream("a");
  bench.tier.Hold();
  ASSERT_TRUE(AddArenas(&bench, stream, 5).ok());
  bench.tier.AwaitHeld(1);
  std::thread flusher(
      [&] { EXPECT_EQ(bench.Flush(Durability::kDevice, Long()).code(), Code::kClosed); });
  std::thread adder([&] { EXPECT_EQ(AddArenas(&bench, stream, 5).code(), Code::kClosed); });
  bench.spiller.SetClosing(true);
  flusher.join();
  adder.join();
  bench.tier.Release();
  EXPECT_TRUE(bench.spiller.Flush(Durability::kDevice, Long(), Spiller::Flusher::kCloser).ok());
  bench.spiller.SetClosing(false);
  EXPECT_TRUE(AddArenas(&bench, stream, 5).ok());
  EXPECT_TRUE(bench.Flush(Durability::kDevice, Long()).ok());
}

// A clear drops what is in flight too; what was cleared does not come back with it.
TEST(SpillerTest, ClearDuringASpillIsNotUndoneByIt) {
  TierBench bench(1);
  Stream* const stream = bench.MakeStream("a");
  ASSERT_TRUE(bench.Add(stream, 20, 10).ok());
  bench.tier.Hold();
  std::thread flusher([&] { EXPECT_TRUE(bench.Flush(Durability::kDevice, Long()).ok()); });
  bench.tier.AwaitHeld(1);
  EXPECT_EQ(stream->TrimTo(UINT64_MAX).count, 20u);
  ASSERT_TRUE(bench.Add(stream, 3, 10).ok());
  bench.spiller.Kick();
  bench.tier.Release();
  flusher.join();
  EXPECT_EQ(stream->begin_seq(), 20u);
  ASSERT_TRUE(bench.Flush(Durability::kDevice, Long()).ok());
  EXPECT_EQ(bench.tier.begin_seq(0), 20u);
  EXPECT_EQ(bench.tier.end_seq(0), 23u);
  bench.ExpectHolds(*stream);
}

// While a direct writer has the stream, nothing of it can be spilled; what a flush to the device
// asked for was then written to the operating system only, and the flush waited for ever.
TEST(SpillerTest, FlushToTheDeviceBehindADirectWriterIsNotForgotten) {
  TierBench bench(1);
  Stream* const stream = bench.MakeStream("a");
  Stream* const other = bench.MakeStream("b");
  ASSERT_TRUE(bench.Add(stream, 1, 10).ok());
  ASSERT_TRUE(bench.Flush(Durability::kDevice, Long()).ok());
  ASSERT_TRUE(stream->EnterDirect(Long()).ok());
  Stream::Claim claim;
  ASSERT_TRUE(stream->ClaimTail(Long(), &claim).ok());
  stream->TrimTo(UINT64_MAX);
  std::thread flusher(
      [&] { EXPECT_TRUE(bench.Flush(Durability::kDevice, {Deadline::AfterMs(10'000)}).ok()); });
  const auto flush_other = [&] {
    EXPECT_TRUE(bench.Add(other, 1, 10).ok());
    EXPECT_FALSE(bench.Flush(Durability::kKernel, {Deadline::Now()}).ok());  // for the first one
    while (other->written_seq() < other->tail_seq()) {
      std::this_thread::yield();
    }
    return bench.tier.commits().back().durability;
  };
  // Goes to the device too once the flusher has asked.
  while (flush_other() == Durability::kKernel) {
  }
  for (int i = 0; i < 20; ++i) {
    flush_other();
  }
  stream->EndClaim(claim, false);
  stream->LeaveDirect();
  bench.spiller.Kick();
  flusher.join();
  EXPECT_EQ(bench.tier.begin_seq(0), 1u);
}

// A batch over several arenas is in one transaction, however small the need.
TEST(SpillerTest, BatchOverSeveralArenasIsNeverSplitBetweenCommits) {
  TierBench bench(2);
  Stream* const stream = bench.MakeStream("a");
  constexpr uint64_t kBatch = 100;  // a little less than two arenas
  for (int i = 0; i < 60; ++i) {
    ASSERT_TRUE(bench.Add(stream, kBatch, kRecordBytes, Long()).ok());
  }
  uint64_t end = 0;
  for (const FakeTier::Committed& each : bench.tier.commits()) {
    end += each.records;
    EXPECT_EQ(end % kBatch, 0u);
  }
  EXPECT_GT(end, 0u);
}

// Eight equal writers at the hard limit, and a tier that only goes on when all of them are inside.
TEST(SpillerTest, EqualWritersAtTheHardLimitGetEqualShares) {
  constexpr uint64_t kWriters = 8;
  constexpr uint64_t kBatches = 2000;
  constexpr uint64_t kBatchRecords = 50;  // of an arena's 64: a run makes room for fewer than wait
  TierBench bench(2);
  Stream* const stream = bench.MakeStream("a");
  bench.tier.Hold();
  std::atomic<uint64_t> admitted{0};
  std::atomic<uint64_t> share[kWriters] = {};
  std::vector<std::thread> writers;
  for (uint64_t i = 0; i < kWriters; ++i) {
    writers.emplace_back([&, i] {
      const std::string data(kBatchRecords * kRecordBytes, 'x');
      std::vector<uint64_t> offsets;
      for (uint64_t at = 0; at <= data.size(); at += kRecordBytes) {
        offsets.push_back(at);
      }
      record::RecordBatch batch;
      ASSERT_TRUE(record::RecordBatch::Parse(data.data(), data.size(), offsets.data(),
                                             kBatchRecords, nullptr, &batch)
                      .ok());
      while (admitted.load() < kBatches) {
        ASSERT_TRUE(bench.AddBatch(stream, batch, Long()).ok());
        share[i].fetch_add(1);
        admitted.fetch_add(1);
      }
    });
  }
  while (admitted.load() < kBatches) {
    // One run at a time, and only while all of them are in the queue: else the shares would be the
    // scheduler's.
    if (bench.budget->waiters() == kWriters) {
      bench.spiller.Kick();
      bench.tier.AwaitHeld(1);
      bench.tier.LetOn(1);
    }
    std::this_thread::yield();
  }
  bench.tier.Release();
  for (std::thread& writer : writers) {
    writer.join();
  }
  const uint64_t total = admitted.load();
  for (const std::atomic<uint64_t>& each : share) {
    EXPECT_GE(each.load() * 1000, total * 100) << "of " << total;
    EXPECT_LE(each.load() * 1000, total * 150) << "of " << total;
  }
  EXPECT_LE(bench.budget->bytes_resident_peak(), SmallLimits().bytes.hard);
}

}  // namespace
}  // namespace spillway::test
