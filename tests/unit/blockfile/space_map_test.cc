// The space map beside a vector of states.
#include "internal/blockfile/space_map.h"

#include <algorithm>
#include <vector>

#include "gtest/gtest.h"
#include "tests/support/prng.h"

namespace spillway::test {
namespace {

using blockfile::PageRun;
using blockfile::SpaceMap;

constexpr uint64_t kLeafBytes = 16;  // 128 pages a leaf, so that runs cross leaves

enum class State { kFree, kUsed, kHeld };

class Naive {
 public:
  void Grow(uint64_t pages) { pages_.resize(std::max<uint64_t>(pages_.size(), pages)); }
  void Shrink(uint64_t gone) { pages_.resize(pages_.size() - gone); }
  uint64_t size() const { return pages_.size(); }
  uint64_t Count(State state) const {
    return static_cast<uint64_t>(std::count(pages_.begin(), pages_.end(), state));
  }
  bool IsAll(const PageRun& run, State state) const {
    return run.pages > 0 && run.end() <= size() &&
           std::all_of(pages_.begin() + static_cast<ptrdiff_t>(run.first),
                       pages_.begin() + static_cast<ptrdiff_t>(run.end()),
                       [&](State each) { return each == state; });
  }
  void Set(const PageRun& run, State state) {
    std::fill_n(pages_.begin() + static_cast<ptrdiff_t>(run.first), run.pages, state);
  }
  // The first free run of that length; size() if there is none.
  uint64_t First(uint64_t pages) const {
    uint64_t length = 0;
    for (uint64_t page = 0; page < size(); ++page) {
      length = pages_[page] == State::kFree ? length + 1 : 0;
      if (length == pages) {
        return page + 1 - pages;
      }
    }
    return size();
  }
  // Where the last one ends; 0 if there is none.
  uint64_t Last(uint64_t pages) const {
    uint64_t length = 0;
    for (uint64_t page = size(); page-- > 0;) {
      length = pages_[page] == State::kFree ? length + 1 : 0;
      if (length == pages) {
        return page + pages;
      }
    }
    return 0;
  }
  uint64_t Longest() const {
    uint64_t longest = 0;
    uint64_t length = 0;
    for (const State state : pages_) {
      length = state == State::kFree ? length + 1 : 0;
      longest = std::max(longest, length);
    }
    return longest;
  }
  uint64_t FreeAtEnd() const {
    uint64_t length = 0;
    while (length < size() && pages_[size() - 1 - length] == State::kFree) {
      ++length;
    }
    return length;
  }
  State at(uint64_t page) const { return pages_[page]; }

 private:
  std::vector<State> pages_;
};

class Pair {
 public:
  explicit Pair(uint64_t seed) : random_(seed) {}

  void Step() {
    switch (random_.Below(10)) {
      case 0:
        random_.OneIn(3) ? Shrink() : Grow();
        break;
      case 1:
      case 2:
      case 3:
        Hold();
        break;
      case 4:
        random_.OneIn(2) ? HoldUpTo() : HoldLast();
        break;
      case 5:
        HoldAt();
        break;
      case 6:
        Change(State::kUsed, State::kHeld);
        break;
      case 7:
        Change(State::kHeld, State::kUsed);
        break;
      default:
        Change(State::kHeld, State::kFree);
    }
    ASSERT_EQ(map_.size(), naive_.size());
    ASSERT_EQ(map_.pages_used(), naive_.Count(State::kUsed));
    ASSERT_EQ(map_.pages_held(), naive_.Count(State::kHeld));
    ASSERT_EQ(map_.free_at_end(), naive_.FreeAtEnd());
    ASSERT_EQ(map_.longest_free(), naive_.Longest());
  }

  // What is written down and read again has the used pages used and everything else free.
  void CheckStored() {
    SpaceMap copy(kLeafBytes);
    copy.Grow(map_.size());
    std::vector<uint8_t> bytes(kLeafBytes);
    for (uint64_t leaf = 0; leaf < map_.leaf_count(); ++leaf) {
      map_.EncodeLeaf(leaf, bytes);
      ASSERT_TRUE(copy.LoadLeaf(leaf, bytes));
      ASSERT_FALSE(copy.leaf_dirty(leaf));
    }
    ASSERT_EQ(copy.pages_used(), map_.pages_used());
    for (uint64_t page = 0; page < naive_.size(); ++page) {
      ASSERT_EQ(copy.IsFree(page), naive_.at(page) != State::kUsed) << page;
    }
  }

 private:
  PageRun AnyRun() {
    const uint64_t first = random_.Below(naive_.size() + 10);
    return {first, random_.OneIn(3) ? random_.Below(300) : random_.Below(20)};
  }
  void Grow() {
    const uint64_t pages = std::min<uint64_t>(naive_.size() + random_.Below(200), 3000);
    map_.Grow(pages);
    naive_.Grow(pages);
  }
  void Shrink() {
    const uint64_t gone = random_.Below(naive_.FreeAtEnd() + 1);
    map_.Shrink(naive_.size() - gone);
    naive_.Shrink(gone);
  }
  void Hold() {
    const uint64_t pages = random_.OneIn(4) ? random_.Between(1, 400) : random_.Between(1, 20);
    const uint64_t expected = naive_.First(pages);
    const auto run = map_.Hold(pages);
    ASSERT_EQ(run.has_value(), expected < naive_.size());
    if (run.has_value()) {
      ASSERT_EQ(*run, (PageRun{expected, pages}));
      naive_.Set(*run, State::kHeld);
    }
  }
  void HoldLast() {
    const uint64_t pages = random_.OneIn(4) ? random_.Between(1, 400) : random_.Between(1, 20);
    const uint64_t end = naive_.Last(pages);
    const auto run = map_.HoldLast(pages);
    ASSERT_EQ(run.has_value(), end > 0);
    if (run.has_value()) {
      ASSERT_EQ(*run, (PageRun{end - pages, pages}));
      naive_.Set(*run, State::kHeld);
    }
  }
  void HoldUpTo() {
    const uint64_t most = random_.Between(1, 500);
    const uint64_t expected = std::min(most, naive_.Longest());
    const auto run = map_.HoldUpTo(most);
    ASSERT_EQ(run.has_value() ? run->pages : 0, expected);
    if (run.has_value()) {
      ASSERT_TRUE(naive_.IsAll(*run, State::kFree));
      naive_.Set(*run, State::kHeld);
    }
  }
  void HoldAt() {
    const PageRun run = AnyRun();
    ASSERT_EQ(map_.HoldAt(run), naive_.IsAll(run, State::kFree));
    if (naive_.IsAll(run, State::kFree)) {
      naive_.Set(run, State::kHeld);
    }
  }
  void Change(State from, State to) {
    for (int tries = 0; tries < 20; ++tries) {
      const PageRun run = AnyRun();
      const bool fits = naive_.IsAll(run, from);
      ASSERT_EQ(to == State::kHeld   ? map_.Release(run)
                : to == State::kUsed ? map_.Keep(run)
                                     : map_.Free(run),
                fits);
      if (fits) {
        naive_.Set(run, to);
        return;
      }
    }
  }

  Prng random_;
  SpaceMap map_{kLeafBytes};
  Naive naive_;
};

TEST(SpaceMapTest, AgreesWithAVectorOfStates) {
  for (uint64_t i = 0; i < 20; ++i) {
    Pair pair(TestSeed("AgreesWithAVectorOfStates", i));
    for (int step = 0; step < 1000 && !::testing::Test::HasFailure(); ++step) {
      pair.Step();
    }
    pair.CheckStored();
  }
}

TEST(SpaceMapTest, OnlyWhatIsStoredDifferentlyIsDirty) {
  SpaceMap map(kLeafBytes);
  map.Grow(3 * map.pages_per_leaf());
  for (uint64_t leaf = 0; leaf < 3; ++leaf) {
    EXPECT_TRUE(map.leaf_dirty(leaf));
    map.CleanLeaf(leaf);
  }
  const PageRun run = {130, 5};
  ASSERT_TRUE(map.HoldAt(run));
  EXPECT_FALSE(map.leaf_dirty(1));
  ASSERT_TRUE(map.Keep(run));
  EXPECT_FALSE(map.leaf_dirty(0));
  EXPECT_TRUE(map.leaf_dirty(1));
  map.CleanLeaf(1);
  ASSERT_TRUE(map.Release(run));
  EXPECT_TRUE(map.leaf_dirty(1));
  map.CleanLeaf(1);
  ASSERT_TRUE(map.Free(run));
  EXPECT_FALSE(map.leaf_dirty(1));
}

TEST(SpaceMapTest, StoredPagesBeyondTheEndAreRefused) {
  SpaceMap map(kLeafBytes);
  map.Grow(100);
  std::vector<uint8_t> bytes(kLeafBytes, 0);
  bytes[12] = 0x10;  // page 100
  EXPECT_FALSE(map.LoadLeaf(0, bytes));
  bytes[12] = 0x08;
  EXPECT_TRUE(map.LoadLeaf(0, bytes));
  EXPECT_EQ(map.pages_used(), 1u);
  EXPECT_FALSE(map.IsFree(99));
}

}  // namespace
}  // namespace spillway::test
