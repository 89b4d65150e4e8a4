// Settings of a block file for tests: everything small, so that what happens seldom happens often,
// and nothing left to chance but the seed.
#pragma once

#include <atomic>
#include <memory>

#include "internal/blockfile/block_file.h"
#include "tests/support/prng.h"

namespace spillway::test {

inline blockfile::BlockFile::Settings SmallBlockFile(Prng* random) {
  blockfile::BlockFile::Settings settings;
  settings.page_bytes = random->OneIn(3) ? 4096 : 512;
  settings.growth = {.pages_least = random->OneIn(2) ? uint64_t{20} : uint64_t{500},
                     .pages_most = 1000};
  settings.region_pages = random->Between(2, 40);
  settings.cached_pages = random->OneIn(2) ? 4 : 1000;
  settings.journal_pages_most = random->OneIn(2) ? 50 : 2000;
  settings.checksum = settings.region_pages % 3 == 0 ? blockfile::ChecksumKind::kSha256
                                                     : blockfile::ChecksumKind::kXxh3;
  auto numbers = std::make_shared<Prng>(random->Next());
  settings.random = [numbers] { return numbers->Next(); };
  auto clock = std::make_shared<std::atomic<int64_t>>(1'000'000);
  settings.clock_ns = [clock] { return clock->fetch_add(1); };
  return settings;
}

}  // namespace spillway::test
