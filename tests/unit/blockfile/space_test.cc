// The pages of a file: growth, the reserve, and when released pages come free.
#include "internal/blockfile/space.h"

#include <deque>
#include <memory>
#include <set>

#include "gtest/gtest.h"
#include "tests/support/prng.h"
#include "tests/support/sim_disk.h"
#include "tests/support/temp_folder.h"

namespace spillway::test {
namespace {

using base::Code;
using blockfile::PageRun;
using blockfile::Space;

constexpr uint64_t kPage = 512;

class SpaceTest : public ::testing::Test {
 protected:
  SpaceTest() : disk_(folder_.path(), 1, SimDisk::Record::kNo) {
    file_ = std::move(disk_.OpenFile(folder_.File("pages"), io::Open::kCreate).value());
  }
  // A generation ends; its readers keep what it gives.
  static std::shared_ptr<int> EndGeneration(Space* space) {
    auto pin = std::make_shared<int>(0);
    space->PrepareEnd();
    space->EndGeneration(pin);
    return pin;
  }
  static uint64_t Reclaim(Space* space) {
    const uint64_t before = space->map().pages_free();
    EXPECT_TRUE(space->Reclaim().ok());
    return space->map().pages_free() - before;
  }

  TempFolder folder_;
  SimDisk disk_;
  std::unique_ptr<io::File> file_;
};

TEST_F(SpaceTest, TheFileGrowsByStepsAndByWhatIsNeeded) {
  Space space(file_.get(), kPage, {10, 40, 0});
  PageRun run;
  ASSERT_TRUE(space.Hold(3, Space::Need::kUsual, &run).ok());
  EXPECT_EQ(space.map().size(), 10u);
  ASSERT_TRUE(space.Hold(100, Space::Need::kUsual, &run).ok());
  EXPECT_EQ(run, (PageRun{3, 100}));  // what was free at the end counts
  EXPECT_EQ(space.map().size(), 103u);
  EXPECT_EQ(file_->Size().value(), 103 * kPage);
}

TEST_F(SpaceTest, AFullDiskLeavesEverythingAsItWas) {
  Space space(file_.get(), kPage, {10, 40, 0});
  PageRun run;
  ASSERT_TRUE(space.Hold(5, Space::Need::kUsual, &run).ok());
  disk_.SetSpace(3 * kPage);
  EXPECT_EQ(space.Hold(9, Space::Need::kUrgent, &run).code(), Code::kFull);
  EXPECT_EQ(space.map().size(), 10u);
  ASSERT_TRUE(space.Hold(8, Space::Need::kUsual, &run).ok());  // less than a step
  EXPECT_EQ(space.map().size(), 13u);
  EXPECT_EQ(space.HoldUpTo(4, Space::Need::kUsual, &run).code(), Code::kFull);
  disk_.SetSpace(std::nullopt);
  EXPECT_TRUE(space.HoldUpTo(4, Space::Need::kUsual, &run).ok());
}

TEST_F(SpaceTest, TheReserveIsForWhatIsUrgentAndIsFilledAgain) {
  Space space(file_.get(), kPage, {10, 10, 20});
  PageRun run;
  ASSERT_TRUE(space.Hold(10, Space::Need::kUsual, &run).ok());
  space.FillReserve(Space::MayGrow::kYes);
  disk_.SetSpace(0);
  EXPECT_EQ(space.map().pages_free(), 0u);
  EXPECT_EQ(space.Hold(5, Space::Need::kUsual, &run).code(), Code::kFull);
  ASSERT_TRUE(space.Hold(5, Space::Need::kUrgent, &run).ok());
  EXPECT_EQ(space.map().pages_free(), 0u);  // the rest is still kept
  EXPECT_EQ(space.Hold(16, Space::Need::kUrgent, &run).code(), Code::kFull);
  ASSERT_TRUE(space.HoldUpTo(50, Space::Need::kUrgent, &run).ok());
  EXPECT_EQ(run.pages, 15u);
  disk_.SetSpace(std::nullopt);
  space.FillReserve(Space::MayGrow::kYes);
  EXPECT_EQ(space.map().size(), 50u);
  EXPECT_EQ(space.map().pages_free(), 0u);
  ASSERT_TRUE(space.DropReserve().ok());
  EXPECT_EQ(space.map().pages_free(), 20u);
}

TEST_F(SpaceTest, ReleasedPagesComeFreeWhenTheGenerationHasEndedAndItsReadersAreGone) {
  Prng random(TestSeed("ReleasedPagesComeFree", 1));
  Space space(file_.get(), kPage, {50, 50, 0});
  struct Generation {
    std::shared_ptr<int> pin;
    uint64_t released = 0;
  };
  std::deque<Generation> ended;
  std::vector<PageRun> used;
  uint64_t released = 0;
  for (int i = 0; i < 5000; ++i) {
    const uint64_t what = random.Below(10);
    if (what < 5) {
      PageRun run;
      ASSERT_TRUE(space.Hold(random.Between(1, 9), Space::Need::kUsual, &run).ok());
      ASSERT_TRUE(space.Keep(run).ok());
      used.push_back(run);
    } else if (what < 8 && !used.empty()) {
      std::swap(used[random.Below(used.size())], used.back());
      const size_t count = space.releases();
      ASSERT_TRUE(space.Release(used.back()).ok());
      if (random.OneIn(3)) {
        ASSERT_TRUE(space.TakeBackReleases(count).ok());
      } else {
        released += used.back().pages;
        used.pop_back();
      }
    } else if (what == 8) {
      ended.push_back({EndGeneration(&space), released});
      released = 0;
    } else if (!ended.empty()) {
      ended[random.Below(ended.size())].pin.reset();
    }
    // The oldest first, up to the first that somebody reads.
    uint64_t wanted = 0;
    for (; !ended.empty() && ended.front().pin == nullptr; ended.pop_front()) {
      wanted += ended.front().released;
    }
    ASSERT_EQ(Reclaim(&space), wanted);
    uint64_t pages_used = 0;
    for (const PageRun& run : used) {
      ASSERT_TRUE(space.map().IsUsed(run));
      pages_used += run.pages;
    }
    ASSERT_EQ(space.map().pages_used(), pages_used);
  }
}

// A region takes less than it could, where that was written before; fresh space only where there is
// not so much.
TEST_F(SpaceTest, ARegionPrefersSpaceThatWasWrittenBefore) {
  Space space(file_.get(), kPage, {100, 100, 0});
  PageRun run;
  ASSERT_TRUE(space.Hold(60, Space::Need::kUsual, &run).ok());
  ASSERT_TRUE(space.GiveBack({10, 20}).ok());  // of 40 pages behind 60 nothing was written
  ASSERT_TRUE(space.HoldRegion(5, 30, Space::Need::kUsual, &run).ok());
  EXPECT_EQ(run, (PageRun{10, 15}));  // half of what was wanted
  ASSERT_TRUE(space.HoldRegion(5, 30, Space::Need::kUsual, &run).ok());
  EXPECT_EQ(run, (PageRun{25, 5}));
  EXPECT_EQ(space.map().size(), 100u);
  ASSERT_TRUE(space.HoldRegion(5, 30, Space::Need::kUsual, &run).ok());
  EXPECT_EQ(run, (PageRun{60, 30}));
  EXPECT_EQ(space.map().size(), 100u);
}

TEST_F(SpaceTest, WhatIsPreferredLiesInFrontWhileThereIsRoom) {
  Space space(file_.get(), kPage, {100, 100, 0});
  PageRun run;
  ASSERT_TRUE(space.Hold(100, Space::Need::kUsual, &run).ok());
  ASSERT_TRUE(space.GiveBack({10, 4}).ok());
  ASSERT_TRUE(space.GiveBack({20, 6}).ok());
  ASSERT_TRUE(space.GiveBack({50, 40}).ok());
  space.PreferBelow(40);
  ASSERT_TRUE(space.HoldUpTo(64, Space::Need::kUsual, &run).ok());
  EXPECT_EQ(run, (PageRun{10, 4}));  // 64, 32, 16, 8, 4
  EXPECT_EQ(space.HoldPreferred(8, 8).pages, 0u);
  EXPECT_EQ(space.HoldPreferred(2, 6), (PageRun{20, 6}));
  ASSERT_TRUE(space.HoldUpTo(64, Space::Need::kUsual, &run).ok());
  EXPECT_EQ(run, (PageRun{50, 40}));  // where there is room
  EXPECT_EQ(space.map().size(), 100u);
}

TEST_F(SpaceTest, TheReserveMovesToTheFrontUnlessTheDiskHasNoRoomThere) {
  Space space(file_.get(), kPage, {100, 100, 10});
  PageRun run;
  ASSERT_TRUE(space.Hold(50, Space::Need::kUsual, &run).ok());
  space.FillReserve(Space::MayGrow::kYes);
  EXPECT_TRUE(space.map().IsHeld({90, 10}));
  ASSERT_TRUE(space.GiveBack({5, 12}).ok());
  disk_.Fail({Call::kReserve, 1, 28 /*ENOSPC*/, false});
  ASSERT_TRUE(space.MoveReserve().ok());
  EXPECT_TRUE(space.map().IsHeld({90, 10}));
  disk_.Heal();
  ASSERT_TRUE(space.MoveReserve().ok());
  EXPECT_TRUE(space.map().IsHeld({5, 10}));
  EXPECT_EQ(space.map().free_at_end(), 50u);
  space.Shrink(50);
  ASSERT_TRUE(space.DropReserve().ok());
  EXPECT_TRUE(space.map().IsFree(5));
}

TEST_F(SpaceTest, WhatIsCountedTwiceIsToldAndChangesNothing) {
  Space space(file_.get(), kPage, {10, 10, 0});
  PageRun run;
  ASSERT_TRUE(space.Hold(3, Space::Need::kUsual, &run).ok());
  ASSERT_TRUE(space.Keep(run).ok());
  EXPECT_EQ(space.Keep(run).code(), Code::kCorrupt);
  ASSERT_TRUE(space.Release(run).ok());
  EXPECT_EQ(space.Release(run).code(), Code::kCorrupt);
  EXPECT_EQ(space.releases(), 1u);
  ASSERT_TRUE(space.GiveBack(run).ok());
  EXPECT_EQ(space.GiveBack(run).code(), Code::kCorrupt);
  EXPECT_EQ(space.map().pages_free(), 10u);
}

}  // namespace
}  // namespace spillway::test
