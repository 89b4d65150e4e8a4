// Every short sequence of what adders, readers and flushers do, at every point where a spill can
// stand: before it writes, between writing and flushing, and after it before anybody knows. After
// each step the stream is what a model says, and in the end so is the cold tier.
//
// The spiller's thread and a flusher stand still while the steps are done by this one, so each run
// is the same every time.
#include <algorithm>
#include <string>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "internal/hybrid/spiller.h"
#include "tests/support/tier_bench.h"

namespace spillway::test {
namespace {

using base::Code;
using base::Deadline;
using base::Status;
using cold::Durability;
using hybrid::Stream;
using Stop = FakeTier::Stop;

enum class Step { kAdd, kRead, kTrim, kClear, kFlushBegin, kEvict, kSettle };
constexpr Step kSteps[] = {Step::kAdd,        Step::kRead,  Step::kTrim,  Step::kClear,
                           Step::kFlushBegin, Step::kEvict, Step::kSettle};
constexpr const char* kNames[] = {"add", "read", "trim", "clear", "flush", "evict", "settle"};

std::string NameOf(const std::vector<Step>& steps) {
  std::string name;
  for (const Step step : steps) {
    name += std::string(name.empty() ? "" : ", ") + kNames[static_cast<int>(step)];
  }
  return name;
}

// All sequences of up to so many steps.
std::vector<std::vector<Step>> Sequences(size_t most) {
  std::vector<std::vector<Step>> all = {{}};
  for (size_t i = 0; i < all.size(); ++i) {
    for (const Step step : kSteps) {
      if (all[i].size() < most) {
        all.push_back(all[i]);
        all.back().push_back(step);
      }
    }
  }
  return all;
}

class Interleaving {
 public:
  explicit Interleaving(uint32_t threads) : bench_(threads), stream_(bench_.MakeStream("a")) {}

  ~Interleaving() { EndFlush(); }
  Interleaving(const Interleaving&) = delete;
  Interleaving& operator=(const Interleaving&) = delete;

  void Add() {
    ASSERT_TRUE(bench_.Add(stream_, 4, 10, {Deadline::Now()}).ok());
    tail_ += 4;
  }
  // Everything up to now is in the cold tier, and in memory too.
  void Spill() { ASSERT_TRUE(bench_.Flush(Durability::kDevice, Long()).ok()); }
  // A reader looks at a record meanwhile and does not let go of it.
  void Pin() {
    ASSERT_TRUE(bench_.reader.Fetch(*stream_, tail_ - 1, UINT64_MAX, 1, &pinned_).ok());
  }
  // A spill is on its way, somebody waits for it, and it stands at that point.
  void SpillUpTo(Stop stop) {
    bench_.tier.Hold(stop);
    flusher_ = std::thread([this, tail = tail_] {
      const Status status = bench_.Flush(Durability::kDevice, Long());
      const uint64_t flushed = bench_.tier.flushed_seq(0);
      EXPECT_TRUE(status.code() == Code::kFull || (status.ok() && flushed >= tail))
          << status.message() << ", " << flushed << " of " << tail;
    });
    bench_.tier.AwaitHeld(1);
  }
  FakeTier& tier() { return bench_.tier; }

  void Do(Step step) {
    switch (step) {
      case Step::kAdd:
        Add();
        break;
      case Step::kRead:
        ReadOne();
        break;
      case Step::kTrim:
        return TrimTo(begin_ + (tail_ - begin_ + 1) / 2);
      case Step::kClear:
        return TrimTo(tail_);
      case Step::kFlushBegin:
        ExpectFlushed(Flush());
        break;
      case Step::kEvict:
        bench_.residency.EvictOne(nullptr);
        break;
      case Step::kSettle:  // as Store::Settle
        if (const Status status = Flush(); status.ok()) {
          ExpectFlushed(status);
          bench_.residency.EvictAll();
          bench_.budget->ReleaseFree();
        }
    }
  }

  void Check() {
    ASSERT_EQ(stream_->begin_seq(), begin_);
    ASSERT_EQ(stream_->tail_seq(), tail_);
    ASSERT_LE(stream_->spilled_seq(), std::max(begin_, bench_.tier.flushed_seq(0)));
    ASSERT_NO_FATAL_FAILURE(bench_.ExpectHolds(*stream_));
    if (pinned_.owner != nullptr) {
      for (const uint8_t byte : pinned_.columns.payload(0)) {
        ASSERT_EQ(static_cast<char>(byte), TierBench::Letter(pinned_.columns.first_seq));
      }
    }
  }

  // The spill goes on; in the end the cold tier has all there is, and nothing is held for it.
  void Finish() {
    EndFlush();
    Status status;
    do {  // a full disk is told to the first flush
      status = bench_.Flush(Durability::kDevice, Long());
    } while (status.code() == Code::kFull);
    ExpectFlushed(status);
    ASSERT_TRUE(status.ok()) << status.message();
    ASSERT_NO_FATAL_FAILURE(Check());
    EXPECT_EQ(bench_.budget->total().records_unspilled(), 0U);
    bench_.residency.EvictAll();
    EXPECT_EQ(bench_.budget->total().records_resident(), 0U);
    EXPECT_EQ(bench_.budget->total().bytes_unspilled(), 0U);
    ASSERT_NO_FATAL_FAILURE(Check());
    Add();
    ASSERT_NO_FATAL_FAILURE(Check());
  }

 private:
  void EndFlush() {
    bench_.tier.Release();
    if (flusher_.joinable()) {
      flusher_.join();
    }
  }

  Status Flush() { return bench_.Flush(Durability::kDevice, {Deadline::Now()}); }

  void TrimTo(uint64_t seq) {
    stream_->TrimTo(seq);
    bench_.spiller.Kick();
    begin_ = seq;
  }

  // Whoever is told that all is there can rely on it.
  void ExpectFlushed(const Status& status) {
    if (status.ok()) {
      EXPECT_EQ(bench_.tier.flushed_seq(0), tail_);
      EXPECT_EQ(bench_.tier.begin_seq(0), begin_);
    } else {
      EXPECT_EQ(status.code(), Code::kWouldBlock);
    }
  }

  void ReadOne() {
    const uint64_t seq = begin_ + (tail_ - begin_) / 2;
    hybrid::PinnedColumns found;
    const Status status = bench_.reader.Fetch(*stream_, seq, UINT64_MAX, 1, &found);
    ASSERT_EQ(status.ok(), seq < tail_) << status.message();
    if (status.ok()) {
      EXPECT_EQ(std::string(10, TierBench::Letter(seq)),
                std::string(found.columns.payload(0).begin(), found.columns.payload(0).end()));
    }
  }

  TierBench bench_;
  Stream* const stream_;
  uint64_t begin_ = 0;
  uint64_t tail_ = 0;
  hybrid::PinnedColumns pinned_;
  std::thread flusher_;
};

enum class Before { kNothing, kSomeIsCold };
enum class Then { kGoesWell, kDiskIsFull };

void RunAll(size_t steps_most, uint32_t threads, Stop stop, Before before, Then then) {
  for (const std::vector<Step>& steps : Sequences(steps_most)) {
    SCOPED_TRACE("stop " + std::to_string(static_cast<int>(stop)) + ": " + NameOf(steps));
    Interleaving run(threads);
    run.Add();
    if (before == Before::kSomeIsCold) {
      run.Spill();
      run.Add();
      run.Pin();
    }
    if (then == Then::kDiskIsFull) {
      run.tier().Fail({Code::kFull, "no space"});
    }
    run.SpillUpTo(stop);
    for (const Step step : steps) {
      run.Do(step);
      run.Check();
      if (::testing::Test::HasFailure()) {
        return;
      }
    }
    run.Finish();
    if (::testing::Test::HasFailure()) {
      return;
    }
  }
}

class InterleavingTest : public ::testing::TestWithParam<Stop> {};

TEST_P(InterleavingTest, EverySequenceOfThreeStepsDuringTheFirstSpill) {
  RunAll(3, 1, GetParam(), Before::kNothing, Then::kGoesWell);
}

TEST_P(InterleavingTest, EverySequenceOfThreeStepsWhenSomeIsCold) {
  RunAll(3, 1, GetParam(), Before::kSomeIsCold, Then::kGoesWell);
}

TEST_P(InterleavingTest, EverySequenceOfTwoStepsWithTwoThreads) {
  RunAll(2, 2, GetParam(), Before::kSomeIsCold, Then::kGoesWell);
}

INSTANTIATE_TEST_SUITE_P(Stops, InterleavingTest,
                         ::testing::Values(Stop::kBeforeWrite, Stop::kBeforeFlush,
                                           Stop::kAfterFlush));

TEST(InterleavingFullDiskTest, EverySequenceOfTwoStepsBeforeAWriteThatFails) {
  RunAll(2, 1, Stop::kBeforeWrite, Before::kSomeIsCold, Then::kDiskIsFull);
}

}  // namespace
}  // namespace spillway::test
