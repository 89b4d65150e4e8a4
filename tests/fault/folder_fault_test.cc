// Import and export on a disk that fails: every call of every kind once, and a disk that is full.
// Nothing is half there afterwards, and the next run completes it.
#include <cerrno>
#include <filesystem>
#include <memory>
#include <string>

#include "gtest/gtest.h"
#include "internal/blockfile/folder_names.h"
#include "tests/support/block_file_settings.h"
#include "tests/support/blocks.h"
#include "tests/support/folder_tree.h"
#include "tests/support/prng.h"
#include "tests/support/sim_disk.h"
#include "tests/support/temp_folder.h"

namespace spillway::test {
namespace {

using base::Code;
using base::Status;
using blockfile::OpenMode;
using blockfile::Transferred;

// A transfer into what holds something older.
class Transfer {
 public:
  Transfer(uint64_t seed, bool imports) : random_(seed), imports_(imports) {
    settings_ = SmallBlockFile(&random_);
    settings_.growth_bytes = uint64_t{20} * settings_.page_bytes;
    for (const char* name : {"a", "a/b", "f/g/h", "f/i", "empty", "same", "f/"}) {
      now_[name] = name == std::string("empty") ? "" : RandomPayload(&random_, 9000);
    }
    now_["large"] = RandomPayload(&random_, 300'000);
    const Contents before = {{"same", now_["same"]}, {"f/i", "older"}, {"large", "older"}};
    disk_ = std::make_unique<SimDisk>(folder_.path(), seed, SimDisk::Record::kNo);
    Open(imports_ ? "other" : "blocks");
    PutAll(file_.get(), imports_ ? now_ : before);
    Expect(Run(Way::kExport));
    if (imports_) {
      Expect(file_->Close());
      Open("blocks");
    }
    PutAll(file_.get(), imports_ ? before : now_);
    Expect(file_->Close());
    Open("blocks");
  }

  Status Go() { return Run(imports_ ? Way::kImport : Way::kExport); }
  void Reopen() {
    file_ = nullptr;
    disk_->PardonFailedSyncs();
    Open("blocks");
  }
  // Every block or file is as it was or as it is to be, and nothing is left beside them.
  void ExpectComplete() {
    if (imports_) {
      EXPECT_EQ(Difference(now_, ReadBlocks(file_.get())), "");
      return;
    }
    const Contents tree = ReadTree(folder_.File("files"));
    EXPECT_EQ(tree.size(), now_.size());
    Contents found;
    for (const auto& [path, bytes] : tree) {
      std::vector<std::string> components;
      for (size_t at = 0; at <= path.size();) {
        const size_t end = std::min(path.find('/', at), path.size());
        components.push_back(path.substr(at, end - at));
        at = end + 1;
      }
      found[blockfile::DecodePath(components)] = bytes;
    }
    EXPECT_EQ(Difference(now_, found), "");
  }

  SimDisk* disk() { return disk_.get(); }
  Blocks* file() { return file_.get(); }

 private:
  enum class Way { kImport, kExport };

  void Open(const std::string& name) {
    auto opened = Blocks::Open(disk_.get(), folder_.File(name), OpenMode::kCreate, settings_);
    ASSERT_TRUE(opened.ok()) << opened.status().message();
    file_ = std::move(opened.value());
  }
  static void Expect(const Status& status) { EXPECT_TRUE(status.ok()) << status.message(); }
  Status Run(Way way) {
    Transferred done;
    const std::string files = folder_.File("files");
    return way == Way::kImport
               ? ImportFolder(file_->get(), disk_.get(), files, "", nullptr, &done)
               : ExportFolder(file_->get(), nullptr, disk_.get(), "", files, nullptr, &done);
  }

  Prng random_;
  const bool imports_;
  TempFolder folder_;
  blockfile::Settings settings_;
  Contents now_;
  std::unique_ptr<SimDisk> disk_;
  std::unique_ptr<Blocks> file_;
};

size_t OpenDescriptors() {
  size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    count += entry.path().empty() ? 0 : 1;
  }
  return count;
}

void FailEveryCall(bool imports, int os_code) {
  uint64_t failed = 0;
  for (uint64_t number = 1;; ++number) {
    SCOPED_TRACE("call " + std::to_string(number));
    ASSERT_LT(number, 3000u);
    Transfer transfer(7, imports);
    const size_t descriptors = OpenDescriptors();
    transfer.disk()->Fail({.kind = Call::kAny, .number = number, .os_code = os_code});
    const Status status = transfer.Go();
    const bool struck = transfer.disk()->HasFailed();
    transfer.disk()->Heal();
    EXPECT_EQ(OpenDescriptors(), descriptors);
    if (!status.ok()) {
      ++failed;
      EXPECT_TRUE(status.code() == Code::kIo || (os_code == ENOSPC && status.code() == Code::kFull))
          << static_cast<int>(status.code()) << ": " << status.message();
      EXPECT_FALSE(status.message().empty());
    }
    transfer.Reopen();
    const Status again = transfer.Go();
    ASSERT_TRUE(again.ok()) << again.message();
    transfer.ExpectComplete();
    if (!struck) {
      ASSERT_TRUE(status.ok()) << status.message();
      break;
    }
    ASSERT_FALSE(::testing::Test::HasFailure()) << status.message();
  }
  EXPECT_GT(failed, 50u);
}

TEST(FolderFaultTest, EveryCallOfAnImportFailsOnce) { FailEveryCall(true, EIO); }
TEST(FolderFaultTest, EveryCallOfAnExportFailsOnce) { FailEveryCall(false, EIO); }
TEST(FolderFaultTest, EveryCallOfAnImportFindsTheDiskFullOnce) { FailEveryCall(true, ENOSPC); }
TEST(FolderFaultTest, EveryCallOfAnExportFindsTheDiskFullOnce) { FailEveryCall(false, ENOSPC); }

// The same handle goes on when there is room again.
void FillTheDisk(bool imports) {
  uint64_t full = 0;
  for (uint64_t space = 0;; space += 7001) {
    SCOPED_TRACE("room for " + std::to_string(space));
    ASSERT_LT(space, uint64_t{10} << 20);
    Transfer transfer(7, imports);
    transfer.disk()->SetSpace(space);
    const Status status = transfer.Go();
    transfer.disk()->SetSpace(std::nullopt);
    full += status.ok() ? 0 : 1;
    ASSERT_TRUE(status.ok() || status.code() == Code::kFull) << status.message();
    const Status again = transfer.Go();
    ASSERT_TRUE(again.ok()) << again.message();
    transfer.ExpectComplete();
    EXPECT_TRUE(transfer.file()->CheckSpace(true).ok());
    if (status.ok()) {
      break;
    }
  }
  EXPECT_GT(full, 3u);
}

TEST(FolderFaultTest, AnImportIntoAFullDiskGoesOnWhenThereIsRoom) { FillTheDisk(true); }
TEST(FolderFaultTest, AnExportToAFullDiskGoesOnWhenThereIsRoom) { FillTheDisk(false); }

}  // namespace
}  // namespace spillway::test
