// The budget: never above the hard limit, sums that agree with a plain model, waiters in order.

#include "internal/memory/budget.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "internal/memory/reservation.h"
#include "tests/support/prng.h"

namespace spillway::test {
namespace {

using base::Code;
using base::Status;
using memory::Account;
using memory::Grant;
using memory::MemoryBudget;
using memory::Request;
using memory::Reservation;

constexpr uint64_t kArena = memory::kArenaBytesMin;

memory::Limits LimitsOf(uint64_t soft_arenas, uint64_t hard_arenas) {
  memory::Limits limits;
  limits.bytes = {
      .low = soft_arenas * kArena / 2, .soft = soft_arenas * kArena, .hard = hard_arenas * kArena};
  return limits;
}

Request ArenasFor(Account* account, uint64_t arenas, uint64_t records = 0) {
  return {.account = account, .arenas = arenas, .arena_bytes = kArena, .records = records};
}

TEST(MemoryBudgetTest, GrantsUpToTheHardLimitAndNotAByteMore) {
  MemoryBudget budget(LimitsOf(2, 4));
  Account account;
  Grant grant;
  EXPECT_EQ(budget.Try(ArenasFor(&account, 5), true, &grant), MemoryBudget::Attempt::kNever);
  EXPECT_EQ(budget.Try(ArenasFor(&account, 4), true, &grant), MemoryBudget::Attempt::kGranted);
  EXPECT_EQ(budget.Try(ArenasFor(&account, 1), true, &grant), MemoryBudget::Attempt::kWait);
  EXPECT_TRUE(budget.total().pressed());
  for (int i = 0; i < 4; ++i) {
    budget.Return(&account, memory::Arena(), kArena, 0);
  }
  EXPECT_EQ(budget.total().bytes_resident(), 0U);
  EXPECT_FALSE(budget.total().pressed());
  EXPECT_EQ(budget.bytes_resident_peak(), 4 * kArena);
}

TEST(MemoryBudgetTest, PressureEndsAtTheLowWaterMarkOnly) {
  MemoryBudget budget(LimitsOf(4, 8));
  Account account;
  Grant grant;
  ASSERT_EQ(budget.Try(ArenasFor(&account, 5), true, &grant), MemoryBudget::Attempt::kGranted);
  EXPECT_EQ(budget.excess(nullptr).bytes, 3 * kArena);
  budget.Return(&account, memory::Arena(), 2 * kArena, 0);
  EXPECT_TRUE(budget.total().pressed());
  budget.Return(&account, memory::Arena(), kArena, 0);
  EXPECT_FALSE(budget.total().pressed());
  EXPECT_FALSE(budget.excess(nullptr).any());
  budget.Return(&account, memory::Arena(), 2 * kArena, 0);
}

TEST(MemoryBudgetTest, FreeArenasAreReusedAndGiveWayToOthers) {
  MemoryBudget budget(LimitsOf(4, 4));
  Account account;
  {
    Reservation reservation(&budget);
    Grant grant;
    const Request request = ArenasFor(&account, 3);
    ASSERT_EQ(budget.Try(request, true, &grant), MemoryBudget::Attempt::kGranted);
    ASSERT_TRUE(reservation.Fill(request, &grant, {}).ok());
  }
  EXPECT_EQ(budget.bytes_free(), 3 * kArena);
  Reservation reservation(&budget);
  Grant grant;
  Request large{.account = &account, .arenas = 1, .arena_bytes = 2 * kArena};
  ASSERT_EQ(budget.Try(large, true, &grant), MemoryBudget::Attempt::kGranted);
  EXPECT_EQ(budget.bytes_free(), 2 * kArena);
  EXPECT_EQ(budget.total().bytes_resident(), 4 * kArena);
  ASSERT_TRUE(reservation.Fill(large, &grant, {}).ok());
  EXPECT_EQ(reservation.CountOf(2 * kArena), 1U);
}

TEST(MemoryBudgetTest, FreeArenasThatAreReleasedMakeRoomForThoseWhoWait) {
  MemoryBudget budget(LimitsOf(4, 4));
  Account account;
  Grant held;
  ASSERT_EQ(budget.Try(ArenasFor(&account, 1), true, &held), MemoryBudget::Attempt::kGranted);
  {
    Reservation reservation(&budget);
    Grant grant;
    const Request request = ArenasFor(&account, 3);
    ASSERT_EQ(budget.Try(request, true, &grant), MemoryBudget::Attempt::kGranted);
    ASSERT_TRUE(reservation.Fill(request, &grant, {}).ok());
  }
  ASSERT_EQ(budget.bytes_free(), 3 * kArena);
  budget.ReleaseFree();
  EXPECT_EQ(budget.bytes_free(), 0U);
  EXPECT_EQ(budget.total().bytes_resident(), kArena);
  budget.ReleaseFree();
  EXPECT_EQ(budget.total().bytes_resident(), kArena);
  Grant grant;
  EXPECT_EQ(budget.Try(ArenasFor(&account, 3), true, &grant), MemoryBudget::Attempt::kGranted);
  EXPECT_TRUE(grant.recycled.empty());
}

TEST(MemoryBudgetTest, PaceIsInProportionToTheWayFromSoftToHard) {
  constexpr uint64_t kQuantum = 2'000'000;
  memory::Limits limits;
  const auto pace = [&](uint64_t bytes, uint64_t records) {
    return MemoryBudget::PaceNanos(limits, bytes, records, kQuantum);
  };
  EXPECT_EQ(pace(base::kUnlimited - 1, base::kUnlimited - 1), 0U) << "no limits";
  limits.bytes = {.low = 70, .soft = 1000, .hard = 2000};
  EXPECT_EQ(pace(0, 0), 0U);
  EXPECT_EQ(pace(1000, 0), 0U);
  EXPECT_EQ(pace(1500, 0), kQuantum / 2);
  EXPECT_EQ(pace(1750, 0), kQuantum / 4 * 3);
  EXPECT_EQ(pace(2000, 0), kQuantum);
  EXPECT_EQ(pace(1'000'000, 0), kQuantum) << "a lowered budget makes it no longer";
  limits.records = {.low = 0, .soft = 10, .hard = 20};
  EXPECT_EQ(pace(1500, 20), kQuantum) << "the worse of both";
  EXPECT_EQ(pace(1500, 11), kQuantum / 2);
  limits.records = {.low = 0, .soft = 10, .hard = 10};
  EXPECT_EQ(pace(0, 10), 0U) << "there is no way";
}

class PaceBudgetTest : public ::testing::Test {
 protected:
  static constexpr uint64_t kHourNanos = 3'600'000'000'000;

  void SetUp() override {
    Grant grant;
    ASSERT_FALSE(budget_.behind());
    ASSERT_EQ(budget_.Try(ArenasFor(&account_, 3), true, &grant), MemoryBudget::Attempt::kGranted);
    ASSERT_TRUE(budget_.behind());
  }
  void TearDown() override {
    EXPECT_GT(paced_ns_, 0U);
    EXPECT_LT(paced_ns_, kHourNanos);
  }

  MemoryBudget budget_{LimitsOf(2, 4)};
  Account account_;
  uint64_t paced_ns_ = 0;
};

TEST_F(PaceBudgetTest, ItEndsWhenNobodyIsBehindAnyMore) {
  std::thread drain([&] { budget_.Return(&account_, memory::Arena(), kArena, 0); });
  // Half an hour, unless the drain was quicker than this.
  EXPECT_TRUE(budget_.Pace(kHourNanos, {}, &paced_ns_).ok());
  drain.join();
  EXPECT_FALSE(budget_.behind());
  paced_ns_ = std::max<uint64_t>(paced_ns_, 1);
}

TEST_F(PaceBudgetTest, ItEndsWithTheDeadlineWhichIsNoFailure) {
  EXPECT_TRUE(budget_.Pace(kHourNanos, {base::Deadline::AfterMs(1), nullptr}, &paced_ns_).ok());
  EXPECT_TRUE(budget_.behind());
}

TEST_F(PaceBudgetTest, ItEndsWithTheQuantum) {
  EXPECT_TRUE(budget_.Pace(200'000, {}, &paced_ns_).ok());
  EXPECT_TRUE(budget_.behind());
}

TEST_F(PaceBudgetTest, ItEndsWithACancelAndWithAVerdict) {
  base::Operation operation;
  std::thread canceller([&] { operation.Cancel(); });
  EXPECT_EQ(budget_.Pace(kHourNanos, {base::Deadline::Never(), &operation}, &paced_ns_).code(),
            Code::kCancelled);
  canceller.join();
  std::thread closer([&] { budget_.SetVerdict(Status(Code::kClosed)); });
  uint64_t until_closed_ns = 0;
  EXPECT_TRUE(budget_.Pace(kHourNanos, {}, &until_closed_ns).ok());
  closer.join();
  EXPECT_FALSE(budget_.behind()) << "who is told to go away is not slowed on the way";
}

TEST(MemoryBudgetTest, CleanMemoryIsAskedForBeforeTheSoftLimitIsPassed) {
  MemoryBudget budget(LimitsOf(2, 4));
  Account account;
  Grant grant;
  ASSERT_EQ(budget.Try(ArenasFor(&account, 2), true, &grant), MemoryBudget::Attempt::kGranted);
  memory::Charge charge;
  charge.account = &account;
  charge.bytes = kArena;
  charge.clean = true;
  budget.Recount(&charge);
  EXPECT_EQ(budget.total().bytes_unspilled(), kArena);
  EXPECT_EQ(budget.Try(ArenasFor(&account, 1), true, &grant), MemoryBudget::Attempt::kEvict);
  EXPECT_EQ(budget.Try(ArenasFor(&account, 1), false, &grant), MemoryBudget::Attempt::kGranted);
  budget.Release(charge, 0, 0, memory::Arena());
  budget.Return(&account, memory::Arena(), 2 * kArena, 0);
  EXPECT_EQ(budget.total().bytes_resident(), 0U);
}

// A waiter in a thread of its own; joined by Result.
class Waiting {
 public:
  Waiting(MemoryBudget* budget, Account* account, uint64_t arenas, base::Patience patience = {})
      : request_(ArenasFor(account, arenas)), waiter_(request_, &grant_, patience) {
    queued_ = budget->Queue(&waiter_);
    thread_ = std::thread([this, budget] {
      status_ = queued_.ok() ? budget->Await(&waiter_) : queued_;
      done_ = true;
    });
  }
  Code Result() {
    thread_.join();
    return status_.code();
  }
  bool done() const { return done_; }

 private:
  const Request request_;
  Grant grant_;
  MemoryBudget::Waiter waiter_;
  Status queued_;
  Status status_;
  std::atomic<bool> done_{false};
  std::thread thread_;
};

TEST(MemoryBudgetTest, WaitersAreServedInTheOrderTheyCame) {
  MemoryBudget budget(LimitsOf(2, 2));
  Account account;
  Grant grant;
  ASSERT_EQ(budget.Try(ArenasFor(&account, 2), true, &grant), MemoryBudget::Attempt::kGranted);
  Waiting large(&budget, &account, 2);
  Waiting small(&budget, &account, 1);
  budget.Return(&account, memory::Arena(), kArena, 0);
  // One arena is free, but the small request came later; and nobody else overtakes either.
  EXPECT_EQ(budget.Try(ArenasFor(&account, 1), true, &grant), MemoryBudget::Attempt::kWait);
  EXPECT_EQ(budget.total().bytes_resident(), kArena);
  budget.Return(&account, memory::Arena(), kArena, 0);
  EXPECT_EQ(large.Result(), Code::kOk);
  EXPECT_FALSE(small.done());
  budget.Return(&account, memory::Arena(), 2 * kArena, 0);
  EXPECT_EQ(small.Result(), Code::kOk);
  budget.Return(&account, memory::Arena(), kArena, 0);
}

TEST(MemoryBudgetTest, WhoeverOnlyItsOwnCapHoldsUpLetsOthersPass) {
  MemoryBudget budget(LimitsOf(4, 4));
  Account capped;
  Account other;
  budget.SetLimits(&capped, LimitsOf(1, 1));
  Grant grant;
  ASSERT_EQ(budget.Try(ArenasFor(&capped, 1), true, &grant), MemoryBudget::Attempt::kGranted);
  Waiting waiting(&budget, &capped, 1);
  EXPECT_TRUE(capped.pressed());
  EXPECT_EQ(budget.Try(ArenasFor(&other, 1), true, &grant), MemoryBudget::Attempt::kGranted);
  EXPECT_EQ(budget.Try(ArenasFor(&capped, 1), true, &grant), MemoryBudget::Attempt::kWait);
  budget.Return(&capped, memory::Arena(), kArena, 0);
  EXPECT_EQ(waiting.Result(), Code::kOk);
  budget.Return(&capped, memory::Arena(), kArena, 0);
  budget.Return(&other, memory::Arena(), kArena, 0);
  EXPECT_FALSE(capped.pressed());
}

TEST(MemoryBudgetTest, AVerdictALowerLimitACancelAndADeadlineEndAWait) {
  MemoryBudget budget(LimitsOf(2, 2));
  Account account;
  Grant grant;
  ASSERT_EQ(budget.Try(ArenasFor(&account, 2), true, &grant), MemoryBudget::Attempt::kGranted);
  {
    Waiting waiting(&budget, &account, 2);
    budget.SetVerdict(Status(Code::kFull));
    EXPECT_EQ(waiting.Result(), Code::kFull);
    Waiting late(&budget, &account, 2);
    EXPECT_EQ(late.Result(), Code::kFull);
    budget.SetVerdict(Status());
  }
  {
    Waiting waiting(&budget, &account, 2);
    budget.SetLimits(LimitsOf(1, 1));
    EXPECT_EQ(waiting.Result(), Code::kTooBig);
    budget.SetLimits(LimitsOf(2, 2));
  }
  {
    base::Operation operation;
    Waiting waiting(&budget, &account, 2, {base::Deadline::Never(), &operation});
    Waiting behind(&budget, &account, 1);
    operation.Cancel();
    EXPECT_EQ(waiting.Result(), Code::kCancelled);
    budget.Return(&account, memory::Arena(), kArena, 0);
    EXPECT_EQ(behind.Result(), Code::kOk);
  }
  {
    Waiting waiting(&budget, &account, 2, {base::Deadline::AfterMs(1), nullptr});
    EXPECT_EQ(waiting.Result(), Code::kTimeout);
  }
  budget.Return(&account, memory::Arena(), 2 * kArena, 0);
  EXPECT_EQ(budget.total().bytes_resident(), 0U);
}

// Random operations beside plain sums.
TEST(MemoryBudgetTest, AgreesWithAPlainModel) {
  const uint64_t seed = TestSeed("MemoryBudgetTest", 11);
  Prng random(seed);
  MemoryBudget budget(LimitsOf(8, 10));
  Account accounts[3];
  struct Held {
    size_t account;
    memory::Charge charge;
    memory::Arena arena;
    uint64_t records;
    bool pinned = false;
  };
  std::vector<std::unique_ptr<Held>> held;
  uint64_t pinned_bytes = 0;
  for (int step = 0; step < 20'000; ++step) {
    const size_t of = random.Below(3);
    if (random.OneIn(2) || held.empty()) {
      Grant grant;
      Request request = ArenasFor(&accounts[of], 1, random.Below(5));
      request.arena_bytes = kArena << random.Below(2);
      if (budget.Try(request, false, &grant) == MemoryBudget::Attempt::kGranted) {
        Reservation reservation(&budget);
        ASSERT_TRUE(reservation.Fill(request, &grant, {}).ok());
        auto one = std::make_unique<Held>();
        one->account = of;
        one->arena = reservation.Take(request.arena_bytes);
        one->charge.account = &accounts[of];
        one->charge.bytes = request.arena_bytes;
        one->records = request.records;
        reservation.RecordsUsed();
        held.push_back(std::move(one));
      }
    } else {
      const size_t i = random.Below(held.size());
      Held& one = *held[i];
      const uint64_t unspilled = one.charge.clean ? 0 : one.records;
      if (!one.pinned && random.OneIn(3)) {
        one.charge.clean = !one.charge.clean;
        budget.Recount(&one.charge);
        if (one.charge.clean) {
          budget.Spilled(one.charge.account, one.records);
        } else {  // as if other records had come in: the model keeps it simple
          one.charge.clean = true;
          budget.Recount(&one.charge);
        }
      } else if (!one.pinned && random.OneIn(3)) {
        budget.Pin(&one.charge, one.records, unspilled);
        one.pinned = true;
        pinned_bytes += one.charge.bytes;
      } else {
        if (one.pinned) {
          pinned_bytes -= one.charge.bytes;
          budget.ReleasePinned(std::move(one.arena));
        } else {
          budget.Release(one.charge, one.records, unspilled, std::move(one.arena));
        }
        held.erase(held.begin() + static_cast<ptrdiff_t>(i));
      }
    }
    uint64_t bytes = 0;
    uint64_t unspilled = 0;
    uint64_t records = 0;
    for (const auto& one : held) {
      bytes += one->pinned ? 0 : one->charge.bytes;
      unspilled += one->pinned || one->charge.clean ? 0 : one->charge.bytes;
      records += one->pinned ? 0 : one->records;
    }
    ASSERT_EQ(budget.total().bytes_resident(), bytes + budget.bytes_free()) << "step " << step;
    ASSERT_EQ(budget.total().bytes_unspilled(), unspilled);
    ASSERT_EQ(budget.total().records_resident(), records);
    ASSERT_EQ(budget.bytes_pinned(), pinned_bytes);
    ASSERT_LE(budget.total().bytes_resident(), 10 * kArena);
  }
  for (const auto& one : held) {
    if (one->pinned) {
      budget.ReleasePinned(std::move(one->arena));
    } else {
      budget.Release(one->charge, one->records, one->charge.clean ? 0 : one->records,
                     std::move(one->arena));
    }
  }
  EXPECT_EQ(budget.total().bytes_resident(), budget.bytes_free());
  EXPECT_EQ(budget.total().records_unspilled(), 0U);
  EXPECT_LE(budget.bytes_resident_peak(), 10 * kArena);
}

}  // namespace
}  // namespace spillway::test
