// A block file, folders beside it, and transfers between them, on a disk that can be watched.
#pragma once

#include <memory>
#include <string>

#include "gtest/gtest.h"
#include "tests/support/blocks.h"
#include "tests/support/folder_tree.h"
#include "tests/support/sim_disk.h"
#include "tests/support/temp_folder.h"

namespace spillway::test {

class FolderTransferTest : public ::testing::Test {
 protected:
  FolderTransferTest() { file_ = Open("blocks"); }

  std::unique_ptr<Blocks> Open(const std::string& name) {
    auto opened = Blocks::Open(&disk_, folder_.File(name), blockfile::OpenMode::kCreate, {});
    EXPECT_TRUE(opened.ok()) << opened.status().message();
    return std::move(opened.value());
  }
  // The one of the test from now on.
  void Use(const std::string& name) {
    file_ = nullptr;
    file_ = Open(name);
  }
  std::string Path(const std::string& name) const { return folder_.File(name); }

  base::Status Import(const std::string& from, const std::string& prefix = "") {
    done_ = {};
    return ImportFolder(file_->get(), &disk_, Path(from), prefix, &operation_, &done_);
  }
  base::Status Export(const std::string& to, const std::string& prefix = "",
                      blockfile::Transaction* txn = nullptr) {
    done_ = {};
    return ExportFolder(file_->get(), txn, &disk_, prefix, Path(to), &operation_, &done_);
  }
  // So many moved and so many equal ones, none ignored.
  void ExpectDone(uint64_t blocks, uint64_t equal) {
    EXPECT_EQ(done_.blocks, blocks);
    EXPECT_EQ(done_.equal, equal);
    EXPECT_EQ(done_.ignored, 0u);
  }

  TempFolder folder_;
  SimDisk disk_{folder_.path(), 1, SimDisk::Record::kNo};
  std::unique_ptr<Blocks> file_;
  base::Operation operation_;
  blockfile::Transferred done_;
};

#define EXPECT_OK(expression)                           \
  do {                                                  \
    const base::Status expected_ = (expression);        \
    EXPECT_TRUE(expected_.ok()) << expected_.message(); \
  } while (false)

}  // namespace spillway::test
