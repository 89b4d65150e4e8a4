// The cache of pages beside a map: what it gives is what was kept last, and never too much.
#include "internal/blockfile/page_cache.h"

#include <map>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "tests/support/prng.h"

namespace spillway::test {
namespace {

using blockfile::PageBuffer;
using blockfile::PageCache;
using blockfile::PageRef;

constexpr uint64_t kPageBytes = 512;

PageRef RefOf(uint64_t page, uint64_t digest) { return {page, {{digest}}}; }

PageBuffer PageOf(uint64_t page, uint64_t digest) {
  const std::vector<uint8_t> bytes(kPageBytes, static_cast<uint8_t>(page + digest));
  return PageBuffer::CopyOf(RefOf(page, digest), bytes);
}

TEST(PageCacheTest, GivesWhatWasKeptLastAndNoMoreThanItMay) {
  Prng random(TestSeed("GivesWhatWasKeptLastAndNoMoreThanItMay", 1));
  for (const uint64_t pages_most : {0U, 1U, 4U, 63U, 1023U, 1024U, 5000U}) {
    PageCache cache(pages_most);
    std::map<uint64_t, uint64_t> kept;  // digests
    const uint64_t numbers = random.Between(2, pages_most * 3 + 10);
    for (int i = 0; i < 20'000; ++i) {
      const uint64_t page = random.Below(numbers);
      if (random.OneIn(2)) {
        kept[page] = random.Below(3);
        cache.Keep(PageOf(page, kept[page]));
        PageBuffer found;
        ASSERT_EQ(cache.Find(RefOf(page, kept[page]), &found), page != 0 && pages_most > 0);
      }
      const uint64_t digest = random.Below(3);
      PageBuffer found;
      if (cache.Find(RefOf(page, digest), &found)) {
        ASSERT_TRUE(kept.contains(page));
        ASSERT_EQ(kept[page], digest);
        ASSERT_EQ(found.ref(), RefOf(page, digest));
        ASSERT_EQ(found.size(), kPageBytes);
        ASSERT_EQ(found.get()[kPageBytes - 1], static_cast<uint8_t>(page + digest));
      }
    }
    uint64_t there = 0;
    for (const auto& [page, digest] : kept) {
      PageBuffer found;
      there += cache.Find(RefOf(page, digest), &found) ? 1 : 0;
    }
    EXPECT_LE(there, pages_most);
    EXPECT_GE(there + 1, std::min<uint64_t>(kept.size(), pages_most * 9 / 10));
  }
}

TEST(PageCacheTest, AWalkDoesNotDriveOutWhatIsLookedAt) {
  PageCache cache(100);
  for (uint64_t page = 1; page <= 50; ++page) {
    cache.Keep(PageOf(page, 0));
  }
  PageBuffer found;
  for (uint64_t page = 51; page < 2000; ++page) {
    cache.Keep(PageOf(page, 0));
    const uint64_t hot = page % 50 + 1;
    ASSERT_TRUE(cache.Find(RefOf(hot, 0), &found)) << hot;
  }
}

TEST(PageCacheTest, ThreadsSeeWholePages) {
  PageCache cache(1500);
  std::vector<std::thread> threads;
  for (uint64_t number = 0; number < 3; ++number) {
    threads.emplace_back([&cache, number] {
      Prng random(number);
      for (int i = 0; i < 20'000; ++i) {
        const uint64_t page = random.Between(1, 3000);
        PageBuffer found;
        if (!cache.Find(RefOf(page, 7), &found)) {
          cache.Keep(PageOf(page, 7));
        } else {
          ASSERT_EQ(found.get()[random.Below(kPageBytes)], static_cast<uint8_t>(page + 7));
        }
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
}

}  // namespace
}  // namespace spillway::test
