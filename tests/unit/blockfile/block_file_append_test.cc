// Blocks that grow bit by bit while they wait to be written.
#include <string>

#include "gtest/gtest.h"
#include "tests/support/blocks.h"
#include "tests/support/memory_disk.h"

namespace spillway::test {
namespace {

using blockfile::OpenMode;

blockfile::Settings Quiet() {
  blockfile::Settings settings;
  settings.growth_bytes = uint64_t{1} << 20;
  settings.background = false;
  return settings;
}

// Small enough to stand in its entry, then more than the pages hold that it got.
TEST(BlockFileAppendTest, GrowsWithinAGroup) {
  MemoryDisk disk;
  auto file = Blocks::Open(&disk, "blocks", OpenMode::kNew, Quiet());
  ASSERT_TRUE(file.ok());
  std::string want(240, 'a');
  ASSERT_TRUE(file.value()->Put("grows", want).ok());
  ASSERT_TRUE(file.value()->Flush().ok());
  for (const size_t size :
       std::initializer_list<size_t>{8412, 12'426, 1, 50'000, 65'536, 70'000, 3}) {
    const std::string more(size, static_cast<char>('b' + size % 20));
    uint64_t length = 0;
    ASSERT_TRUE((*file.value())->Append(nullptr, "grows", blockfile::AsBytes(more), &length).ok());
    want += more;
    EXPECT_EQ(length, want.size());
  }
  std::string found;
  ASSERT_TRUE(file.value()->Read("grows", &found).ok());
  EXPECT_TRUE(found == want);
  ASSERT_TRUE(file.value()->Flush().ok());
  const base::Status read = file.value()->Read("grows", &found);
  ASSERT_TRUE(read.ok()) << read.message();
  EXPECT_TRUE(found == want);
  EXPECT_TRUE(file.value()->CheckSpace(true).ok());
}

}  // namespace
}  // namespace spillway::test
