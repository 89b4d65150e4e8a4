// The cache of proved payloads beside a list.
#include "internal/blockfile/blob_cache.h"

#include <list>

#include "gtest/gtest.h"
#include "tests/support/prng.h"

namespace spillway::test {
namespace {

using blockfile::BlobCache;

BlobCache::Payload PayloadOf(uint64_t version, uint64_t bytes) {
  return std::make_shared<const std::vector<uint8_t>>(bytes, static_cast<uint8_t>(version));
}

TEST(BlobCacheTest, KeepsTheLastUsedUpToItsBytes) {
  Prng random(TestSeed("KeepsTheLastUsedUpToItsBytes", 1));
  constexpr uint64_t kMost = 1000;  // so three at the most
  BlobCache cache(kMost);
  std::list<BlobCache::Payload> naive;  // last used first; the version is in its bytes
  uint64_t hits = 0;
  uint64_t misses = 0;
  for (int i = 0; i < 20'000; ++i) {
    const uint64_t version = random.Between(1, 40);
    const auto known = std::find_if(naive.begin(), naive.end(),
                                    [&](const auto& each) { return each->front() == version; });
    const BlobCache::Payload found = cache.Find(version);
    ASSERT_EQ(found, known == naive.end() ? nullptr : *known);
    if (found != nullptr) {
      ++hits;
      naive.splice(naive.begin(), naive, known);
      cache.Keep(version, PayloadOf(version, 7));  // it has it
    } else {
      ++misses;
      const BlobCache::Payload payload = PayloadOf(version, random.Between(1, 300));
      cache.Keep(version, payload);
      if (payload->size() <= kMost / 4) {
        naive.push_front(payload);
      }
    }
    uint64_t bytes = 0;
    uint64_t count = 0;
    for (auto each = naive.begin(); each != naive.end();) {
      bytes += (*each)->size();
      if (bytes > kMost || ++count > kMost / 256) {
        bytes -= (*each)->size();
        each = naive.erase(each, naive.end());
      } else {
        ++each;
      }
    }
    ASSERT_EQ(cache.bytes(), bytes);
  }
  EXPECT_EQ(cache.hits(), hits);
  EXPECT_EQ(cache.misses(), misses);
}

TEST(BlobCacheTest, KeepsNothingWithoutRoom) {
  BlobCache cache(0);
  cache.Keep(1, PayloadOf(1, 1));
  EXPECT_EQ(cache.Find(1), nullptr);
  EXPECT_EQ(cache.bytes(), 0u);
}

TEST(BlobCacheTest, EmptyBlocksDoNotFillTheMemory) {
  BlobCache cache(100'000);
  for (uint64_t version = 1; version <= 1000; ++version) {
    cache.Keep(version, PayloadOf(version, 0));
  }
  uint64_t kept = 0;
  for (uint64_t version = 1; version <= 1000; ++version) {
    kept += cache.Find(version) != nullptr ? 1 : 0;
  }
  EXPECT_EQ(kept, 100'000u / 256);
}

}  // namespace
}  // namespace spillway::test
