// Import and export that do not simply succeed, and what they see of a file that changes.
#include <filesystem>
#include <memory>
#include <string>

#include "gtest/gtest.h"
#include "internal/blockfile/folder_names.h"
#include "tests/support/prng.h"
#include "tests/unit/blockfile/folder_fixture.h"

namespace spillway::test {
namespace {

namespace fs = std::filesystem;
using base::Code;
using base::Operation;
using base::Status;
using blockfile::OpenMode;

// ---- cancelled, changed, damaged ----

TEST_F(FolderTransferTest, CancelledAnywhereTheNextCallGoesOn) {
  Prng random(1);
  Contents blocks = {{"large", std::string(9 << 20, 'l')}};
  for (int i = 0; i < 40; ++i) {
    blocks["f" + std::to_string(i % 3) + "/" + std::to_string(i)] = RandomPayload(&random, 3000);
  }
  WriteTree(Path("in"), blocks);
  PutAll(file_.get(), blocks);
  for (const bool imports : {false, true}) {
    bool ended = false;
    uint64_t cancelled = 0;
    for (uint64_t at = 1; !ended; at += imports ? 13 : 29) {
      ASSERT_LT(at, 10'000u);
      const std::string to = "at" + std::to_string(at) + (imports ? ".blocks" : ".out");
      if (imports) {
        Use(to);
      }
      auto operation = std::make_unique<Operation>();
      const uint64_t from = disk_.calls(Call::kAny);
      disk_.SetWatcher([&](uint64_t calls) {
        if (calls == from + at) {
          operation->Cancel();
        }
      });
      const auto run = [&](Operation* with) {
        done_ = {};
        return imports ? ImportFolder(file_->get(), &disk_, Path("in"), "", with, &done_)
                       : ExportFolder(file_->get(), nullptr, &disk_, "", Path(to), with, &done_);
      };
      const Status status = run(operation.get());
      disk_.SetWatcher(nullptr);
      ended = !operation->cancelled();
      ASSERT_TRUE(status.ok() || (!ended && status.code() == Code::kCancelled)) << status.message();
      cancelled += status.ok() ? 0 : 1;
      const uint64_t moved = done_.blocks;
      EXPECT_OK(run(nullptr));
      if (!status.ok()) {
        EXPECT_GE(done_.equal, moved);
      }
      EXPECT_EQ(done_.blocks + done_.equal, blocks.size());
      ASSERT_EQ(Difference(blocks, imports ? ReadBlocks(file_.get()) : ReadTree(Path(to))), "");
      fs::remove_all(Path(to));
    }
    EXPECT_GT(cancelled, 10u);
  }
}

TEST_F(FolderTransferTest, AFileThatChangesMeanwhileIsAConflictThatNamesIt) {
  const std::string large(9 << 20, 'a');
  uint64_t conflicts = 0;
  for (uint64_t at = 1;; ++at) {
    ASSERT_LT(at, 1000u);
    WriteTree(Path("in"), {{"a", "1234"}, {"large", large}, {"z", "5678"}});
    const uint64_t from = disk_.calls(Call::kAny);
    bool changed = false;
    disk_.SetWatcher([&](uint64_t calls) {
      if (calls == from + at) {
        WriteFile(Path(at % 2 == 0 ? "in/large" : "in/a"), at % 3 == 0 ? "99999" : "4321");
        changed = true;
      }
    });
    const Status status = Import("in", std::to_string(at) + "/");
    disk_.SetWatcher(nullptr);
    if (!changed) {
      break;
    }
    ASSERT_TRUE(status.ok() || status.code() == Code::kConflict) << status.message();
    if (!status.ok()) {
      ++conflicts;
      EXPECT_NE(status.message().find(at % 2 == 0 ? "large" : "a"), std::string::npos)
          << status.message();
    } else {
      std::string read;
      EXPECT_OK(file_->Read(std::to_string(at) + "/z", &read));
      EXPECT_EQ(read, "5678");
    }
  }
  EXPECT_GT(conflicts, 5u);
}

// Where that byte string stands in the block file; flips a bit of it there.
void Damage(const std::string& path, const std::string& payload) {
  std::string bytes = ReadFile(path);
  const size_t at = bytes.find(payload);
  ASSERT_NE(at, std::string::npos);
  bytes[at + 5] ^= 1;
  WriteFile(path, bytes);
}

TEST_F(FolderTransferTest, DamagedBlocksAreLeftOutAndNamed) {
  Prng random(1);
  Contents blocks;
  for (int i = 0; i < 20; ++i) {
    blocks["block" + std::to_string(10 + i)] =
        RandomPayload(&random, 1) + std::string(9000, static_cast<char>('a' + i));
  }
  PutAll(file_.get(), blocks);
  EXPECT_OK(file_->Close());
  file_ = nullptr;
  for (const std::string name : {"block12", "block17"}) {
    Damage(Path("blocks"), blocks[name].substr(100, 4000));
  }
  Use("blocks");
  WriteTree(Path("out"), {{"block12", "stays as it was"}, {"block17", blocks["block17"]}});
  for (int turn = 0; turn < 2; ++turn) {
    const Status status = Export("out");
    EXPECT_EQ(status.code(), Code::kCorrupt);
    EXPECT_NE(status.message().find("block12"), std::string::npos) << status.message();
    EXPECT_NE(status.message().find("2 blocks"), std::string::npos) << status.message();
    ExpectDone(turn == 0 ? 18 : 0, turn == 0 ? 0 : 18);
    Contents tree = blocks;
    tree["block12"] = "stays as it was";
    EXPECT_EQ(Difference(tree, ReadTree(Path("out"))), "");
  }
  WriteTree(Path("out"), {{"block12", blocks["block12"]}});
  EXPECT_OK(Import("out"));  // which is how they come back
  ExpectDone(2, 18);
  EXPECT_EQ(Difference(blocks, ReadBlocks(file_.get())), "");
}

// ---- what is exported ----

TEST_F(FolderTransferTest, ATransactionIsExportedAsItSeesTheFile) {
  PutAll(file_.get(), {{"a", "old"}, {"b", "old"}, {"c", "old"}});
  std::shared_ptr<blockfile::Transaction> snapshot;
  std::shared_ptr<blockfile::Transaction> txn;
  ASSERT_TRUE((*file_)->Begin(true, &snapshot).ok());
  ASSERT_TRUE((*file_)->Begin(false, &txn).ok());
  blockfile::PutItem own{.name = "own", .payload = blockfile::AsBytes("mine")};
  ASSERT_TRUE((*file_)->Put(txn.get(), {&own, 1}).ok());
  ASSERT_TRUE((*file_)->Remove(txn.get(), "c").ok());
  PutAll(file_.get(), {{"a", "newer"}, {"d", "newer"}});
  EXPECT_OK(Export("snapshot", "", snapshot.get()));
  EXPECT_EQ(Difference({{"a", "old"}, {"b", "old"}, {"c", "old"}}, ReadTree(Path("snapshot"))), "");
  EXPECT_OK(Export("txn", "", txn.get()));
  EXPECT_EQ(Difference({{"a", "old"}, {"b", "old"}, {"own", "mine"}}, ReadTree(Path("txn"))), "");
  ASSERT_TRUE((*file_)->Commit(txn.get(), blockfile::Level::kRelaxed).ok());
  EXPECT_EQ(Export("over", "", txn.get()).code(), Code::kInvalidState);
  EXPECT_FALSE(fs::exists(Path("over")));
}

TEST_F(FolderTransferTest, ChangesDuringAnExportAreNotSeen) {
  Contents blocks;
  for (int i = 0; i < 100; ++i) {
    blocks["b" + std::to_string(i)] = std::string(2000, 'o');
  }
  PutAll(file_.get(), blocks);
  EXPECT_OK(file_->Flush());
  auto other = Open("second disk");  // the watched disk must not be used from within a call
  disk_.SetWatcher([&](uint64_t calls) {
    if (calls % 50 == 0) {
      EXPECT_TRUE(file_->Put("b" + std::to_string(calls % 100), "new").ok());  // waits in memory
      EXPECT_TRUE(file_->Put("c" + std::to_string(calls), "new").ok());
    }
  });
  EXPECT_OK(Export("out"));
  disk_.SetWatcher(nullptr);
  EXPECT_EQ(Difference(blocks, ReadTree(Path("out"))), "");
}

TEST_F(FolderTransferTest, LeftoversOfACrashGoAndThoseInUseStay) {
  const std::string left = blockfile::TemporaryName(1);
  const std::string used = blockfile::TemporaryName(2);
  WriteTree(Path("out"), {{left, "x"}, {"in/" + left, "x"}, {used, "y"}, {"%~other", "z"}});
  auto writer = disk_.OpenFile(Path("out/") + used, io::Open::kExisting);
  ASSERT_TRUE(writer.ok() && writer.value()->Lock().ok());
  PutAll(file_.get(), {{"in/a", "1"}});
  EXPECT_OK(Export("out"));
  EXPECT_EQ(Difference({{"in/a", "1"}, {used, "y"}, {"%~other", "z"}}, ReadTree(Path("out"))), "");
}

TEST_F(FolderTransferTest, RefusedBeforeAnythingIsDone) {
  PutAll(file_.get(), {{"a", "1"}});
  EXPECT_OK(file_->Close());
  WriteTree(Path("in"), {{"b", "2"}});
  EXPECT_EQ(Import("in").code(), Code::kClosed);
  EXPECT_EQ(Export("out").code(), Code::kClosed);
  auto read_only = Blocks::Open(&disk_, Path("blocks"), OpenMode::kReadOnly, {});
  ASSERT_TRUE(read_only.ok());
  file_ = std::move(read_only.value());
  EXPECT_EQ(Import("in").code(), Code::kReadOnly);
  operation_.Cancel();
  EXPECT_EQ(Export("out").code(), Code::kCancelled);
}

}  // namespace
}  // namespace spillway::test
