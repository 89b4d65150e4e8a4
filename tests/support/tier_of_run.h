// The cold tier that a run of the tests is about: each test of stores and tiers runs once with each
// (see tests/CMakeLists.txt).
#pragma once

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "internal/cold/block_tier.h"
#include "internal/cold/sqlite_tier.h"
#include "spillway.h"
#include "tests/support/block_file_settings.h"
#include "tests/support/prng.h"
#include "tests/support/test_store.h"

namespace spillway::test {

inline bool RunsOnSqlite() {
  const char* const tier = std::getenv("SPW_TEST_TIER");
  return tier != nullptr && std::string_view(tier) == "sqlite";
}
inline std::pair<int32_t, int64_t> TierOfRun() {
  return {SPW_OPT_COLD_TIER, RunsOnSqlite() ? SPW_TIER_SQLITE : SPW_TIER_BLOCK_FILE};
}

// Small numbers, so that everything that happens seldom happens often.
struct SmallTuning {
  cold::SqliteTuning sqlite;
  cold::BlockTuning block;

  explicit SmallTuning(Prng* random) {
    constexpr uint32_t kPages[] = {512, 1024, 4096};
    sqlite.page_bytes = kPages[random->Below(3)];
    // 8: a commit's pages go to the WAL before its end.
    sqlite.cache_kib = random->OneIn(3) ? 8 : 1024;
    sqlite.run_bytes = random->OneIn(2) ? 100 : 1000;
    sqlite.wal_bytes_soft = random->OneIn(2) ? 8 << 10 : 64 << 10;
    sqlite.wal_bytes_hard = 128 << 10;
    sqlite.reclaim_records = 20;
    sqlite.reclaim_pages = 5;
    sqlite.store_id = cold::StoreId{1, 2, 3};
    block.file = SmallBlockFile(random);
    block.own_block_bytes = random->OneIn(2) ? 400 : 4000;
    block.shared_block_bytes = random->OneIn(2) ? 1000 : 10'000;
    block.shared_block_frames = random->OneIn(2) ? 3 : 100;
    block.frame_payload_bytes = random->OneIn(2) ? 2000 : 20'000;
    block.reclaim_blocks = 2;
  }

  base::Result<std::unique_ptr<cold::ColdTier>> Open(io::FileSystem* files, const std::string& path,
                                                     cold::OpenMode mode) const {
    return RunsOnSqlite() ? cold::OpenSqliteTier(files, path, mode, sqlite)
                          : cold::OpenBlockTier(files, path, mode, block);
  }
};

}  // namespace spillway::test
