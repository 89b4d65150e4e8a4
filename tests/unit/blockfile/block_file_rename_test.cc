// Blocks that change their names.
#include <string>

#include "gtest/gtest.h"
#include "tests/support/blocks.h"
#include "tests/support/memory_disk.h"

namespace spillway::test {
namespace {

using blockfile::OpenMode;

// Its payload is in the file already, though nothing there names it; it goes along with the name.
TEST(BlockFileRenameTest, ALargeBlockThatWaitsKeepsItsPages) {
  MemoryDisk disk;
  blockfile::Settings settings;
  settings.growth_bytes = uint64_t{1} << 20;
  settings.direct_bytes = 100'000;
  settings.reserve_bytes = 0;
  settings.background = false;
  auto opened = Blocks::Open(&disk, "blocks", OpenMode::kNew, settings);
  ASSERT_TRUE(opened.ok());
  Blocks& file = *opened.value();
  const std::string payload(140'000, 'x');
  ASSERT_TRUE(file.Put("before", payload).ok());
  ASSERT_TRUE(file->Rename(nullptr, "before", "between", false).ok());
  ASSERT_TRUE(file->Rename(nullptr, "between", "after", false).ok());
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(file.Checkpoint().ok());
    ASSERT_TRUE(file.Put("other " + std::to_string(i), std::string(150'000, 'y')).ok());
  }
  ASSERT_TRUE(file.Flush().ok());
  std::string found;
  const base::Status read = file.Read("after", &found);
  EXPECT_TRUE(read.ok()) << read.message();
  EXPECT_TRUE(found == payload);
  const base::Status sound = file.CheckSpace(true);
  EXPECT_TRUE(sound.ok()) << sound.message();
}

}  // namespace
}  // namespace spillway::test
