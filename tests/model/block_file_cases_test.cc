// What the block file got wrong once, each case in a few lines.
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "tests/support/block_file_settings.h"
#include "tests/support/block_model.h"
#include "tests/support/blocks.h"
#include "tests/support/prng.h"
#include "tests/support/sim_disk.h"
#include "tests/support/temp_folder.h"

namespace spillway::test {
namespace {

using base::Status;
using blockfile::AsBytes;
using blockfile::BlockInfo;
using blockfile::Level;
using blockfile::OpenMode;
using blockfile::Transaction;

class BlockFileCasesTest : public ::testing::Test {
 protected:
  BlockFileCasesTest() : disk_(folder_.path(), 1, SimDisk::Record::kNo) {
    Prng random(1);
    settings_ = SmallBlockFile(&random);
    settings_.direct_bytes = 3000;
  }
  void SetUp() override { Open(); }

  void Open() {
    file_.reset();
    auto opened = Blocks::Open(&disk_, folder_.File("blocks"), OpenMode::kCreate, settings_);
    ASSERT_TRUE(opened.ok()) << opened.status().message();
    file_ = std::move(opened.value());
  }
  void Put(const std::string& name, const std::string& payload) {
    ASSERT_TRUE(file_->Put(name, payload).ok());
  }
  void Append(const std::string& name, const std::string& bytes) {
    uint64_t length = 0;
    ASSERT_TRUE(file_->get()->Append(nullptr, name, AsBytes(bytes), &length).ok());
  }
  BlockInfo Stat(const std::string& name) {
    BlockInfo info;
    EXPECT_TRUE(file_->get()->Stat(nullptr, name, &info).ok());
    return info;
  }
  std::string Read(const std::string& name, Transaction* txn = nullptr) {
    std::string payload;
    const Status read = file_->Read(txn, name, &payload);
    return read.ok() ? payload : "(" + std::to_string(static_cast<int>(read.code())) + ")";
  }
  std::shared_ptr<Transaction> Snapshot() {
    std::shared_ptr<Transaction> txn;
    EXPECT_TRUE(file_->get()->Begin(true, &txn).ok());
    return txn;
  }
  // Sound now, after a checkpoint, and after an orderly close.
  void ExpectSound() {
    for (int i = 0; i < 3; ++i) {
      const Status sound = file_->CheckSpace(true);
      ASSERT_TRUE(sound.ok()) << sound.message();
      const Status done = i == 0 ? file_->Checkpoint() : i == 1 ? file_->Close() : Status();
      ASSERT_TRUE(done.ok()) << done.message();
      if (i == 1) {
        Open();
      }
    }
  }

  TempFolder folder_;
  SimDisk disk_;
  blockfile::Settings settings_;
  std::unique_ptr<Blocks> file_;
};

const std::string kLarge(20'000, 'l');

TEST_F(BlockFileCasesTest, ANewBlockKeepsItsTimeOfCreationWhileItWaits) {
  Put("x", "1");
  const int64_t created = Stat("x").created_ns;
  Put("x", "2");
  EXPECT_EQ(Stat("x").created_ns, created);
  Put("x", std::string(2000, '3'));
  Append("x", "4");
  EXPECT_EQ(Stat("x").created_ns, created);
  const auto snapshot = Snapshot();  // what follows goes into another group
  Put("x", "5");
  EXPECT_EQ(Stat("x").created_ns, created);
  EXPECT_TRUE(file_->Flush().ok());
  EXPECT_EQ(Stat("x").created_ns, created);
}

TEST_F(BlockFileCasesTest, AppendsToABlockThatWaitsAreWrittenWhole) {
  for (const uint64_t first : {uint64_t{2000}, uint64_t{5000}}) {  // through the image, around it
    const std::string name = std::to_string(first);
    Append(name, std::string(first, '1'));
    std::string wanted = std::string(first, '1');
    for (char c = 'a'; c < 'p'; ++c) {
      Append(name, std::string(127 * static_cast<size_t>(c - 'a'), c));
      wanted += std::string(127 * static_cast<size_t>(c - 'a'), c);
      EXPECT_EQ(Read(name), wanted);
    }
    EXPECT_TRUE(file_->Flush().ok());
    EXPECT_EQ(Read(name), wanted);
  }
  ExpectSound();
}

TEST_F(BlockFileCasesTest, ALargeBlockThatWaitsSurvivesARename) {
  Put("a", kLarge);
  ASSERT_TRUE(file_->get()->Rename(nullptr, "a", "b", false).ok());
  ASSERT_TRUE(file_->Flush().ok());
  ASSERT_TRUE(file_->Checkpoint().ok());
  ASSERT_TRUE(file_->Checkpoint().ok());
  for (int i = 0; i < 20; ++i) {  // into the pages that would have come free
    Put("c" + std::to_string(i), std::string(20'000, static_cast<char>('d' + i)));
    ASSERT_TRUE(file_->Checkpoint().ok());
  }
  EXPECT_TRUE(Read("b") == kLarge);
  ExpectSound();
}

TEST_F(BlockFileCasesTest, TwoLargePutsOfOneNameInABatchGiveBackTheirPagesOnce) {
  Put("a", kLarge);
  blockfile::PutItem items[] = {
      {"a", AsBytes(kLarge)}, {"b", AsBytes(kLarge)}, {"a", AsBytes("s")}, {"b", AsBytes(kLarge)}};
  ASSERT_TRUE(file_->get()->Put(nullptr, items).ok());
  ASSERT_TRUE(file_->Checkpoint().ok());
  ASSERT_TRUE(file_->Checkpoint().ok());
  EXPECT_EQ(Read("a"), "s");
  EXPECT_TRUE(Read("b") == kLarge);
  const uint64_t held = file_->get()->Stats().bytes_held;
  ExpectSound();
  EXPECT_LT(held, uint64_t{60} * settings_.page_bytes + settings_.reserve_bytes);
}

TEST_F(BlockFileCasesTest, ASnapshotAcrossCheckpointsBringsNothingBack) {
  Put("a", "old");
  Put("gone", "old");
  ASSERT_TRUE(file_->Flush().ok());
  const auto snapshot = Snapshot();
  Put("a", "new");
  ASSERT_TRUE(file_->Remove("gone").ok());
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(file_->Checkpoint().ok());
    EXPECT_EQ(Read("a"), "new");
    EXPECT_EQ(Read("gone"), "(4)");
    EXPECT_EQ(Read("a", snapshot.get()), "old");
    EXPECT_EQ(Read("gone", snapshot.get()), "old");
    Put("b", "changes something");
  }
  Append("a", "er");
  ExpectSound();
  EXPECT_EQ(Read("a"), "newer");
  EXPECT_EQ(Read("gone"), "(4)");
}

TEST_F(BlockFileCasesTest, AFlushReturnsAfterABatchThatNeedsALargerImage) {
  settings_.direct_bytes = UINT64_MAX;
  settings_.dirty_bytes_most = uint64_t{1} << 20;
  Open();
  Put("small", "first");
  ASSERT_TRUE(file_->get()->Flush(Level::kKernel).ok());  // written and not durable
  const std::string huge(uint64_t{30} << 20, 'h');        // more than an image has room for
  Put("huge", huge);
  ASSERT_TRUE(file_->Flush().ok());
  EXPECT_TRUE(Read("huge") == huge);
  EXPECT_EQ(Read("small"), "first");
}

}  // namespace
}  // namespace spillway::test
