// Options, the gate and the event ring: small parts with rules of their own.

#include "internal/hybrid/options.h"

#include <gtest/gtest.h>

#include <thread>

#include "internal/base/call_gate.h"
#include "internal/hybrid/events.h"

namespace spillway::test {
namespace {

using base::Code;
using hybrid::Option;
using hybrid::Options;
using hybrid::StoreOptions;

int32_t Key(Option option) { return static_cast<int32_t>(option); }

TEST(OptionsTest, LimitsFollowTheBudgetAndNeverOverflow) {
  StoreOptions options;
  const memory::Limits limits = options.LimitsFor(1000, 10);
  EXPECT_EQ(limits.bytes.low, 700U);
  EXPECT_EQ(limits.bytes.soft, 1000U);
  EXPECT_EQ(limits.bytes.hard, 1300U);
  EXPECT_EQ(limits.records.hard, 13U);
  const memory::Limits huge = options.LimitsFor(INT64_MAX - 1, base::kUnlimited);
  EXPECT_GT(huge.bytes.hard, huge.bytes.soft);
  EXPECT_EQ(huge.records.low, base::kUnlimited);
}

TEST(OptionsTest, AMemoryOnlyStoreRefusesWhatItCannotUse) {
  Options options;
  ASSERT_TRUE(options.Set(Key(Option::kColdTier), 2).ok());
  StoreOptions parsed;
  EXPECT_EQ(StoreOptions::Parse(&options, true, &parsed).code(), Code::kUnsupported);
  EXPECT_TRUE(StoreOptions::Parse(&options, false, &parsed).ok());
  EXPECT_EQ(parsed.when_full, hybrid::WhenFull::kBlock);
  EXPECT_TRUE(StoreOptions::Parse(nullptr, true, &parsed).ok());
  EXPECT_EQ(parsed.when_full, hybrid::WhenFull::kFail);
  ASSERT_TRUE(options.Set(Key(Option::kTimes), 1).ok());
  EXPECT_EQ(StoreOptions::Parse(&options, false, &parsed).code(), Code::kUnsupported);
}

TEST(OptionsTest, OnlyAStoreInMemoryDropsItsOldestRecords) {
  Options options;
  ASSERT_TRUE(options.Set(Key(Option::kWhenFull), 4).ok());
  StoreOptions parsed;
  EXPECT_TRUE(StoreOptions::Parse(&options, true, &parsed).ok());
  EXPECT_EQ(parsed.when_full, hybrid::WhenFull::kDropOldest);
  EXPECT_EQ(StoreOptions::Parse(&options, false, &parsed).code(), Code::kInvalidArgument);
  hybrid::StreamOptions of_stream;
  EXPECT_TRUE(hybrid::StreamOptions::Parse(&options, true, &of_stream).ok());
  EXPECT_EQ(hybrid::StreamOptions::Parse(&options, false, &of_stream).code(),
            Code::kInvalidArgument);
}

TEST(CallGateTest, TheCloserWaitsForCallsInsideAndTurnsOthersAway) {
  base::CallGate gate;
  ASSERT_TRUE(gate.Enter());
  gate.Shut();
  EXPECT_FALSE(gate.Enter());
  EXPECT_EQ(gate.AwaitEmpty({base::Deadline::Now(), nullptr}).code(), Code::kWouldBlock);
  std::thread last([&] { gate.Leave(); });
  EXPECT_TRUE(gate.AwaitEmpty({}).ok());
  last.join();
  gate.Reopen();
  EXPECT_TRUE(gate.Enter());
  gate.Leave();
}

TEST(EventRingTest, TheOldestAreLostAndCounted) {
  hybrid::EventRing ring;
  for (uint64_t i = 0; i < hybrid::EventRing::kCapacity + 3; ++i) {
    ring.Post({.kind = hybrid::EventKind::kSpillEnd, .count = i});
  }
  EXPECT_EQ(ring.lost(), 3U);
  hybrid::Event event;
  for (uint64_t i = 3; i < hybrid::EventRing::kCapacity + 3; ++i) {
    ASSERT_TRUE(ring.Take(&event));
    ASSERT_EQ(event.count, i);
    ASSERT_GT(event.time_ns, 0U);
  }
  EXPECT_FALSE(ring.Take(&event));
}

}  // namespace
}  // namespace spillway::test
