// Changing blocks again and again asks for no memory per block.
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "internal/base/allocation.h"
#include "internal/io/posix_file.h"
#include "tests/support/blocks.h"
#include "tests/support/temp_folder.h"

namespace spillway::test {
namespace {

using blockfile::OpenMode;
using blockfile::PutItem;

constexpr size_t kBlocks = 500;
// What a call and a flush may ask for, however many blocks they are about: a group, its lists.
constexpr int64_t kPerFlushMost = 60;

class BlockFileAllocationTest : public ::testing::TestWithParam<size_t> {
 protected:
  void SetUp() override {
    blockfile::Settings settings;
    settings.background = false;  // a checkpoint is not what is counted
    auto opened =
        Blocks::Open(io::PosixFileSystem(), folder_.File("blocks"), OpenMode::kNew, settings);
    ASSERT_TRUE(opened.ok());
    file_ = std::move(opened.value());
    for (size_t i = 0; i < kBlocks; ++i) {
      names_.push_back("a block with a name that is not short " + std::to_string(i));
      payloads_.emplace_back(GetParam(), static_cast<char>('a' + i % 26));
    }
  }

  std::vector<PutItem> Items() {
    std::vector<PutItem> items;
    for (size_t i = 0; i < kBlocks; ++i) {
      items.push_back({.name = names_[i], .payload = blockfile::AsBytes(payloads_[i])});
    }
    return items;
  }
  // How often memory is asked for by what has been done a few times before.
  static int64_t Count(const std::function<void()>& body) {
    for (int i = 0; i < 4; ++i) {
      body();
    }
    const int64_t before = base::AllocationCount();
    body();
    return base::AllocationCount() - before;
  }

  const TempFolder folder_;
  std::unique_ptr<Blocks> file_;
  std::vector<std::string> names_;
  std::vector<std::string> payloads_;
};

TEST_P(BlockFileAllocationTest, ABatchOfUpdates) {
  std::vector<PutItem> items = Items();
  EXPECT_LT(Count([&] {
              ASSERT_TRUE((*file_)->Put(nullptr, items).ok());
              ASSERT_TRUE(file_->Flush().ok());
            }),
            kPerFlushMost);
}

TEST_P(BlockFileAllocationTest, UpdatesOneByOne) {
  EXPECT_LT(Count([&] {
              for (size_t i = 0; i < kBlocks; ++i) {
                ASSERT_TRUE(file_->Put(names_[i], payloads_[i]).ok());
              }
              ASSERT_TRUE(file_->Flush().ok());
            }),
            kPerFlushMost);
}

TEST_P(BlockFileAllocationTest, Reads) {
  std::vector<PutItem> items = Items();
  ASSERT_TRUE((*file_)->Put(nullptr, items).ok());
  ASSERT_TRUE(file_->Checkpoint().ok());
  std::vector<uint8_t> buffer(GetParam());
  EXPECT_LT(Count([&] {
              for (const std::string& name : names_) {
                uint64_t bytes = 0;
                ASSERT_TRUE((*file_)->Read(nullptr, name, 0, buffer, &bytes).ok());
              }
            }),
            kPerFlushMost);
}

INSTANTIATE_TEST_SUITE_P(Bytes, BlockFileAllocationTest, ::testing::Values(100, 4096, 20000));

}  // namespace
}  // namespace spillway::test
