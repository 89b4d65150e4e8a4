// Files that become shorter.
#include <string>

#include "gtest/gtest.h"
#include "tests/support/blocks.h"
#include "tests/support/memory_disk.h"

namespace spillway::test {
namespace {

using blockfile::OpenMode;

// The pages of the space map that told of what was cut off are used by nothing any more.
TEST(BlockFileShrinkTest, TheSpaceMapShrinksWithTheFile) {
  MemoryDisk disk;
  blockfile::Settings settings;
  settings.page_bytes = 512;  // a page of the map tells of 2 MiB
  settings.growth_bytes = uint64_t{1} << 20;
  settings.reserve_bytes = uint64_t{5} << 20;  // which no closed file has
  settings.background = false;
  for (size_t round = 0; round < 4; ++round) {
    auto file = Blocks::Open(&disk, "blocks", OpenMode::kCreate, settings);
    ASSERT_TRUE(file.ok()) << file.status().message();
    const base::Status sound = file.value()->CheckSpace();
    EXPECT_TRUE(sound.ok()) << "round " << round << ": " << sound.message();
    ASSERT_TRUE(file.value()->Put("block", std::string(100 * (round + 1), 'x')).ok());
    ASSERT_TRUE(file.value()->Checkpoint().ok());
    const uint64_t bytes = disk["blocks"].size();
    ASSERT_TRUE(file.value()->Close().ok());
    EXPECT_LT(disk["blocks"].size(), bytes);
  }
}

}  // namespace
}  // namespace spillway::test
