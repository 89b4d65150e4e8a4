// Sets of pages beside std::set.
#include "internal/blockfile/runs.h"

#include <set>

#include "gtest/gtest.h"
#include "tests/support/prng.h"

namespace spillway::test {
namespace {

using blockfile::PageRun;

// Runs without a common page, in any order, next to each other at times.
std::vector<PageRun> RandomRuns(Prng* random, std::set<uint64_t>* pages) {
  std::vector<PageRun> runs;
  for (uint64_t page = random->Below(4); page < 60;) {
    const uint64_t length = random->Between(1, 9);
    runs.push_back({page, length});
    for (uint64_t i = 0; i < length; ++i) {
      pages->insert(page + i);
    }
    page += length + random->Below(6);
  }
  for (size_t i = runs.size(); i > 1; --i) {
    std::swap(runs[i - 1], runs[random->Below(i)]);
  }
  return runs;
}

TEST(RunsTest, LeavesThePagesThatOnlyTheFirstHas) {
  Prng random(TestSeed("LeavesThePagesThatOnlyTheFirstHas", 1));
  for (int i = 0; i < 3000; ++i) {
    std::set<uint64_t> pages;
    std::set<uint64_t> other_pages;
    std::vector<PageRun> runs = RandomRuns(&random, &pages);
    std::vector<PageRun> others = RandomRuns(&random, &other_pages);
    for (const uint64_t page : other_pages) {
      pages.erase(page);
    }
    std::set<uint64_t> left;
    for (const PageRun& run : blockfile::Without(&runs, &others)) {
      ASSERT_GT(run.pages, 0u);
      for (uint64_t page = run.first; page < run.end(); ++page) {
        ASSERT_TRUE(left.insert(page).second);
      }
    }
    ASSERT_EQ(left, pages);
  }
}

TEST(RunsTest, NothingWithoutAnythingIsNothing) {
  std::vector<PageRun> none;
  std::vector<PageRun> some = {{3, 2}};
  EXPECT_TRUE(blockfile::Without(&none, &some).empty());
  EXPECT_EQ(blockfile::Without(&some, &none), some);
  EXPECT_TRUE(blockfile::Without(&some, &some).empty());
}

}  // namespace
}  // namespace spillway::test
