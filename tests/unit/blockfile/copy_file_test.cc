// Copies of a file: whole or not there, and everything in them but the gaps.
#include <array>
#include <memory>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "tests/support/block_model.h"
#include "tests/support/blocks.h"
#include "tests/support/memory_disk.h"
#include "tests/support/power_cut.h"
#include "tests/support/prng.h"
#include "tests/support/sim_disk.h"
#include "tests/support/temp_folder.h"

namespace spillway::test {
namespace {

using base::Code;
using base::Status;
using blockfile::OpenMode;

blockfile::Settings Small() {
  blockfile::Settings settings;
  settings.growth_bytes = uint64_t{1} << 20;
  settings.reserve_bytes = 64 << 10;
  settings.background = false;
  return settings;
}

std::unique_ptr<Blocks> Open(io::FileSystem* files, const std::string& path, OpenMode mode) {
  auto opened = Blocks::Open(files, path, mode, Small());
  EXPECT_TRUE(opened.ok()) << opened.status().message();
  return opened.ok() ? std::move(opened.value()) : nullptr;
}

// Inline, of one chunk, of several, and larger than what a copy holds in memory.
void Fill(Blocks* file, Prng* random) {
  for (const uint64_t bytes : std::to_array<uint64_t>({0, 10, 5000, 70'000, 5'000'000})) {
    const std::string name = "of " + std::to_string(bytes);
    ASSERT_TRUE(file->Put(name, RandomBytes(random, bytes)).ok());
    ASSERT_TRUE(file->get()->SetTag(nullptr, name, blockfile::AsBytes("tag " + name)).ok());
  }
}

TEST(CopyFileTest, HoldsAllBlocksWithTagsTimesAndVersionsOneBehindTheOther) {
  MemoryDisk disk;
  Prng random(1);
  auto file = Open(&disk, "from", OpenMode::kNew);
  Fill(file.get(), &random);
  ASSERT_TRUE(file->Put("gone", std::string(4'000'000, 'g')).ok());
  ASSERT_TRUE(file->Checkpoint().ok());
  ASSERT_TRUE(file->Remove("gone").ok());
  BlockModel wanted;
  ASSERT_TRUE(ReadAll(file.get(), nullptr, Meta::kYes, &wanted).ok());
  ASSERT_TRUE(file->get()->CopyTo(nullptr, &disk, "to", nullptr).ok());
  EXPECT_EQ(disk.Exists("to-copy").value(), false);
  auto copy = Open(&disk, "to", OpenMode::kExisting);
  BlockModel found;
  ASSERT_TRUE(ReadAll(copy.get(), nullptr, Meta::kYes, &found).ok());
  EXPECT_EQ(Difference(wanted, found), "");
  EXPECT_TRUE(copy->CheckSpace(true).ok());
  EXPECT_LT(disk["to"].size(), 5'200'000 + (uint64_t{1} << 20));
  // Versions go on from there.
  ASSERT_TRUE(copy->Put("new", "n").ok());
  blockfile::BlockInfo info;
  ASSERT_TRUE(copy->get()->Stat(nullptr, "new", &info).ok());
  for (const auto& [name, block] : wanted.blocks()) {
    EXPECT_GT(info.version, block->version);
  }
}

TEST(CopyFileTest, ADamagedBlockIsNamedAndLeavesNoCopy) {
  MemoryDisk disk;
  auto file = Open(&disk, "from", OpenMode::kNew);
  const std::string marked(90'000, 'M');
  ASSERT_TRUE(file->Put("sound", std::string(5000, 's')).ok());
  ASSERT_TRUE(file->Put("the damaged one", marked).ok());
  ASSERT_TRUE(file->Checkpoint().ok());
  disk["from"][disk["from"].find(marked) + 70'000] ^= 4;
  const Status copied = file->get()->CopyTo(nullptr, &disk, "to", nullptr);
  EXPECT_EQ(copied.code(), Code::kCorrupt);
  EXPECT_NE(copied.message().find("\"the damaged one\""), std::string_view::npos);
  EXPECT_FALSE(disk.Exists("to").value());
  EXPECT_FALSE(disk.Exists("to-copy").value());
}

TEST(CopyFileTest, ACancelledOneLeavesNothing) {
  MemoryDisk disk;
  Prng random(1);
  auto file = Open(&disk, "from", OpenMode::kNew);
  Fill(file.get(), &random);
  base::Operation operation;
  operation.Cancel();
  EXPECT_EQ(file->get()->CopyTo(nullptr, &disk, "to", &operation).code(), Code::kCancelled);
  EXPECT_FALSE(disk.Exists("to").value());
  EXPECT_FALSE(disk.Exists("to-copy").value());
}

TEST(CopyFileTest, ACallThatFailsLeavesNoCopyAndTheFileAsItWas) {
  uint64_t failed = 0;
  for (const int os_code : {5 /*EIO*/, 28 /*ENOSPC*/}) {
    bool struck = true;
    for (uint64_t number = 1; struck && !::testing::Test::HasFailure(); ++number) {
      SCOPED_TRACE("call " + std::to_string(number) + " fails with " + std::to_string(os_code));
      TempFolder folder;
      SimDisk disk(folder.path(), 1, SimDisk::Record::kNo);
      Prng random(2);
      auto file = Open(&disk, folder.File("from"), OpenMode::kNew);
      for (int i = 0; i < 5; ++i) {
        ASSERT_TRUE(file->Put("b" + std::to_string(i), RandomBytes(&random, 3000)).ok());
      }
      ASSERT_TRUE(file->Checkpoint().ok());
      BlockModel wanted;
      ASSERT_TRUE(ReadAll(file.get(), nullptr, Meta::kYes, &wanted).ok());
      disk.Fail({Call::kAny, number, os_code, false});
      const Status copied = file->get()->CopyTo(nullptr, &disk, folder.File("to"), nullptr);
      struck = disk.HasFailed();
      disk.Heal();
      failed += struck ? 1 : 0;
      // Some failures are of no account: a hint, the removal of what was removed.
      const bool there = disk.Exists(folder.File("to")).value();
      EXPECT_TRUE(!copied.ok() || there);
      BlockModel found;
      ASSERT_TRUE(ReadAll(file.get(), nullptr, Meta::kYes, &found).ok());
      EXPECT_EQ(Difference(wanted, found), "");
      if (there) {
        auto copy = Open(&disk, folder.File("to"), OpenMode::kExisting);
        BlockModel copied_blocks;
        ASSERT_TRUE(ReadAll(copy.get(), nullptr, Meta::kYes, &copied_blocks).ok());
        EXPECT_EQ(Difference(wanted, copied_blocks), "");
      } else {
        const Status again = file->get()->CopyTo(nullptr, &disk, folder.File("to"), nullptr);
        EXPECT_TRUE(again.ok()) << again.message();
      }
    }
  }
  EXPECT_GT(failed, 40u);
}

// After a power cut there is a whole copy or none, and the next one can be made.
TEST(CopyFileTest, APowerCutLeavesAWholeCopyOrNone) {
  const uint64_t seed = TestSeed("APowerCutLeavesAWholeCopyOrNone", 1);
  Prng random(seed);
  TempFolder folder;
  SimDisk disk(folder.path(), seed);
  auto file = Open(&disk, folder.File("from"), OpenMode::kNew);
  for (int i = 0; i < 12; ++i) {
    ASSERT_TRUE(
        file->Put("b" + std::to_string(i), RandomBytes(&random, random.Below(100'000))).ok());
  }
  ASSERT_TRUE(file->Checkpoint().ok());
  BlockModel wanted;
  ASSERT_TRUE(ReadAll(file.get(), nullptr, Meta::kYes, &wanted).ok());
  const size_t begun = disk.log_size();
  ASSERT_TRUE(file->get()->CopyTo(nullptr, &disk, folder.File("to"), nullptr).ok());
  const size_t ended = disk.log_size();
  ASSERT_TRUE(file->Close().ok());
  TempFolder image;
  uint64_t images = 0;
  uint64_t copies = 0;
  for (uint64_t round = 0; round < 20; ++round) {
    PowerCut cut(disk);
    for (size_t at = begun; at <= ended && !::testing::Test::HasFailure(); ++at) {
      cut.AdvanceTo(at);
      cut.WriteImage(random.Next(), image.path());
      ++images;
      SimDisk found(image.path(), 1, SimDisk::Record::kNo);
      auto from = Open(&found, image.File("from"), OpenMode::kExisting);
      const bool there = found.Exists(image.File("to")).value();
      copies += there ? 1 : 0;
      ASSERT_TRUE(there || at < ended) << "the copy was told to be durable";
      if (!there) {
        const Status again = from->get()->CopyTo(nullptr, &found, image.File("to"), nullptr);
        ASSERT_TRUE(again.ok()) << again.message();
      }
      auto copy = Open(&found, image.File("to"), OpenMode::kExisting);
      BlockModel blocks;
      ASSERT_TRUE(ReadAll(copy.get(), nullptr, Meta::kYes, &blocks).ok());
      ASSERT_EQ(Difference(wanted, blocks), "") << "at " << at;
    }
  }
  std::printf("%llu images, %llu with a copy\n", static_cast<unsigned long long>(images),
              static_cast<unsigned long long>(copies));
  EXPECT_GT(images, 200u);
}

}  // namespace
}  // namespace spillway::test
