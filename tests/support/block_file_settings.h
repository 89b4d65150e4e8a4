// Settings of a block file for tests: everything small, so that what happens seldom happens often,
// and nothing left to chance but the seed.
#pragma once

#include <atomic>
#include <memory>

#include "internal/blockfile/block_file.h"
#include "tests/support/prng.h"

namespace spillway::test {

inline blockfile::Settings SmallBlockFile(Prng* random) {
  blockfile::Settings settings;
  settings.page_bytes = random->OneIn(3) ? 4096 : 512;
  settings.growth_bytes = (random->OneIn(2) ? 20 : 500) * settings.page_bytes;
  settings.growth_bytes_most = uint64_t{1000} * settings.page_bytes;
  settings.region_pages = random->Between(2, 40);
  settings.cached_pages = random->OneIn(2) ? 4 : 1000;
  settings.journal_bytes_most = (random->OneIn(2) ? 50 : 2000) * settings.page_bytes;
  settings.reserve_bytes = uint64_t{16} * settings.page_bytes;
  settings.dirty_bytes_most = uint64_t{1} << 20;
  settings.direct_bytes = random->OneIn(2) ? 3000 : 100'000;
  settings.cache_bytes = random->OneIn(2) ? 0 : 1'000'000;
  settings.stretch_bytes = settings.region_pages % 2 == 0 ? 4096 : blockfile::kChunkBytes;
  settings.readers_ms_most = 0;  // one thread has all there are
  settings.background = false;   // it would leave more to chance than the seed
  settings.checksum = settings.region_pages % 3 == 0 ? blockfile::ChecksumKind::kSha256
                                                     : blockfile::ChecksumKind::kXxh3;
  auto numbers = std::make_shared<Prng>(random->Next());
  settings.random = [numbers] { return numbers->Next(); };
  auto clock = std::make_shared<std::atomic<int64_t>>(1'000'000);
  settings.clock_ns = [clock] { return clock->fetch_add(1); };
  return settings;
}

}  // namespace spillway::test
